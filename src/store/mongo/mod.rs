//! The store in MongoDB: for a cluster.
//!
//! The original's collections and fields (`jobs`, `jobsover`, `users`, `projects`) are kept, so that scripts that read them go
//! on working; our own truth is the sub-document `god` of each, and collections whose names begin with `god_`. A document
//! without `god` is the original's: no read sees it, and a database that holds such documents is not opened until
//! [`takeover`] has been over it.
//!
//! What concerns several documents is one transaction (`transact`) on a replica set. A server on its own has none: there
//! `moves` (jobs) and `journal` (all else, and large arrays everywhere) keep an order that can be taken up again. What a
//! reader may see of a change under way there is said in those files.
//!
//! Counts ask the indexes (`indexes`); there are no tallies, which every change of every process would meet at. Here is
//! how traits map to the files, one a subject. Deliberately not here: what a state means (`domain`).

mod account_lock;
mod accounts;
mod audit;
mod commit;
mod connect;
mod credentials;
mod document;
mod error;
mod face;
mod fence;
mod filter;
mod group;
mod indexes;
mod journal;
mod ledger;
mod list;
mod moves;
mod once;
mod ops;
mod outbox;
mod people;
mod prepare;
mod request;
mod retag;
mod samples;
mod search;
mod sessions;
mod settings;
mod submit;
pub mod takeover;
mod templates;
mod transact;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use connect::Mode;

use super::search::{Counted, Found, JobSearch, Start};
use super::{
    AccountChange, Applied, AttemptSamples, AuditFilter, Change, Changed, DependencyOutcome, EndedRow, JobFilter,
    JobStore, LedgerStore, NewJob, Page, PendingRow, ProcessStore, Result, SampleStore, SettingStore, Submitted,
    Template, UsageRow, UserStore,
};
use crate::domain::project::Project;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{
    AuditEntry, AuditLine, Clock as _, Credential, CredentialKind, Identity, Job, JobId, JobSpec, Phase, ProcessStatus,
    ProjectId, Request, SystemClock, Timestamp, User, UserId,
};
use accounts::ChangeAccounts;
use commit::Commit;
use group::Group;
use ops::Ops;
use request::Ask;
use retag::Retag;
use sessions::Sessions;
use submit::{Remove, ReplaceSpec, Submit};
use transact::Work;

/// When an outbox is taken for one whose process died.
const OUTBOX_AGE: Duration = Duration::from_secs(10);
/// The same for an entry of the journal, which says every 15 seconds that it is under way.
const ENTRY_AGE: Duration = Duration::from_secs(90);

/// Larger arrays are written as on a server on its own: a transaction may last a minute, and must fit into memory.
const IN_ONE_TRANSACTION: u32 = 5_000;

pub struct MongoStore {
    sessions: Arc<Sessions>,
    mode: Mode,
    group: Arc<Group>,
}

impl MongoStore {
    /// Makes the indexes, if they are not there.
    ///
    /// # Errors
    /// No server answers, or the database holds what the original wrote and `go-d scheduler init` has not taken over.
    pub async fn open(url: &str, db: &str) -> Result<Arc<MongoStore>> {
        Self::open_as(url, db, None).await
    }

    /// In a mode that is given rather than found out: a replica set can do what a standalone server can.
    ///
    /// # Errors
    /// As [`MongoStore::open`].
    pub async fn open_as(url: &str, db: &str, mode: Option<Mode>) -> Result<Arc<MongoStore>> {
        let (client, db, mode) = connect::connect(url, db, mode).await?;
        prepare::check(&mut Ops::alone(&db)).await?;
        prepare::make_ready(&db).await?;
        let sessions = Arc::new(Sessions::new(client, db));
        let group = Group::new(sessions.clone());
        Ok(Arc::new(MongoStore { sessions, mode, group }))
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    fn ops(&self) -> Ops<'_> {
        Ops::alone(self.sessions.db())
    }

    async fn transact<W: Work>(&self, work: W) -> Result<W::Answer> {
        self.sessions.transact(&work).await
    }

    async fn repair_as_of(&self, now: Timestamp) -> Result<()> {
        let ago = |age: Duration| Timestamp(now.0 - age.as_millis() as i64);
        let ops = &mut self.ops();
        let moved = moves::finish_older(ops, ago(OUTBOX_AGE)).await?;
        let written = journal::finish_older(ops, ago(ENTRY_AGE)).await?;
        account_lock::finish_older(ops, ago(OUTBOX_AGE)).await?;
        for dead in settings::take_dead(ops, now).await? {
            self.sessions.end_others(&dead).await?;
        }
        if moved + written > 0 {
            tracing::warn!(jobs = moved, writes = written, "finished what a process had left half done");
        }
        Ok(())
    }
}

