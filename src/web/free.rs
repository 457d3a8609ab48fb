//! What is free now, and what the quotas leave: what one wants to know before one asks for something.

use serde_json::{Value, json};

use super::Site;
use super::error::ApiError;
use super::words::says;
use crate::domain::outlook::{Allowance, Allowances};
use crate::domain::{NodeUse, ProjectId, Resources, UserId};

pub struct Free {
    /// In order of preference.
    pub executors: Vec<ExecutorFree>,
    /// `None` while no scheduler answers.
    pub allowances: Option<Allowances>,
}

/// Sums over an executor's nodes that take jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutorFree {
    pub name: String,
    /// Why it does not answer.
    pub away: Option<String>,
    pub total: Resources,
    /// By jobs, and by what is not ours.
    pub used: Resources,
    pub nodes: usize,
    /// Of them, those that take no new jobs; nothing of theirs counts.
    pub drained: usize,
    /// The node with the most free, where anything is: what one job can have at most.
    pub largest: Option<(String, Resources)>,
}

/// `project`: only that one's quota; it must be one of the user's.
pub async fn free(site: &Site, user: &UserId, project: Option<&ProjectId>) -> Result<Free, ApiError> {
    let theirs = site.store.projects_of(user).await?;
    let ids: Vec<ProjectId> = theirs.into_iter().map(|project| project.id).collect();
    let ids = match project {
        Some(project) if !ids.contains(project) => {
            return Err(ApiError::field("project", says("fault-not-member").set("user", user).set("project", project)));
        }
        Some(project) => vec![project.clone()],
        None => ids,
    };
    let (nodes, away, allowances) =
        futures::join!(site.queue.nodes(), site.queue.away(), site.queue.allowances(user, &ids));
    let names = site.queue.executors().into_iter().map(|(name, _)| name);
    Ok(Free { executors: names.map(|name| of_executor(name, &nodes, &away)).collect(), allowances })
}

fn of_executor(name: String, nodes: &[NodeUse], away: &[(String, String)]) -> ExecutorFree {
    let mine: Vec<&NodeUse> = nodes.iter().filter(|seen| seen.node.executor == name).collect();
    let usable: Vec<&&NodeUse> = mine.iter().filter(|seen| !seen.node.drained).collect();
    let away = away.iter().find(|(executor, _)| *executor == name).map(|(_, message)| message.clone());
    let left = |seen: &NodeUse| seen.node.total.minus(seen.used);
    let largest = usable
        .iter()
        .map(|seen| (seen.node.name.clone(), left(seen)))
        .filter(|(_, free)| *free != Resources::default())
        .max_by_key(|(name, free)| (free.cpu, free.ram, free.gpus, std::cmp::Reverse(name.clone())));
    ExecutorFree {
        total: usable.iter().fold(Resources::default(), |sum, seen| sum.plus(seen.node.total)),
        used: usable.iter().fold(Resources::default(), |sum, seen| sum.plus(seen.used)),
        nodes: mine.len(),
        drained: mine.len() - usable.len(),
        largest: largest.filter(|_| away.is_none()),
        away,
        name,
    }
}

impl Free {
    pub fn document(&self) -> Value {
        let executors: Vec<Value> = self.executors.iter().map(ExecutorFree::document).collect();
        let quota = self.allowances.as_ref().map(|allowances| {
            let projects: serde_json::Map<String, Value> =
                allowances.projects.iter().map(|(id, allowance)| (id.to_string(), left(allowance))).collect();
            json!({ "user": left(&allowances.user), "projects": projects })
        });
        json!({ "executors": executors, "quota": quota })
    }
}

impl ExecutorFree {
    fn document(&self) -> Value {
        let largest = self
            .largest
            .as_ref()
            .map(|(node, free)| json!({ "node": node, "cpu": free.cpu, "ram": free.ram, "gpus": free.gpus }));
        json!({
            "name": self.name, "away": self.away, "nodes": self.nodes, "drained": self.drained, "total": self.total,
            "used": self.used, "free": self.total.minus(self.used), "largest": largest,
        })
    }
}

/// By quota; null where there is none.
fn left(allowance: &Allowance) -> Value {
    let (quotas, used) = (allowance.quotas, allowance.used);
    let of = |quota: u64, used: f64| {
        (quota > 0).then(|| json!({ "quota": quota, "used": used, "left": (quota as f64 - used).max(0.0) }))
    };
    json!({
        "time": of(quotas.time, used.time), "cpu": of(quotas.cpu, used.cpu), "ram": of(quotas.ram, used.ram),
        "gpu": of(quotas.gpu, used.gpu), "disk": of(quotas.disk.unwrap_or_default(), allowance.disk as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::Usage;
    use crate::domain::{Cores, Memory, Node, Quotas};

    fn resources(cpu: u32, ram: u64) -> Resources {
        Resources { cpu: Cores::whole(cpu), ram: Memory::gb(ram), gpus: 0 }
    }

    fn node(name: &str, total: Resources, used: Resources, drained: bool) -> NodeUse {
        let executor = "docker".to_owned();
        let others = Resources::default();
        NodeUse { node: Node { name: name.into(), executor, total, others, labels: vec![], drained }, used }
    }

    #[test]
    fn drained_nodes_have_nothing_free() {
        let nodes = [
            node("n1", resources(8, 32), resources(6, 8), false),
            node("n2", resources(4, 16), resources(0, 0), false),
            node("n3", resources(64, 256), resources(0, 0), true),
        ];
        let free = of_executor("docker".into(), &nodes, &[]);
        assert_eq!((free.total, free.used), (resources(12, 48), resources(6, 8)));
        assert_eq!((free.nodes, free.drained, free.largest.clone()), (3, 1, Some(("n2".into(), resources(4, 16)))));
        assert_eq!(free.document()["free"], json!({ "cpu": 6, "ram": 40, "gpus": 0 }));
        let away = [("docker".to_owned(), "it sleeps".to_owned())];
        let free = of_executor("docker".into(), &nodes, &away);
        assert_eq!((free.away.as_deref(), free.largest), (Some("it sleeps"), None));
        assert_eq!(of_executor("native".into(), &nodes, &away).nodes, 0);
    }

    #[test]
    fn what_a_quota_leaves_is_never_below_nothing() {
        let quotas = Quotas { cpu: 10, time: 100, ..Quotas::default() };
        let used = Usage { cpu: 4.5, time: 250.0, ..Usage::default() };
        let shown = left(&Allowance { quotas, used, disk: 7 });
        assert_eq!(shown["cpu"], json!({ "quota": 10, "used": 4.5, "left": 5.5 }));
        assert_eq!((&shown["time"]["left"], &shown["disk"], &shown["ram"]), (&json!(0.0), &Value::Null, &Value::Null));
    }
}
