//! Rules on running jobs. Each says until when it has no objection, so that nobody polls.

pub mod maxlifespan;

use crate::domain::{Job, StopCause, Timestamp};

/// A rule on running jobs. Pure: the watcher actor carries out what it says.
pub trait WatcherRule: Send + Sync {
    /// Its name in go-d.ini.
    fn name(&self) -> &'static str;

    /// When this running job is to be stopped, and as what; `None` if never. Asked when the job starts, when its
    /// dynamic fields change, and after a restart.
    fn deadline(&self, job: &Job) -> Option<(Timestamp, StopCause)>;
}
