//! The processes of an installation, as they say of themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What a process does: one role each in a cluster, all of them in the embedded shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessRole {
    Scheduler,
    Watcher,
    Archive,
    Web,
    Ftp,
    /// `go-d up`.
    Up,
}

impl ProcessRole {
    pub fn as_str(self) -> &'static str {
        match self {
            ProcessRole::Scheduler => "scheduler",
            ProcessRole::Watcher => "watcher",
            ProcessRole::Archive => "archive",
            ProcessRole::Web => "web",
            ProcessRole::Ftp => "ftp",
            ProcessRole::Up => "up",
        }
    }

    /// The roles without which no job is taken, started or ended, and that none of `processes` has at `now`.
    pub fn missing_among(processes: &[ProcessStatus], now: Timestamp) -> Vec<ProcessRole> {
        let lives = |role| processes.iter().any(|process| process.role == role && process.is_alive_at(now));
        let needed = [ProcessRole::Scheduler, ProcessRole::Watcher, ProcessRole::Web];
        if lives(ProcessRole::Up) { Vec::new() } else { needed.into_iter().filter(|role| !lives(*role)).collect() }
    }
}

/// A sign of life. Written every [`ProcessStatus::EVERY`] while the process lives, removed when it stops in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// GOD_PROCID, or `<role>-<host>-<pid>`: one at a time has it.
    pub id: String,
    pub role: ProcessRole,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started: Timestamp,
    /// When this was written.
    pub seen: Timestamp,
    /// `host:port` where it serves its pages or its metrics.
    pub address: Option<String>,
    /// Of schedulers: it holds the lease.
    #[serde(default)]
    pub leader: bool,
}

impl ProcessStatus {
    pub const EVERY: Duration = Duration::from_secs(2);
    /// One that has not been seen for this long is taken for dead.
    pub const DEAD_AFTER: Duration = Duration::from_secs(10);

    /// How long it has run; of a dead one, how long it ran.
    pub fn uptime_at(&self, now: Timestamp) -> Duration {
        let until = if self.is_alive_at(now) { now } else { self.seen };
        until.since(self.started)
    }

    pub fn is_alive_at(&self, now: Timestamp) -> bool {
        now.since(self.seen) < Self::DEAD_AFTER
    }
}
