//! Writing down what was asked of jobs.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::row::{job_id, key, phase_set, to_json};
use crate::domain::{JobId, Phase, Request};
use crate::store::Result;

/// A kill stays what is asked, whatever comes after it. `?3` is a [`phase_set`].
const WRITE: &str = "UPDATE jobs SET revision = revision + 1, request = ?2 \
     WHERE (1 << phase) & ?3 <> 0 AND (request IS NULL OR json_type(request, '$.kill') IS NULL)";

pub fn request(connection: &Connection, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>> {
    let column = to_json("a request", &request)?;
    let phases = phase_set(phases);
    let [on_job, on_children] = queries();
    let mut on_job = connection.prepare_cached(&on_job)?;
    let mut on_children = connection.prepare_cached(&on_children)?;
    let mut written = BTreeSet::new();
    for id in ids.iter().collect::<BTreeSet<_>>() {
        // A child that is named beside its parent is written once, with the parent, whose id is lower.
        if written.contains(id) {
            continue;
        }
        for statement in [&mut on_job, &mut on_children] {
            let mut rows = statement.query(params![key(*id), column, phases])?;
            while let Some(row) = rows.next()? {
                written.insert(job_id(row.get(0)?));
            }
        }
    }
    Ok(written.into_iter().collect())
}

/// For a job itself, and for its children.
pub fn queries() -> [String; 2] {
    ["id", "parent"].map(|key| format!("{WRITE} AND {key} = ?1 RETURNING id"))
}
