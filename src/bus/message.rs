//! The messages, as types. They carry ids and little else: the store has the rest.

use serde::{Deserialize, Serialize};

use crate::domain::outlook::{Allowances, Candidate, Outlook};
use crate::domain::{JobId, NodeUse, Phase, ProjectId, ReasonCount, Timestamp, UserId, WaitingJob};

/// Who handles a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Scheduler,
    Executor,
    Watcher,
    Archiver,
    Notifier,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Scheduler => "scheduler",
            Role::Executor => "executor",
            Role::Watcher => "watcher",
            Role::Archiver => "archiver",
            Role::Notifier => "notifier",
        }
    }

    pub const ALL: [Role; 5] = [Role::Scheduler, Role::Executor, Role::Watcher, Role::Archiver, Role::Notifier];
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// To the scheduler: a job was written (with `children` more after it).
    JobSubmitted { id: JobId, children: u32 },
    /// To the scheduler: these were pending and were asked something (kill).
    PendingRequested { ids: Vec<JobId> },
    /// To the scheduler: these left the machine; their room is free, their dependents may go.
    JobsOver { ids: Vec<JobId> },
    /// To the scheduler: what these held is free again; their end is about to be stored.
    RoomFreed { ids: Vec<JobId> },
    /// To the scheduler: this executor cannot take launches now, and why.
    ExecutorAway { executor: String, message: String },
    /// To the scheduler: back in the queue after a launch that came to nothing.
    JobsRequeued { ids: Vec<JobId> },
    /// To the scheduler: users, projects, quotas, memberships or maintenance changed.
    AccountsChanged,
    /// To the scheduler: what the directories of these running jobs take by now, in bytes.
    DiskMeasured { sizes: Vec<(JobId, u64)> },
    /// To the scheduler: messages were lost; compare memory with the store.
    Reconcile,
    /// To the executor: launch what the plan chose and the store has as starting.
    Launch { ids: Vec<JobId> },
    /// To the executor: these starting or running jobs carry a request (kill, suspend, resume, reschedule).
    ActiveRequested { ids: Vec<JobId> },
    /// To the watcher: these run now; their rules (time limit) begin to count.
    JobsRunning { ids: Vec<JobId> },
    /// To the watcher: messages were lost; compare the store with the executors.
    Recover,
    /// To the archiver: these over jobs carry a request (archive, purge).
    ArchiveRequested { ids: Vec<JobId> },
    /// To the archiver: users are to be deleted with their data.
    UsersLeaving,
    /// To the notifier: a guest has come for the first time, and waits for an administrator.
    GuestArrived { user: UserId },
    /// To the notifier: these are archived at that time, unless somebody does something about it.
    ArchiveAnnounced { ids: Vec<JobId>, at: Timestamp },
    /// To the notifier: these are over, and their owner may want to know.
    Notify { ids: Vec<JobId> },
}

impl Command {
    pub fn role(&self) -> Role {
        match self {
            Command::JobSubmitted { .. }
            | Command::PendingRequested { .. }
            | Command::JobsOver { .. }
            | Command::RoomFreed { .. }
            | Command::ExecutorAway { .. }
            | Command::JobsRequeued { .. }
            | Command::AccountsChanged
            | Command::DiskMeasured { .. }
            | Command::Reconcile => Role::Scheduler,
            Command::Launch { .. } | Command::ActiveRequested { .. } => Role::Executor,
            Command::JobsRunning { .. } | Command::Recover => Role::Watcher,
            Command::ArchiveRequested { .. } | Command::UsersLeaving => Role::Archiver,
            Command::Notify { .. } | Command::GuestArrived { .. } | Command::ArchiveAnnounced { .. } => Role::Notifier,
        }
    }
}

/// Something happened. For pages and caches; losing one loses nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    JobChanged {
        id: JobId,
        parent: Option<JobId>,
        owner: UserId,
        project: ProjectId,
        phase: Phase,
    },
    JobRemoved {
        id: JobId,
    },
    /// The leading scheduler has stopped: another may lead at once.
    LeaseFree,
    /// The configuration was changed, and every process is to take it up.
    ConfigChanged,
}

/// What the leading scheduler is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// Why these pending jobs wait.
    Explain { ids: Vec<JobId> },
    /// What the executors have, and what is in use.
    Nodes,
    /// Which executors do not answer.
    Away,
    /// What would become of a job that is not there.
    Outlook { of: Box<Candidate> },
    /// What this user and these projects may still use.
    Allowances { user: UserId, projects: Vec<ProjectId> },
    /// How many jobs wait, by why.
    Reasons,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Waiting(Vec<WaitingJob>),
    Nodes(Vec<NodeUse>),
    /// Every executor; what was the matter where one does not answer.
    Away(Vec<(String, Option<String>)>),
    Outlook(Outlook),
    Allowances(Allowances),
    /// The most first.
    Reasons(Vec<ReasonCount>),
}
