//! A site in memory: a store that keeps its promises as far as these tests ask, and a scheduler that knows little.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::bus::{Bus, LocalBus};
use crate::config::Config;
use crate::domain::project::Project;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{
    Job, JobId, JobSpec, JobState, PendingReason, Phase, Place, ProjectId, Request, SystemClock, User, UserId,
    WaitingJob,
};
use crate::files::JobDirs;
use crate::plugins::auth::{AuthBackend, AuthError};
use crate::plugins::executor::Capabilities;
use crate::store::{
    Applied, Change, DependencyOutcome, JobFilter, JobOrder, JobStore, LedgerStore, NewJob, Page, PendingRow, Result,
    SettingStore, Submitted, UserStore,
};
use crate::web::access::{LoginLimiter, SigningKeys};
use crate::web::{NodeUse, Queue, Site};

#[derive(Default)]
pub struct Memory {
    pub jobs: Mutex<BTreeMap<JobId, Job>>,
    pub users: Mutex<BTreeMap<UserId, User>>,
}

impl Memory {
    pub fn set(&self, id: u64, state: JobState) {
        self.jobs.lock().unwrap().get_mut(&JobId(id)).unwrap().state = state;
    }

    pub fn get(&self, id: u64) -> Job {
        self.jobs.lock().unwrap()[&JobId(id)].clone()
    }
}

/// A site over `store`, its files under `shared_dir`.
pub fn site(store: Arc<Memory>, config: Config, shared_dir: &std::path::Path) -> (Site, Arc<LocalBus>) {
    let bus = Arc::new(LocalBus::default());
    let site = Site {
        config: Arc::new(config),
        store,
        bus: Arc::clone(&bus) as Arc<dyn Bus>,
        files: JobDirs::new(shared_dir.to_owned()),
        clock: Arc::new(SystemClock),
        auth: Arc::new(NoAuth),
        queue: Arc::new(FewWords),
        keys: Arc::new(SigningKeys::derive(b"a test")),
        login_limiter: Arc::new(LoginLimiter::default()),
    };
    (site, bus)
}

struct NoAuth;

#[async_trait]
impl AuthBackend for NoAuth {
    fn name(&self) -> &'static str {
        "none"
    }

    async fn login(&self, _: &UserId, _: &str) -> std::result::Result<User, AuthError> {
        Err(AuthError::Denied)
    }
}

struct FewWords;

#[async_trait]
impl Queue for FewWords {
    async fn explain(&self, ids: &[JobId]) -> Vec<WaitingJob> {
        let waiting = |job: &JobId| WaitingJob {
            job: *job,
            reason: PendingReason::Queue,
            position: Some(1),
            estimate_secs: None,
        };
        ids.iter().map(waiting).collect()
    }

    async fn nodes(&self) -> Vec<NodeUse> {
        Vec::new()
    }

    fn executors(&self) -> Vec<(String, Capabilities)> {
        vec![("docker".into(), Capabilities { pause: true, images: true, volumes: true, ..Capabilities::default() })]
    }
}

