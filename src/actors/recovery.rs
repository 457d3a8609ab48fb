//! The store against the executors: what a crash, a restart or a lost message left open is settled here.
//!
//! One listing an executor, one read of the active jobs, never a call a job. Everything is read again before something
//! is done to it that cannot be taken back.

use std::collections::{HashMap, HashSet};

use super::share::{Part, Share};
use super::watcher::{self, current_name};
use super::{Works, launching};
use crate::bus::Command;
use crate::domain::{AttemptName, Job, JobId, JobState, Phase, Request, Transition};
use crate::measures::{self, Fault};
use crate::plugins::executor::{AttemptEnd, Executor, Exit, Sighting, Started};
use crate::store::{Applied, Change, JobFilter, Page, StoreError};

/// Compares and settles what is in `share`. Answers the jobs of it that run, for the rules on them.
///
/// # Errors
/// The store's. Doing it again is always right.
pub async fn recover(works: &Works, share: &Share) -> Result<Vec<Job>, StoreError> {
    works.store.repair().await?;
    // One answer for all that follows: a job that is ours among the jobs and not among the sightings would look lost.
    let share = share.now();
    // The jobs are read before the listings: a job that runs in the store and is in no later listing is really gone.
    let mut active = active_jobs(works).await?;
    active.retain(|job| share.has(job.id));
    for executor in works.executors.iter() {
        match executor.list().await {
            Ok(mut sightings) => {
                sightings.retain(|sighting| share.has(sighting.name().job));
                settle(works, executor.as_ref(), &active, sightings).await?;
            }
            Err(error) => {
                measures::error(Fault::Executor);
                tracing::warn!(executor = executor.name(), %error, "no listing; its jobs stay as they are");
            }
        }
    }
    repeat_requests(works, &share).await?;
    Ok(active.into_iter().filter(|job| job.state.phase() == Phase::Running).collect())
}

async fn active_jobs(works: &Works) -> Result<Vec<Job>, StoreError> {
    let phases = vec![Phase::Starting, Phase::Running];
    let filter = JobFilter { phases, with_children: true, ..JobFilter::default() };
    let jobs = works.store.list(&filter, Page::ALL).await?;
    Ok(jobs.into_iter().filter(|job| !job.is_array_parent()).collect())
}

async fn settle(
    works: &Works,
    executor: &dyn Executor,
    active: &[Job],
    sightings: Vec<Sighting>,
) -> Result<(), StoreError> {
    let mut seen: HashMap<AttemptName, Sighting> = sightings.into_iter().map(|s| (s.name().clone(), s)).collect();
    let (mut ends, mut to_launch, mut adopted, mut missing) = (vec![], vec![], vec![], vec![]);
    let here = |job: &&Job| job.state.attempt().is_some_and(|attempt| attempt.executor == executor.name());
    for job in active.iter().filter(here) {
        let Some(name) = current_name(works, job) else { continue };
        match (seen.remove(&name), job.state.phase()) {
            (Some(Sighting::Ended(end)), _) => ends.push(end),
            (Some(Sighting::Running { started, .. }), Phase::Starting) => adopted.push((job, started)),
            (Some(Sighting::Created(_)) | None, Phase::Starting) => to_launch.push(job.id),
            (Some(Sighting::Running { .. }), _) => {}
            (Some(Sighting::Created(_)), _) => missing.push((job, "made, and not begun")),
            (None, _) => missing.push((job, "nothing")),
        }
    }
    if !ends.is_empty() || !missing.is_empty() || !to_launch.is_empty() || !adopted.is_empty() {
        tracing::info!(
            executor = executor.name(),
            ended = ends.len(),
            missing = missing.len(),
            relaunched = to_launch.len(),
            adopted = adopted.len(),
            "settled what was open"
        );
    }
    ends.extend(lost(works, missing).await?);
    watcher::apply(works, &ends).await?;
    if !to_launch.is_empty() {
        works.tell(Command::Launch { ids: to_launch }).await;
    }
    adopt(works, adopted).await?;
    forget_unclaimed(works, executor, seen.into_keys().collect()).await
}

