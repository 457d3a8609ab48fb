//! All pending jobs, arranged so that a pass need not look at each.
//!
//! Jobs that any node, quota or rule would treat alike form a *class*: same user, project, resources, labels, executor,
//! throttled array and nodes to avoid. Within a class the order is that of ids (ids and submission dates grow together),
//! so only the heads of classes are compared, and a class whose head cannot be placed is passed over as a whole. Jobs
//! that wait for other jobs are kept aside and cost a pass nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{
    Dependency, DependencyOn, Ending, JobId, KnownEnd, Label, PendingReason, ProjectId, Resources, Timestamp, UserId,
};

#[derive(Debug, Clone, PartialEq)]
pub struct PendingJob {
    pub id: JobId,
    pub revision: u64,
    pub user: UserId,
    pub project: ProjectId,
    pub submitted: Timestamp,
    pub resources: Resources,
    pub parent: Option<JobId>,
    pub throttle: Option<u32>,
    pub labels: Vec<Label>,
    pub dependencies: Vec<Dependency>,
    pub executor: Option<String>,
    /// Launches so far.
    pub attempts: u32,
    pub failed_nodes: Vec<String>,
}

/// A job that was taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub revision: u64,
    pub user: UserId,
    pub project: ProjectId,
    pub resources: Resources,
    pub parent: Option<JobId>,
    pub attempts: u32,
}

