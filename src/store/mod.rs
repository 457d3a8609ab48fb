//! The database, behind small traits.
//!
//! The database is the truth: everything else may be lost and is rebuilt from it. Backends live in a folder each
//! ([`sqlite`], [`mongo`]); [`conformance`] is the suite that every one of them passes. Deliberately not here: what a
//! change means (`domain`), and when it is made (`actors`).

pub mod conformance;
mod error;
pub mod mongo;
mod query;
mod records;
pub mod search;
pub mod sqlite;
pub mod update;

use async_trait::async_trait;

pub use error::StoreError;
pub use query::{JobFilter, JobOrder, Page};
pub use records::{
    AccountChange, Applied, AttemptSamples, AuditFilter, Change, Changed, Charge, DependencyOutcome, EndedRow, NewJob,
    PendingRow, Submitted, Template, UsageRow,
};
use search::{Counted, Found, JobSearch, Start};

use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{
    AuditEntry, AuditLine, Credential, CredentialKind, Identity, Job, JobId, Phase, ProcessStatus, ProjectId, Request,
    Timestamp, User, UserId, project::Project,
};

pub type Result<T> = std::result::Result<T, StoreError>;

/// Jobs. Every method that writes is durable when it returns `Ok`, and has done nothing when it returns `Err`.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Writes a job, and for an array its children, in one transaction. Ids are allocated here, increasing; an array's
    /// children follow their parent without gaps.
    async fn submit(&self, job: NewJob) -> Result<Submitted>;

    async fn job(&self, id: JobId) -> Result<Option<Job>>;

    /// The jobs of `ids` that exist, in no particular order.
    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>>;

    /// Applies each change whose `expect` is still the job's revision; the others are answered [`Applied::Stale`] and
    /// leave nothing behind. All that apply do so in one transaction, each with its charge.
    ///
    /// In that same transaction a change that starts a child moves its pending parent to running, and one that ends a
    /// child counts it on its parent, which goes over with its last child (`domain::array`).
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>>;

    /// [`JobStore::commit`] for whoever leads: in the same transaction `fence` is compared with the newest that
    /// [`JobStore::raise_fence`] gave out. `None`: another leads by now, and nothing was done.
    async fn commit_fenced(&self, fence: u64, changes: Vec<Change>) -> Result<Option<Vec<Applied>>>;

    /// A number above all that were given out before; the older ones are refused from here on.
    async fn raise_fence(&self) -> Result<u64>;

    /// The highest id that was given to a job; 0 before the first.
    async fn last_id(&self) -> Result<JobId>;

    /// Gives no id up to `last` to a new job.
    async fn pass_over(&self, last: JobId) -> Result<()>;

    /// Finishes what a process that died left half done. Nothing to do where every change is one transaction.
    async fn repair(&self) -> Result<()>;

    /// Writes a request on every job of `ids` whose phase is among `phases`, and on the children of array parents among
    /// them. Answers the ids it was written on. A kill replaces another request; nothing replaces a kill.
    async fn request(&self, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>>;

    /// Replaces the spec of one active job (dynamic fields). False when the job is not active or not at `expect`.
    async fn replace_spec(&self, id: JobId, expect: u64, spec: crate::domain::JobSpec) -> Result<bool>;

    async fn list(&self, filter: &JobFilter, page: Page) -> Result<Vec<Job>>;

    async fn count(&self, filter: &JobFilter) -> Result<u64>;

    /// A page of at most `limit` jobs, and cursors to the pages beside it. It walks [`search::REACH`] jobs at most,
    /// however many there are: a page may hold fewer than there are and still have a next one.
    async fn search(&self, search: &JobSearch, start: Start, limit: usize) -> Result<Found>;

    /// How many a search finds, up to `most`, as far as one walk goes.
    async fn count_found(&self, search: &JobSearch, most: usize) -> Result<Counted>;

    /// Adds and removes tags of those of `ids` that exist and are no array's children (those have their parent's), in
    /// whatever state they are. Answers whose tags are as they were wanted now, changed or not.
    async fn retag(&self, ids: &[JobId], add: &[String], remove: &[String]) -> Result<Vec<JobId>>;

    /// What ended since `since`, the last first, at most `limit`. The parents of arrays are not among it: their children
    /// are what ran.
    async fn recent_ends(&self, since: Timestamp, limit: usize) -> Result<Vec<EndedRow>>;

    /// The children of an array by index, without their parent.
    async fn children(&self, parent: JobId, page: Page) -> Result<Vec<Job>>;

    /// Pending jobs with ids above `after`, ascending, at most `limit`: what the scheduler keeps in memory. Array
    /// parents are not among them.
    async fn pending(&self, after: JobId, limit: usize) -> Result<Vec<PendingRow>>;

    /// How the jobs of `ids` stand, for dependencies. A job that does not exist (any more) is left out.
    async fn outcomes(&self, ids: &[JobId]) -> Result<Vec<DependencyOutcome>>;

    /// Deletes the record of an over or archived job and of its children. False when there is none to delete.
    async fn remove(&self, id: JobId) -> Result<bool>;

    /// Images that jobs here have run, most used first.
    async fn images(&self, limit: usize) -> Result<Vec<String>>;
}

