//! What an attempt's service is and may do.

use std::collections::HashMap;

use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    GenericResources, GenericResourcesInner, GenericResourcesInnerDiscreteResourceSpec, Limit, NetworkAttachmentConfig,
    ResourceObject, Service, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, TaskSpec, TaskSpecContainerSpec,
    TaskSpecContainerSpecPrivileges, TaskSpecLogDriver, TaskSpecPlacement, TaskSpecResources, TaskSpecRestartPolicy,
    TaskSpecRestartPolicyConditionEnum,
};

use super::Inner;
use super::nodes::Place;
use crate::domain::PortMapping;
use crate::plugins::executor::Launch;
use crate::plugins::executor::engine::inside::{self, DIRECTORY, ROOT_CAPABILITIES};

/// The network of jobs without one: on each node a bridge of its own that leads nowhere.
pub const ISOLATED: &str = "godocker-isolated";

/// Which attempt a service is, whole: a service's tasks are found by it.
pub const ATTEMPT: &str = "godocker.attempt";

/// Where a task goes that must not run.
const NOWHERE: &str = "node.id==godocker-stopped";

/// A node's other jobs and the node itself are on the bridge of [`ISOLATED`] too: an interface that does not ask for
/// addresses and does not answer for its own reaches nobody and is reached by nobody. A job can neither change it nor
/// do without it: it has no power over interfaces, and none to write packets of its own.
const MUTE: [(&str, &str); 4] = [
    ("net.ipv4.neigh.eth0.mcast_solicit", "0"),
    ("net.ipv4.neigh.eth0.ucast_solicit", "0"),
    ("net.ipv4.neigh.eth0.app_solicit", "0"),
    ("net.ipv4.conf.all.arp_ignore", "8"),
];

/// After the script: whether it ended for want of memory. `$1` is the number of the attempt.
const NOTE_MEMORY: &str = r#"for events in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
  if [ $code != 0 ] && [ -r $events ]; then
    while read -r what count; do
      if [ "$what" = oom_kill ] && [ "$count" != 0 ]; then echo "$attempt" > god.oom; fi
    done < $events
  fi
done
"#;

/// Where [`NOTE_MEMORY`] notes it, in the job directory.
pub const MEMORY_NOTE: &str = "god.oom";

/// The service with nothing to run yet: it is made first, and begun when the attempt is claimed for it.
pub fn spec(inner: &Inner, launch: &Launch, place: &Place, image: String, ports: &[PortMapping]) -> ServiceSpec {
    let mut labels = inside::labels(launch);
    labels.insert(ATTEMPT.to_owned(), launch.name.to_string());
    ServiceSpec {
        name: Some(launch.name.to_string()),
        task_template: Some(TaskSpec {
            container_spec: Some(container(inner, launch, image, &labels)),
            resources: Some(resources(inner, launch, place)),
            restart_policy: Some(TaskSpecRestartPolicy {
                condition: Some(TaskSpecRestartPolicyConditionEnum::NONE),
                // Never tried, but Swarm keeps the records of so many and one more, however few the site has it keep.
                max_attempts: Some(1),
                ..TaskSpecRestartPolicy::default()
            }),
            placement: Some(TaskSpecPlacement {
                constraints: Some(vec![format!("node.id=={}", place.id)]),
                ..TaskSpecPlacement::default()
            }),
            networks: inner.is_isolated(launch).then(|| {
                vec![NetworkAttachmentConfig {
                    target: Some(ISOLATED.to_owned()),
                    ..NetworkAttachmentConfig::default()
                }]
            }),
            log_driver: Some(TaskSpecLogDriver { name: Some("none".to_owned()), options: None }),
            ..TaskSpec::default()
        }),
        labels: Some(labels),
        mode: Some(ServiceSpecMode {
            replicated: Some(ServiceSpecModeReplicated { replicas: Some(0) }),
            ..ServiceSpecMode::default()
        }),
        endpoint_spec: Some(EndpointSpec { ports: Some(ports.iter().map(published).collect()), mode: None }),
        ..ServiceSpec::default()
    }
}