#[async_trait]
impl JobStore for Memory {
    async fn submit(&self, new: NewJob) -> Result<Submitted> {
        let mut jobs = self.jobs.lock().unwrap();
        let id = JobId(jobs.last_key_value().map_or(0, |(id, _)| id.0) + 1);
        let indices: Vec<u64> = new.spec.array.iter().flat_map(|array| array.indices()).collect();
        let children = indices.len() as u32;
        let place = if children > 0 { Place::ArrayParent { children, over: 0, failed: 0 } } else { Place::Single };
        let places = indices.iter().map(|index| Place::ArrayChild { parent: id, index: *index });
        let spec = Arc::new(new.spec);
        for (n, place) in std::iter::once(place).chain(places).enumerate() {
            let job = Job {
                id: JobId(id.0 + n as u64),
                revision: 1,
                owner: new.owner.clone(),
                spec: Arc::clone(&spec),
                submitted: new.submitted,
                place,
                state: JobState::Pending { since: new.submitted, attempts: 0 },
                request: None,
                failed_nodes: Vec::new(),
            };
            jobs.insert(job.id, job);
        }
        Ok(Submitted { id, children })
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        Ok(self.jobs.lock().unwrap().get(&id).cloned())
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>> {
        let jobs = self.jobs.lock().unwrap();
        Ok(ids.iter().filter_map(|id| jobs.get(id).cloned()).collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>> {
        Ok(changes.iter().map(|_| Applied::Stale).collect())
    }

    async fn request(&self, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>> {
        let mut jobs = self.jobs.lock().unwrap();
        let is_meant = |job: &Job| ids.contains(&job.id) || job.parent().is_some_and(|parent| ids.contains(&parent));
        let written = jobs.values_mut().filter(|job| is_meant(job) && phases.contains(&job.state.phase()));
        Ok(written.map(|job| (job.request = Some(request), job.id).1).collect())
    }

    async fn replace_spec(&self, id: JobId, expect: u64, spec: JobSpec) -> Result<bool> {
        let mut jobs = self.jobs.lock().unwrap();
        let found = jobs.get_mut(&id).filter(|job| job.revision == expect && job.state.is_active());
        Ok(found.map(|job| (job.spec, job.revision) = (Arc::new(spec), expect + 1)).is_some())
    }

    async fn list(&self, filter: &JobFilter, page: Page) -> Result<Vec<Job>> {
        let jobs = self.jobs.lock().unwrap();
        let mut found: Vec<Job> = jobs.values().filter(|job| matches(filter, job)).cloned().collect();
        if filter.order != JobOrder::IdAscending {
            found.reverse();
        }
        Ok(found.into_iter().skip(page.skip as usize).take(page.limit.unwrap_or(u64::MAX) as usize).collect())
    }

    async fn count(&self, filter: &JobFilter) -> Result<u64> {
        Ok(self.list(filter, Page::ALL).await?.len() as u64)
    }

    async fn children(&self, parent: JobId, _: Page) -> Result<Vec<Job>> {
        Ok(self.jobs.lock().unwrap().values().filter(|job| job.parent() == Some(parent)).cloned().collect())
    }

    async fn pending(&self, _: JobId, _: usize) -> Result<Vec<PendingRow>> {
        Ok(Vec::new())
    }

    async fn outcomes(&self, _: &[JobId]) -> Result<Vec<DependencyOutcome>> {
        Ok(Vec::new())
    }

    async fn remove(&self, id: JobId) -> Result<bool> {
        Ok(self.jobs.lock().unwrap().remove(&id).is_some())
    }

    async fn images(&self, _: usize) -> Result<Vec<String>> {
        Ok(vec!["debian:stable".into(), "busybox".into()])
    }
}

fn matches(filter: &JobFilter, job: &Job) -> bool {
    let ended = || job.state.outcome().map(|outcome| outcome.ended);
    filter.owner.as_ref().is_none_or(|owner| *owner == job.owner.user)
        && filter.project.as_ref().is_none_or(|project| *project == job.owner.project)
        && (filter.phases.is_empty() || filter.phases.contains(&job.state.phase()))
        && filter.tag.as_ref().is_none_or(|tag| job.spec.tags.contains(tag))
        && filter.ended_before.is_none_or(|before| ended().is_some_and(|ended| ended < before))
        && (filter.with_children || job.parent().is_none())
        && filter.after.is_none_or(|after| job.id > after)
}

#[async_trait]
impl UserStore for Memory {
    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        Ok(self.users.lock().unwrap().get(id).cloned())
    }

    async fn users(&self) -> Result<Vec<User>> {
        Ok(self.users.lock().unwrap().values().cloned().collect())
    }

    async fn put_user(&self, user: User) -> Result<()> {
        self.users.lock().unwrap().insert(user.id.clone(), user);
        Ok(())
    }

    async fn projects_of(&self, _: &UserId) -> Result<Vec<Project>> {
        Ok(vec![Project { id: "rna".parse().unwrap(), ..Project::default_project() }, Project::default_project()])
    }

    async fn project(&self, _: &ProjectId) -> Result<Option<Project>> {
        Ok(None)
    }
}

#[async_trait]
impl LedgerStore for Memory {
    async fn user_usage(&self, _: &UserId, from_day: i64) -> Result<Vec<DailyUsage>> {
        Ok(vec![DailyUsage { day: from_day, usage: Usage { cpu: 2.0, ram: 0.5, time: 61.4, jobs: 3 } }])
    }

    async fn project_usage(&self, _: &ProjectId, _: i64) -> Result<Vec<DailyUsage>> {
        Ok(Vec::new())
    }

    async fn usage_by_pair(&self, _: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl SettingStore for Memory {
    async fn setting(&self, _: &str) -> Result<Option<String>> {
        Ok(None)
    }

    async fn put_setting(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }
}
