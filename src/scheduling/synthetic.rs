//! Made-up queues for tests and benches.

use std::collections::HashMap;
use std::time::Duration;

use super::plan::{Account, Membership, NodeView, View};
use super::queue::{PendingJob, Queue};
use crate::domain::usage::Usage;
use crate::domain::{Cores, JobId, Memory, ProjectId, Resources, Timestamp, UserId};

pub fn resources(cpu: u32, ram_gb: u64) -> Resources {
    Resources { cpu: Cores::whole(cpu), ram: Memory::gb(ram_gb), gpus: 0 }
}

pub fn job(id: u64, user: u64, project: u64) -> PendingJob {
    PendingJob {
        id: JobId(id),
        revision: 1,
        user: name("user", user),
        project: name("project", project),
        submitted: Timestamp(id as i64 * 1000),
        resources: resources(1, 1),
        parent: None,
        throttle: None,
        labels: Vec::new(),
        dependencies: Vec::new(),
        executor: None,
        attempts: 0,
        failed_nodes: Vec::new(),
    }
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(kind: &str, number: u64) -> T {
    format!("{kind}{number}").parse().expect("letters and digits are an id")
}

pub fn view(nodes: &[(&str, Resources)]) -> View {
    View {
        now: Timestamp(0),
        nodes: nodes
            .iter()
            .map(|(name, total)| NodeView {
                name: (*name).to_owned(),
                executor: "native".to_owned(),
                total: *total,
                free: *total,
                labels: Vec::new(),
                others: Resources::default(),
                drained: false,
            })
            .collect(),
        default_executor: "native".to_owned(),
        away: HashMap::new(),
        maintenance: false,
        users: HashMap::new(),
        projects: HashMap::new(),
        membership: Membership::Everyone,
        reject_over_quota: false,
        running_children: HashMap::new(),
        starvation_after: Duration::from_secs(600),
        recent_starts_per_sec: None,
    }
}

/// `jobs` jobs of `users` users in `projects` projects, in four sizes, and one node of 64 cores.
pub fn synthetic(jobs: u64, users: u64, projects: u64) -> (Queue, View) {
    let mut view = view(&[("node1", resources(64, 256))]);
    view.now = Timestamp((jobs as i64 + 1) * 1000);
    for user in 0..users {
        let usage =
            Usage { cpu: user as f64, ram: (user % 7) as f64, time: (user * 97 % 1000) as f64, ..Usage::default() };
        view.users.insert(name::<UserId>("user", user), Account { usage, ..Account::default() });
    }
    for project in 0..projects {
        let usage = Usage { cpu: project as f64, ram: 1.0, time: (project * 31 % 100) as f64, ..Usage::default() };
        let account = Account { usage, ..Account::default() };
        view.projects.insert(name::<ProjectId>("project", project), account);
    }
    let mut queue = Queue::default();
    for id in 1..=jobs {
        let mut job = job(id, id * 7919 % users, id * 31 % projects);
        job.resources = resources(1 << (id % 4), 1);
        queue.insert(job);
    }
    (queue, view)
}
