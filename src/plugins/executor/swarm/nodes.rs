//! The machines of the swarm, as its manager lists them.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bollard::models::{GenericResources, Node as SwarmNode, NodeSpecAvailabilityEnum as Availability, NodeState, Task};
use bollard::query_parameters::{EventsOptionsBuilder, ListNodesOptions, ListTasksOptionsBuilder};
use futures::StreamExt;

use super::{Inner, RECONNECT, SwarmExecutor, of_swarm};
use crate::domain::{Clock, Cores, Label, Memory, Resources, SystemClock};
use crate::plugins::executor::engine::LABEL;
use crate::plugins::executor::{ExecutorError, Launch, Node};

/// How old a listing may be that a launch goes by.
const FRESH: Duration = Duration::from_secs(1);
/// What engines call their graphics cards.
const CARDS: [&str; 2] = ["gpu", "nvidia-gpu"];
/// From this engine on a service can forbid new privileges.
const FORBIDS_PRIVILEGES: u32 = 25;

/// In a second.
const NANOS: i64 = 1_000_000_000;

/// Where an attempt goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Of the node.
    pub id: String,
    /// What it calls its graphics cards, if it has any.
    pub card_kind: Option<String>,
}

#[derive(Default)]
pub struct Nodes {
    known: Mutex<Option<(Instant, Vec<Known>)>>,
    warned: Mutex<HashSet<String>>,
    /// When the last event was that was seen, in nanoseconds.
    since: AtomicI64,
}

/// A node with its name of ours.
#[derive(Debug, Clone)]
struct Known {
    place: Place,
    node: Node,
    /// The manager hears of it.
    ready: bool,
}

impl Inner {
    pub(super) async fn nodes(&self) -> Result<Vec<Node>, ExecutorError> {
        let client = self.client().await?;
        let filters = HashMap::from([("desired-state", vec!["running".to_owned()])]);
        let running = ListTasksOptionsBuilder::default().filters(&filters).build();
        let (known, tasks) = tokio::join!(self.list_nodes(), client.list_tasks(Some(running)));
        let others = reserved_by_others(&tasks.map_err(of_swarm)?, &self.instance.to_string());
        let with_others = |known: Known| {
            let others = others.get(&known.place.id).copied().unwrap_or_default();
            Node { others, ..known.node }
        };
        Ok(known?.into_iter().map(with_others).collect())
    }

    async fn list_nodes(&self) -> Result<Vec<Known>, ExecutorError> {
        let listed = self.client().await?.list_nodes(None::<ListNodesOptions>).await.map_err(of_swarm)?;
        let known = known(&listed);
        self.warn_of_privileges(&listed);
        *self.nodes.known.lock().expect("no holder of this lock panics") = Some((Instant::now(), known.clone()));
        Ok(known)
    }

    async fn recent(&self) -> Result<Vec<Known>, ExecutorError> {
        let recent = self.nodes.known.lock().expect("no holder of this lock panics").clone();
        match recent {
            Some((at, known)) if at.elapsed() < FRESH => Ok(known),
            _ => self.list_nodes().await,
        }
    }

    /// Our names of the nodes, by Swarm's ids.
    pub(super) async fn node_names(&self) -> Result<HashMap<String, String>, ExecutorError> {
        Ok(self.recent().await?.into_iter().map(|known| (known.place.id, known.node.name)).collect())
    }

    /// Those that cannot be waited for, by Swarm's ids.
    pub(super) async fn silent_nodes(&self) -> Result<HashSet<String>, ExecutorError> {
        Ok(self.recent().await?.into_iter().filter(|known| !known.ready).map(|known| known.place.id).collect())
    }

    /// The node that the plan chose, if it still takes jobs and still is what the job asks for.
    pub(super) async fn place(&self, launch: &Launch) -> Result<Place, ExecutorError> {
        let name = &launch.attempt.node;
        let away = |what: &str| ExecutorError::Unavailable(format!("the node {name} {what}"));
        let Some(known) = self.recent().await?.into_iter().find(|known| known.node.name == *name) else {
            return Err(away("is not in the swarm any more"));
        };
        if known.node.drained {
            return Err(away("takes no new jobs"));
        }
        if !launch.job.spec.labels.iter().all(|label| known.node.labels.contains(label)) {
            return Err(away("does not have the labels any more that the job asks for"));
        }
        Ok(known.place)
    }

