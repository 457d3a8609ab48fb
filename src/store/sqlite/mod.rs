//! The store in one SQLite file: for one machine, without a server.
//!
//! One thread writes (`writer`) and commits in groups; reads have connections of their own (`readers`) and never wait
//! for it. Here is how traits map to SQL, one file a subject. Deliberately not here: what a state means or which may
//! follow which (`domain`); this only keeps the columns that are asked for in step with it.

mod accounts;
mod commit;
mod connection;
mod disk;
mod error;
mod filter;
mod ledger;
mod list;
mod people;
mod processes;
mod readers;
mod request;
mod row;
mod samples;
mod search;
mod submit;
mod tally;
mod templates;
mod terms;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::search::{Counted, Found, JobSearch, Start};
use super::{
    AccountChange, Applied, AttemptSamples, AuditFilter, Change, Changed, DependencyOutcome, EndedRow, JobFilter,
    JobStore, LedgerStore, NewJob, Page, PendingRow, ProcessStore, Result, SampleStore, SettingStore, Submitted,
    Template, UsageRow, UserStore,
};
use crate::domain::project::Project;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{
    AuditEntry, AuditLine, Credential, CredentialKind, Identity, Job, JobId, JobSpec, Phase, ProcessStatus, ProjectId,
    Request, Timestamp, User, UserId,
};
use readers::Readers;
use writer::Writer;

