//! The scheduler's side of the store: reading all there is, storing what a plan decided, ending what never ran.

use actix::prelude::*;

use super::leadership::Fence;
use super::scheduler_state::{Accounts, row_of};
use super::{Works, ending};
use crate::bus::Command;
use crate::domain::{
    Attempt, Ending, Job, JobId, JobState, KnownEnd, Maintenance, Phase, Request, StopCause, Timestamp, Transition,
};
use crate::measures;
use crate::scheduling::plan::{Plan, Start};
use crate::store::{Applied, Change, JobFilter, Page, PendingRow, StoreError};

/// Rows read at once.
pub const CHUNK: usize = 10_000;

/// What the store has, read in one go.
pub struct Snapshot {
    pub rows: Vec<PendingRow>,
    pub active: Vec<Job>,
    pub accounts: Accounts,
}

/// The jobs of a plan that the store took, and those where someone else came first.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PlanStored {
    pub lost: Vec<JobId>,
    pub rows: Vec<PendingRow>,
}

/// Everything the scheduler keeps in memory.
pub async fn snapshot(works: &Works, from_day: i64) -> Result<Snapshot, StoreError> {
    // Active first: a job that starts in between is then held twice rather than forgotten, and reconciled later.
    let mut rows = Vec::new();
    loop {
        let after = rows.last().map_or(JobId(0), |row: &PendingRow| row.id);
        let chunk = works.store.pending(after, CHUNK).await?;
        let done = chunk.len() < CHUNK;
        rows.extend(chunk);
        if done {
            break;
        }
    }
    let filter =
        JobFilter { phases: vec![Phase::Starting, Phase::Running], with_children: true, ..JobFilter::default() };
    let active = works.store.list(&filter, Page::ALL).await?;
    let accounts = accounts(works, from_day).await?;
    Ok(Snapshot { rows, active, accounts })
}

/// Who may use how much, and has.
pub async fn accounts(works: &Works, from_day: i64) -> Result<Accounts, StoreError> {
    let store = &works.store;
    let (users, projects) = (store.users().await?, store.projects().await?);
    let usage = store.usage_by_pair(from_day).await?;
    let (mut reset_users, mut reset_projects) = (Vec::new(), Vec::new());
    for user in users.iter().filter(|user| user.reset.is_some_and(|reset| reset.day >= from_day)) {
        let days = store.user_usage(&user.id, from_day).await?;
        reset_users.extend(user.reset.map(|reset| (user.id.clone(), reset.applied_to(&days))));
    }
    for project in projects.iter().filter(|project| project.reset.is_some_and(|reset| reset.day >= from_day)) {
        let days = store.project_usage(&project.id, from_day).await?;
        reset_projects.extend(project.reset.map(|reset| (project.id.clone(), reset.applied_to(&days))));
    }
    let maintenance = store.setting(Maintenance::SETTING).await?.is_some_and(|setting| !setting.is_empty());
    let disk = store.disk_use().await?;
    Ok(Accounts { users, projects, usage, reset_users, reset_projects, disk, maintenance })
}

/// Ends pending jobs that were asked to.
pub async fn end_killed(works: &Works, fence: &Fence, ids: &[JobId]) -> Result<(), StoreError> {
    for chunk in ids.chunks(1000) {
        let jobs = works.store.jobs(chunk).await?;
        let now = works.clock.now();
        let changes: Vec<_> = jobs
            .iter()
            .filter(|job| job.state.phase() == Phase::Pending && !job.is_array_parent())
            .filter_map(|job| {
                let Some(Request::Kill(cause)) = job.request else { return None };
                let reason = (cause == StopCause::User).then(|| KnownEnd::KilledWaiting.into());
                ending::without_running(job, cause.ending(), reason, now).ok()
            })
            .collect();
        store_ends(works, fence, &jobs, changes).await?;
    }
    Ok(())
}

