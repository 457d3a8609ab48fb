//! What uses a user's space.

use std::cmp::Reverse;

use super::Site;
use super::error::ApiError;
use crate::domain::{Job, JobId, JobState, Phase, User};
use crate::store::{JobFilter, Page};

/// Jobs that one step takes.
const STEP: u64 = 1_000;

pub struct DiskUse {
    /// Bytes of all directories kept, as quotas count them.
    pub used: u64,
    /// 0 is none.
    pub quota: u64,
    /// The largest first; an array with all its jobs.
    pub largest: Vec<(Job, u64)>,
    /// How many jobs are kept in all.
    pub jobs: u64,
}

/// The largest of a user's jobs whose files are kept.
pub async fn of(site: &Site, user: &User, limit: usize) -> Result<DiskUse, ApiError> {
    let mut largest = Largest { limit, jobs: Vec::new() };
    let mut filter = JobFilter { owner: Some(user.id.clone()), phases: vec![Phase::Over], ..JobFilter::default() };
    let mut count = 0;
    loop {
        let jobs = site.store.list(&filter, Page::first(STEP)).await?;
        let Some(last) = jobs.last() else { break };
        filter.after = Some(last.id);
        count += jobs.len() as u64;
        for job in jobs {
            let bytes = if job.is_array_parent() { of_children(site, job.id).await? } else { bytes_of(&job) };
            largest.add(job, bytes);
        }
    }
    let used = site.store.disk_use_of(&user.id).await?;
    Ok(DiskUse {
        used,
        quota: user.quotas.disk_with(site.config.defaults.quotas),
        largest: largest.sorted(),
        jobs: count,
    })
}

async fn of_children(site: &Site, parent: JobId) -> Result<u64, ApiError> {
    let (mut bytes, mut skip) = (0, 0);
    loop {
        let children = site.store.children(parent, Page { skip, limit: Some(STEP) }).await?;
        bytes += children.iter().map(bytes_of).sum::<u64>();
        skip += STEP;
        if (children.len() as u64) < STEP {
            return Ok(bytes);
        }
    }
}

fn bytes_of(job: &Job) -> u64 {
    match &job.state {
        JobState::Over(outcome) => outcome.disk_bytes,
        JobState::Pending { .. } | JobState::Starting { .. } | JobState::Running { .. } | JobState::Archived { .. } => {
            0
        }
    }
}

/// Keeps so many, however many come.
struct Largest {
    limit: usize,
    jobs: Vec<(Job, u64)>,
}

impl Largest {
    fn add(&mut self, job: Job, bytes: u64) {
        self.jobs.push((job, bytes));
        if self.jobs.len() >= self.limit.saturating_mul(2).max(STEP as usize) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.jobs.sort_by_key(|(job, bytes)| (Reverse(*bytes), job.id));
        self.jobs.truncate(self.limit);
    }

    fn sorted(mut self) -> Vec<(Job, u64)> {
        self.cut();
        self.jobs
    }
}