/// Dropping it finishes the writes that have queued up.
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens or creates the file, whose directory must exist, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Arc<SqliteStore>> {
        let connection = connection::open_writer(path)?;
        let readers = Readers::new(path)?;
        Ok(Arc::new(SqliteStore { readers, writer: Writer::start(connection, path)? }))
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn submit(&self, job: NewJob) -> Result<Submitted> {
        self.writer.write(move |c| submit::submit(c, &job)).await
    }

    async fn last_id(&self) -> Result<JobId> {
        self.readers.read(submit::last_id).await
    }

    async fn pass_over(&self, last: JobId) -> Result<()> {
        self.writer.write(move |c| submit::pass_over(c, last)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        self.readers.read(move |c| list::job(c, id)).await
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>> {
        let ids = ids.to_vec();
        self.readers.read(move |c| list::jobs(c, &ids)).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>> {
        self.writer.write(move |c| commit::commit(c, &changes)).await
    }

    async fn commit_fenced(&self, fence: u64, changes: Vec<Change>) -> Result<Option<Vec<Applied>>> {
        self.writer.write(move |c| commit::commit_fenced(c, fence, &changes)).await
    }

    async fn raise_fence(&self) -> Result<u64> {
        self.writer.write(commit::raise_fence).await
    }

    async fn repair(&self) -> Result<()> {
        Ok(())
    }

    async fn request(&self, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>> {
        let (ids, phases) = (ids.to_vec(), phases.to_vec());
        self.writer.write(move |c| request::request(c, &ids, request, &phases)).await
    }

    async fn replace_spec(&self, id: JobId, expect: u64, spec: JobSpec) -> Result<bool> {
        self.writer.write(move |c| submit::replace_spec(c, id, expect, &spec)).await
    }

    async fn list(&self, filter: &JobFilter, page: Page) -> Result<Vec<Job>> {
        let filter = filter.clone();
        self.readers.read(move |c| list::list(c, &filter, page)).await
    }

    async fn count(&self, filter: &JobFilter) -> Result<u64> {
        let filter = filter.clone();
        self.readers.read(move |c| list::count(c, &filter)).await
    }

    async fn search(&self, search: &JobSearch, start: Start, limit: usize) -> Result<Found> {
        let search = search.clone();
        self.readers.read(move |c| search::search(c, &search, start, limit)).await
    }

    async fn count_found(&self, search: &JobSearch, most: usize) -> Result<Counted> {
        let search = search.clone();
        self.readers.read(move |c| search::count(c, &search, most)).await
    }

    async fn retag(&self, ids: &[JobId], add: &[String], remove: &[String]) -> Result<Vec<JobId>> {
        let (ids, add, remove) = (ids.to_vec(), add.to_vec(), remove.to_vec());
        self.writer.write(move |c| terms::retag(c, &ids, &add, &remove)).await
    }

    async fn recent_ends(&self, since: Timestamp, limit: usize) -> Result<Vec<EndedRow>> {
        self.readers.read(move |c| list::recent_ends(c, since, limit)).await
    }

    async fn children(&self, parent: JobId, page: Page) -> Result<Vec<Job>> {
        self.readers.read(move |c| list::children(c, parent, page)).await
    }

    async fn pending(&self, after: JobId, limit: usize) -> Result<Vec<PendingRow>> {
        self.readers.read(move |c| list::pending(c, after, limit)).await
    }

    async fn outcomes(&self, ids: &[JobId]) -> Result<Vec<DependencyOutcome>> {
        let ids = ids.to_vec();
        self.readers.read(move |c| list::outcomes(c, &ids)).await
    }

    async fn remove(&self, id: JobId) -> Result<bool> {
        self.writer.write(move |c| submit::remove(c, id)).await
    }

    async fn images(&self, limit: usize) -> Result<Vec<String>> {
        self.readers.read(move |c| ledger::images(c, limit)).await
    }
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        let id = id.clone();
        self.readers.read(move |c| people::user(c, &id)).await
    }

    async fn users(&self) -> Result<Vec<User>> {
        self.readers.read(people::users).await
    }

    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>> {
        let identity = identity.clone();
        self.readers.read(move |c| people::user_by_identity(c, &identity)).await
    }

    async fn projects_of(&self, user: &UserId) -> Result<Vec<Project>> {
        let user = user.clone();
        self.readers.read(move |c| people::projects_of(c, &user)).await
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>> {
        let id = id.clone();
        self.readers.read(move |c| people::project(c, &id)).await
    }

    async fn projects(&self) -> Result<Vec<Project>> {
        self.readers.read(people::projects).await
    }

    async fn credential(&self, hash: &str) -> Result<Option<Credential>> {
        let hash = hash.to_owned();
        self.readers.read(move |c| accounts::credential(c, &hash)).await
    }

    async fn credentials_of(&self, user: &UserId, kind: CredentialKind) -> Result<Vec<Credential>> {
        let user = user.clone();
        self.readers.read(move |c| accounts::credentials_of(c, &user, kind)).await
    }

    async fn change(&self, changes: Vec<AccountChange>, audit: Vec<AuditEntry>) -> Result<Changed> {
        self.writer.write(move |c| accounts::change(c, &changes, &audit)).await
    }

    async fn audit(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditLine>> {
        let filter = filter.clone();
        self.readers.read(move |c| accounts::audit(c, &filter, limit)).await
    }

    async fn templates(&self, user: &UserId) -> Result<Vec<Template>> {
        let user = user.clone();
        self.readers.read(move |c| templates::of(c, &user)).await
    }

    async fn put_template(&self, template: &Template, most: usize) -> Result<bool> {
        let template = template.clone();
        self.writer.write(move |c| templates::put(c, &template, most)).await
    }

    async fn remove_template(&self, user: &UserId, id: &str) -> Result<bool> {
        let (user, id) = (user.clone(), id.to_owned());
        self.writer.write(move |c| templates::remove(c, &user, &id)).await
    }
}

#[async_trait]
impl LedgerStore for SqliteStore {
    async fn user_usage(&self, user: &UserId, from_day: i64) -> Result<Vec<DailyUsage>> {
        let user = user.clone();
        self.readers.read(move |c| ledger::of_user(c, &user, from_day)).await
    }

    async fn project_usage(&self, project: &ProjectId, from_day: i64) -> Result<Vec<DailyUsage>> {
        let project = project.clone();
        self.readers.read(move |c| ledger::of_project(c, &project, from_day)).await
    }

    async fn usage_by_pair(&self, from_day: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
        self.readers.read(move |c| ledger::by_pair(c, from_day)).await
    }

    async fn usage_rows(
        &self,
        user: Option<&UserId>,
        project: Option<&ProjectId>,
        from_day: i64,
        to_day: i64,
    ) -> Result<Vec<UsageRow>> {
        let (user, project) = (user.cloned(), project.cloned());
        self.readers.read(move |c| ledger::rows(c, user.as_ref(), project.as_ref(), from_day, to_day)).await
    }

    async fn disk_use(&self) -> Result<Vec<(UserId, u64)>> {
        self.readers.read(disk::all).await
    }

    async fn disk_use_of(&self, user: &UserId) -> Result<u64> {
        let user = user.clone();
        self.readers.read(move |c| disk::of(c, &user)).await
    }

    async fn recount_disk_use(&self) -> Result<()> {
        self.writer.write(disk::recount).await
    }
}

#[async_trait]
impl SettingStore for SqliteStore {
    async fn setting(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.readers.read(move |c| people::setting(c, &key)).await
    }

    async fn put_setting(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.writer.write(move |c| people::put_setting(c, &key, &value)).await
    }

    async fn init_setting(&self, key: &str, value: &str) -> Result<String> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.writer.write(move |c| people::init_setting(c, &key, &value)).await
    }
}

#[async_trait]
impl ProcessStore for SqliteStore {
    async fn put_process(&self, process: &ProcessStatus) -> Result<()> {
        let process = process.clone();
        self.writer.write(move |c| processes::put(c, &process)).await
    }

    async fn processes(&self) -> Result<Vec<ProcessStatus>> {
        self.readers.read(processes::all).await
    }

    async fn remove_process(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.writer.write(move |c| processes::remove(c, &id)).await
    }
}

#[async_trait]
impl SampleStore for SqliteStore {
    async fn put_samples(&self, all: Vec<AttemptSamples>) -> Result<()> {
        self.writer.write(move |c| samples::put(c, &all)).await
    }

    async fn samples(&self, jobs: &[JobId]) -> Result<Vec<AttemptSamples>> {
        let jobs = jobs.to_vec();
        self.readers.read(move |c| samples::of(c, &jobs)).await
    }
}