    /// Comes back when the manager tells that a node is not what it was, or when it may have missed that.
    pub(super) async fn node_changed(&self) {
        let filters = HashMap::from([("type".to_owned(), vec!["node".to_owned()])]);
        // An event may come between two calls.
        let since = match self.nodes.since.load(Ordering::Relaxed) {
            0 => SystemClock.now().as_secs().to_string(),
            seen => format!("{}.{:09}", (seen + 1) / NANOS, (seen + 1) % NANOS),
        };
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        if let Ok(client) = self.client().await
            && let Some(Ok(event)) = Box::pin(client.events(Some(options))).next().await
        {
            let now = || SystemClock.now().as_secs() * NANOS;
            self.nodes.since.store(event.time_nano.unwrap_or_else(now), Ordering::Relaxed);
            *self.nodes.known.lock().expect("no holder of this lock panics") = None;
            return;
        }
        tokio::time::sleep(RECONNECT).await;
    }

    /// Once a node: what a service cannot say to it, its own configuration must.
    fn warn_of_privileges(&self, nodes: &[SwarmNode]) {
        let mut warned = self.nodes.warned.lock().expect("no holder of this lock panics");
        for node in nodes {
            let description = node.description.clone().unwrap_or_default();
            let version = description.engine.and_then(|engine| engine.engine_version).unwrap_or_default();
            let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
            if major.is_some_and(|major| major < FORBIDS_PRIVILEGES)
                && warned.insert(node.id.clone().unwrap_or_default())
            {
                let node = description.hostname.unwrap_or_default();
                tracing::warn!(
                    node,
                    engine = version,
                    "a service cannot forbid new privileges to this engine: set \"no-new-privileges\": true in its daemon.json"
                );
            }
        }
    }
}

/// Nodes go by their host names; where two have the same, by that and the beginning of their ids.
fn known(nodes: &[SwarmNode]) -> Vec<Known> {
    let host_name = |node: &SwarmNode| node.description.as_ref().and_then(|node| node.hostname.clone());
    let mut times: HashMap<String, u32> = HashMap::new();
    nodes.iter().filter_map(host_name).for_each(|name| *times.entry(name).or_default() += 1);
    let known = nodes.iter().filter_map(|node| {
        let (id, host) = (node.id.clone()?, host_name(node)?);
        let name = if times[&host] == 1 { host } else { format!("{host}-{}", id.get(..8).unwrap_or(&id)) };
        Some(as_ours(node, id, name))
    });
    known.collect()
}

fn as_ours(node: &SwarmNode, id: String, name: String) -> Known {
    let description = node.description.clone().unwrap_or_default();
    let spec = node.spec.clone().unwrap_or_default();
    let resources = description.resources.unwrap_or_default();
    let cards = cards(resources.generic_resources.as_ref());
    let of_engine = description.engine.and_then(|engine| engine.labels).unwrap_or_default();
    // The manager's word on a node is stronger than the node's own.
    let mut labels = of_engine;
    labels.extend(spec.labels.unwrap_or_default());
    let mut labels: Vec<_> = labels.into_iter().map(|(name, value)| Label { name, value }).collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let ready = node.status.as_ref().and_then(|status| status.state) == Some(NodeState::READY);
    let takes_jobs = ready && spec.availability == Some(Availability::ACTIVE);
    let node = Node {
        name,
        executor: SwarmExecutor::NAME.to_owned(),
        total: Resources {
            cpu: cores(resources.nano_cpus),
            ram: memory(resources.memory_bytes),
            gpus: cards.iter().map(|(_, count)| count).sum(),
        },
        others: Resources::default(),
        labels,
        drained: !takes_jobs,
    };
    Known { place: Place { id, card_kind: cards.into_iter().next().map(|(kind, _)| kind) }, node, ready }
}

fn cores(nano: Option<i64>) -> Cores {
    Cores::from_millis(u32::try_from(nano.unwrap_or(0) / 1_000_000).unwrap_or(0))
}

fn memory(bytes: Option<i64>) -> Memory {
    Memory::from_bytes(u64::try_from(bytes.unwrap_or(0)).unwrap_or(0))
}

/// Graphics cards by kind: a number of them, or each by name.
fn cards(resources: Option<&GenericResources>) -> Vec<(String, u32)> {
    let mut cards: Vec<(String, u32)> = Vec::new();
    for resource in resources.into_iter().flatten() {
        let (kind, count) = match (&resource.discrete_resource_spec, &resource.named_resource_spec) {
            (Some(number), _) => (number.kind.clone(), u32::try_from(number.value.unwrap_or(0)).unwrap_or(0)),
            (None, Some(named)) => (named.kind.clone(), 1),
            (None, None) => continue,
        };
        let Some(kind) = kind.filter(|kind| CARDS.contains(&kind.to_ascii_lowercase().as_str())) else { continue };
        match cards.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, total)) => *total += count,
            None => cards.push((kind, count)),
        }
    }
    cards
}

