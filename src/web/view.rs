//! A job as API.md shows it.

use serde_json::{Value, json};

use crate::domain::{Job, WaitingJob};

/// The task document. `waiting` is what the scheduler says of it, for a pending job; `directory` the job directory.
pub fn task(job: &Job, _directory: &std::path::Path, _waiting: Option<&WaitingJob>) -> Value {
    json!({ "id": job.id })
}