fn container(inner: &Inner, launch: &Launch, image: String, labels: &HashMap<String, String>) -> TaskSpecContainerSpec {
    let spec = &launch.job.spec;
    let isolated = inner.is_isolated(launch);
    TaskSpecContainerSpec {
        image: Some(image),
        command: Some(inside::command(launch, NOTE_MEMORY)),
        labels: Some(labels.clone()),
        env: Some(inside::environment(launch)),
        dir: Some(DIRECTORY.to_owned()),
        user: Some(inside::user(launch)),
        groups: Some(inside::groups(launch)),
        mounts: Some(inside::mounts(launch)),
        init: Some(true),
        capability_drop: Some(vec!["ALL".to_owned()]),
        capability_add: spec.root.then(|| ROOT_CAPABILITIES.map(str::to_owned).to_vec()),
        privileges: Some(TaskSpecContainerSpecPrivileges {
            no_new_privileges: Some(true),
            ..TaskSpecContainerSpecPrivileges::default()
        }),
        stop_grace_period: Some(i64::try_from(inner.grace.as_nanos()).unwrap_or(i64::MAX)),
        sysctls: isolated.then(|| MUTE.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        ..TaskSpecContainerSpec::default()
    }
}

fn resources(inner: &Inner, launch: &Launch, place: &Place) -> TaskSpecResources {
    let wanted = &launch.job.spec.resources;
    let nano_cpus = Some(i64::from(wanted.cpu.millis()) * 1_000_000);
    let memory_bytes = Some(i64::try_from(wanted.ram.bytes()).unwrap_or(i64::MAX));
    TaskSpecResources {
        limits: Some(Limit { nano_cpus, memory_bytes, pids: Some(inner.docker.pids_limit) }),
        reservations: Some(ResourceObject {
            nano_cpus,
            memory_bytes,
            generic_resources: (wanted.gpus > 0).then(|| cards(wanted.gpus, place)),
        }),
        // Heard by engines from 29 on.
        swap_bytes: Some(0),
        ..TaskSpecResources::default()
    }
}

fn cards(count: u32, place: &Place) -> GenericResources {
    let discrete_resource_spec = Some(GenericResourcesInnerDiscreteResourceSpec {
        kind: Some(place.card_kind.clone().unwrap_or_else(|| "gpu".to_owned())),
        value: Some(i64::from(count)),
    });
    vec![GenericResourcesInner { discrete_resource_spec, named_resource_spec: None }]
}

fn published(port: &PortMapping) -> EndpointPortConfig {
    EndpointPortConfig {
        protocol: Some(EndpointPortConfigProtocolEnum::TCP),
        target_port: Some(i64::from(port.container)),
        published_port: Some(i64::from(port.host)),
        // On its node only; Swarm's own way would open it on every node.
        publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
        ..EndpointPortConfig::default()
    }
}

impl Inner {
    fn is_isolated(&self, launch: &Launch) -> bool {
        self.network_disabled || !launch.job.spec.network
    }
}

pub fn is_begun(service: &Service) -> bool {
    let mode = service.spec.as_ref().and_then(|spec| spec.mode.as_ref());
    mode.and_then(|mode| mode.replicated.as_ref()).and_then(|replicated| replicated.replicas).unwrap_or(0) > 0
}

/// Sets it going. False if it is.
pub fn begin(spec: &mut ServiceSpec) -> bool {
    let mode = spec.mode.get_or_insert_default();
    let replicated = mode.replicated.get_or_insert_default();
    replicated.replicas.replace(1) != Some(1)
}

pub fn is_stopped(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.task_template.as_ref()).is_some_and(is_nowhere)
}

/// Asks for a task that no node may run in the place of the one that runs: Swarm stops that first. False if it is asked.
pub fn stop(spec: &mut ServiceSpec) -> bool {
    let placement = spec.task_template.get_or_insert_default().placement.get_or_insert_default();
    let nowhere = Some(vec![NOWHERE.to_owned()]);
    if placement.constraints == nowhere {
        return false;
    }
    placement.constraints = nowhere;
    true
}

/// Whether this is the task that stands in for one that was stopped.
pub fn is_nowhere(task: &TaskSpec) -> bool {
    let constraints = task.placement.as_ref().and_then(|placement| placement.constraints.as_ref());
    constraints.is_some_and(|constraints| constraints.iter().any(|constraint| constraint == NOWHERE))
}

pub fn ports(service: &Service) -> Vec<PortMapping> {
    let endpoint = service.spec.as_ref().and_then(|spec| spec.endpoint_spec.as_ref());
    let ports = endpoint.and_then(|endpoint| endpoint.ports.as_ref()).into_iter().flatten();
    let mapping = |port: &EndpointPortConfig| {
        let number = |port: Option<i64>| u16::try_from(port?).ok();
        Some(PortMapping { host: number(port.published_port)?, container: number(port.target_port)? })
    };
    ports.filter_map(mapping).collect()
}
