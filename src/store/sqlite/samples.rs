//! What attempts used.

use rusqlite::{Connection, params};

use super::row::{from_json, job_id, key, to_json};
use crate::domain::JobId;
use crate::store::{AttemptSamples, Result};

/// A watcher may still hold what a job used whose record has just gone.
pub const PUT: &str = "INSERT OR REPLACE INTO samples (job, attempt, body)
    SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1)";

pub fn put(connection: &Connection, all: &[AttemptSamples]) -> Result<()> {
    let mut insert = connection.prepare_cached(PUT)?;
    for one in all {
        insert.execute(params![key(one.job), one.attempt, to_json("samples", &one.samples)?])?;
    }
    Ok(())
}

pub fn of(connection: &Connection, jobs: &[JobId]) -> Result<Vec<AttemptSamples>> {
    let mut select =
        connection.prepare_cached("SELECT job, attempt, body FROM samples WHERE job = ?1 ORDER BY attempt")?;
    let mut ids = jobs.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        let mut rows = select.query([key(id)])?;
        while let Some(row) = rows.next()? {
            let body: String = row.get(2)?;
            let samples = from_json(&format!("what job {id} used"), &body)?;
            found.push(AttemptSamples { job: job_id(row.get(0)?), attempt: row.get(1)?, samples });
        }
    }
    Ok(found)
}
