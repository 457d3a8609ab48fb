//! Reading jobs: one, some, lists, and what the scheduler keeps of the pending ones.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, params, params_from_iter};

use super::error::corrupt;
use super::filter::selection;
use super::row::{COLUMNS, JobReader, Names, Needs, from_json, job_id, key, load, optional_from_json, phase_set, text};
use crate::domain::{Cores, EndingKind, Job, JobId, JobState, Memory, Phase, Resources, Timestamp};
use crate::store::{DependencyOutcome, EndedRow, JobFilter, JobOrder, Page, PendingRow, Result};

pub fn jobs(connection: &Connection, ids: &[JobId]) -> Result<Vec<Job>> {
    let mut reader = JobReader::new(connection);
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))?;
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids.iter().collect::<BTreeSet<_>>() {
        let mut rows = select.query([key(*id)])?;
        if let Some(row) = rows.next()? {
            jobs.push(reader.read(row)?);
        }
    }
    Ok(jobs)
}

pub fn job(connection: &Connection, id: JobId) -> Result<Option<Job>> {
    load(connection, id)
}

pub fn list(connection: &Connection, filter: &JobFilter, page: Page) -> Result<Vec<Job>> {
    let (sql, values) = list_query(filter, page);
    read_all(connection, &sql, params_from_iter(values))
}

pub fn list_query(filter: &JobFilter, page: Page) -> (String, Vec<Value>) {
    let mut selected = selection(filter);
    let values = selected.values.len();
    let sql =
        format!("SELECT {COLUMNS} {} {} LIMIT ?{} OFFSET ?{}", selected.from, selected.order, values + 1, values + 2);
    selected.values.extend(limits(page).map(Value::from));
    (sql, selected.values)
}

/// `LIMIT` and `OFFSET`; a negative limit is none.
fn limits(page: Page) -> [i64; 2] {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    [page.limit.map_or(-1, number), number(page.skip)]
}

pub fn children(connection: &Connection, parent: JobId, page: Page) -> Result<Vec<Job>> {
    let [limit, skip] = limits(page);
    read_all(connection, &children_query(), params![key(parent), limit, skip])
}

/// Ids of children rise with their index.
pub fn children_query() -> String {
    format!("SELECT {COLUMNS} FROM jobs WHERE parent = ?1 ORDER BY id LIMIT ?2 OFFSET ?3")
}

fn read_all(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<Job>> {
    let mut reader = JobReader::new(connection);
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(values)?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(reader.read(row)?);
    }
    Ok(jobs)
}

