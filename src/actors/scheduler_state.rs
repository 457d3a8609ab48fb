//! What the scheduler keeps in memory: the queue, what is placed where, and the view that a pass decides on.
//!
//! All of it can be rebuilt from the store at any time. No I/O here.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::config;
use crate::domain::outlook::{Allowances, Candidate, Outlook};
use crate::domain::usage::Usage;
use crate::domain::{
    Job, JobId, NodeUse, ProjectId, Quotas, ReasonCount, Resources, Standing, Timestamp, User, UserId, WaitingJob,
    project::Project,
};
use crate::plugins::executor::Node;
use crate::scheduling::explain::{explain, reasons};
use crate::scheduling::plan::{Account, Membership, NodeView, Plan, Start, View, plan};
use crate::scheduling::policy::Policy;
use crate::scheduling::preview;
use crate::scheduling::queue::{PendingJob, Queue};
use crate::store::PendingRow;

/// What a placed job holds until its room is free.
#[derive(Debug, Clone)]
struct Placed {
    node: String,
    executor: String,
    resources: Resources,
    parent: Option<JobId>,
    user: UserId,
    project: ProjectId,
    since: Timestamp,
}

/// What became of a job whose room is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// It ran, and is charged for it.
    Over,
    /// It did not start after all, or will again: nothing was used.
    Back,
}

/// What the store knows of who may use how much.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    pub users: Vec<User>,
    pub projects: Vec<Project>,
    /// Over the window.
    pub usage: Vec<(UserId, ProjectId, Usage)>,
    /// What counts of it for those whose usage was reset within the window.
    pub reset_users: Vec<(UserId, Usage)>,
    pub reset_projects: Vec<(ProjectId, Usage)>,
    pub disk: Vec<(UserId, u64)>,
    pub maintenance: bool,
}

pub struct SchedulerState {
    pub queue: Queue,
    pub view: View,
    policy: Box<dyn Policy>,
    site_quotas: Quotas,
    placed: HashMap<JobId, Placed>,
    /// Their room is free; whether they are charged is about to be told.
    ending: HashMap<JobId, Placed>,
    /// Placed here, and not active in the store when it was last read.
    unseen: HashSet<JobId>,
    /// What directories of placed jobs took when they were last measured.
    running_disk: HashMap<JobId, u64>,
    /// When the last starts were, for estimates.
    starts: VecDeque<Timestamp>,
}

/// Starts that an estimate looks back on.
const STARTS_REMEMBERED: usize = 256;

impl SchedulerState {
    pub fn new(config: &config::Scheduler, policy: Box<dyn Policy>, default_executor: String) -> Self {
        SchedulerState {
            queue: Queue::default(),
            view: View {
                now: Timestamp::default(),
                nodes: Vec::new(),
                default_executor,
                away: HashMap::new(),
                maintenance: false,
                users: HashMap::new(),
                projects: HashMap::new(),
                membership: Membership::Known(HashMap::new()),
                reject_over_quota: config.reject_over_quota,
                running_children: HashMap::new(),
                starvation_after: config.starvation_after,
                recent_starts_per_sec: None,
            },
            policy,
            site_quotas: config.site_quotas,
            placed: HashMap::new(),
            ending: HashMap::new(),
            unseen: HashSet::new(),
            running_disk: HashMap::new(),
            starts: VecDeque::new(),
        }
    }

    /// Decides, and takes what it decided out of the queue: the caller stores it, or puts it back.
    pub fn pass(&mut self, now: Timestamp) -> Plan {
        self.view.now = now;
        let plan = plan(&mut self.queue, &self.view, self.policy.as_ref());
        for start in &plan.starts {
            self.place_start(start, now);
        }
        for reject in &plan.rejects {
            self.queue.remove(reject.job);
        }
        plan
    }

    fn place_start(&mut self, start: &Start, now: Timestamp) {
        let Some(taken) = self.queue.remove(start.job) else { return };
        let placed = Placed {
            node: start.node.clone(),
            executor: start.executor.clone(),
            resources: taken.resources,
            parent: taken.parent,
            user: taken.user,
            project: taken.project,
            since: now,
        };
        self.add_usage(&placed.user.clone(), &placed.project.clone(), Usage::of_one(&placed.resources));
        self.place(start.job, placed);
        self.starts.push_back(now);
        if self.starts.len() > STARTS_REMEMBERED {
            self.starts.pop_front();
        }
        self.view.recent_starts_per_sec = self.start_rate(now);
    }