/// What services that are not ours hold of each node.
fn reserved_by_others(tasks: &[Task], instance: &str) -> HashMap<String, Resources> {
    let mut reserved: HashMap<String, Resources> = HashMap::new();
    for task in tasks {
        let Some(spec) = &task.spec else { continue };
        let label = spec.container_spec.as_ref().and_then(|spec| spec.labels.as_ref()?.get(LABEL));
        let held = spec.resources.as_ref().and_then(|resources| resources.reservations.as_ref());
        let node = task.node_id.as_ref().filter(|node| !node.is_empty());
        if let (Some(held), Some(node), false) = (held, node, label.is_some_and(|label| label == instance)) {
            let resources = Resources {
                cpu: cores(held.nano_cpus),
                ram: memory(held.memory_bytes),
                gpus: cards(held.generic_resources.as_ref()).iter().map(|(_, count)| count).sum(),
            };
            let all = reserved.entry(node.clone()).or_default();
            *all = all.plus(resources);
        }
    }
    reserved
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(id: &str, host: &str, state: &str, availability: &str) -> SwarmNode {
        serde_json::from_value(json!({
            "ID": id, "Spec": { "Availability": availability, "Labels": { "storage": "ssd" } },
            "Status": { "State": state },
            "Description": {
                "Hostname": host, "Engine": { "Labels": { "storage": "disk", "rack": "3" } },
                "Resources": { "NanoCPUs": 4_000_000_000_i64, "MemoryBytes": 8_000_000_000_i64, "GenericResources": [
                    { "NamedResourceSpec": { "Kind": "NVIDIA-GPU", "Value": "uuid-1" } },
                    { "NamedResourceSpec": { "Kind": "NVIDIA-GPU", "Value": "uuid-2" } },
                    { "DiscreteResourceSpec": { "Kind": "SSD", "Value": 3 } },
                ] },
            },
        }))
        .unwrap()
    }

    #[test]
    fn nodes_go_by_their_host_names_where_these_are_their_own() {
        let listed = ["aaaaaaaaaaaa", "bbbbbbbbbbbb"].map(|id| node(id, "n1", "ready", "active"));
        let names = |nodes: &[SwarmNode]| known(nodes).into_iter().map(|known| known.node.name).collect::<Vec<_>>();
        assert_eq!(names(&listed[..1]), ["n1"]);
        assert_eq!(names(&listed), ["n1-aaaaaaaa", "n1-bbbbbbbb"]);
    }

    #[test]
    fn a_node_has_its_resources_its_cards_and_the_managers_labels() {
        let known = known(&[node("a", "n1", "ready", "active")]).remove(0);
        assert_eq!(known.node.total, Resources { cpu: Cores::whole(4), ram: Memory::gb(8), gpus: 2 });
        let labels: Vec<_> = known.node.labels.iter().map(ToString::to_string).collect();
        assert_eq!(labels, ["rack==3", "storage==ssd"]);
        assert_eq!(known.place.card_kind.as_deref(), Some("NVIDIA-GPU"));
    }

    #[test]
    fn only_what_is_ready_and_active_gets_new_jobs() {
        for (state, availability, takes) in [
            ("ready", "active", true),
            ("ready", "pause", false),
            ("ready", "drain", false),
            ("down", "active", false),
            ("unknown", "active", false),
        ] {
            assert_eq!(
                known(&[node("a", "n1", state, availability)])[0].node.drained,
                !takes,
                "{state} {availability}"
            );
        }
    }

    #[test]
    fn what_others_reserve_is_not_ours_to_give() {
        let task = |instance: Option<&str>| -> Task {
            let labels = instance.map_or(json!({}), |instance| json!({ LABEL: instance }));
            serde_json::from_value(json!({
                "NodeID": "a",
                "Spec": {
                    "ContainerSpec": { "Labels": labels },
                    "Resources": { "Reservations": { "NanoCPUs": 500_000_000, "MemoryBytes": 1000 } },
                },
            }))
            .unwrap()
        };
        let reserved = reserved_by_others(&[task(None), task(Some("other")), task(Some("lab"))], "lab");
        assert_eq!(reserved["a"], Resources { cpu: Cores::whole(1), ram: Memory::from_bytes(2000), gpus: 0 });
    }
}
