//! What jobs are found by beside state and owners (`job_terms`), and their tags, which may be changed at any time.

use std::collections::BTreeSet;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{from_json, key};
use super::submit::write_spec;
use crate::domain::{JobId, JobSpec};
use crate::store::Result;
use crate::store::search::{retagged, terms_of};

/// `god_terms(spec)`, for the migration that first needs them.
pub fn teach(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("god_terms", 1, flags, |context| {
        let spec: JobSpec = serde_json::from_str(context.get_raw(0).as_str()?)
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        serde_json::to_string(&terms_of(&spec)).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    })?;
    Ok(())
}

pub fn write(connection: &Connection, user: &str, id: JobId, spec: &JobSpec) -> Result<()> {
    add(connection, user, id, &terms_of(spec))
}

fn add(connection: &Connection, user: &str, id: JobId, terms: &BTreeSet<String>) -> Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO job_terms (user, term, job) VALUES (?1, ?2, ?3)")?;
    for term in terms {
        insert.execute(params![user, term, key(id)])?;
    }
    Ok(())
}

/// Before `spec` takes the place of the one that is stored.
pub fn replace(connection: &Connection, id: JobId, spec: &JobSpec) -> Result<()> {
    let Some((user, before)) = of(connection, id)? else { return Ok(()) };
    let (before, now) = (terms_of(&before), terms_of(spec));
    take(connection, &user, id, &before - &now)?;
    add(connection, &user, id, &(&now - &before))
}

/// Before the spec of a job goes.
pub fn forget(connection: &Connection, id: JobId) -> Result<()> {
    let Some((user, spec)) = of(connection, id)? else { return Ok(()) };
    take(connection, &user, id, terms_of(&spec))
}

pub const TAKE: &str = "DELETE FROM job_terms WHERE user = ?1 AND term = ?2 AND job = ?3";

fn take(connection: &Connection, user: &str, id: JobId, terms: BTreeSet<String>) -> Result<()> {
    let mut delete = connection.prepare_cached(TAKE)?;
    for term in terms {
        delete.execute(params![user, term, key(id)])?;
    }
    Ok(())
}

pub const OF: &str =
    "SELECT j.user, s.body FROM jobs j JOIN specs s ON s.id = j.spec WHERE j.id = ?1 AND j.parent IS NULL";

/// The user and the spec of a job that is no array's child.
fn of(connection: &Connection, id: JobId) -> Result<Option<(String, JobSpec)>> {
    let mut select = connection.prepare_cached(OF)?;
    let found = select.query_row([key(id)], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
    let Some((user, body)) = found else { return Ok(None) };
    Ok(Some((user, from_json(&format!("the spec of job {id}"), &body)?)))
}

pub const RAISE: &str = "UPDATE jobs SET revision = revision + 1 WHERE id = ?1";

/// A change of the spec like any other: whoever changes the job meanwhile has to look at it again.
pub fn retag(connection: &Connection, ids: &[JobId], add: &[String], remove: &[String]) -> Result<Vec<JobId>> {
    let mut done = Vec::new();
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        let Some((_, spec)) = of(connection, id)? else { continue };
        let tags = retagged(&spec.tags, add, remove);
        if tags != spec.tags {
            let spec = JobSpec { tags, ..spec };
            replace(connection, id, &spec)?;
            write_spec(connection, id, &spec)?;
            connection.prepare_cached(RAISE)?.execute([key(id)])?;
        }
        done.push(id);
    }
    Ok(done)
}
