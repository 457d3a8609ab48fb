//! A store of plain maps, for the tests of plugins and actors. It keeps users and single jobs, and commits by
//! compare-and-set as the real ones do; what those tests do not ask, it does not answer.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use crate::domain::project::Project;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{Job, JobId, JobSpec, Phase, ProjectId, Quotas, Request, Timestamp, User, UserId, UserKind};
use crate::store::{
    Applied, Change, DependencyOutcome, JobFilter, JobStore, LedgerStore, NewJob, Page, PendingRow, Result,
    SettingStore, Submitted, UserStore,
};

#[derive(Default)]
pub(crate) struct TestStore {
    users: Mutex<BTreeMap<UserId, User>>,
    jobs: Mutex<BTreeMap<JobId, Job>>,
}

impl TestStore {
    pub fn add_user(&self, user: User) {
        self.users.lock().unwrap().insert(user.id.clone(), user);
    }

    pub fn add_job(&self, job: Job) {
        self.jobs.lock().unwrap().insert(job.id, job);
    }
}

/// Active, without password, key or rights.
pub(crate) fn a_user(id: &str) -> User {
    User {
        id: id.parse().unwrap(),
        uid: 54_321,
        gid: 54_321,
        groups: vec![],
        email: None,
        home: None,
        admin: false,
        active: true,
        kind: UserKind::Local,
        password_hash: None,
        api_key_hash: None,
        ssh_public: None,
        priority: 50,
        quotas: Quotas::default(),
        created: Timestamp(0),
    }
}

const NOT_ASKED: &str = "no test of plugins or actors asks this";

#[async_trait]
impl JobStore for TestStore {
    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        Ok(self.jobs.lock().unwrap().get(&id).cloned())
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>> {
        let jobs = self.jobs.lock().unwrap();
        Ok(ids.iter().filter_map(|id| jobs.get(id).cloned()).collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>> {
        let mut jobs = self.jobs.lock().unwrap();
        let apply = |change: Change| match jobs.get_mut(&change.id) {
            Some(job) if job.revision == change.expect => {
                job.revision += 1;
                job.state = change.state;
                job.request = change.request;
                job.failed_nodes = change.failed_nodes;
                Applied::Done { revision: job.revision, parent_over: None }
            }
            _ => Applied::Stale,
        };
        Ok(changes.into_iter().map(apply).collect())
    }

    async fn children(&self, parent: JobId, page: Page) -> Result<Vec<Job>> {
        let jobs = self.jobs.lock().unwrap();
        let children = jobs.values().filter(|job| job.parent() == Some(parent)).cloned();
        let limit = page.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        Ok(children.skip(usize::try_from(page.skip).unwrap()).take(limit).collect())
    }

    async fn remove(&self, id: JobId) -> Result<bool> {
        let mut jobs = self.jobs.lock().unwrap();
        if jobs.get(&id).is_none_or(|job| job.state.is_active()) {
            return Ok(false);
        }
        jobs.retain(|other, job| *other != id && job.parent() != Some(id));
        Ok(true)
    }

    async fn submit(&self, _: NewJob) -> Result<Submitted> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn request(&self, _: &[JobId], _: Request, _: &[Phase]) -> Result<Vec<JobId>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn replace_spec(&self, _: JobId, _: u64, _: JobSpec) -> Result<bool> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn list(&self, _: &JobFilter, _: Page) -> Result<Vec<Job>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn count(&self, _: &JobFilter) -> Result<u64> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn pending(&self, _: JobId, _: usize) -> Result<Vec<PendingRow>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn outcomes(&self, _: &[JobId]) -> Result<Vec<DependencyOutcome>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn images(&self, _: usize) -> Result<Vec<String>> {
        unimplemented!("{NOT_ASKED}")
    }
}

#[async_trait]
impl UserStore for TestStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        Ok(self.users.lock().unwrap().get(id).cloned())
    }
    async fn users(&self) -> Result<Vec<User>> {
        Ok(self.users.lock().unwrap().values().cloned().collect())
    }
    async fn put_user(&self, user: User) -> Result<()> {
        self.add_user(user);
        Ok(())
    }
    async fn projects_of(&self, _: &UserId) -> Result<Vec<Project>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn project(&self, _: &ProjectId) -> Result<Option<Project>> {
        unimplemented!("{NOT_ASKED}")
    }
}

#[async_trait]
impl LedgerStore for TestStore {
    async fn user_usage(&self, _: &UserId, _: i64) -> Result<Vec<DailyUsage>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn project_usage(&self, _: &ProjectId, _: i64) -> Result<Vec<DailyUsage>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn usage_by_pair(&self, _: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
        unimplemented!("{NOT_ASKED}")
    }
}

#[async_trait]
impl SettingStore for TestStore {
    async fn setting(&self, _: &str) -> Result<Option<String>> {
        unimplemented!("{NOT_ASKED}")
    }
    async fn put_setting(&self, _: &str, _: &str) -> Result<()> {
        unimplemented!("{NOT_ASKED}")
    }
}
