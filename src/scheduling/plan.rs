//! A pass: from the queue and a view of the site to what starts now.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use super::capacity::Room;
use super::policy::{Facts, Policy, Scale};
use super::queue::Queue;
use super::quotas::{Given, shut_out};
use crate::domain::usage::Usage;
use crate::domain::{
    JobId, KnownEnd, Label, PendingReason, ProjectId, Quotas, Rejection, Resources, Timestamp, UserId,
};

/// What a pass knows of the site.
#[derive(Debug, Clone)]
pub struct View {
    pub now: Timestamp,
    pub nodes: Vec<NodeView>,
    /// For jobs that name none.
    pub default_executor: String,
    /// Executors that do not answer, and what they said.
    pub away: HashMap<String, String>,
    pub maintenance: bool,
    pub users: HashMap<UserId, Account>,
    pub projects: HashMap<ProjectId, Account>,
    pub membership: Membership,
    /// Jobs beyond a quota are rejected, not kept waiting.
    pub reject_over_quota: bool,
    /// Of throttled arrays: children that hold room.
    pub running_children: HashMap<JobId, u32>,
    pub starvation_after: Duration,
    /// For estimates; `None` without history.
    pub recent_starts_per_sec: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account {
    /// 0 to 100.
    pub priority: u8,
    pub quotas: Quotas,
    /// Over the window, with what runs now.
    pub usage: Usage,
    /// Bytes of the job directories kept now.
    pub disk: u64,
    /// Nothing of it may start.
    pub disabled: bool,
}

/// Who is in which project; everyone is in the default one.
#[derive(Debug, Clone, PartialEq)]
pub enum Membership {
    /// Nobody asks.
    Everyone,
    Known(HashMap<ProjectId, HashSet<UserId>>),
}

impl Default for Account {
    fn default() -> Self {
        Account { priority: 50, quotas: Quotas::default(), usage: Usage::default(), disk: 0, disabled: false }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    pub name: String,
    pub executor: String,
    pub total: Resources,
    /// Of that, what is neither free nor our jobs'.
    pub others: Resources,
    pub free: Resources,
    pub labels: Vec<Label>,
    pub drained: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    pub starts: Vec<Start>,
    pub rejects: Vec<Reject>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    pub job: JobId,
    pub revision: u64,
    /// The launch this is: 1 for the first.
    pub attempt: u32,
    pub node: String,
    pub executor: String,
    /// Unchanged, for whoever stores the start.
    pub failed_nodes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    pub job: JobId,
    pub revision: u64,
    pub rejection: Rejection,
    pub reason: KnownEnd,
}

/// The head of a class, ordered by (share, id).
#[derive(PartialEq)]
struct Head {
    share: f64,
    job: JobId,
    class: u32,
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.share.total_cmp(&other.share).then(self.job.cmp(&other.job))
    }
}

/// What a pass makes of the queue, before anything is changed by it.
pub(super) struct Decided {
    pub plan: Plan,
    /// Why the jobs of each class wait, where they do not merely come after others.
    pub reasons: Vec<Option<PendingReason>>,
    room_for: Option<JobId>,
}

/// Decides what starts now and what is rejected.
///
/// The queue keeps what was chosen: the caller takes it out (`Queue::remove`) before it plans again. A job that no node
/// could ever run stays pending with its reason; such requests are refused at submit, and nodes may come.
pub fn plan(queue: &mut Queue, view: &View, policy: &dyn Policy) -> Plan {
    let Decided { plan, reasons, room_for } = decide(queue, view, policy);
    queue.room_for = room_for;
    for (class, reason) in queue.classes.iter_mut().zip(reasons) {
        class.reason = reason.or(Some(PendingReason::Queue));
    }
    plan
}

pub(super) fn decide(queue: &Queue, view: &View, policy: &dyn Policy) -> Decided {
    let rejects = queue.doomed.iter().map(|(job, doomed)| Reject {
        job: *job,
        revision: doomed.revision,
        rejection: Rejection::Dependency,
        reason: doomed.reason.clone(),
    });
    let mut plan = Plan { starts: Vec::new(), rejects: rejects.collect() };
    if view.maintenance {
        let reasons = vec![Some(PendingReason::Maintenance); queue.classes.len()];
        return Decided { plan, reasons, room_for: queue.room_for };
    }
    let mut reasons: Vec<Option<PendingReason>> = vec![None; queue.classes.len()];
    let mut pass = Pass {
        queue,
        view,
        room: Room::new(view),
        given: Given::default(),
        children: HashMap::new(),
        starts: &mut plan.starts,
        rejects: &mut plan.rejects,
    };
    let (room_for, already) = pass.serve_overdue();
    pass.fill(policy, already, &mut reasons);
    Decided { plan, reasons, room_for }
}

struct Pass<'a> {
    queue: &'a Queue,
    view: &'a View,
    room: Room<'a>,
    given: Given<'a>,
    /// Children of throttled arrays that this plan starts.
    children: HashMap<JobId, u32>,
    starts: &'a mut Vec<Start>,
    rejects: &'a mut Vec<Reject>,
}

