//! Limits on memory and processes by control groups, version 1 or 2, where we may make them.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{AttemptName, Resources};

/// Our directories, one a hierarchy; attempts get one each below.
pub struct Cgroups {
    version: Version,
}

enum Version {
    One { memory: PathBuf, pids: Option<PathBuf> },
    Two(PathBuf),
}

/// Shared by all instances on a machine, whose attempts differ in name: nothing is left where one was tried once.
const PARENT: &str = "godocker";

/// Processes and threads of one job.
const PIDS: u32 = 4096;

impl Cgroups {
    /// `None` where they are not to be had; jobs then run without limits, and the log says so.
    pub fn find() -> Option<Self> {
        let found = version_one(Path::new("/sys/fs/cgroup")).or_else(version_two);
        if found.is_none() {
            tracing::warn!(
                "no control groups can be made here: native jobs run without limits on memory and processes"
            );
        }
        found.map(|version| Cgroups { version })
    }

    /// Makes the attempt's groups; answers the files that a process writes itself into.
    pub fn make(&self, name: &AttemptName, resources: &Resources) -> io::Result<Vec<PathBuf>> {
        let ram = resources.ram.bytes().to_string();
        match &self.version {
            Version::One { memory, pids } => {
                let group = make(memory, name)?;
                write(&group, "memory.limit_in_bytes", &ram)?;
                // Absent where swap is not accounted.
                let _ = write(&group, "memory.memsw.limit_in_bytes", &ram);
                let mut procs = vec![group.join("cgroup.procs")];
                if let Some(pids) = pids {
                    let group = make(pids, name)?;
                    write(&group, "pids.max", &PIDS.to_string())?;
                    procs.push(group.join("cgroup.procs"));
                }
                Ok(procs)
            }
            Version::Two(root) => {
                let group = make(root, name)?;
                write(&group, "memory.max", &ram)?;
                let _ = write(&group, "memory.swap.max", "0");
                let _ = write(&group, "pids.max", &PIDS.to_string());
                Ok(vec![group.join("cgroup.procs")])
            }
        }
    }

    pub fn ran_out_of_memory(&self, name: &AttemptName) -> bool {
        let (path, key) = match &self.version {
            Version::One { memory, .. } => (memory.join(name.to_string()).join("memory.oom_control"), "oom_kill "),
            Version::Two(root) => (root.join(name.to_string()).join("memory.events"), "oom_kill "),
        };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| line.strip_prefix(key)).any(|count| count.trim() != "0")
    }

    /// Bytes that the attempt's processes hold, without what the kernel only keeps of files.
    pub fn memory(&self, name: &AttemptName) -> Option<u64> {
        let (group, used, files) = match &self.version {
            Version::One { memory, .. } => (memory, "memory.usage_in_bytes", "total_inactive_file "),
            Version::Two(root) => (root, "memory.current", "inactive_file "),
        };
        let group = group.join(name.to_string());
        let used: u64 = std::fs::read_to_string(group.join(used)).ok()?.trim().parse().ok()?;
        let text = std::fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
        let files = text.lines().find_map(|line| line.strip_prefix(files)?.trim().parse().ok()).unwrap_or(0);
        Some(used.saturating_sub(files))
    }

    /// Kills whatever is left in the attempt's group, also what left its process group.
    pub fn kill_all(&self, name: &AttemptName) {
        let group = match &self.version {
            Version::One { memory, .. } => memory.join(name.to_string()),
            Version::Two(root) => root.join(name.to_string()),
        };
        for pid in std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
            if let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw) {
                // It may be gone already.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }

    /// Kills what is left and removes the groups; false while one is still being emptied.
    pub fn remove(&self, name: &AttemptName) -> bool {
        self.kill_all(name);
        let name = name.to_string();
        let groups = match &self.version {
            Version::One { memory, pids } => vec![Some(memory), pids.as_ref()],
            Version::Two(root) => vec![Some(root)],
        };
        let gone = |group: &PathBuf| match std::fs::remove_dir(group.join(&name)) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        // Each is tried, whatever became of the others.
        groups.into_iter().flatten().filter(|group| !gone(group)).count() == 0
    }
}

fn version_one(root: &Path) -> Option<Version> {
    let ours = |controller: &str| {
        let controller = root.join(controller);
        controller.join("cgroup.procs").exists().then_some(())?;
        let directory = controller.join(PARENT);
        std::fs::create_dir_all(&directory).ok()?;
        // Root may have made it, which is of no use to anybody else.
        let ours = rustix::fs::access(&directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
        ours.is_ok().then_some(directory)
    };
    let memory = ours("memory")?;
    memory.join("memory.limit_in_bytes").exists().then(|| Version::One { memory, pids: ours("pids") })
}

fn version_two() -> Option<Version> {
    let root = Path::new("/sys/fs/cgroup");
    root.join("cgroup.controllers").exists().then_some(())?;
    std::fs::write(root.join("cgroup.subtree_control"), "+memory +pids").ok()?;
    let directory = root.join(PARENT);
    std::fs::create_dir_all(&directory).ok()?;
    std::fs::write(directory.join("cgroup.subtree_control"), "+memory +pids").ok()?;
    Some(Version::Two(directory))
}

fn make(parent: &Path, name: &AttemptName) -> io::Result<PathBuf> {
    let group = parent.join(name.to_string());
    match std::fs::create_dir(&group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(group),
    }
}

fn write(group: &Path, file: &str, value: &str) -> io::Result<()> {
    std::fs::write(group.join(file), value)
}