/// Users, projects, what opens accounts, and the log of who changed them.
#[async_trait]
pub trait UserStore: Send + Sync {
    async fn user(&self, id: &UserId) -> Result<Option<User>>;

    /// By id.
    async fn users(&self) -> Result<Vec<User>>;

    /// The guest that a provider knows by this.
    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>>;

    /// The default project and those the user is a member of.
    async fn projects_of(&self, user: &UserId) -> Result<Vec<Project>>;

    /// The default project is there also when it was never written.
    async fn project(&self, id: &ProjectId) -> Result<Option<Project>>;

    /// The default first, then by id.
    async fn projects(&self) -> Result<Vec<Project>>;

    /// The session or token with this hash of its secret, valid or not.
    async fn credential(&self, hash: &str) -> Result<Option<Credential>>;

    /// Newest first.
    async fn credentials_of(&self, user: &UserId, kind: CredentialKind) -> Result<Vec<Credential>>;

    /// Applies all of `changes` in one transaction and writes `audit` in the same; or answers [`Changed::Stale`] and has
    /// done none of it, because something was not as it was expected (a revision, an identity that is another's, a
    /// project that still has active jobs).
    async fn change(&self, changes: Vec<AccountChange>, audit: Vec<AuditEntry>) -> Result<Changed>;

    /// Lines of the audit log, newest first. They cannot be changed or removed.
    async fn audit(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditLine>>;

    /// A user's saved templates of jobs, by name.
    async fn templates(&self, user: &UserId) -> Result<Vec<Template>>;

    /// Writes a template, in the place of the one with its id. False when the user has `most` others already, or another
    /// of that name.
    async fn put_template(&self, template: &Template, most: usize) -> Result<bool>;

    /// False when there is none.
    async fn remove_template(&self, user: &UserId, id: &str) -> Result<bool>;
}

/// Use by user and project and day; written only by [`JobStore::commit`].
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Days since `from_day` (inclusive), oldest first.
    async fn user_usage(&self, user: &UserId, from_day: i64) -> Result<Vec<DailyUsage>>;
    async fn project_usage(&self, project: &ProjectId, from_day: i64) -> Result<Vec<DailyUsage>>;
    /// Sums since `from_day` by user and project: what fair share and quotas ask.
    async fn usage_by_pair(&self, from_day: i64) -> Result<Vec<(UserId, ProjectId, Usage)>>;
    /// The rows of the days `from_day..=to_day`, of a user and in a project where those are said, oldest first.
    async fn usage_rows(
        &self,
        user: Option<&UserId>,
        project: Option<&ProjectId>,
        from_day: i64,
        to_day: i64,
    ) -> Result<Vec<UsageRow>>;
    /// Bytes that directories of over jobs hold, by user. Archiving a job gives its share back.
    async fn disk_use(&self) -> Result<Vec<(UserId, u64)>>;
    /// The same of one user; 0 for one who is not known.
    async fn disk_use_of(&self, user: &UserId) -> Result<u64>;
    /// Sets what [`LedgerStore::disk_use`] answers to what the records of over jobs say, for all users at once: for
    /// when the figures went wrong. No end or archive falls between the reading and the writing.
    async fn recount_disk_use(&self) -> Result<()>;
}

/// Small facts of the installation (instance id, signing key).
#[async_trait]
pub trait SettingStore: Send + Sync {
    async fn setting(&self, key: &str) -> Result<Option<String>>;
    async fn put_setting(&self, key: &str, value: &str) -> Result<()>;
    /// Writes `value` unless there is one; answers the one there is. Of many at once all get the same.
    async fn init_setting(&self, key: &str, value: &str) -> Result<String>;
}

/// Signs of life of the processes: what the status plugin `store` keeps.
#[async_trait]
pub trait ProcessStore: Send + Sync {
    /// Replaces what this process said before.
    async fn put_process(&self, process: &ProcessStatus) -> Result<()>;
    /// All that were not removed, by id; also those that have died.
    async fn processes(&self) -> Result<Vec<ProcessStatus>>;
    async fn remove_process(&self, id: &str) -> Result<()>;
}

/// What attempts used while they ran.
#[async_trait]
pub trait SampleStore: Send + Sync {
    /// Replaces what is kept of each of these attempts; those of jobs that are not there (any more) are passed over.
    /// Some of it may have been written when it answers `Err`: each attempt's is a whole in itself.
    async fn put_samples(&self, all: Vec<AttemptSamples>) -> Result<()>;

    /// What is kept of these jobs' attempts, by job and attempt. It goes with the job's record, and not before.
    async fn samples(&self, jobs: &[JobId]) -> Result<Vec<AttemptSamples>>;
}

pub trait Store: JobStore + UserStore + LedgerStore + SettingStore + ProcessStore + SampleStore {}
impl<T: JobStore + UserStore + LedgerStore + SettingStore + ProcessStore + SampleStore> Store for T {}
