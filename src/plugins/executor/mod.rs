//! Backends that run attempts.
//!
//! A new executor is a file (or folder) here that implements [`Executor`], a line in `plugins::registry`, its keys in
//! `config`, and a run of [`conformance`] in its test.

pub mod claim;
pub mod conformance;
pub mod docker;
mod engine;
pub mod native;
pub mod swarm;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use crate::domain::Node;
use crate::domain::{Attempt, AttemptName, Job, Mount, Reading, Timestamp};

/// The user's upload space, in a container.
pub const DATA_MOUNT: &str = "/mnt/god-data";

/// What a backend can do; the rest is refused at submit, with the reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Suspend and resume (`pause` in the API's executor_features).
    pub pause: bool,
    pub ports: bool,
    pub root: bool,
    /// Runs in the image asked for; false means that the job runs on the host itself.
    pub images: bool,
    pub volumes: bool,
    /// Room of a given size that is the attempt's alone (`tmpstorage`).
    pub tmp_storage: bool,
    /// Every process that watches hears of every end, and not only of those it launched or listed.
    pub shared_ends: bool,
}

/// Everything a backend needs to run one attempt; complete, so that it asks nobody.
#[derive(Debug, Clone)]
pub struct Launch {
    pub name: AttemptName,
    pub job: Arc<Job>,
    /// As planned: number, executor, node.
    pub attempt: Attempt,
    /// The job directory on the host; exists, is owned by the job's uid, and holds cmd.sh (mode 0755). To the job it is
    /// /mnt/go-docker, or this path where there is no container.
    pub directory: PathBuf,
    /// A directory of root's beside it (same file system) for what the user must not write. Exists.
    pub private_directory: PathBuf,
    /// Without the job directory, which every job has.
    pub mounts: Vec<Mount>,
    /// The user's upload space on the host, once there is one: [`DATA_MOUNT`] in a container, read only; itself elsewhere.
    pub data: Option<PathBuf>,
    /// Everything but what depends on where directories appear: GODOCKER_JID, GODOCKER_TASK_*, ...
    pub env: Vec<(String, String)>,
}

/// A launch that took: what the attempt is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// As planned, with container id and ports filled in.
    pub attempt: Attempt,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// As a shell would say it: 128 + n for signal n. `None` when the backend does not know (any more): what the job's
    /// own wrapper wrote to god.exit then counts, and a job that wrote nothing there was lost with its node.
    pub code: Option<i32>,
    pub out_of_memory: bool,
}

/// An attempt's end. May be reported more than once; is applied once.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptEnd {
    pub name: AttemptName,
    pub exit: Exit,
    pub started: Option<Timestamp>,
    pub ended: Timestamp,
}

/// One attempt of ours as the backend reports it.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// Made but never begun: launching it again finishes the launch.
    Created(AttemptName),
    Running {
        name: AttemptName,
        started: Started,
        suspended: bool,
    },
    Ended(AttemptEnd),
}

impl Sighting {
    pub fn name(&self) -> &AttemptName {
        match self {
            Sighting::Created(name) | Sighting::Running { name, .. } => name,
            Sighting::Ended(end) => &end.name,
        }
    }
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecutorError {
    /// The backend does not answer. Never the job's fault: it stays, or goes back to pending.
    #[error("{0}")]
    Unavailable(String),
    /// The backend refuses this job for good (no such image, not a valid image name); the sentence is for the user.
    #[error("{0}")]
    Refused(String),
    /// There is no such attempt (any more).
    #[error("no such attempt")]
    NoSuchAttempt,
    /// This attempt was begun before (see [`claim`]), and the backend has nothing left of it.
    #[error("the attempt was begun before, and nothing is left of it")]
    BegunBefore,
}

/// A backend.
///
/// Guarantees every implementation gives (and `conformance` checks):
/// - `launch` of the same name twice has the effect of once: the second answers with what the first made, also when the
///   attempt has ended meanwhile (its end is then reported again).
/// - After `launch` returned `Err`, either nothing runs under that name, or `list` shows it.
/// - An attempt begins once, however late a launch of it goes on: one that was begun and forgotten is
///   [`ExecutorError::BegunBefore`].
/// - An end is sent to the channel of [`Executor::watch`] as soon as the backend knows; the end of an attempt that
///   ended while nobody watched is in `list` until `forget`.
/// - `stop`, `suspend`, `resume`, `forget` are idempotent; of an unknown name they answer [`ExecutorError::NoSuchAttempt`].
/// - Nothing is removed before `forget`, so that a report can be had again after a crash.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Its name in go-d.ini.
    fn name(&self) -> &'static str;

    fn capabilities(&self) -> Capabilities;

    /// The machines, with what they have in all and what others hold of it. Cheap enough to be asked at every change.
    async fn nodes(&self) -> Result<Vec<Node>, ExecutorError>;

    /// Comes back when `nodes` may answer something else than before; never where only asking tells.
    async fn nodes_changed(&self) {
        std::future::pending().await
    }

    /// Starts reporting: every end of an attempt, of ours or adopted, is sent to `ends`. Called once.
    async fn watch(&self, ends: mpsc::Sender<AttemptEnd>) -> Result<(), ExecutorError>;

    async fn launch(&self, launch: Launch) -> Result<Started, ExecutorError>;

    /// All attempts of ours that the backend has, in one listing. Those that run are watched from then on.
    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError>;

    /// Asks the attempt to end (SIGTERM), and after `grace` makes it (SIGKILL). Returns when asked; the end is reported
    /// like any other.
    async fn stop(&self, name: &AttemptName, grace: Duration) -> Result<(), ExecutorError>;

    async fn suspend(&self, name: &AttemptName) -> Result<(), ExecutorError>;

    async fn resume(&self, name: &AttemptName) -> Result<(), ExecutorError>;

    /// Removes what is left of an ended attempt; kills it first if it still runs (a container no job claims).
    async fn forget(&self, name: &AttemptName) -> Result<(), ExecutorError>;

    /// What those of these attempts that run have used so far; the others, and those of which it cannot be had, are left
    /// out. An optional ability: who has it answers within moments, however many they are, and slows nothing down.
    async fn sample(&self, _names: &[AttemptName]) -> Result<Vec<(AttemptName, Reading)>, ExecutorError> {
        Ok(Vec::new())
    }
}
