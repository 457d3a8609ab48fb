//! What a job's container is and may do.

use bollard::models::{
    ContainerCreateBody, DeviceRequest, HostConfig, HostConfigLogConfig, Mount, MountTmpfsOptions, MountType,
    PortBinding,
};

use super::LABEL;
use crate::config;
use crate::domain::{Acl, PortMapping, TmpStorage};
use crate::plugins::executor::{DATA_MOUNT, Launch};

/// The job directory, inside.
const DIRECTORY: &str = "/mnt/go-docker";

/// Begins the user's script and says when. A constant: nothing of the user's is ever part of a shell line. It asks the
/// image for `sh` and nothing else; `date` where it is. The script runs by its own interpreter if the image has it. A
/// SIGTERM is handed on, and waited through. god.exit is for when the engine knows the exit code no more
/// ([`crate::files::JobDirs::exit_said`]).
const BEGIN: &str = r#"cd /mnt/go-docker || exit 126
now() { date +%s 2>/dev/null || echo; }
now > god.info
: > god.exit
exec > god.log 2> god.err < /dev/null
with=sh
read -r first < cmd.sh
case "$first" in
'#!'*)
  set -f
  set -- ${first#'#!'}
  set +f
  if [ -x "$1" ] && [ -x cmd.sh ]; then with=; fi
  ;;
esac
set --
$with ./cmd.sh &
job=$!
trap 'kill -TERM $job 2>/dev/null' TERM
wait $job
code=$?
while kill -0 $job 2>/dev/null; do
  wait $job
  code=$?
done
now >> god.info
echo $code > god.exit
exit $code
"#;

/// What root inside a container needs to be of use: to own and read files, and to become somebody else.
const ROOT_CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

pub fn body(
    launch: &Launch,
    ports: &[PortMapping],
    config: &config::Docker,
    network_disabled: bool,
) -> ContainerCreateBody {
    let (job, spec) = (&launch.job, &launch.job.spec);
    let owner = &job.owner;
    let user = if spec.root { "0:0".to_owned() } else { format!("{}:{}", owner.uid, owner.gid) };
    let labels = [
        (LABEL, launch.name.instance.to_string()),
        ("godocker.job", job.id.to_string()),
        ("godocker.user", owner.user.to_string()),
    ];
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        user: Some(user),
        env: Some(environment(launch)),
        entrypoint: Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), BEGIN.to_owned()]),
        cmd: Some(Vec::new()),
        working_dir: Some(DIRECTORY.to_owned()),
        labels: Some(labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        exposed_ports: Some(ports.iter().map(|port| format!("{}/tcp", port.container)).collect()),
        host_config: Some(host_config(launch, ports, config, network_disabled)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(launch: &Launch, ports: &[PortMapping], config: &config::Docker, network_disabled: bool) -> HostConfig {
    let (owner, spec) = (&launch.job.owner, &launch.job.spec);
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
        group_add: Some(owner.groups.iter().filter(|_| !spec.root).map(ToString::to_string).collect()),
        mounts: Some(mounts(launch)),
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

/// Binds that fail where the source is missing; Docker would else make it, as root's.
fn mounts(launch: &Launch) -> Vec<Mount> {
    let bind = |source: String, target: String, read_only: bool| Mount {
        source: Some(source),
        target: Some(target),
        typ: Some(MountType::BIND),
        read_only: Some(read_only),
        ..Mount::default()
    };
    let directory = bind(launch.directory.display().to_string(), DIRECTORY.to_owned(), false);
    let volumes = launch.mounts.iter().map(|volume| {
        let read_only = volume.acl == Acl::Ro || launch.job.spec.root;
        bind(volume.path.display().to_string(), volume.mount.display().to_string(), read_only)
    });
    let tmp = launch.job.spec.tmp_storage.as_ref().map(tmp_storage);
    std::iter::once(directory).chain(volumes).chain(tmp).collect()
}

/// A tmpfs: the kernel holds it to its size, and counts what is in it as the job's memory.
fn tmp_storage(tmp: &TmpStorage) -> Mount {
    Mount {
        target: Some(tmp.path.display().to_string()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: i64::try_from(tmp.bytes).ok(),
            mode: Some(0o1777),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    }
}

fn environment(launch: &Launch) -> Vec<String> {
    let home = launch.mounts.iter().find(|volume| volume.name == "home");
    let home = home.map_or_else(|| DIRECTORY.to_owned(), |volume| volume.mount.display().to_string());
    let ours = [("GODOCKER_PWD", DIRECTORY), ("GODOCKER_HOME", &home), ("GODOCKER_DATA", DATA_MOUNT), ("HOME", &home)];
    let given = launch.env.iter().map(|(name, value)| format!("{name}={value}"));
    given.chain(ours.into_iter().map(|(name, value)| format!("{name}={value}"))).collect()
}

/// Host ports for the job's: its own number, or one of the site's range. Every try begins elsewhere.
pub fn ports(wanted: &[u16], config: &config::Docker, try_number: u16, job: u64) -> Vec<PortMapping> {
    let range = u64::from(config.port_range.max(1));
    let begin = job * 20 + u64::from(try_number) * 37;
    let host = |index: u64| config.port_start.saturating_add(((begin + index) % range) as u16);
    (0..)
        .zip(wanted)
        .map(|(index, container)| PortMapping {
            host: if config.port_allocate { host(index) } else { *container },
            container: *container,
        })
        .collect()
}
