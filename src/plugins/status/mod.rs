//! Where processes are announced, for `go-d status` and for the site's own tools.
//!
//! An announcement and no more: which watcher sees to which job always goes by the store's own signs of life
//! (`actors::presence`), which every process writes whatever plugin is chosen. So an etcd or a Consul that is away costs
//! an administrator's view, and never a job.

pub mod conformance;
pub mod consul;
pub mod etcd;
pub mod store;

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::ProcessStatus;
use crate::store::StoreError;

/// How long a service of the network may take to answer; signs of life are said more often than that.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The service and what it said; no secret is in it.
    #[error("{service} does not answer as it should: {message}")]
    Service { service: &'static str, message: String },
}

pub type Result<T> = std::result::Result<T, StatusError>;

/// A place where processes say that they live.
///
/// All methods are idempotent, end within some seconds, and may be called again after an error, in which case nothing is
/// known of whether they had their effect.
#[async_trait]
pub trait StatusBackend: Send + Sync {
    /// Says that this process lives, in place of what it said before; to be repeated every [`ProcessStatus::EVERY`].
    async fn put(&self, process: &ProcessStatus) -> Result<()>;

    /// Those who have said something and were not removed, by id. One that has been silent for
    /// [`ProcessStatus::DEAD_AFTER`] is not [alive](ProcessStatus::is_alive_at) in the answer, or not in it, some seconds
    /// later at the latest; before, `seen` may be anything that makes it alive. What is not ours is left out.
    async fn all(&self) -> Result<Vec<ProcessStatus>>;

    /// Takes back what this process said. Nothing to do where it said nothing.
    async fn remove(&self, process: &ProcessStatus) -> Result<()>;
}