#[async_trait]
impl JobStore for MongoStore {
    async fn submit(&self, job: NewJob) -> Result<Submitted> {
        let ids = submit::allocate_ids(&mut self.ops(), &job).await?;
        let submit = Submit { job: &job, ids };
        match self.mode {
            Mode::Transactions if ids.children <= IN_ONE_TRANSACTION => self.transact(submit).await?,
            Mode::Transactions | Mode::Standalone => journal::submit(&mut self.ops(), &submit).await?,
        }
        Ok(ids)
    }

    async fn last_id(&self) -> Result<JobId> {
        Ok(submit::last_id(&mut self.ops()).await?)
    }

    async fn pass_over(&self, last: JobId) -> Result<()> {
        Ok(submit::raise_counter(&mut self.ops(), document::key(last)).await?)
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        Ok(list::jobs(&mut self.ops(), &[id]).await?.pop())
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>> {
        Ok(list::jobs(&mut self.ops(), ids).await?)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>> {
        match self.mode {
            Mode::Transactions => self.group.commit(changes).await,
            Mode::Standalone => Ok(moves::commit(&mut self.ops(), None, &changes).await?.unwrap_or_default()),
        }
    }

    async fn commit_fenced(&self, fence: u64, changes: Vec<Change>) -> Result<Option<Vec<Applied>>> {
        match self.mode {
            Mode::Transactions => self.transact(Commit { fence: Some(fence), changes }).await,
            Mode::Standalone => Ok(moves::commit(&mut self.ops(), Some(fence), &changes).await?),
        }
    }

    async fn raise_fence(&self) -> Result<u64> {
        match self.mode {
            Mode::Transactions => self.transact(fence::Raise { sessions: &self.sessions }).await,
            Mode::Standalone => Ok(fence::raise(&mut self.ops(), self.sessions.run()).await?),
        }
    }

    async fn repair(&self) -> Result<()> {
        self.repair_as_of(SystemClock.now()).await
    }

    async fn request(&self, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>> {
        let ask = Ask { ids, request, phases };
        match self.mode {
            Mode::Transactions => self.transact(ask).await,
            Mode::Standalone => Ok(ask.write(&mut self.ops()).await?),
        }
    }

    async fn replace_spec(&self, id: JobId, expect: u64, spec: JobSpec) -> Result<bool> {
        let replace = ReplaceSpec { id, expect, spec };
        match self.mode {
            Mode::Transactions => self.transact(replace).await,
            Mode::Standalone => Ok(journal::replace_spec(&mut self.ops(), &replace).await?),
        }
    }

    async fn list(&self, filter: &JobFilter, page: Page) -> Result<Vec<Job>> {
        Ok(list::list(&mut self.ops(), filter, page).await?)
    }

    async fn count(&self, filter: &JobFilter) -> Result<u64> {
        Ok(list::count(&mut self.ops(), filter).await?)
    }

    async fn search(&self, search: &JobSearch, start: Start, limit: usize) -> Result<Found> {
        Ok(search::search(&mut self.ops(), search, start, limit).await?)
    }

    async fn count_found(&self, search: &JobSearch, most: usize) -> Result<Counted> {
        Ok(search::count(&mut self.ops(), search, most).await?)
    }

    async fn retag(&self, ids: &[JobId], add: &[String], remove: &[String]) -> Result<Vec<JobId>> {
        let retag = Retag { ids, add, remove };
        match self.mode {
            Mode::Transactions => self.transact(retag).await,
            Mode::Standalone => Ok(retag.write(&mut self.ops()).await?),
        }
    }

    async fn recent_ends(&self, since: Timestamp, limit: usize) -> Result<Vec<EndedRow>> {
        Ok(search::recent_ends(&mut self.ops(), since, limit).await?)
    }

    async fn children(&self, parent: JobId, page: Page) -> Result<Vec<Job>> {
        Ok(list::children(&mut self.ops(), parent, page).await?)
    }

    async fn pending(&self, after: JobId, limit: usize) -> Result<Vec<PendingRow>> {
        let hidden = journal::hidden(&mut self.ops()).await?;
        Ok(list::pending(&mut self.ops(), after, limit, &hidden).await?)
    }

    async fn outcomes(&self, ids: &[JobId]) -> Result<Vec<DependencyOutcome>> {
        Ok(list::outcomes(&mut self.ops(), ids).await?)
    }

    async fn remove(&self, id: JobId) -> Result<bool> {
        match self.mode {
            Mode::Transactions => self.transact(Remove { id }).await,
            Mode::Standalone => Ok(journal::remove(&mut self.ops(), &Remove { id }).await?),
        }
    }

    async fn images(&self, limit: usize) -> Result<Vec<String>> {
        Ok(ledger::images(&mut self.ops(), limit).await?)
    }
}

#[async_trait]
impl UserStore for MongoStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        Ok(people::user(&mut self.ops(), id).await?)
    }

    async fn users(&self) -> Result<Vec<User>> {
        Ok(people::users(&mut self.ops()).await?)
    }

    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>> {
        Ok(people::user_by_identity(&mut self.ops(), identity).await?)
    }

    async fn projects_of(&self, user: &UserId) -> Result<Vec<Project>> {
        Ok(people::projects_of(&mut self.ops(), user).await?)
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>> {
        Ok(people::project(&mut self.ops(), id).await?)
    }

    async fn projects(&self) -> Result<Vec<Project>> {
        Ok(people::projects(&mut self.ops()).await?)
    }

    async fn credential(&self, hash: &str) -> Result<Option<Credential>> {
        Ok(credentials::credential(&mut self.ops(), hash).await?)
    }

    async fn credentials_of(&self, user: &UserId, kind: CredentialKind) -> Result<Vec<Credential>> {
        Ok(credentials::credentials_of(&mut self.ops(), user, kind).await?)
    }

    async fn change(&self, changes: Vec<AccountChange>, audit: Vec<AuditEntry>) -> Result<Changed> {
        let change = ChangeAccounts { changes, audit };
        match self.mode {
            Mode::Transactions => self.transact(change).await,
            Mode::Standalone => Ok(account_lock::change(&mut self.ops(), &change).await?),
        }
    }

    async fn audit(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditLine>> {
        Ok(audit::lines(&mut self.ops(), filter, limit).await?)
    }

    async fn templates(&self, user: &UserId) -> Result<Vec<Template>> {
        Ok(templates::of(&mut self.ops(), user).await?)
    }

    async fn put_template(&self, template: &Template, most: usize) -> Result<bool> {
        Ok(templates::put(&mut self.ops(), template, most).await?)
    }

    async fn remove_template(&self, user: &UserId, id: &str) -> Result<bool> {
        Ok(templates::remove(&mut self.ops(), user, id).await?)
    }
}

#[async_trait]
impl LedgerStore for MongoStore {
    async fn user_usage(&self, user: &UserId, from_day: i64) -> Result<Vec<DailyUsage>> {
        Ok(ledger::days(&mut self.ops(), "user", user.as_str(), from_day).await?)
    }

    async fn project_usage(&self, project: &ProjectId, from_day: i64) -> Result<Vec<DailyUsage>> {
        Ok(ledger::days(&mut self.ops(), "project", project.as_str(), from_day).await?)
    }

    async fn usage_by_pair(&self, from_day: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
        Ok(ledger::by_pair(&mut self.ops(), from_day).await?)
    }

    async fn usage_rows(
        &self,
        user: Option<&UserId>,
        project: Option<&ProjectId>,
        from_day: i64,
        to_day: i64,
    ) -> Result<Vec<UsageRow>> {
        Ok(ledger::rows(&mut self.ops(), user, project, from_day, to_day).await?)
    }

    async fn disk_use(&self) -> Result<Vec<(UserId, u64)>> {
        Ok(ledger::disk_use(&mut self.ops()).await?)
    }

    async fn disk_use_of(&self, user: &UserId) -> Result<u64> {
        Ok(ledger::disk_use_of(&mut self.ops(), user).await?)
    }

    async fn recount_disk_use(&self) -> Result<()> {
        match self.mode {
            Mode::Transactions => self.transact(ledger::RecountDisk).await,
            Mode::Standalone => Ok(ledger::RecountDisk.write(&mut self.ops()).await?),
        }
    }
}

#[async_trait]
impl SettingStore for MongoStore {
    async fn setting(&self, key: &str) -> Result<Option<String>> {
        Ok(settings::setting(&mut self.ops(), key).await?)
    }

    async fn put_setting(&self, key: &str, value: &str) -> Result<()> {
        Ok(settings::put_setting(&mut self.ops(), key, value).await?)
    }

    async fn init_setting(&self, key: &str, value: &str) -> Result<String> {
        Ok(settings::init_setting(&mut self.ops(), key, value).await?)
    }
}

#[async_trait]
impl ProcessStore for MongoStore {
    async fn put_process(&self, process: &ProcessStatus) -> Result<()> {
        let before = settings::put_process(&mut self.ops(), process, self.sessions.run()).await?;
        if let Some(before) = before {
            self.sessions.end_others(&before).await?;
        }
        Ok(())
    }

    async fn processes(&self) -> Result<Vec<ProcessStatus>> {
        Ok(settings::processes(&mut self.ops()).await?)
    }

    async fn remove_process(&self, id: &str) -> Result<()> {
        Ok(settings::remove_process(&mut self.ops(), id).await?)
    }
}

#[async_trait]
impl SampleStore for MongoStore {
    async fn put_samples(&self, all: Vec<AttemptSamples>) -> Result<()> {
        Ok(samples::put(&mut self.ops(), &all).await?)
    }

    async fn samples(&self, jobs: &[JobId]) -> Result<Vec<AttemptSamples>> {
        Ok(samples::of(&mut self.ops(), jobs).await?)
    }
}
