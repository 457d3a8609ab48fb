//! One round of a role by itself, as `go-d <role> once` does it: for tests, cron, and administrators who look closely.

use super::archive::Archiver;
use super::executor::{carry_out, launch_all};
use super::leadership::Fence;
use super::scheduler_state::SchedulerState;
use super::scheduler_store::{end_killed, snapshot, store_plan};
use super::share::Share;
use super::{Works, leaving, recovery};
use crate::config;
use crate::domain::{JobId, Phase, Request};
use crate::scheduling::queue::DependencyState;
use crate::store::{JobFilter, Page, StoreError};

pub struct Scheduled {
    /// Still pending after the round.
    pub pending: usize,
    pub started: usize,
    pub rejected: usize,
}

/// Reads everything, decides once, stores it, and tells the watchers what to launch.
///
/// # Errors
/// The store's; what was stored stands.
pub async fn schedule(
    works: &Works,
    fence: &Fence,
    mut state: SchedulerState,
    config: &config::Scheduler,
) -> Result<Scheduled, StoreError> {
    let from_day = works.clock.now().day() - i64::from(config.usage_window_days) + 1;
    for executor in works.executors.iter() {
        state.see_nodes(executor.name(), executor.nodes().await.map_err(|error| error.to_string()));
    }
    let all = snapshot(works, from_day).await?;
    state.reset_placed(&all.active);
    state.set_accounts(&all.accounts);
    let (killed, rows): (Vec<_>, Vec<_>) =
        all.rows.into_iter().partition(|row| matches!(row.request, Some(Request::Kill(_))));
    rows.into_iter().for_each(|row| state.enqueue(row));
    let killed: Vec<JobId> = killed.iter().map(|row| row.id).collect();
    end_killed(works, fence, &killed).await?;
    let waited_for = state.queue.unresolved_dependencies();
    let known = works.store.outcomes(&waited_for).await?;
    for id in waited_for {
        let outcome = known.iter().find(|outcome| outcome.id == id);
        let active_or_ended = |ending: Option<_>| ending.map_or(DependencyState::Active, DependencyState::Ended);
        state.queue.dependency_known(id, outcome.map_or(DependencyState::Gone, |o| active_or_ended(o.ending)));
    }
    let plan = state.pass(works.clock.now());
    let (planned, rejected) = (plan.starts.len(), plan.rejects.len());
    let stored = store_plan(works, fence, plan).await;
    let filter = JobFilter { phases: vec![Phase::Pending], with_children: true, ..JobFilter::default() };
    let pending = works.store.count(&filter).await? as usize;
    Ok(Scheduled { pending, started: planned - stored.lost.len().min(planned), rejected })
}

pub struct Watched {
    pub launched: usize,
    pub running: usize,
}

/// Launches what was planned, carries out what is asked of running jobs, and applies what has ended.
///
/// # Errors
/// The store's; what was done stands.
pub async fn watch(works: &Works) -> Result<Watched, StoreError> {
    let phases = vec![Phase::Starting, Phase::Running];
    let filter = JobFilter { phases, with_children: true, ..JobFilter::default() };
    let active = works.store.list(&filter, Page::ALL).await?;
    let of = |wanted: fn(&crate::domain::Job) -> bool| -> Vec<JobId> {
        let jobs = active.iter().filter(|job| !job.is_array_parent() && wanted(job));
        jobs.map(|job| job.id).collect()
    };
    let starting = of(|job| job.state.phase() == Phase::Starting);
    launch_all(works, &starting).await?;
    carry_out(works, &of(|job| job.request.is_some())).await;
    let running = recovery::recover(works, &Share::everything()).await?.len();
    Ok(Watched { launched: starting.len(), running })
}

/// Archives and purges what is asked for, and deletes users who are to leave. Answers how many jobs were asked for.
///
/// # Errors
/// The store's; what was done stands.
pub async fn archive(works: &Works) -> Result<usize, StoreError> {
    leaving::round(works).await?;
    let phases = vec![Phase::Over, Phase::Archived];
    let filter = JobFilter { requested: true, phases, with_children: true, ..JobFilter::default() };
    let asked = works.store.list(&filter, Page::ALL).await?;
    let ids: Vec<JobId> = asked.iter().map(|job| job.id).collect();
    Archiver::of(works).many(&ids).await?;
    Ok(asked.len())
}
