//! What would become of a job that nobody has submitted yet, and what its owner may still use.

use serde::{Deserialize, Serialize};

use super::usage::Usage;
use super::{Dependency, Label, PendingReason, ProjectId, Quotas, Resources, UserId};

/// As much of a job as decides when it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub user: UserId,
    pub project: ProjectId,
    pub resources: Resources,
    pub labels: Vec<Label>,
    pub executor: Option<String>,
    /// Those it would have to wait for now.
    pub dependencies: Vec<Dependency>,
    /// Of an array, its children; else 1.
    pub jobs: u64,
    pub throttle: Option<u32>,
}

/// What the scheduler would do with a [`Candidate`] at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// How many of its jobs would start at once; counted up to [`Outlook::COUNTED`].
    pub starts: u64,
    /// Why the first of the others would not; `None` when there is none.
    pub reason: Option<PendingReason>,
    /// It would not even wait: the site rejects what is beyond a quota.
    pub rejected: bool,
    /// The place in the queue of the first that waits; 1 is next. `None` while it may not start at all.
    pub position: Option<u64>,
    /// Seconds until that may start, from how fast the queue moved lately; `None` without history.
    pub estimate_secs: Option<u64>,
}

impl Outlook {
    pub const COUNTED: u64 = 1_000;
}

/// What an account may use over the site's window, and has; a quota of 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Allowance {
    pub quotas: Quotas,
    /// With what runs now.
    pub used: Usage,
    /// Bytes of job directories.
    pub disk: u64,
}

/// A user's, and those of projects.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Allowances {
    pub user: Allowance,
    pub projects: Vec<(ProjectId, Allowance)>,
}
