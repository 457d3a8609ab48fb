//! What a job's container is and may do.

use bollard::models::{ContainerCreateBody, DeviceRequest, HostConfig, HostConfigLogConfig, PortBinding};

use crate::config;
use crate::domain::PortMapping;
use crate::plugins::executor::Launch;
use crate::plugins::executor::engine::inside::{self, DIRECTORY, ROOT_CAPABILITIES};
use crate::plugins::executor::engine::registry;

pub fn body(
    launch: &Launch,
    ports: &[PortMapping],
    config: &config::Docker,
    network_disabled: bool,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(registry::image(&launch.job.spec.image, config.registry.as_ref())),
        user: Some(inside::user(launch)),
        env: Some(inside::environment(launch)),
        entrypoint: Some(inside::command(launch, "")),
        cmd: Some(Vec::new()),
        working_dir: Some(DIRECTORY.to_owned()),
        labels: Some(inside::labels(launch)),
        exposed_ports: Some(ports.iter().map(|port| format!("{}/tcp", port.container)).collect()),
        host_config: Some(host_config(launch, ports, config, network_disabled)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(launch: &Launch, ports: &[PortMapping], config: &config::Docker, network_disabled: bool) -> HostConfig {
    let spec = &launch.job.spec;
    let ram = i64::try_from(spec.resources.ram.bytes()).unwrap_or(i64::MAX);
    let text = |text: &str| text.to_owned();
    HostConfig {
        nano_cpus: Some(i64::from(spec.resources.cpu.millis()) * 1_000_000),
        memory: Some(ram),
        // Equal to memory: no swap beyond it.
        memory_swap: Some(ram),
        pids_limit: Some(config.pids_limit),
        init: Some(true),
        cap_drop: Some(vec![text("ALL")]),
        cap_add: spec.root.then(|| ROOT_CAPABILITIES.map(text).to_vec()),
        security_opt: Some(vec![text("no-new-privileges")]),
        group_add: Some(inside::groups(launch)),
        mounts: Some(inside::mounts(launch)),
        log_config: Some(HostConfigLogConfig { typ: Some(text("none")), config: None }),
        network_mode: (network_disabled || !spec.network).then(|| text("none")),
        port_bindings: Some(ports.iter().map(binding).collect()),
        device_requests: (spec.resources.gpus > 0).then(|| {
            vec![DeviceRequest {
                count: Some(i64::from(spec.resources.gpus)),
                capabilities: Some(vec![vec![text("gpu")]]),
                ..DeviceRequest::default()
            }]
        }),
        ..HostConfig::default()
    }
}

fn binding(port: &PortMapping) -> (String, Option<Vec<PortBinding>>) {
    let host = PortBinding { host_ip: None, host_port: Some(port.host.to_string()) };
    (format!("{}/tcp", port.container), Some(vec![host]))
}
