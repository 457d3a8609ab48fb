//! What a pass would make of a job that is not there: it is put into the queue, the pass is decided and thrown away, and
//! it is taken out again. So nothing can be promised here that the next pass would not do.

use std::collections::HashSet;

use super::explain::{COUNTED, estimate, waits_for_turn};
use super::plan::{Account, Plan, View, decide, ordered};
use super::policy::Policy;
use super::queue::{PendingJob, Queue};
use crate::domain::outlook::{Allowance, Allowances, Candidate, Outlook};
use crate::domain::{JobId, PendingReason, ProjectId, UserId};

/// Ids that no store gives out: behind all others, as that of a new job would be.
fn ids(count: u64) -> impl Iterator<Item = JobId> {
    (1..=count).map(|n| JobId(u64::MAX - Outlook::COUNTED + n))
}

/// The array that a candidate's jobs belong to.
const ARRAY: JobId = JobId(u64::MAX - Outlook::COUNTED);

/// Leaves the queue as it was.
pub fn preview(queue: &mut Queue, view: &View, policy: &dyn Policy, candidate: &Candidate) -> Outlook {
    let waits =
        |reason| Outlook { starts: 0, reason: Some(reason), rejected: false, position: None, estimate_secs: None };
    if !candidate.dependencies.is_empty() {
        return waits(PendingReason::Dependency { waits_for: candidate.dependencies.clone() });
    }
    if view.maintenance {
        return waits(PendingReason::Maintenance);
    }
    let count = candidate.jobs.clamp(1, Outlook::COUNTED);
    ids(count).for_each(|id| queue.insert(pending(candidate, id, view)));
    let outlook = outlook(queue, view, policy, count);
    ids(count).for_each(|id| drop(queue.remove(id)));
    outlook
}

fn pending(candidate: &Candidate, id: JobId, view: &View) -> PendingJob {
    PendingJob {
        id,
        revision: 1,
        user: candidate.user.clone(),
        project: candidate.project.clone(),
        submitted: view.now,
        resources: candidate.resources,
        parent: candidate.throttle.map(|_| ARRAY),
        throttle: candidate.throttle,
        labels: candidate.labels.clone(),
        dependencies: Vec::new(),
        executor: candidate.executor.clone(),
        attempts: 0,
        failed_nodes: Vec::new(),
    }
}

fn outlook(queue: &Queue, view: &View, policy: &dyn Policy, count: u64) -> Outlook {
    let decided = decide(queue, view, policy);
    let is_ours = |id: JobId| id > ARRAY;
    let starts = decided.plan.starts.iter().filter(|start| is_ours(start.job)).count() as u64;
    let rejected = decided.plan.rejects.iter().any(|reject| is_ours(reject.job));
    // All of them are of one class, which is served in the order of ids.
    let Some(first) = ids(count).nth(starts as usize) else {
        return Outlook { starts, reason: None, rejected: false, position: None, estimate_secs: None };
    };
    let reason = queue.ready.get(&first).and_then(|class| decided.reasons[*class as usize].clone());
    let reason = reason.unwrap_or(PendingReason::Queue);
    let position = place(queue, view, policy, first, &decided.plan);
    let position = position.filter(|_| waits_for_turn(&reason) && !rejected);
    Outlook { starts, rejected, position, estimate_secs: estimate(position, view), reason: Some(reason) }
}

/// Its place among those that are left when the plan is done.
fn place(queue: &Queue, view: &View, policy: &dyn Policy, job: JobId, plan: &Plan) -> Option<u64> {
    let gone: HashSet<JobId> = plan.starts.iter().map(|start| start.job).collect();
    let order = if queue.len() <= COUNTED { ordered(queue, view, policy) } else { return None };
    let ahead = order.iter().take_while(|id| **id != job).filter(|id| !gone.contains(id)).count();
    Some(ahead as u64 + 1)
}

/// What these accounts may use and have, as the next pass sees it.
pub fn allowances(view: &View, user: &UserId, projects: &[ProjectId]) -> Allowances {
    let of = |account: Option<&Account>| {
        account.map_or_else(Allowance::default, |account| Allowance {
            quotas: account.quotas,
            used: account.usage,
            disk: account.disk,
        })
    };
    let mut found = Allowances { user: of(view.users.get(user)), projects: Vec::new() };
    // The default project has no quota.
    for project in projects.iter().filter(|project| !project.is_default()) {
        found.projects.push((project.clone(), of(view.projects.get(project))));
    }
    found
}
