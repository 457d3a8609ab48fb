//! Why a job is still pending, as data; [`std::fmt::Display`] says it as a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Dependency, JobId, ProjectId, Resources};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PendingReason {
    /// Just arrived: no pass has looked at it yet.
    NotConsidered,
    /// Jobs with a better place in the queue come first, and take what there is.
    Queue,
    /// No node has this much free now.
    Capacity {
        needs: Resources,
    },
    /// Room is being kept for an older, bigger job.
    HeldFor {
        job: JobId,
    },
    Dependency {
        waits_for: Vec<Dependency>,
    },
    ArrayThrottle {
        limit: u32,
    },
    /// No node with these labels is free or known.
    Labels {
        labels: Vec<String>,
    },
    /// Only nodes that take no new jobs could run it.
    Drained {
        nodes: Vec<String>,
    },
    QuotaUser {
        quota: String,
    },
    QuotaProject {
        quota: String,
    },
    Maintenance,
    /// Its owner's account is disabled.
    AccountDisabled,
    /// Its owner is no longer in the project, or the project is gone.
    NotMember {
        project: ProjectId,
    },
    /// The backend does not answer; nothing is lost.
    ExecutorAway {
        executor: String,
        message: String,
    },
    /// An array's parent waits for its children.
    ArrayChildren,
    /// A node failed under it, and it waits for its next launch.
    Retry {
        attempts: u32,
    },
}

impl fmt::Display for PendingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PendingReason::NotConsidered => write!(f, "It has just arrived and will be looked at in a moment."),
            PendingReason::Queue => write!(f, "Jobs ahead of it in the queue take what is free."),
            PendingReason::Capacity { needs } => write!(f, "No node has {needs} free at the moment."),
            PendingReason::HeldFor { job } => write!(f, "Room is being kept for job {job}, which has waited longer."),
            PendingReason::Dependency { waits_for } => {
                let jobs: Vec<_> = waits_for.iter().map(|d| format!("{} ({:?})", d.job, d.on).to_lowercase()).collect();
                write!(f, "It waits for job {} to end.", jobs.join(", "))
            }
            PendingReason::ArrayThrottle { limit } => {
                write!(f, "Its array runs at most {limit} jobs at once, and they are running.")
            }
            PendingReason::Labels { labels } => {
                write!(f, "No node labelled {} is available.", labels.join(", "))
            }
            PendingReason::Drained { nodes } => {
                write!(f, "What could run it takes no new jobs for now: {}.", nodes.join(", "))
            }
            PendingReason::QuotaUser { quota } if quota == "disk" => {
                write!(f, "Its owner's job files fill the disk quota: archive jobs that are over to make room.")
            }
            PendingReason::QuotaUser { quota } => {
                write!(f, "Its owner has used up the {quota} quota; it starts when earlier use no longer counts.")
            }
            PendingReason::QuotaProject { quota } => {
                write!(f, "The project has used up its {quota} quota; it starts when earlier use no longer counts.")
            }
            PendingReason::AccountDisabled => write!(f, "The account of its owner is disabled."),
            PendingReason::NotMember { project } => {
                write!(f, "Its owner is not a member of the project {project} any more.")
            }
            PendingReason::Maintenance => write!(f, "GoDocker is under maintenance and starts nothing for now."),
            PendingReason::ExecutorAway { executor, message } => {
                write!(f, "The executor {executor} does not answer ({message}); the job will start when it does.")
            }
            PendingReason::ArrayChildren => write!(f, "Its array jobs have not started yet."),
            PendingReason::Retry { attempts } => {
                write!(f, "A node failed under it; it will be launched again (launch {}).", attempts + 1)
            }
        }
    }
}

/// What a pending job can answer of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingJob {
    pub job: JobId,
    pub reason: PendingReason,
    /// 1 is next. `None` while the job may not start at all (dependency, maintenance).
    pub position: Option<u64>,
    /// Seconds until it may start, from how fast the queue moved lately; `None` without history.
    pub estimate_secs: Option<u64>,
}

/// How many jobs wait for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// As one of them has it; the others may wait for other jobs, labels or quotas.
    pub reason: PendingReason,
    pub jobs: u64,
}