impl<'a> Pass<'a> {
    /// The job that has waited too long for room: placed first if it fits now, else room is kept for it. Answers who
    /// room is kept for, and who was placed.
    fn serve_overdue(&mut self) -> (Option<JobId>, Option<JobId>) {
        if let Some((job, class)) = self.queue.room_for.and_then(|job| Some((job, *self.queue.ready.get(&job)?))) {
            match self.place(job, class) {
                Ok(()) => return (None, Some(job)),
                Err(PendingReason::Capacity { .. }) => return (self.keep(job, class), None),
                Err(_) => {}
            }
        }
        let overdue = self.oldest_without_room();
        (overdue.and_then(|(job, class)| self.keep(job, class)), None)
    }

    fn keep(&mut self, job: JobId, class: u32) -> Option<JobId> {
        let key = &self.queue.classes[class as usize].key;
        self.room.keep_for(job, key, self.view).then_some(job)
    }

    /// The oldest head of a class that nothing but capacity keeps back, for longer than it should.
    fn oldest_without_room(&self) -> Option<(JobId, u32)> {
        (0..)
            .zip(&self.queue.classes)
            .filter_map(|(number, class)| {
                let (job, entry) = class.jobs.first_key_value()?;
                let overdue = self.view.now.since(entry.submitted) >= self.view.starvation_after;
                let stuck = || matches!(self.find(number), Err(PendingReason::Capacity { .. }));
                (overdue && stuck()).then_some((entry.submitted, *job, number))
            })
            .min()
            .map(|(_, job, class)| (job, class))
    }

    /// Fills what is free in the policy's order. A class whose head cannot go is passed over as a whole.
    fn fill(&mut self, policy: &dyn Policy, already: Option<JobId>, reasons: &mut [Option<PendingReason>]) {
        let queue = self.queue;
        let scale = scale(queue, self.view, policy);
        let mut cursors: Vec<_> = queue.classes.iter().map(|class| class.jobs.iter().peekable()).collect();
        let mut heads = BinaryHeap::with_capacity(queue.classes.len());
        let mut push = |heads: &mut BinaryHeap<_>, class: u32| {
            let pair = queue.classes[class as usize].key.pair;
            if let Some((job, entry)) = cursors[class as usize].next() {
                heads.push(Reverse(Head { share: scale.share(pair, entry.submitted), job: *job, class }));
            }
        };
        (0..queue.classes.len() as u32).for_each(|class| push(&mut heads, class));
        while let Some(Reverse(Head { job, class, .. })) = heads.pop() {
            if already == Some(job) {
                push(&mut heads, class);
                continue;
            }
            let Err(reason) = self.place(job, class) else {
                push(&mut heads, class);
                continue;
            };
            let over = if self.view.reject_over_quota { over_quota(&reason) } else { None };
            let Some(over) = over else {
                reasons[class as usize] = Some(reason);
                continue;
            };
            // What is left of the class is of the same size, and refused as its head is.
            let left = &queue.classes[class as usize].jobs;
            let left = left.range(job..).filter(|(id, _)| already != Some(**id));
            self.rejects.extend(left.map(|(id, entry)| Reject {
                job: *id,
                revision: u64::from(entry.revision),
                rejection: Rejection::Quota,
                reason: over.clone(),
            }));
        }
    }

