//! Docker engines: the machine's, and one of a test's own that it may stop.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::IMAGE;

pub fn docker(host: Option<&str>, args: &[&str]) -> std::process::Output {
    let mut command = Command::new("docker");
    if let Some(host) = host {
        command.args(["-H", host]);
    }
    command.args(args).output().unwrap()
}

/// Removes containers that mount something below `dir`.
pub fn remove_containers_under(dir: &str) {
    let Ok(listed) = Command::new("docker").args(["ps", "-aq", "--filter", "label=godocker.instance"]).output() else {
        return;
    };
    for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
        let mounts = docker(None, &["inspect", "-f", "{{json .Mounts}}", id]).stdout;
        if String::from_utf8_lossy(&mounts).contains(dir) {
            docker(None, &["rm", "-f", id]);
        }
    }
}

/// A dockerd of its own, without a network.
pub struct Engine {
    dir: tempfile::TempDir,
    child: Option<Child>,
}

impl Engine {
    pub fn start() -> Self {
        let mut engine = Engine { dir: tempfile::tempdir().unwrap(), child: None };
        engine.go_on();
        let archive = engine.dir.path().join("image.tar");
        assert!(docker(None, &["save", "-o", archive.to_str().unwrap(), IMAGE]).status.success());
        let loaded = docker(Some(&engine.host()), &["load", "-i", archive.to_str().unwrap()]);
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        engine
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// What its runtime keeps of a container that it runs.
    pub fn runtime_state_of(&self, container: &str) -> PathBuf {
        self.path("exec/containerd/daemon/io.containerd.runtime.v2.task/moby").join(container)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn go_on(&mut self) {
        let log = std::fs::File::create(self.path("log")).unwrap();
        // In a network of its own: without a bridge, dockerd would take down that of the machine's engine.
        let child = Command::new("unshare")
            .args(["--net", "dockerd"])
            .args(["--data-root", self.path("data").to_str().unwrap()])
            .args(["--exec-root", self.path("exec").to_str().unwrap()])
            .args(["--pidfile", self.path("pid").to_str().unwrap()])
            .args(["--host", &self.host(), "--bridge", "none", "--iptables=false", "--ip6tables=false"])
            .args(["--live-restore"])
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !docker(Some(&self.host()), &["version"]).status.success() {
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "dockerd does not answer: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// With `--live-restore` its containers go on.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(child.id() as i32),
                nix::sys::signal::Signal::SIGTERM,
            );
            let _ = child.wait();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let host = self.host();
        let listed = docker(Some(&host), &["ps", "-aq"]);
        for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
            docker(Some(&host), &["rm", "-f", id]);
        }
        self.stop();
        unmount_below(self.dir.path());
    }
}

fn unmount_below(dir: &Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let below = mounts.lines().rev().filter_map(|line| line.split(' ').nth(1));
    for mount in below.filter(|mount| Path::new(mount).starts_with(dir)) {
        let _ = Command::new("umount").args(["-l", mount]).status();
    }
}

/// A file system of so many bytes, gone when dropped.
pub struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    pub fn new(bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={bytes},mode=0755");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).status().unwrap();
        assert!(mounted.success(), "only root can mount");
        SmallDisk { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves no byte free, but for what is there already. Answers the file that does it.
    pub fn fill(&self) -> PathBuf {
        use std::io::Write;
        let path = self.dir.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let block = vec![0_u8; size];
            while file.write_all(&block).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount_below(self.dir.path());
    }
}