pub fn count(connection: &Connection, filter: &JobFilter) -> Result<u64> {
    let (sql, values) = count_query(filter);
    let count: i64 = connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

pub fn count_query(filter: &JobFilter) -> (String, Vec<Value>) {
    if let Some(tallied) = tally_query(filter) {
        return tallied;
    }
    let selected = selection(filter);
    (format!("SELECT count(*) {}", selected.from), selected.values)
}

const ANY_PHASE: i64 = -1;

/// Counting from the tallies, which know owners, projects and phases and nothing else.
fn tally_query(filter: &JobFilter) -> Option<(String, Vec<Value>)> {
    let JobFilter { owner, project, phases, tag, ended_before, requested, with_children, after, order } = filter;
    if tag.is_some() || ended_before.is_some() || *requested || after.is_some() {
        return None;
    }
    let possible = match order {
        JobOrder::IdAscending | JobOrder::IdDescending => ANY_PHASE,
        JobOrder::EndedDescending => phase_set(&[Phase::Over, Phase::Archived]),
    };
    let asked = if phases.is_empty() { ANY_PHASE } else { phase_set(phases) };
    let sql = "SELECT coalesce(sum(jobs), 0) FROM tallies
               WHERE (?1 IS NULL OR user = ?1) AND (?2 IS NULL OR project = ?2) AND child <= ?3
                   AND (1 << phase) & ?4 <> 0";
    let text = |text: Option<&str>| text.map_or(Value::Null, |text| Value::from(text.to_owned()));
    let values = vec![
        text(owner.as_ref().map(|user| user.as_str())),
        text(project.as_ref().map(|project| project.as_str())),
        Value::from(*with_children),
        Value::from(asked & possible),
    ];
    Some((sql.to_owned(), values))
}

pub const PENDING: &str = "SELECT id, revision, user, project, submitted, cpu_millis, ram_bytes, gpus, parent, needs, \
         state, failed_nodes, request
     FROM jobs INDEXED BY jobs_active
     WHERE ended IS NULL AND phase = 0 AND id > ?1 AND children IS NULL
     ORDER BY id LIMIT ?2";

pub fn pending(connection: &Connection, after: JobId, limit: usize) -> Result<Vec<PendingRow>> {
    // For its names only: no spec is read.
    let mut reader = JobReader::new(connection);
    let mut select = connection.prepare_cached(PENDING)?;
    let mut rows = select.query(params![key(after), i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        pending.push(pending_row(row, &mut reader)?);
    }
    Ok(pending)
}

fn pending_row(row: &rusqlite::Row<'_>, reader: &mut JobReader<'_>) -> Result<PendingRow> {
    let id = job_id(row.get(0)?);
    let place = format!("job {id}");
    let needs: Needs = optional_from_json(&place, row.get(9)?)?.unwrap_or_default();
    Ok(PendingRow {
        id,
        revision: row.get::<_, i64>(1)?.cast_unsigned(),
        user: reader.users.get(text(row, 2)?)?,
        project: reader.projects.get(text(row, 3)?)?,
        submitted: Timestamp(row.get(4)?),
        resources: Resources {
            cpu: Cores::from_millis(row.get(5)?),
            ram: Memory::from_bytes(row.get::<_, i64>(6)?.cast_unsigned()),
            gpus: row.get(7)?,
        },
        parent: row.get::<_, Option<i64>>(8)?.map(job_id),
        throttle: needs.throttle,
        labels: needs.labels,
        dependencies: needs.dependencies,
        executor: needs.executor,
        attempts: match from_json(&place, text(row, 10)?)? {
            JobState::Pending { attempts, .. } => attempts,
            JobState::Starting { .. } | JobState::Running { .. } | JobState::Over(_) | JobState::Archived { .. } => 0,
        },
        failed_nodes: optional_from_json(&place, row.get(11)?)?.unwrap_or_default(),
        request: optional_from_json(&place, row.get(12)?)?,
    })
}

pub fn outcomes(connection: &Connection, ids: &[JobId]) -> Result<Vec<DependencyOutcome>> {
    let mut select = connection.prepare_cached("SELECT phase, state FROM jobs WHERE id = ?1")?;
    let mut outcomes = Vec::with_capacity(ids.len());
    for id in ids.iter().collect::<BTreeSet<_>>() {
        let found = select.query_row([key(*id)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
        let Some((phase, state)) = found.optional()? else { continue };
        let ending = if phase < Phase::Over as i64 {
            None
        } else {
            let state: JobState = from_json(&format!("job {id}"), &state)?;
            state.outcome().map(|outcome| outcome.ending)
        };
        outcomes.push(DependencyOutcome { id: *id, ending });
    }
    Ok(outcomes)
}

pub const RECENT_ENDS: &str = "SELECT ended, ending, ran, submitted, project FROM jobs INDEXED BY jobs_ends
     WHERE children IS NULL AND ended IS NOT NULL AND ended >= ?1 ORDER BY ended DESC LIMIT ?2";

pub fn recent_ends(connection: &Connection, since: Timestamp, limit: usize) -> Result<Vec<EndedRow>> {
    let mut projects = Names::default();
    let mut select = connection.prepare_cached(RECENT_ENDS)?;
    let mut rows = select.query(params![since.0, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut ends = Vec::new();
    while let Some(row) = rows.next()? {
        let (ended, ending): (i64, i64) = (row.get(0)?, row.get(1)?);
        ends.push(EndedRow {
            ended: Timestamp(ended),
            ending: EndingKind::numbered(ending).ok_or_else(|| corrupt("an ending", ending))?,
            started: row.get::<_, Option<i64>>(2)?.map(|ran| Timestamp(ended - ran)),
            submitted: Timestamp(row.get(3)?),
            project: projects.get(text(row, 4)?)?,
        });
    }
    Ok(ends)
}
