//! Why a pending job waits, where in the queue, and for how long about.

use super::plan::View;
use super::policy::Policy;
use super::queue::Queue;
use crate::domain::{JobId, PendingReason, ReasonCount, WaitingJob};

/// Queues up to this length are counted through for a place; beyond it the place is counted in the job's own class.
pub(super) const COUNTED: usize = 50_000;

/// What these jobs can answer; those that are not in the queue are left out.
pub fn explain(queue: &Queue, view: &View, policy: &dyn Policy, ids: &[JobId]) -> Vec<WaitingJob> {
    let wanted: Vec<_> = ids.iter().copied().filter(|id| queue.contains(*id)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let places = places(queue, view, policy, &wanted);
    wanted
        .into_iter()
        .map(|job| {
            let reason = reason(queue, view, job);
            let place = places.iter().find(|(id, _)| *id == job).map(|(_, place)| *place);
            let place = place.filter(|_| waits_for_turn(&reason));
            let estimate = estimate(place, view);
            WaitingJob { job, reason, position: place, estimate_secs: estimate }
        })
        .collect()
}

/// Whether it starts when those ahead of it have, as far as is known.
pub(super) fn waits_for_turn(reason: &PendingReason) -> bool {
    !matches!(
        reason,
        PendingReason::Dependency { .. }
            | PendingReason::Maintenance
            | PendingReason::AccountDisabled
            | PendingReason::NotMember { .. }
            | PendingReason::QuotaUser { .. }
            | PendingReason::QuotaProject { .. }
            | PendingReason::ExecutorAway { .. }
    )
}

/// Seconds until the job of that place starts.
pub(super) fn estimate(place: Option<u64>, view: &View) -> Option<u64> {
    place.zip(view.recent_starts_per_sec).map(|(place, rate)| (place as f64 / rate) as u64)
}

/// All that wait, by why: the most first. It costs as much as there are classes, not jobs.
pub fn reasons(queue: &Queue, view: &View) -> Vec<ReasonCount> {
    let mut counts: Vec<ReasonCount> = Vec::new();
    let mut count = |reason: PendingReason, jobs: usize| {
        let same = |known: &&mut ReasonCount| std::mem::discriminant(&known.reason) == std::mem::discriminant(&reason);
        match counts.iter_mut().find(same) {
            Some(known) => known.jobs += jobs as u64,
            None => counts.push(ReasonCount { reason, jobs: jobs as u64 }),
        }
    };
    let classes = queue.classes.iter().filter(|class| !class.jobs.is_empty());
    for class in classes {
        if let Some(first) = class.jobs.keys().next() {
            count(reason(queue, view, *first), class.jobs.len());
        }
    }
    if let Some(held) = queue.held.values().next() {
        count(PendingReason::Dependency { waits_for: held.unmet.clone() }, queue.held.len());
    }
    counts.sort_by_key(|count| std::cmp::Reverse(count.jobs));
    counts
}

/// None for a queue that is too long to be counted through.
fn places(queue: &Queue, view: &View, policy: &dyn Policy, wanted: &[JobId]) -> Vec<(JobId, u64)> {
    if queue.len() > COUNTED {
        return Vec::new();
    }
    let wanted: std::collections::HashSet<_> = wanted.iter().copied().collect();
    let order = super::plan::ordered(queue, view, policy);
    (1..).zip(order).filter(|(_, id)| wanted.contains(id)).map(|(place, id)| (id, place)).collect()
}

fn reason(queue: &Queue, view: &View, job: JobId) -> PendingReason {
    if let Some(held) = queue.held.get(&job) {
        return PendingReason::Dependency { waits_for: held.unmet.clone() };
    }
    if view.maintenance {
        return PendingReason::Maintenance;
    }
    let class = queue.ready.get(&job).map(|class| &queue.classes[*class as usize]);
    match class.and_then(|class| class.reason.clone()) {
        Some(PendingReason::Queue) | None => class
            .filter(|class| !class.key.failed_nodes.is_empty())
            .and_then(|class| class.jobs.get(&job))
            .map_or(PendingReason::Queue, |entry| PendingReason::Retry { attempts: u32::from(entry.attempts) }),
        Some(reason) => reason,
    }
}