    fn start_rate(&self, now: Timestamp) -> Option<f64> {
        let oldest = self.starts.front()?;
        let span = now.since(*oldest);
        (self.starts.len() >= 8 && span > Duration::from_secs(1)).then(|| self.starts.len() as f64 / span.as_secs_f64())
    }

    fn place(&mut self, id: JobId, placed: Placed) {
        if let Some(node) = node_mut(&mut self.view.nodes, &placed.executor, &placed.node) {
            node.free = node.free.minus(placed.resources);
        }
        if let Some(parent) = placed.parent {
            *self.view.running_children.entry(parent).or_default() += 1;
        }
        self.placed.insert(id, placed);
    }

    /// Its room is free again, before it is known what became of it. True if it held any.
    pub fn free_room(&mut self, id: JobId) -> bool {
        let Some(placed) = self.take_room(id) else { return false };
        self.ending.insert(id, placed);
        true
    }

    /// Its room is free again, and this is what its user and project are charged until the ledger is read. True when
    /// that must be before anything else starts: a quota of theirs is on what only the end of a job tells.
    pub fn free(&mut self, id: JobId, freed: Freed, now: Timestamp) -> bool {
        let Some(placed) = self.take_room(id).or_else(|| self.ending.remove(&id)) else { return false };
        match freed {
            Freed::Over => {
                let time = Usage { time: now.since(placed.since).as_secs_f64(), ..Usage::default() };
                self.add_usage(&placed.user, &placed.project, time);
            }
            Freed::Back => {
                let used = Usage::of_one(&placed.resources);
                for account in [self.view.users.get_mut(&placed.user), self.view.projects.get_mut(&placed.project)]
                    .into_iter()
                    .flatten()
                {
                    account.usage = account.usage.minus(used);
                }
            }
        }
        let accounts = [self.view.users.get(&placed.user), self.view.projects.get(&placed.project)];
        accounts.into_iter().flatten().any(|account| account.quotas.disk > Some(0) || account.quotas.time > 0)
    }

    /// Running jobs take so much by now. True when somebody's use fell, so that more may start.
    pub fn disk_measured(&mut self, sizes: Vec<(JobId, u64)>) -> bool {
        let mut fell = false;
        for (id, bytes) in sizes {
            // One that ended meanwhile counts with what its end says.
            let Some(placed) = self.placed.get(&id) else { continue };
            let was = self.running_disk.insert(id, bytes).unwrap_or(0);
            let account = self.view.users.entry(placed.user.clone()).or_default();
            account.disk = account.disk.saturating_sub(was).saturating_add(bytes);
            fell |= bytes < was;
        }
        fell
    }

    fn take_room(&mut self, id: JobId) -> Option<Placed> {
        let placed = self.placed.remove(&id)?;
        if let Some(node) = node_mut(&mut self.view.nodes, &placed.executor, &placed.node) {
            node.free = node.free.plus(placed.resources);
        }
        if let Some(parent) = placed.parent
            && let Some(running) = self.view.running_children.get_mut(&parent)
        {
            *running -= 1;
            if *running == 0 {
                self.view.running_children.remove(&parent);
            }
        }
        Some(placed)
    }

    /// Everything at once, as the store has it: pending rows are inserted, active jobs hold their room.
    pub fn reset_placed(&mut self, active: &[Job]) {
        for node in &mut self.view.nodes {
            node.free = node.total.minus(node.others);
        }
        self.placed.clear();
        self.ending.clear();
        self.unseen.clear();
        self.view.running_children.clear();
        for job in active.iter().filter(|job| !job.is_array_parent()) {
            let Some(attempt) = job.state.attempt() else { continue };
            let placed = Placed {
                node: attempt.node.clone(),
                executor: attempt.executor.clone(),
                resources: job.spec.resources,
                parent: job.parent(),
                user: job.owner.user.clone(),
                project: job.owner.project.clone(),
                since: job.state.started().unwrap_or(self.view.now),
            };
            self.place(job.id, placed);
        }
    }

    /// Gives back the room of jobs that the store did not have as active twice in a row: the message of their end was
    /// lost. Once is not enough, as a plan may have been on its way to the store when it was read.
    pub fn free_vanished(&mut self, active: &[Job], now: Timestamp) {
        let active: HashSet<JobId> = active.iter().map(|job| job.id).collect();
        let unseen: HashSet<JobId> = self.placed.keys().copied().filter(|id| !active.contains(id)).collect();
        let twice: Vec<JobId> = unseen.intersection(&self.unseen).copied().collect();
        for id in twice {
            self.free(id, Freed::Over, now);
        }
        self.unseen = unseen;
    }

