//! Applying changes by compare-and-set, with what they mean to the ledger and to array parents.

use rusqlite::{Connection, OptionalExtension, params};

use super::row::{job_id, key, load, write_state};
use super::tally::{Sort, Tally};
use super::{disk, ledger, people};
use crate::domain::array::parent_after_child_end;
use crate::domain::{Attempt, Ending, Job, JobId, JobState, Phase, Timestamp, Transition};
use crate::store::{Applied, Change, Result};

pub fn commit(connection: &Connection, changes: &[Change]) -> Result<Vec<Applied>> {
    let mut tally = Tally::default();
    let applied = changes.iter().map(|change| apply(connection, change, &mut tally)).collect::<Result<_>>()?;
    tally.write(connection)?;
    Ok(applied)
}

/// The setting that holds the newest fence.
const FENCE: &str = "fence";

pub fn commit_fenced(connection: &Connection, fence: u64, changes: &[Change]) -> Result<Option<Vec<Applied>>> {
    let newest = people::setting(connection, FENCE)?;
    if newest != Some(fence.to_string()) {
        return Ok(None);
    }
    commit(connection, changes).map(Some)
}

pub fn raise_fence(connection: &Connection) -> Result<u64> {
    let newest = people::setting(connection, FENCE)?.and_then(|fence| fence.parse().ok()).unwrap_or(0u64) + 1;
    people::put_setting(connection, FENCE, &newest.to_string())?;
    Ok(newest)
}

/// What a change must know of the job as it was.
struct Before {
    revision: u64,
    phase: i64,
    parent: Option<JobId>,
    sort: Sort,
}

impl Before {
    fn was_active(&self) -> bool {
        self.phase < Phase::Over as i64
    }
}

fn before(connection: &Connection, id: JobId) -> Result<Option<Before>> {
    let mut select =
        connection.prepare_cached("SELECT revision, phase, parent, user, project FROM jobs WHERE id = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        let parent: Option<i64> = row.get(2)?;
        Ok(Before {
            revision: row.get::<_, i64>(0)?.cast_unsigned(),
            phase: row.get(1)?,
            parent: parent.map(job_id),
            sort: Sort { user: row.get(3)?, project: row.get(4)?, child: parent.is_some() },
        })
    };
    Ok(select.query_row([key(id)], read).optional()?)
}

fn apply(connection: &Connection, change: &Change, tally: &mut Tally) -> Result<Applied> {
    let Some(before) = before(connection, change.id)?.filter(|before| before.revision == change.expect) else {
        return Ok(Applied::Stale);
    };
    write_state(connection, change.id, before.phase, &change.state, change.request.as_ref(), &change.failed_nodes)?;
    if let Some(charge) = &change.charge {
        ledger::add(connection, charge)?;
    }
    disk::moved(connection, &before.sort.user, before.phase, &change.state)?;
    let parent_over = match before.parent {
        Some(parent) => tell_parent(connection, parent, &before, &change.state, tally)?,
        None => None,
    };
    tally.moved(before.sort, before.phase, change.state.phase());
    Ok(Applied::Done { revision: before.revision + 1, parent_over })
}

/// Answers the parent when it ended with this child.
fn tell_parent(
    connection: &Connection,
    parent: JobId,
    child: &Before,
    now: &JobState,
    tally: &mut Tally,
) -> Result<Option<JobId>> {
    match now {
        JobState::Starting { attempt, since: at } | JobState::Running { attempt, started: at, .. } => {
            child_started(connection, parent, attempt, *at, tally).map(|()| None)
        }
        JobState::Over(outcome) | JobState::Archived { outcome, .. } if child.was_active() => {
            child_ended(connection, parent, outcome.ending, outcome.ended, tally)
        }
        JobState::Pending { .. } | JobState::Over(_) | JobState::Archived { .. } => Ok(None),
    }
}

fn child_started(connection: &Connection, id: JobId, child: &Attempt, at: Timestamp, tally: &mut Tally) -> Result<()> {
    let mut select = connection.prepare_cached("SELECT phase FROM jobs WHERE id = ?1")?;
    let phase: Option<i64> = select.query_row([key(id)], |row| row.get(0)).optional()?;
    if phase != Some(Phase::Pending as i64) {
        return Ok(());
    }
    let Some(parent) = load(connection, id)? else { return Ok(()) };
    let attempt = Attempt { number: 1, container: None, digest: None, ports: Vec::new(), ..child.clone() };
    let launched = parent
        .state
        .next(Transition::Start { attempt: attempt.clone(), at })
        .and_then(|starting| starting.next(Transition::Launched { attempt, at }));
    // A pending job can always start and then run; if that ever changes, its parent just stays as it is.
    launched.map_or(Ok(()), |running| move_parent(connection, &parent, running, tally))
}

fn child_ended(
    connection: &Connection,
    id: JobId,
    ending: Ending,
    at: Timestamp,
    tally: &mut Tally,
) -> Result<Option<JobId>> {
    let mut count = connection.prepare_cached(
        "UPDATE jobs SET revision = revision + 1, children_over = children_over + 1,
             children_failed = children_failed + ?2
         WHERE id = ?1 RETURNING children_over >= children",
    )?;
    let all_over: Option<bool> = count.query_row(params![key(id), !ending.is_ok()], |row| row.get(0)).optional()?;
    if all_over != Some(true) {
        return Ok(None);
    }
    let Some(parent) = load(connection, id)? else { return Ok(None) };
    let Some(over) = parent_after_child_end(&parent, at) else { return Ok(None) };
    move_parent(connection, &parent, over, tally)?;
    Ok(Some(id))
}

fn move_parent(connection: &Connection, parent: &Job, state: JobState, tally: &mut Tally) -> Result<()> {
    // What was asked of an array is done when it is over.
    let request = parent.request.as_ref().filter(|_| state.is_active());
    let was = parent.state.phase() as i64;
    write_state(connection, parent.id, was, &state, request, &parent.failed_nodes)?;
    let sort = Sort { user: parent.owner.user.to_string(), project: parent.owner.project.to_string(), child: false };
    tally.moved(sort, was, state.phase());
    Ok(())
}
