//! Who comes first: FIFO, and the original's fair share.
//!
//! A policy gives every job a share; the smallest goes first, then the smallest id. A share is the user's and project's
//! part, fixed for a pass, plus a part that falls with the time a job has waited: so within a (user, project) pair the
//! order never changes, and a policy costs one figure a pair.

use std::collections::HashMap;

use super::plan::{Account, View};
use crate::config::FairShareWeights;
use crate::domain::usage::Usage;
use crate::domain::{ProjectId, Timestamp, UserId};

/// What a policy looks at.
pub struct Facts<'a> {
    pub view: &'a View,
    /// The pairs that have pending jobs, by the queue's number.
    pub pairs: &'a [(UserId, ProjectId)],
    /// The dates of the oldest and newest pending job.
    pub oldest: Timestamp,
    pub newest: Timestamp,
}

/// Shares of one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// By pair.
    base: Vec<f64>,
    date_weight: f64,
    oldest: Timestamp,
    /// Milliseconds between oldest and newest; `None` when too small to tell jobs apart.
    span: Option<f64>,
}

impl Scale {
    pub fn share(&self, pair: u32, submitted: Timestamp) -> f64 {
        let waited_less = self.span.map_or(0.5, |span| (submitted.0 - self.oldest.0) as f64 / span);
        self.base[pair as usize] + waited_less * self.date_weight
    }
}

pub trait Policy: Send + std::fmt::Debug {
    fn scale(&self, facts: &Facts<'_>) -> Scale;
}

/// Known names: `fifo`, `fairshare`, in any case.
pub fn policy(name: &str, weights: FairShareWeights) -> Option<Box<dyn Policy>> {
    match name.to_ascii_lowercase().as_str() {
        "fifo" => Some(Box::new(Fifo)),
        "fairshare" => Some(Box::new(FairShare { weights })),
        _ => None,
    }
}

/// First in, first out.
#[derive(Debug)]
pub struct Fifo;

impl Policy for Fifo {
    fn scale(&self, facts: &Facts<'_>) -> Scale {
        let span = (facts.newest.0 - facts.oldest.0) as f64;
        Scale {
            base: vec![0.0; facts.pairs.len()],
            date_weight: 1.0,
            oldest: facts.oldest,
            span: (span > 0.0).then_some(span),
        }
    }
}

/// The original's fair share: little used, high priority and long waiting come first.
#[derive(Debug)]
pub struct FairShare {
    pub weights: FairShareWeights,
}

/// `value` between the bounds as 0 to 1; 0.5 where they are too close to tell.
fn normalize(value: f64, (min, max): (f64, f64)) -> f64 {
    if max - min < 1.0 { 0.5 } else { (value - min) / (max - min) }
}

#[derive(Clone, Copy)]
struct Bounds {
    time: (f64, f64),
    cpu: (f64, f64),
    ram: (f64, f64),
}

impl Bounds {
    fn of(usages: impl Iterator<Item = Usage> + Clone) -> Self {
        let bound = |figure: fn(&Usage) -> f64| {
            usages
                .clone()
                .map(|usage| figure(&usage))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (min.min(value), max.max(value)))
        };
        Bounds { time: bound(|u| u.time), cpu: bound(|u| u.cpu), ram: bound(|u| u.ram) }
    }

    fn worst(&self) -> Usage {
        Usage { time: self.time.1, cpu: self.cpu.1, ram: self.ram.1, ..Usage::default() }
    }
}

impl Policy for FairShare {
    fn scale(&self, facts: &Facts<'_>) -> Scale {
        let users = accounts(facts.pairs.iter().map(|(user, _)| user), &facts.view.users);
        let projects = accounts(facts.pairs.iter().map(|(_, project)| project), &facts.view.projects);
        let user_bounds = Bounds::of(users.values().map(|account| account.usage));
        // The default project has no use of its own that could be compared: it counts as the worst of the others.
        let default = ProjectId::default_project();
        let project_bounds = Bounds::of(
            projects.iter().map(|(id, account)| if **id == default { Usage::default() } else { account.usage }),
        );
        let base = facts.pairs.iter().map(|(user, project)| {
            let of_project = Account {
                usage: if *project == default { project_bounds.worst() } else { projects[project].usage },
                ..projects[project]
            };
            self.user_part(&users[user], user_bounds) + self.project_part(&of_project, project_bounds)
        });
        // The original compares seconds.
        let span = (facts.newest.0 - facts.oldest.0) as f64;
        Scale {
            base: base.collect(),
            date_weight: self.weights.waiting_time,
            oldest: facts.oldest,
            span: (span >= 1000.0).then_some(span),
        }
    }
}

impl FairShare {
    fn user_part(&self, account: &Account, bounds: Bounds) -> f64 {
        let weights = &self.weights;
        normalize(account.usage.time, bounds.time) * weights.user_time
            + normalize(account.usage.cpu, bounds.cpu) * weights.user_cpu
            + normalize(account.usage.ram, bounds.ram) * weights.user_ram
            + (1.0 - f64::from(account.priority) / 100.0) * weights.user
    }

    fn project_part(&self, account: &Account, bounds: Bounds) -> f64 {
        let weights = &self.weights;
        normalize(account.usage.time, bounds.time) * weights.group_time
            + normalize(account.usage.cpu, bounds.cpu) * weights.group_cpu
            + normalize(account.usage.ram, bounds.ram) * weights.group_ram
            + (1.0 - f64::from(account.priority) / 100.0) * weights.group
    }
}

fn accounts<'a, Id: std::hash::Hash + Eq>(
    ids: impl Iterator<Item = &'a Id>,
    known: &HashMap<Id, Account>,
) -> HashMap<&'a Id, Account> {
    ids.map(|id| (id, known.get(id).copied().unwrap_or_default())).collect()
}
