//! One computation, one result.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Ending, JobId, JobSpec, JobState, ProjectId, Timestamp, UserId};

#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    /// Raised by every change; a change made against an older one is refused.
    pub revision: u64,
    pub owner: Owner,
    /// Shared by the children of an array.
    pub spec: Arc<JobSpec>,
    pub submitted: Timestamp,
    pub place: Place,
    pub state: JobState,
    /// What was asked of the job and is not done yet.
    pub request: Option<Request>,
    /// Nodes that failed under the job, oldest first.
    pub failed_nodes: Vec<String>,
}

/// Who a job runs as, fixed when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: UserId,
    pub project: ProjectId,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub email: Option<String>,
}

/// Where a job stands with arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Single,
    /// Runs nothing itself. Counts are kept by the store as its children end.
    ArrayParent {
        children: u32,
        over: u32,
        failed: u32,
    },
    ArrayChild {
        parent: JobId,
        index: u64,
    },
}

/// Something asked of a job: written on it first, told to the bus second, so that a lost message is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Kill(StopCause),
    Suspend,
    Resume,
    /// Stop it and put it back in the queue.
    Reschedule,
    /// Delete the files of an over job.
    Archive,
    /// Delete the files and the record of an over job.
    Purge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    User,
    TimeLimit,
}

impl StopCause {
    pub fn ending(self) -> Ending {
        match self {
            StopCause::User => Ending::Killed,
            StopCause::TimeLimit => Ending::TimeLimit,
        }
    }
}

impl Job {
    pub fn parent(&self) -> Option<JobId> {
        match self.place {
            Place::ArrayChild { parent, .. } => Some(parent),
            Place::Single | Place::ArrayParent { .. } => None,
        }
    }

    pub fn is_array_parent(&self) -> bool {
        matches!(self.place, Place::ArrayParent { .. })
    }
}
