//! Changes of jobs: compare, set, count, charge; all inside one transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::of_sqlite;
use super::rows::{self, Reader, failed_nodes_column, request_column, to_json};
use crate::domain::{Attempt, Job, JobId, JobState, Phase, Timestamp, array};
use crate::store::{Applied, Change, Charge, Result};

pub fn apply(connection: &Connection, changes: &[Change]) -> Result<Vec<Applied>> {
    changes.iter().map(|change| apply_one(connection, change)).collect()
}

fn apply_one(connection: &Connection, change: &Change) -> Result<Applied> {
    let before = connection
        .prepare_cached("SELECT phase, parent FROM jobs WHERE id = ?1 AND revision = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![change.id.0, change.expect], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Option<u64>>(1)?))
                })
                .optional()
        })
        .map_err(of_sqlite)?;
    let Some((phase, parent)) = before else { return Ok(Applied::Stale) };
    let before = rows::phase(phase)?;
    set(connection, change)?;
    if let Some(charge) = &change.charge {
        charge_once(connection, charge)?;
    }
    let mut parent_over = None;
    if let Some(parent) = parent.map(JobId) {
        if change.state.phase() == Phase::Over && before < Phase::Over {
            parent_over = count_on_parent(connection, parent, &change.state)?;
        } else if change.state.phase() == Phase::Starting {
            begin_parent(connection, parent, &change.state)?;
        }
    }
    Ok(Applied::Done { revision: change.expect + 1, parent_over })
}

fn set(connection: &Connection, change: &Change) -> Result<()> {
    let ended = change.state.outcome().map(|outcome| outcome.ended.0);
    connection
        .prepare_cached(
            "UPDATE jobs SET revision = revision + 1, phase = ?2, state = ?3, request = ?4, failed_nodes = ?5, \
             ended = ?6 WHERE id = ?1",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                change.id.0,
                change.state.phase() as i64,
                to_json(&change.state),
                request_column(change.request),
                failed_nodes_column(&change.failed_nodes),
                ended,
            ])
        })
        .map_err(of_sqlite)?;
    Ok(())
}

fn charge_once(connection: &Connection, charge: &Charge) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO ledger (day, user, project, cpu, ram, time, jobs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1) \
             ON CONFLICT (user, day, project) DO UPDATE SET cpu = cpu + excluded.cpu, ram = ram + excluded.ram, \
             time = time + excluded.time, jobs = jobs + 1",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                charge.day,
                charge.user.as_str(),
                charge.project.as_str(),
                charge.cpu,
                charge.ram,
                charge.seconds,
            ])
        })
        .map_err(of_sqlite)?;
    connection
        .prepare_cached(
            "INSERT INTO images (image, jobs) VALUES (?1, 1) ON CONFLICT (image) DO UPDATE SET jobs = jobs + 1",
        )
        .and_then(|mut statement| statement.execute(params![charge.image]))
        .map_err(of_sqlite)?;
    Ok(())
}

/// A parent runs from the moment its first child was chosen.
fn begin_parent(connection: &Connection, parent: JobId, child: &JobState) -> Result<()> {
    let pending: bool = connection
        .prepare_cached("SELECT phase = 0 FROM jobs WHERE id = ?1")
        .and_then(|mut statement| statement.query_row(params![parent.0], |row| row.get(0)).optional())
        .map_err(of_sqlite)?
        .unwrap_or(false);
    let JobState::Starting { attempt, since } = child else { return Ok(()) };
    if !pending {
        return Ok(());
    }
    let attempt = Attempt { number: 1, container: None, ports: Vec::new(), ..attempt.clone() };
    let state = JobState::Running { attempt, started: *since, suspended: false };
    connection
        .prepare_cached("UPDATE jobs SET revision = revision + 1, phase = ?2, state = ?3 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![parent.0, state.phase() as i64, to_json(&state)]))
        .map_err(of_sqlite)?;
    Ok(())
}

/// Counts an ended child; answers the parent when that ended it too.
fn count_on_parent(connection: &Connection, parent: JobId, child: &JobState) -> Result<Option<JobId>> {
    let Some(outcome) = child.outcome() else { return Ok(None) };
    let complete: bool = connection
        .prepare_cached(
            "UPDATE jobs SET children_over = children_over + 1, children_failed = children_failed + ?2 WHERE id = ?1 \
             RETURNING children_over >= children",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![parent.0, u32::from(!outcome.ending.is_ok())], |row| row.get(0))
                .optional()
        })
        .map_err(of_sqlite)?
        .unwrap_or(false);
    if !complete {
        return Ok(None);
    }
    let Some(job) = read(connection, parent)? else { return Ok(None) };
    end_parent(connection, &job, outcome.ended)
}

fn end_parent(connection: &Connection, parent: &Job, at: Timestamp) -> Result<Option<JobId>> {
    let Some(state) = array::parent_after_child_end(parent, at) else { return Ok(None) };
    let change = Change {
        id: parent.id,
        expect: parent.revision,
        state,
        request: None,
        failed_nodes: Vec::new(),
        charge: None,
    };
    set(connection, &change)?;
    Ok(Some(parent.id))
}

pub fn read(connection: &Connection, id: JobId) -> Result<Option<Job>> {
    let sql = format!("SELECT {} FROM {} WHERE j.id = ?1", rows::JOB, rows::FROM);
    let mut statement = connection.prepare_cached(&sql).map_err(of_sqlite)?;
    let mut found = statement.query(params![id.0]).map_err(of_sqlite)?;
    match found.next().map_err(of_sqlite)? {
        Some(row) => Reader::default().job(row).map(Some),
        None => Ok(None),
    }
}
