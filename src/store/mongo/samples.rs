//! What attempts used (`{_id: "job.attempt", job, attempt, body}`).

use std::collections::HashSet;

use mongodb::bson::doc;

use super::document::{JOBS, OVER, body, job_id, key, keys, to_json};
use super::error::corrupt;
use super::ops::{Done, Find, Ops, Update};
use crate::domain::JobId;
use crate::store::AttemptSamples;

pub const SAMPLES: &str = "god_samples";

/// Outside of any transaction: each document is a whole in itself. A job whose record goes between the two steps leaves
/// one behind, which nobody can see.
pub async fn put(ops: &mut Ops<'_>, all: &[AttemptSamples]) -> Done<()> {
    let there = there(ops, all.iter().map(|one| one.job).collect()).await?;
    let mut updates = Vec::with_capacity(all.len());
    for one in all.iter().filter(|one| there.contains(&key(one.job))) {
        let (job, body) = (key(one.job), to_json("samples", &one.samples)?);
        updates.push(Update {
            filter: doc! { "_id": format!("{job}.{}", one.attempt) },
            update: doc! { "$set": { "job": job, "attempt": i64::from(one.attempt), "body": body } },
            upsert: true,
        });
    }
    ops.updates(SAMPLES, updates).await
}

/// Which of these jobs have a record. Most run; one may have ended since.
async fn there(ops: &mut Ops<'_>, jobs: Vec<JobId>) -> Done<HashSet<i64>> {
    let mut there = HashSet::new();
    for collection in [JOBS, OVER] {
        let left: Vec<i64> = keys(&jobs).into_iter().filter(|id| !there.contains(id)).collect();
        if left.is_empty() {
            break;
        }
        let find = Find { projection: Some(doc! { "god.id": 1 }), ..Find::all(doc! { "god.id": { "$in": left } }) };
        for found in ops.find(collection, find).await? {
            let id = found.get_document("god").and_then(|god| god.get_i64("id"));
            there.insert(id.map_err(|error| corrupt(collection, error))?);
        }
    }
    Ok(there)
}

pub async fn of(ops: &mut Ops<'_>, jobs: &[JobId]) -> Done<Vec<AttemptSamples>> {
    let find = Find { sort: Some(doc! { "job": 1, "attempt": 1 }), ..Find::all(doc! { "job": { "$in": keys(jobs) } }) };
    let mut found = Vec::new();
    for document in ops.find(SAMPLES, find).await? {
        let number = |field: &str| document.get_i64(field).map_err(|error| corrupt(SAMPLES, error));
        found.push(AttemptSamples {
            job: job_id(number("job")?),
            attempt: u32::try_from(number("attempt")?).unwrap_or(u32::MAX),
            samples: body("samples", &document, "body")?,
        });
    }
    Ok(found)
}