    pub fn is_placed(&self, id: JobId) -> bool {
        self.placed.contains_key(&id)
    }

    pub fn enqueue(&mut self, row: PendingRow) {
        // A job placed by a plan that is not stored yet is still pending in the store.
        if !self.is_placed(row.id) {
            self.queue.insert(pending_job(row));
        }
    }

    /// The nodes of one executor as it reports them; what our jobs hold of them is taken off.
    pub fn see_nodes(&mut self, executor: &str, nodes: Result<Vec<Node>, String>) {
        match nodes {
            Ok(nodes) => {
                self.view.away.remove(executor);
                self.view.nodes.retain(|node| node.executor != executor);
                for node in nodes {
                    let used = self.used_on(executor, &node.name);
                    self.view.nodes.push(NodeView {
                        free: node.total.minus(node.others).minus(used),
                        name: node.name,
                        executor: node.executor,
                        total: node.total,
                        others: node.others,
                        labels: node.labels,
                        drained: node.drained,
                    });
                }
            }
            Err(message) => {
                self.view.away.insert(executor.to_owned(), message);
            }
        }
    }

    /// The nodes as last seen, with what is placed on them.
    pub fn nodes(&self) -> Vec<NodeUse> {
        let node_use = |view: &NodeView| NodeUse {
            used: view.total.minus(view.free),
            node: Node {
                name: view.name.clone(),
                executor: view.executor.clone(),
                total: view.total,
                others: view.others,
                labels: view.labels.clone(),
                drained: view.drained,
            },
        };
        self.view.nodes.iter().map(node_use).collect()
    }

    /// What was the matter with an executor that does not answer.
    pub fn away(&self, executor: &str) -> Option<&str> {
        self.view.away.get(executor).map(String::as_str)
    }

    pub fn is_away(&self, executor: &str) -> bool {
        self.view.away.contains_key(executor)
    }

    pub fn explain(&mut self, ids: &[JobId], now: Timestamp) -> Vec<WaitingJob> {
        self.view.now = now;
        explain(&self.queue, &self.view, self.policy.as_ref(), ids)
    }

    /// What the next pass would make of it.
    pub fn preview(&mut self, candidate: &Candidate, now: Timestamp) -> Outlook {
        self.view.now = now;
        preview::preview(&mut self.queue, &self.view, self.policy.as_ref(), candidate)
    }

    pub fn allowances(&self, user: &UserId, projects: &[ProjectId]) -> Allowances {
        preview::allowances(&self.view, user, projects)
    }

    pub fn reasons(&self) -> Vec<ReasonCount> {
        reasons(&self.queue, &self.view)
    }

    fn used_on(&self, executor: &str, node: &str) -> Resources {
        self.placed
            .values()
            .filter(|placed| placed.executor == executor && placed.node == node)
            .fold(Resources::default(), |used, placed| used.plus(placed.resources))
    }

    /// Priorities, quotas, memberships and use as the store has them; what is placed now is added from memory, which
    /// knows it better.
    pub fn set_accounts(&mut self, accounts: &Accounts) {
        let account = |priority, quotas| Account { priority, quotas, ..Account::default() };
        let site = self.site_quotas;
        let of_user = |user: &User| {
            let shut = !matches!(user.standing, Standing::Active);
            let quotas = Quotas { disk: Some(user.quotas.disk_with(site)), ..user.quotas };
            (user.id.clone(), Account { disabled: shut, ..account(user.priority, quotas) })
        };
        self.view.users = accounts.users.iter().map(of_user).collect();
        self.view.projects = accounts.projects.iter().map(|p| (p.id.clone(), account(p.priority, p.quotas))).collect();
        let members = |project: &Project| (project.id.clone(), project.members.iter().cloned().collect());
        self.view.membership = Membership::Known(accounts.projects.iter().map(members).collect());
        self.view.maintenance = accounts.maintenance;
        for (user, project, used) in &accounts.usage {
            self.add_usage(user, project, *used);
        }
        for (user, usage) in &accounts.reset_users {
            self.view.users.entry(user.clone()).or_default().usage = *usage;
        }
        for (project, usage) in &accounts.reset_projects {
            self.view.projects.entry(project.clone()).or_default().usage = *usage;
        }
        for (user, bytes) in &accounts.disk {
            self.view.users.entry(user.clone()).or_default().disk = *bytes;
        }
        self.running_disk.retain(|id, _| self.placed.contains_key(id) || self.ending.contains_key(id));
        for (id, bytes) in &self.running_disk {
            if let Some(placed) = self.placed.get(id).or_else(|| self.ending.get(id)) {
                let account = self.view.users.entry(placed.user.clone()).or_default();
                account.disk = account.disk.saturating_add(*bytes);
            }
        }
        let held: Vec<_> = self
            .placed
            .values()
            .chain(self.ending.values())
            .map(|placed| (placed.user.clone(), placed.project.clone(), Usage::of_one(&placed.resources)))
            .collect();
        for (user, project, used) in held {
            self.add_usage(&user, &project, used);
        }
    }

