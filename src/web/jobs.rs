//! What a caller may do with jobs; API and pages both come here.

use serde_json::Value;

use super::Site;
use super::access::Caller;
use super::error::ApiError;
use crate::domain::{Job, JobId};
use crate::store::Submitted;

/// Validates, authorizes, stores, and tells the scheduler.
pub async fn submit(_site: &Site, _caller: &Caller, _document: &Value) -> Result<Submitted, ApiError> {
    Err(ApiError::NotFound("job"))
}

/// A job that the caller may see; [`ApiError::NotFound`] otherwise.
pub async fn visible(_site: &Site, _caller: &Caller, _id: JobId) -> Result<Job, ApiError> {
    Err(ApiError::NotFound("job"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Kill,
    Suspend,
    Resume,
    Reschedule,
    Archive,
    Purge,
}

/// Writes the wish on the job, then tells whoever carries it out. [`ApiError::Conflict`] with a sentence when the job is
/// in no state for it.
pub async fn ask(_site: &Site, _caller: &Caller, _id: JobId, _wish: Wish) -> Result<(), ApiError> {
    Err(ApiError::NotFound("job"))
}