    fn find(&self, class: u32) -> Result<usize, PendingReason> {
        let key = &self.queue.classes[class as usize].key;
        let (user, project) = &self.queue.pairs[key.pair as usize];
        if let Some(reason) = shut_out(self.view, user, project) {
            return Err(reason);
        }
        if let Some(reason) = self.given.refuses(self.view, user, project, &key.resources) {
            return Err(reason);
        }
        if let Some((array, limit)) = key.throttled {
            let running = self.view.running_children.get(&array).copied().unwrap_or(0);
            let planned = self.children.get(&array).copied().unwrap_or(0);
            if running + planned >= limit {
                return Err(PendingReason::ArrayThrottle { limit });
            }
        }
        self.room.find(key, self.view)
    }

    fn place(&mut self, job: JobId, class: u32) -> Result<(), PendingReason> {
        let index = self.find(class)?;
        let key = &self.queue.classes[class as usize].key;
        let entry = &self.queue.classes[class as usize].jobs[&job];
        let (user, project) = &self.queue.pairs[key.pair as usize];
        let node = self.room.take(index, &key.resources);
        self.given.add(user, project, &key.resources);
        if let Some((array, _)) = key.throttled {
            *self.children.entry(array).or_default() += 1;
        }
        self.starts.push(Start {
            job,
            revision: u64::from(entry.revision),
            attempt: u32::from(entry.attempts) + 1,
            node: node.name.clone(),
            executor: node.executor.clone(),
            failed_nodes: key.failed_nodes.clone(),
        });
        Ok(())
    }
}

/// What a job ends for where nobody is kept waiting for a quota; `None` when it is not for a quota that it waits.
fn over_quota(reason: &PendingReason) -> Option<KnownEnd> {
    match reason {
        PendingReason::QuotaProject { quota } => Some(KnownEnd::QuotaProject { quota: quota.clone() }),
        PendingReason::QuotaUser { quota } => Some(KnownEnd::QuotaUser { quota: quota.clone() }),
        _ => None,
    }
}

/// The shares of this pass. Ids and dates grow together, so the ends of each class are its oldest and newest.
pub(super) fn scale(queue: &Queue, view: &View, policy: &dyn Policy) -> Scale {
    let ends = queue.classes.iter().flat_map(|class| {
        let first = class.jobs.first_key_value().map(|(_, entry)| entry.submitted);
        let last = class.jobs.last_key_value().map(|(_, entry)| entry.submitted);
        first.into_iter().chain(last)
    });
    let (oldest, newest) =
        ends.fold((view.now, Timestamp(i64::MIN)), |(oldest, newest), date| (oldest.min(date), newest.max(date)));
    policy.scale(&Facts { view, pairs: &queue.pairs, oldest, newest: newest.max(oldest) })
}

/// Every ready job in the order the policy gives them. Costs what its length does; passes do not need it.
pub fn ordered(queue: &Queue, view: &View, policy: &dyn Policy) -> Vec<JobId> {
    let scale = scale(queue, view, policy);
    let mut cursors: Vec<_> = queue.classes.iter().map(|class| class.jobs.iter()).collect();
    let mut next = |class: u32| {
        let pair = queue.classes[class as usize].key.pair;
        let (job, entry) = cursors[class as usize].next()?;
        Some(Reverse(Head { share: scale.share(pair, entry.submitted), job: *job, class }))
    };
    let mut heads: BinaryHeap<_> = (0..queue.classes.len() as u32).filter_map(&mut next).collect();
    let mut order = Vec::with_capacity(queue.ready.len());
    while let Some(mut head) = heads.peek_mut() {
        order.push(head.0.job);
        match next(head.0.class) {
            Some(following) => *head = following,
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
    }
    order
}