    fn add_usage(&mut self, user: &UserId, project: &ProjectId, used: Usage) {
        let account = self.view.users.entry(user.clone()).or_default();
        account.usage = account.usage.plus(used);
        let account = self.view.projects.entry(project.clone()).or_default();
        account.usage = account.usage.plus(used);
    }
}

fn node_mut<'a>(nodes: &'a mut [NodeView], executor: &str, name: &str) -> Option<&'a mut NodeView> {
    nodes.iter_mut().find(|node| node.executor == executor && node.name == name)
}

fn pending_job(row: PendingRow) -> PendingJob {
    PendingJob {
        id: row.id,
        revision: row.revision,
        user: row.user,
        project: row.project,
        submitted: row.submitted,
        resources: row.resources,
        parent: row.parent,
        throttle: row.throttle,
        labels: row.labels,
        dependencies: row.dependencies,
        executor: row.executor,
        attempts: row.attempts,
        failed_nodes: row.failed_nodes,
    }
}

/// The row of a job that was read whole.
pub fn row_of(job: &Job) -> Option<PendingRow> {
    let crate::domain::JobState::Pending { attempts, .. } = job.state else { return None };
    if job.is_array_parent() {
        return None;
    }
    Some(PendingRow {
        id: job.id,
        revision: job.revision,
        user: job.owner.user.clone(),
        project: job.owner.project.clone(),
        submitted: job.submitted,
        resources: job.spec.resources,
        parent: job.parent(),
        throttle: job.spec.array.and_then(|array| array.throttle),
        labels: job.spec.labels.clone(),
        dependencies: job.spec.dependencies.clone(),
        executor: job.spec.executor.clone(),
        attempts,
        failed_nodes: job.failed_nodes.clone(),
        request: job.request,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::running;
    use crate::scheduling::policy::policy;
    use crate::web::submission::tests::a_config;

    #[test]
    fn what_running_jobs_take_counts_until_their_end_is_counted() {
        let config = a_config();
        let policy = policy("fifo", config.scheduler.fair_share).unwrap();
        let mut state = SchedulerState::new(&config.scheduler, policy, "native".into());
        let ann: UserId = "ann".parse().unwrap();
        let mut user = crate::store::sqlite::testing::a_user("ann");
        user.quotas = Quotas { disk: Some(100), ..Quotas::default() };
        let accounts =
            |over| Accounts { users: vec![user.clone()], disk: vec![(ann.clone(), over)], ..Accounts::default() };
        let disk = |state: &SchedulerState| state.view.users[&ann].disk;
        state.reset_placed(&[running(1), running(2)]);
        state.set_accounts(&accounts(10));
        assert!(!state.disk_measured(vec![(JobId(1), 50), (JobId(2), 5), (JobId(99), 1000)]));
        assert_eq!(disk(&state), 65, "a job that is not placed is not counted");
        assert!(state.disk_measured(vec![(JobId(1), 20)]), "less is told");
        assert_eq!(disk(&state), 35);
        // Reading everything anew forgets nothing of what was measured.
        state.reset_placed(&[running(1), running(2)]);
        state.set_accounts(&accounts(10));
        assert_eq!(disk(&state), 35);
        // Its end says what it took; the quota has to be read before anything else starts.
        assert!(state.free(JobId(1), Freed::Over, Timestamp(1)));
        state.set_accounts(&accounts(10 + 20));
        assert_eq!(disk(&state), 35);
        state.reset_placed(&[]);
        state.set_accounts(&accounts(35));
        assert_eq!(disk(&state), 35);
    }
}