/// What is known of a job that others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyState {
    Active,
    Ended(Ending),
    /// Its record was deleted: nobody can say any more how it ended.
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClassKey {
    pub pair: u32,
    pub resources: Resources,
    pub labels: Vec<Label>,
    pub executor: Option<String>,
    /// The array whose throttle its children share.
    pub throttled: Option<(JobId, u32)>,
    pub failed_nodes: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Class {
    pub key: ClassKey,
    pub jobs: BTreeMap<JobId, Entry>,
    /// Why the last pass left its jobs where they are.
    pub reason: Option<PendingReason>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub submitted: Timestamp,
    pub revision: u32,
    pub attempts: u16,
    pub parent: Option<std::num::NonZeroU32>,
}

#[derive(Debug)]
pub(super) struct Held {
    pub job: PendingJob,
    pub unmet: Vec<Dependency>,
}

#[derive(Debug)]
pub(super) struct Doomed {
    pub revision: u64,
    pub reason: KnownEnd,
}

#[derive(Debug, Default)]
pub struct Queue {
    pub(super) pairs: Vec<(UserId, ProjectId)>,
    pair_ids: HashMap<(UserId, ProjectId), u32>,
    pub(super) classes: Vec<Class>,
    class_ids: HashMap<ClassKey, u32>,
    /// Classes without jobs, for reuse.
    empty: Vec<u32>,
    pub(super) ready: HashMap<JobId, u32>,
    pub(super) held: HashMap<JobId, Held>,
    waited_for: HashMap<JobId, Vec<JobId>>,
    unresolved: HashSet<JobId>,
    /// Jobs whose dependencies can never be met: the next plan rejects them.
    pub(super) doomed: BTreeMap<JobId, Doomed>,
    /// Array parents by a small number, as entries keep them.
    parents: Vec<JobId>,
    parent_ids: HashMap<JobId, u32>,
    /// The job that room is being kept for; it comes first once it fits.
    pub(super) room_for: Option<JobId>,
}

impl Queue {
    /// Adds a job, or replaces the one with its id.
    pub fn insert(&mut self, job: PendingJob) {
        self.remove(job.id);
        if job.dependencies.is_empty() {
            self.insert_ready(job);
            return;
        }
        let unmet = job.dependencies.clone();
        for dependency in &unmet {
            self.waited_for.entry(dependency.job).or_default().push(job.id);
            self.unresolved.insert(dependency.job);
        }
        self.held.insert(job.id, Held { job, unmet });
    }

    fn insert_ready(&mut self, job: PendingJob) {
        let class = self.class_of(&job);
        let entry = Entry {
            submitted: job.submitted,
            revision: u32::try_from(job.revision).unwrap_or(u32::MAX),
            attempts: u16::try_from(job.attempts).unwrap_or(u16::MAX),
            parent: job.parent.and_then(|parent| self.parent_number(parent)),
        };
        self.classes[class as usize].jobs.insert(job.id, entry);
        self.ready.insert(job.id, class);
    }

    fn parent_number(&mut self, parent: JobId) -> Option<std::num::NonZeroU32> {
        let parents = &mut self.parents;
        let number = *self.parent_ids.entry(parent).or_insert_with(|| {
            parents.push(parent);
            parents.len() as u32
        });
        std::num::NonZeroU32::new(number)
    }

    fn class_of(&mut self, job: &PendingJob) -> u32 {
        let pair = (job.user.clone(), job.project.clone());
        let pairs = &mut self.pairs;
        let pair = *self.pair_ids.entry(pair).or_insert_with_key(|pair| {
            pairs.push(pair.clone());
            pairs.len() as u32 - 1
        });
        let key = ClassKey {
            pair,
            resources: job.resources,
            labels: job.labels.clone(),
            executor: job.executor.clone(),
            throttled: job.parent.zip(job.throttle),
            // As they are: their number says how often it was launched again.
            failed_nodes: job.failed_nodes.clone(),
        };
        if let Some(class) = self.class_ids.get(&key) {
            return *class;
        }
        let class = Class { key: key.clone(), jobs: BTreeMap::new(), reason: None };
        let number = match self.empty.pop() {
            Some(number) => {
                self.classes[number as usize] = class;
                number
            }
            None => {
                self.classes.push(class);
                self.classes.len() as u32 - 1
            }
        };
        self.class_ids.insert(key, number);
        number
    }

    pub fn remove(&mut self, id: JobId) -> Option<Taken> {
        if self.room_for == Some(id) {
            self.room_for = None;
        }
        let doomed = self.doomed.remove(&id);
        if let Some(class) = self.ready.remove(&id) {
            return self.remove_ready(id, class);
        }
        let held = self.held.remove(&id)?;
        for dependency in &held.job.dependencies {
            self.stop_waiting(id, dependency.job);
        }
        drop(doomed);
        let job = held.job;
        Some(Taken {
            revision: job.revision,
            user: job.user,
            project: job.project,
            resources: job.resources,
            parent: job.parent,
            attempts: job.attempts,
        })
    }

    fn remove_ready(&mut self, id: JobId, number: u32) -> Option<Taken> {
        let class = &mut self.classes[number as usize];
        let entry = class.jobs.remove(&id)?;
        let resources = class.key.resources;
        let (user, project) = self.pairs[class.key.pair as usize].clone();
        if class.jobs.is_empty() {
            let key = class.key.clone();
            self.class_ids.remove(&key);
            self.empty.push(number);
        }
        Some(Taken {
            revision: u64::from(entry.revision),
            user,
            project,
            resources,
            parent: entry.parent.map(|number| self.parents[number.get() as usize - 1]),
            attempts: u32::from(entry.attempts),
        })
    }

    fn stop_waiting(&mut self, id: JobId, dependency: JobId) {
        if let Some(waiting) = self.waited_for.get_mut(&dependency) {
            waiting.retain(|waiting| *waiting != id);
            if waiting.is_empty() {
                self.waited_for.remove(&dependency);
                self.unresolved.remove(&dependency);
            }
        }
    }

    pub fn contains(&self, id: JobId) -> bool {
        self.ready.contains_key(&id) || self.held.contains_key(&id)
    }

    pub fn len(&self) -> usize {
        self.ready.len() + self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&mut self) {
        let room_for = self.room_for;
        *self = Queue::default();
        // The same jobs come back after a reconciliation; who waits for room keeps waiting for it.
        self.room_for = room_for;
    }

    /// Jobs that others wait for and of which nothing is known yet.
    pub fn unresolved_dependencies(&self) -> Vec<JobId> {
        self.unresolved.iter().copied().collect()
    }

    pub fn is_waited_for(&self, id: JobId) -> bool {
        self.waited_for.contains_key(&id)
    }

    /// Tells what is known of a job that others wait for: they become ready, go on waiting, or are to be rejected.
    pub fn dependency_known(&mut self, dependency: JobId, state: DependencyState) {
        self.unresolved.remove(&dependency);
        if state == DependencyState::Active {
            return;
        }
        for id in self.waited_for.remove(&dependency).unwrap_or_default() {
            self.settle_dependency(id, dependency, state);
        }
    }

    fn settle_dependency(&mut self, id: JobId, dependency: JobId, state: DependencyState) {
        let Some(held) = self.held.get_mut(&id) else { return };
        let conditions: Vec<_> = held.unmet.iter().filter(|unmet| unmet.job == dependency).copied().collect();
        held.unmet.retain(|unmet| unmet.job != dependency);
        if let Some(broken) = conditions.iter().find(|condition| !is_met(condition.on, state)) {
            let ended = match state {
                DependencyState::Ended(ending) => Some(ending),
                DependencyState::Active | DependencyState::Gone => None,
            };
            let reason = KnownEnd::Dependency { job: dependency, on: broken.on, ended };
            self.doomed.insert(id, Doomed { revision: held.job.revision, reason });
        } else if held.unmet.is_empty()
            && !self.doomed.contains_key(&id)
            && let Some(held) = self.held.remove(&id)
        {
            self.insert_ready(held.job);
        }
    }
}

fn is_met(on: DependencyOn, state: DependencyState) -> bool {
    match (on, state) {
        (_, DependencyState::Active) => false,
        (DependencyOn::Any, _) => true,
        (_, DependencyState::Gone) => false,
        (DependencyOn::Ok, DependencyState::Ended(ending)) => ending.is_ok(),
        (DependencyOn::Failed, DependencyState::Ended(ending)) => !ending.is_ok(),
    }
}
