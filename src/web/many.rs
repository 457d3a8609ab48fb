//! What is asked of many jobs at once: of each it is said whether it was done, or why not.

use serde::Serialize;

use super::Site;
use super::access::Caller;
use super::error::ApiError;
use super::jobs::{self, Wish};
use super::words::{Message, says};
use crate::domain::{Job, JobId};

/// Jobs of one request.
pub const MOST: usize = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcomes {
    pub done: Vec<JobId>,
    pub refused: Vec<Refused>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    pub id: JobId,
    /// A sentence.
    pub reason: Message,
}

impl Outcomes {
    fn refuse(&mut self, id: JobId, reason: Message) {
        self.refused.push(Refused { id, reason });
    }
}

/// Asks for the kill of each.
///
/// # Errors
/// Too many at once, or the store's.
pub async fn kill(site: &Site, caller: &Caller, ids: &[JobId]) -> Result<Outcomes, ApiError> {
    let (jobs, mut outcomes) = seen(site, caller, ids).await?;
    let mut asked = Vec::new();
    for job in &jobs {
        match jobs::refusal(job, Wish::Kill) {
            Some(reason) => outcomes.refuse(job.id, reason),
            None => asked.push(job),
        }
    }
    let ids: Vec<JobId> = asked.iter().map(|job| job.id).collect();
    let written = jobs::write(site, &ids, Wish::Kill).await?;
    for job in asked {
        // A second kill of a job that is being killed has nothing left to write.
        let is_being_killed = matches!(job.request, Some(crate::domain::Request::Kill(_)));
        if written.contains(&job.id) || is_being_killed {
            outcomes.done.push(job.id);
        } else {
            outcomes.refuse(job.id, jobs::just_changed(job.id, Wish::Kill));
        }
    }
    Ok(outcomes)
}

/// Adds and removes tags of each, in whatever state it is.
///
/// # Errors
/// Tags at fault, too many jobs at once, or the store's.
pub async fn tag(
    site: &Site,
    caller: &Caller,
    ids: &[JobId],
    add: &[String],
    remove: &[String],
) -> Result<Outcomes, ApiError> {
    let add = super::submission::tags_of("add", add).map_err(ApiError::Invalid)?;
    if add.is_empty() && remove.is_empty() {
        return Err(ApiError::field("add", says("fault-tags-none")));
    }
    let (jobs, mut outcomes) = seen(site, caller, ids).await?;
    let mut asked = Vec::new();
    for job in &jobs {
        match job.parent() {
            Some(parent) => {
                outcomes.refuse(job.id, says("fault-array-tags").set("job", job.id).set("parent", parent));
            }
            None if too_many(job, &add, remove) => {
                let most = super::submission::MOST_TAGS;
                outcomes.refuse(job.id, says("fault-tags-many").set("job", job.id).set("most", most));
            }
            None => asked.push(job.id),
        }
    }
    let written = site.store.retag(&asked, &add, remove).await?;
    for job in jobs.iter().filter(|job| asked.contains(&job.id)) {
        if written.contains(&job.id) {
            outcomes.done.push(job.id);
            site.bus.publish(jobs::changed(job));
        } else {
            outcomes.refuse(job.id, says("fault-job-deleted").set("job", job.id));
        }
    }
    Ok(outcomes)
}

fn too_many(job: &Job, add: &[String], remove: &[String]) -> bool {
    crate::store::search::retagged(&job.spec.tags, add, remove).len() > super::submission::MOST_TAGS
}

/// Those that the caller may see, by id; the others are refused as if they were not there.
async fn seen(site: &Site, caller: &Caller, ids: &[JobId]) -> Result<(Vec<Job>, Outcomes), ApiError> {
    let ids: std::collections::BTreeSet<JobId> = ids.iter().copied().collect();
    if ids.len() > MOST || ids.is_empty() {
        return Err(ApiError::field("ids", says("fault-jobs-at-once").set("most", MOST)));
    }
    let ids: Vec<JobId> = ids.into_iter().collect();
    let mut jobs = site.store.jobs(&ids).await?;
    jobs.retain(|job| caller.may_see(job));
    jobs.sort_by_key(|job| job.id);
    let mut outcomes = Outcomes::default();
    for id in ids {
        if jobs.binary_search_by_key(&id, |job| job.id).is_err() {
            outcomes.refuse(id, ApiError::NotFound("job").message());
        }
    }
    Ok((jobs, outcomes))
}
