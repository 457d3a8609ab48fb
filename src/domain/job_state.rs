//! The life of a job, as a type: `pending → starting → running → over → archived`.
//!
//! [`JobState::next`] is the only function that makes a state out of another; whoever wants a job to move says what
//! happened (a [`Transition`]) and takes the answer. The order of effects around it is DESIGN "Life of a job".

use serde::{Deserialize, Serialize};

use super::{EndReason, Timestamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "lowercase")]
pub enum JobState {
    Pending {
        since: Timestamp,
        /// Launches so far that took, so that the next one gets a new name.
        attempts: u32,
    },
    /// Chosen and reserved; the executor may or may not have it yet.
    Starting {
        attempt: Attempt,
        since: Timestamp,
    },
    Running {
        attempt: Attempt,
        started: Timestamp,
        suspended: bool,
    },
    Over(Outcome),
    /// Over, and its files are gone.
    Archived {
        outcome: Outcome,
        at: Timestamp,
    },
}

/// One launch of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    pub executor: String,
    pub node: String,
    /// The backend's own id of what runs, once known.
    pub container: Option<String>,
    /// The image that it runs, exactly: `name@sha256:..` where it came from a registry, else its own `sha256:..`.
    /// `None` where there is none, or the backend does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortMapping>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    pub host: u16,
    pub container: u16,
}

/// How a job ended, and what it left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub ending: Ending,
    pub exit_code: Option<i32>,
    /// `None` when it never ran.
    pub started: Option<Timestamp>,
    pub ended: Timestamp,
    /// The last launch, if there was one.
    pub attempt: Option<Attempt>,
    /// Bytes under the job directory when it ended.
    pub disk_bytes: u64,
    /// Where the ending alone does not say it.
    pub reason: Option<EndReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Done,
    Failed,
    Killed,
    OutOfMemory,
    TimeLimit,
    NodeFailure,
    Rejected(Rejection),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    Quota,
    /// No node of the site could ever run it.
    Impossible,
    /// A dependency ended in a way that can no longer meet the condition.
    Dependency,
}

impl Ending {
    pub fn is_ok(self) -> bool {
        self == Ending::Done
    }

    /// The word of pages, tables and `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Failed => "failed",
            Ending::Killed => "killed",
            Ending::OutOfMemory => "out of memory",
            Ending::TimeLimit => "time limit",
            Ending::NodeFailure => "node failure",
            Ending::Rejected(_) => "rejected",
        }
    }
}

/// The endings without their data: what is indexed and filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingKind {
    Done = 0,
    Failed = 1,
    Killed = 2,
    OutOfMemory = 3,
    TimeLimit = 4,
    NodeFailure = 5,
    Rejected = 6,
}

impl EndingKind {
    pub const ALL: [EndingKind; 7] = [
        EndingKind::Done,
        EndingKind::Failed,
        EndingKind::Killed,
        EndingKind::OutOfMemory,
        EndingKind::TimeLimit,
        EndingKind::NodeFailure,
        EndingKind::Rejected,
    ];

    /// The word of queries: one word.
    pub fn as_str(self) -> &'static str {
        match self {
            EndingKind::Done => "done",
            EndingKind::Failed => "failed",
            EndingKind::Killed => "killed",
            EndingKind::OutOfMemory => "out_of_memory",
            EndingKind::TimeLimit => "time_limit",
            EndingKind::NodeFailure => "node_failure",
            EndingKind::Rejected => "rejected",
        }
    }

    pub fn numbered(number: i64) -> Option<EndingKind> {
        EndingKind::ALL.into_iter().find(|kind| *kind as i64 == number)
    }
}

impl From<Ending> for EndingKind {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => EndingKind::Done,
            Ending::Failed => EndingKind::Failed,
            Ending::Killed => EndingKind::Killed,
            Ending::OutOfMemory => EndingKind::OutOfMemory,
            Ending::TimeLimit => EndingKind::TimeLimit,
            Ending::NodeFailure => EndingKind::NodeFailure,
            Ending::Rejected(_) => EndingKind::Rejected,
        }
    }
}

/// The states without their data: what is indexed and filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Pending = 0,
    Starting = 1,
    Running = 2,
    Over = 3,
    Archived = 4,
}

