//! What a job is inside its container, whichever engine made it: its user, its script's beginning, its mounts and
//! environment, the host ports it gets.

use std::collections::HashMap;

use bollard::models::{Mount, MountTmpfsOptions, MountType};

use super::LABEL;
use crate::config;
use crate::domain::{Acl, PortMapping, TmpStorage};
use crate::plugins::executor::{DATA_MOUNT, Launch};

/// The job directory, inside.
pub const DIRECTORY: &str = "/mnt/go-docker";

/// Begins the user's script and says when. A constant: nothing of the user's is ever part of a shell line. It asks the
/// image for `sh` and nothing else; `date` where it is. The script runs by its own interpreter if the image has it. A
/// SIGTERM is handed on, and waited through. god.exit is for when the engine knows the exit code no more
/// ([`crate::files::JobDirs::exit_said`]).
///
/// Its argument is the attempt, which begins once, whatever becomes of its container: an engine starts what has ended
/// again when it is told to, and a launch that was told twice may tell it so much later.
pub const BEGIN: &str = r#"cd /mnt/go-docker || exit 126
attempt=$1
if ! (set -C; : > ".god.begun-$attempt") 2>/dev/null; then
  code=
  read -r code < god.exit
  exit ${code:-255}
fi
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
"#;

/// What an image's shell is given: [`BEGIN`], and what else is done `after` the script.
pub fn command(launch: &Launch, after: &str) -> Vec<String> {
    let script = format!("{BEGIN}{after}exit $code\n");
    ["/bin/sh", "-c", &script, "godocker", &launch.name.attempt.to_string()].map(str::to_owned).into()
}

/// What root inside a container needs to be of use: to own and read files, and to become somebody else.
pub const ROOT_CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// `uid:gid`.
pub fn user(launch: &Launch) -> String {
    let owner = &launch.job.owner;
    if launch.job.spec.root { "0:0".to_owned() } else { format!("{}:{}", owner.uid, owner.gid) }
}

/// Further groups; root needs none.
pub fn groups(launch: &Launch) -> Vec<String> {
    let job = &launch.job;
    job.owner.groups.iter().filter(|_| !job.spec.root).map(ToString::to_string).collect()
}

pub fn labels(launch: &Launch) -> HashMap<String, String> {
    let labels = [
        (LABEL, launch.name.instance.to_string()),
        ("godocker.job", launch.job.id.to_string()),
        ("godocker.user", launch.job.owner.user.to_string()),
    ];
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Binds that fail where the source is missing; Docker would else make it, as root's.
pub fn mounts(launch: &Launch) -> Vec<Mount> {
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
    let data = launch.data.iter().map(|data| bind(data.display().to_string(), DATA_MOUNT.to_owned(), true));
    let tmp = launch.job.spec.tmp_storage.as_ref().map(tmp_storage);
    std::iter::once(directory).chain(volumes).chain(data).chain(tmp).collect()
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

pub fn environment(launch: &Launch) -> Vec<String> {
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
