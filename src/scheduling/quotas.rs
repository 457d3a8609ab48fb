//! Quotas, as a filter: what a user and a project may still use.

use std::collections::HashMap;

use super::plan::{Account, Membership, View};
use crate::domain::usage::Usage;
use crate::domain::{PendingReason, ProjectId, Resources, UserId};

/// What a plan has given out so far, on top of what the view says is used.
#[derive(Default)]
pub struct Given<'a> {
    users: HashMap<&'a UserId, Usage>,
    projects: HashMap<&'a ProjectId, Usage>,
}

impl<'a> Given<'a> {
    pub fn add(&mut self, user: &'a UserId, project: &'a ProjectId, resources: &Resources) {
        let used = Usage::of_one(resources);
        let given = self.users.entry(user).or_default();
        *given = given.plus(used);
        let given = self.projects.entry(project).or_default();
        *given = given.plus(used);
    }

    /// Why one more job of this size may not start; `None` when it may. The default project has no quota.
    pub fn refuses(
        &self,
        view: &View,
        user: &UserId,
        project: &ProjectId,
        resources: &Resources,
    ) -> Option<PendingReason> {
        let given = self.users.get(user).copied().unwrap_or_default();
        if let Some(quota) = view.users.get(user).and_then(|account| exceeded(account, given, resources)) {
            return Some(PendingReason::QuotaUser { quota: quota.to_owned() });
        }
        if project.is_default() {
            return None;
        }
        let given = self.projects.get(project).copied().unwrap_or_default();
        let quota = view.projects.get(project).and_then(|account| exceeded(account, given, resources));
        quota.map(|quota| PendingReason::QuotaProject { quota: quota.to_owned() })
    }
}

/// Why nothing of this user in this project may start, whatever its size.
pub fn shut_out(view: &View, user: &UserId, project: &ProjectId) -> Option<PendingReason> {
    if view.users.get(user).is_some_and(|account| account.disabled) {
        return Some(PendingReason::AccountDisabled);
    }
    let member = match &view.membership {
        Membership::Everyone => true,
        Membership::Known(members) => members.get(project).is_some_and(|members| members.contains(user)),
    };
    (!project.is_default() && !member).then(|| PendingReason::NotMember { project: project.clone() })
}

/// The quota that a job of this size would go beyond.
fn exceeded(account: &Account, given: Usage, resources: &Resources) -> Option<&'static str> {
    let quotas = account.quotas;
    let used = account.usage.plus(given);
    let asked = Usage::of_one(resources);
    let beyond = |quota: u64, sum: f64| quota > 0 && sum > quota as f64;
    if quotas.time > 0 && used.time >= quotas.time as f64 {
        Some("time")
    } else if beyond(quotas.cpu, used.cpu + asked.cpu) {
        Some("cpu")
    } else if beyond(quotas.ram, used.ram + asked.ram) {
        Some("ram")
    } else if asked.gpu > 0.0 && beyond(quotas.gpu, used.gpu + asked.gpu) {
        Some("gpu")
    } else if quotas.disk.is_some_and(|most| most > 0 && account.disk >= most) {
        Some("disk")
    } else {
        None
    }
}