/// Stores ends of pending jobs and tells of them.
async fn store_ends(works: &Works, fence: &Fence, jobs: &[Job], changes: Vec<Change>) -> Result<(), StoreError> {
    let ids: Vec<_> = changes.iter().map(|change| (change.id, change.state.clone())).collect();
    let applied = fence.commit(works, changes).await?;
    let mut over = Vec::new();
    for ((id, state), applied) in ids.into_iter().zip(applied) {
        if let Applied::Done { parent_over, .. } = applied {
            over.push(id);
            over.extend(parent_over);
            if let Some(job) = jobs.iter().find(|job| job.id == id) {
                measures::stored(job, &state);
                works.changed(&Job { state, ..job.clone() });
            }
        }
    }
    if !over.is_empty() {
        works.tell(Command::JobsOver { ids: over.clone() }).await;
        works.tell(Command::Notify { ids: over }).await;
    }
    Ok(())
}

/// Stores what a plan decided, and sends what the store took to be launched.
pub async fn store_plan(works: &Works, fence: &Fence, plan: Plan) -> PlanStored {
    let now = works.clock.now();
    let planned: Vec<JobId> = plan.starts.iter().map(|start| start.job).collect();
    let changes: Vec<Change> = plan.starts.iter().filter_map(|start| start_change(start, now)).collect();
    let rejects: Vec<_> = plan.rejects.iter().map(|reject| reject.job).collect();
    let outcome: Result<Vec<JobId>, StoreError> = async {
        let mut lost = Vec::new();
        if !changes.is_empty() {
            let applied = fence.commit(works, changes).await?;
            let taken: Vec<_> = planned
                .iter()
                .zip(&applied)
                .filter_map(|(id, applied)| matches!(applied, Applied::Done { .. }).then_some(*id))
                .collect();
            lost = planned.iter().copied().filter(|id| !taken.contains(id)).collect();
            if !taken.is_empty() {
                works.tell(Command::Launch { ids: taken }).await;
            }
        }
        if !rejects.is_empty() {
            store_rejects(works, fence, &plan).await?;
        }
        Ok(lost)
    }
    .await;
    let lost = outcome.unwrap_or_else(|error| {
        tracing::error!(%error, "a plan could not be stored; its jobs stay pending");
        planned
    });
    let ask: Vec<_> = lost.iter().copied().chain(rejects).collect();
    let rows = match works.store.jobs(&ask).await {
        Ok(jobs) => jobs.iter().filter_map(row_of).collect(),
        Err(_) => Vec::new(),
    };
    PlanStored { lost, rows }
}

fn start_change(start: &Start, at: Timestamp) -> Option<Change> {
    // The queue holds pending jobs only; the store refuses the change should that no longer be so.
    let pending = JobState::Pending { since: at, attempts: start.attempt - 1 };
    let attempt = Attempt {
        number: start.attempt,
        executor: start.executor.clone(),
        node: start.node.clone(),
        container: None,
        digest: None,
        ports: Vec::new(),
    };
    let state = pending.next(Transition::Start { attempt, at }).ok()?;
    Some(Change {
        id: start.job,
        expect: start.revision,
        state,
        request: None,
        failed_nodes: start.failed_nodes.clone(),
        charge: None,
    })
}

async fn store_rejects(works: &Works, fence: &Fence, plan: &Plan) -> Result<(), StoreError> {
    let ids: Vec<_> = plan.rejects.iter().map(|reject| reject.job).collect();
    let jobs = works.store.jobs(&ids).await?;
    let now = works.clock.now();
    let changes = plan
        .rejects
        .iter()
        .filter_map(|reject| {
            let job = jobs.iter().find(|job| job.id == reject.job && job.revision == reject.revision)?;
            ending::without_running(job, Ending::Rejected(reject.rejection), Some(reject.reason.clone().into()), now)
                .ok()
        })
        .collect();
    store_ends(works, fence, &jobs, changes).await
}