/// The ends of attempts that nobody knows any more, after a second look at the store.
async fn lost(works: &Works, missing: Vec<(&Job, &str)>) -> Result<Vec<AttemptEnd>, StoreError> {
    let ids: Vec<_> = missing.iter().map(|(job, _)| job.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ended = works.clock.now();
    let now = works.store.jobs(&ids).await?;
    Ok(now
        .iter()
        .filter(|job| job.state.phase() == Phase::Running)
        .filter_map(|job| {
            let is_it = |m: &Job| m.id == job.id && m.state.attempt() == job.state.attempt();
            let (_, known) = missing.iter().find(|(m, _)| is_it(m))?;
            tracing::warn!(job = %job.id, known, "it is on no node any more");
            let name = launching::attempt_name(works, job)?;
            let exit = Exit { code: None, out_of_memory: false };
            Some(AttemptEnd { name, exit, started: job.state.started(), ended })
        })
        .collect())
}

async fn adopt(works: &Works, adopted: Vec<(&Job, Started)>) -> Result<(), StoreError> {
    let changes: Vec<Change> = adopted
        .iter()
        .filter_map(|(job, started)| {
            let transition = Transition::Launched { attempt: started.attempt.clone(), at: started.at };
            Some(Change {
                id: job.id,
                expect: job.revision,
                state: job.state.next(transition).ok()?,
                request: job.request,
                failed_nodes: job.failed_nodes.clone(),
                charge: None,
            })
        })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = changes.iter().map(|change| change.id).collect();
    let applied = works.store.commit(changes).await?;
    let ids: Vec<JobId> = ids
        .into_iter()
        .zip(applied)
        .filter_map(|(id, applied)| matches!(applied, Applied::Done { .. }).then_some(id))
        .collect();
    for (job, started) in adopted.iter().filter(|(job, _)| ids.contains(&job.id)) {
        measures::launched(job, &started.attempt.executor, started.at);
    }
    works.tell(Command::JobsRunning { ids }).await;
    Ok(())
}

/// Removes what no job claims. The jobs are read anew: one may have been launched since.
async fn forget_unclaimed(works: &Works, executor: &dyn Executor, names: Vec<AttemptName>) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = names.iter().map(|name| name.job).collect();
    let claimed: HashSet<AttemptName> = works
        .store
        .jobs(&ids)
        .await?
        .iter()
        .filter_map(|job| match job.state {
            // Its launch seemed to fail, and did not: the next one of that number goes on with it.
            JobState::Pending { attempts, .. } => Some((job.id, attempts + 1)),
            _ if job.state.is_active() => Some((job.id, job.state.attempt()?.number)),
            _ => None,
        })
        .map(|(job, attempt)| AttemptName { instance: works.instance.clone(), job, attempt })
        .collect();
    for name in names.into_iter().filter(|name| !claimed.contains(name)) {
        tracing::info!(%name, "removing what no job claims");
        if let Err(error) = executor.forget(&name).await {
            tracing::warn!(%name, %error, "it could not be removed");
        }
    }
    Ok(())
}

/// Requests whose message may have been lost are told again.
async fn repeat_requests(works: &Works, share: &Part<'_>) -> Result<(), StoreError> {
    let filter = JobFilter { requested: true, with_children: true, ..JobFilter::default() };
    let requested = works.store.list(&filter, Page::ALL).await?;
    let (mut pending, mut active, mut over) = (vec![], vec![], vec![]);
    for job in requested.iter().filter(|job| share.has(job.id)) {
        match (job.state.phase(), job.request) {
            (_, None) => {}
            (Phase::Pending, _) => pending.push(job.id),
            (Phase::Starting | Phase::Running, _) => active.push(job.id),
            (Phase::Over | Phase::Archived, Some(Request::Archive | Request::Purge)) => over.push(job.id),
            (Phase::Over | Phase::Archived, _) => {}
        }
    }
    for (ids, command) in [
        (pending, (|ids| Command::PendingRequested { ids }) as fn(Vec<JobId>) -> Command),
        (active, |ids| Command::ActiveRequested { ids }),
        (over, |ids| Command::ArchiveRequested { ids }),
    ] {
        if !ids.is_empty() {
            works.tell(command(ids)).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::testing::Stage;
    use crate::domain::Timestamp;

    fn ended(stage: &Stage, job: u64, attempt: u32) -> AttemptEnd {
        let exit = Exit { code: Some(0), out_of_memory: false };
        AttemptEnd { name: stage.name(job, attempt), exit, started: Some(Timestamp(1_000)), ended: Timestamp(2_000) }
    }

    #[tokio::test]
    async fn what_a_job_is_past_is_removed_and_what_it_has_yet_to_take_up_is_kept() {
        let stage = Stage::with_running(&[]).await;
        let again = JobState::Pending { since: Timestamp(0), attempts: 1 };
        stage.store.add_job(Job { state: again, ..crate::files::tests::a_job(2) }).await;
        let sightings = [ended(&stage, 2, 1), ended(&stage, 2, 2)].map(Sighting::Ended);
        stage.puppet.there.lock().unwrap().extend(sightings);
        recover(&stage.works, &Share::everything()).await.unwrap();
        assert_eq!(*stage.puppet.forgotten.lock().unwrap(), [stage.name(2, 1)]);
    }

    #[tokio::test]
    async fn a_watcher_that_hears_of_the_others_while_it_looks_takes_no_job_for_lost() {
        let stage = Stage::with_running(&(1..=20).collect::<Vec<_>>()).await;
        for id in 1..=20 {
            let (name, attempt) = (stage.name(id, 1), stage.job(id).await.state.attempt().unwrap().clone());
            let started = Started { attempt, at: Timestamp(1_000) };
            stage.puppet.there.lock().unwrap().push(Sighting::Running { name, started, suspended: false });
        }
        let (heard, watchers) = tokio::sync::watch::channel(Arc::from([]));
        let share = Share::new("w1".to_owned(), watchers);
        let others = ["w1", "w2", "w3"].map(str::to_owned);
        *stage.puppet.meanwhile.lock().unwrap() = Some(Box::new(move || drop(heard.send_replace(Arc::from(others)))));
        recover(&stage.works, &share).await.unwrap();
        assert!(!(1..=20).all(|id| share.has(JobId(id))), "it has heard of them");
        for id in 1..=20 {
            assert!(matches!(stage.job(id).await.state, JobState::Running { .. }), "job {id} runs");
        }
    }
}