impl Phase {
    pub const ACTIVE: [Phase; 3] = [Phase::Pending, Phase::Starting, Phase::Running];

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Pending => "pending",
            Phase::Starting => "starting",
            Phase::Running => "running",
            Phase::Over => "over",
            Phase::Archived => "archived",
        }
    }
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// The plan chose it.
    Start {
        attempt: Attempt,
        at: Timestamp,
    },
    /// The executor has it. What it says of the attempt replaces what was planned.
    Launched {
        attempt: Attempt,
        at: Timestamp,
    },
    Suspend,
    Resume,
    /// Back in the queue. `launched` uses the attempt's number up; a launch that never took gives it back, so that
    /// trying again finds what a half-done launch may have left.
    Requeue {
        at: Timestamp,
        launched: bool,
    },
    End(Outcome),
    /// Its directory was measured again.
    Measured {
        disk_bytes: u64,
    },
    Archive {
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {from} cannot be {to}")]
pub struct InvalidTransition {
    pub from: &'static str,
    pub to: &'static str,
}

impl JobState {
    pub fn phase(&self) -> Phase {
        match self {
            JobState::Pending { .. } => Phase::Pending,
            JobState::Starting { .. } => Phase::Starting,
            JobState::Running { .. } => Phase::Running,
            JobState::Over(_) => Phase::Over,
            JobState::Archived { .. } => Phase::Archived,
        }
    }

    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            JobState::Pending { .. } => None,
            JobState::Starting { attempt, .. } | JobState::Running { attempt, .. } => Some(attempt),
            JobState::Over(outcome) | JobState::Archived { outcome, .. } => outcome.attempt.as_ref(),
        }
    }

    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            JobState::Pending { .. } | JobState::Starting { .. } | JobState::Running { .. } => None,
            JobState::Over(outcome) | JobState::Archived { outcome, .. } => Some(outcome),
        }
    }

    /// When the job began to run, if it did.
    pub fn started(&self) -> Option<Timestamp> {
        match self {
            JobState::Pending { .. } | JobState::Starting { .. } => None,
            JobState::Running { started, .. } => Some(*started),
            JobState::Over(outcome) | JobState::Archived { outcome, .. } => outcome.started,
        }
    }

    /// Milliseconds from its start to its end, once it is over and if it ran.
    pub fn ran(&self) -> Option<i64> {
        let outcome = self.outcome()?;
        Some((outcome.ended.0 - outcome.started?.0).max(0))
    }

    pub fn is_active(&self) -> bool {
        self.phase() < Phase::Over
    }

    /// The state after `transition`.
    ///
    /// # Errors
    /// [`InvalidTransition`] when that cannot follow; the caller then learnt of something that is no longer so (a
    /// report told twice, a race lost) and drops it.
    pub fn next(&self, transition: Transition) -> Result<JobState, InvalidTransition> {
        use JobState::{Archived, Over, Pending, Running, Starting};
        match (self, transition) {
            (Pending { .. }, Transition::Start { attempt, at }) => Ok(Starting { attempt, since: at }),
            (Starting { .. }, Transition::Launched { attempt, at }) => {
                Ok(Running { attempt, started: at, suspended: false })
            }
            (Running { attempt, started, .. }, Transition::Suspend) => {
                Ok(Running { attempt: attempt.clone(), started: *started, suspended: true })
            }
            (Running { attempt, started, .. }, Transition::Resume) => {
                Ok(Running { attempt: attempt.clone(), started: *started, suspended: false })
            }
            (Starting { attempt, .. } | Running { attempt, .. }, Transition::Requeue { at, launched }) => {
                Ok(Pending { since: at, attempts: attempt.number - u32::from(!launched) })
            }
            (Pending { .. } | Starting { .. } | Running { .. }, Transition::End(outcome)) => Ok(Over(outcome)),
            (Over(outcome), Transition::Measured { disk_bytes }) => Ok(Over(Outcome { disk_bytes, ..outcome.clone() })),
            (Over(outcome), Transition::Archive { at }) => Ok(Archived { outcome: outcome.clone(), at }),
            (from, transition) => Err(InvalidTransition { from: from.phase().as_str(), to: transition.as_str() }),
        }
    }
}

impl Transition {
    fn as_str(&self) -> &'static str {
        match self {
            Transition::Start { .. } => "started",
            Transition::Launched { .. } => "launched",
            Transition::Suspend => "suspended",
            Transition::Resume => "resumed",
            Transition::Requeue { .. } => "requeued",
            Transition::End(_) => "ended",
            Transition::Measured { .. } => "measured",
            Transition::Archive { .. } => "archived",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        Attempt {
            number: 1,
            executor: "native".into(),
            node: "n1".into(),
            container: None,
            digest: None,
            ports: vec![],
        }
    }

    fn outcome() -> Outcome {
        Outcome {
            ending: Ending::Done,
            exit_code: Some(0),
            started: Some(Timestamp(1)),
            ended: Timestamp(2),
            attempt: Some(attempt()),
            disk_bytes: 0,
            reason: None,
        }
    }

    #[test]
    fn an_over_job_does_not_end_twice() {
        let over = JobState::Over(outcome());
        assert!(over.next(Transition::End(outcome())).is_err());
        assert!(over.next(Transition::Launched { attempt: attempt(), at: Timestamp(3) }).is_err());
    }

    #[test]
    fn only_an_over_job_is_archived() {
        let pending = JobState::Pending { since: Timestamp(0), attempts: 0 };
        assert!(pending.next(Transition::Archive { at: Timestamp(1) }).is_err());
        assert!(JobState::Over(outcome()).next(Transition::Archive { at: Timestamp(1) }).is_ok());
    }

    #[test]
    fn a_launch_refused_without_fault_does_not_use_up_an_attempt() {
        let starting = JobState::Starting { attempt: attempt(), since: Timestamp(0) };
        let again = |launched| starting.next(Transition::Requeue { at: Timestamp(1), launched }).unwrap();
        assert_eq!(again(false), JobState::Pending { since: Timestamp(1), attempts: 0 });
        assert_eq!(again(true), JobState::Pending { since: Timestamp(1), attempts: 1 });
    }
}
