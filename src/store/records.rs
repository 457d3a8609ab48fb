//! What goes into the store and comes out of it beside whole jobs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::project::Project;
use crate::domain::usage::Usage;
use crate::domain::{
    Credential, CredentialKind, Dependency, Ending, EndingKind, JobId, JobSpec, JobState, Label, Owner, ProjectId,
    Request, Resources, Samples, Timestamp, User, UserId,
};

/// A job to be written. Its children, for an array, follow from `spec.array`.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub owner: Owner,
    pub spec: JobSpec,
    pub submitted: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    pub id: JobId,
    /// How many children there are, with the ids `id + 1 ..= id + children`.
    pub children: u32,
}

/// One job's next state, if nothing has come between.
#[derive(Debug, Clone)]
pub struct Change {
    pub id: JobId,
    /// The revision this change was made against.
    pub expect: u64,
    pub state: JobState,
    /// What remains asked of the job afterwards.
    pub request: Option<Request>,
    pub failed_nodes: Vec<String>,
    /// Set when the job ended after it had run: counted once, with the state.
    pub charge: Option<Charge>,
}

/// What a finished job adds to the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    pub user: UserId,
    pub project: ProjectId,
    pub image: String,
    /// Days since the epoch, UTC, of the end.
    pub day: i64,
    pub cpu: f64,
    pub ram: f64,
    pub gpus: f64,
    pub seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    Done {
        revision: u64,
        /// The array parent that this change ended too.
        parent_over: Option<JobId>,
    },
    /// Someone else changed the job first, or it is gone.
    Stale,
}

/// A pending job as the scheduler keeps it: no text it does not need.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingRow {
    pub id: JobId,
    pub revision: u64,
    pub user: UserId,
    pub project: ProjectId,
    pub submitted: Timestamp,
    pub resources: Resources,
    pub parent: Option<JobId>,
    /// The array's limit of children at once.
    pub throttle: Option<u32>,
    pub labels: Vec<Label>,
    pub dependencies: Vec<Dependency>,
    pub executor: Option<String>,
    /// Launches so far that took.
    pub attempts: u32,
    pub failed_nodes: Vec<String>,
    pub request: Option<Request>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DependencyOutcome {
    pub id: JobId,
    /// `None` while it is active.
    pub ending: Option<Ending>,
}

/// What one attempt of a job used.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptSamples {
    pub job: JobId,
    pub attempt: u32,
    pub samples: Samples,
}

/// What statistics ask of a job that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRow {
    pub ended: Timestamp,
    pub ending: EndingKind,
    /// `None` when it never ran.
    pub started: Option<Timestamp>,
    pub submitted: Timestamp,
    pub project: ProjectId,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageRow {
    /// Days since the epoch, UTC.
    pub day: i64,
    pub user: UserId,
    pub project: ProjectId,
    pub usage: Usage,
}

/// A job that a user keeps to submit it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    pub user: UserId,
    /// Of the user's; never changes.
    pub id: String,
    /// Like no other of the user's.
    pub name: String,
    /// What `POST /task` takes.
    pub document: Value,
    pub created: Timestamp,
    pub changed: Timestamp,
}

/// One step of a change to accounts; see [`UserStore::change`](super::UserStore::change).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum AccountChange {
    /// Creates (revision 0) or replaces the user at this revision.
    PutUser(Box<User>),
    /// With credentials and memberships. What they used stays in the ledger.
    RemoveUser(UserId),
    /// Creates (revision 0) or replaces the project at this revision, its members with it.
    PutProject(Box<Project>),
    /// Not while it has active jobs.
    RemoveProject(ProjectId),
    PutSetting {
        key: String,
        value: String,
    },
    /// Also forgets credentials that have expired by its creation.
    PutCredential(Credential),
    RemoveCredential {
        user: UserId,
        id: String,
    },
    RemoveCredentials {
        user: UserId,
        kind: CredentialKind,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    Done,
    Stale,
}

/// Lines of the audit log that match all that is set.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only lines with numbers below.
    pub before: Option<u64>,
    pub actor: Option<String>,
    pub subject: Option<String>,
    /// An action, or its first part: `user` finds `user.change`.
    pub action: Option<String>,
}
