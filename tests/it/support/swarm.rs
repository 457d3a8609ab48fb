//! A Docker Swarm on this machine: engines of a test's own, each in a network of its own, joined over a bridge that no
//! other network sees. They share the machine's files, as the nodes of a cluster share a directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::IMAGE;
use super::engine::docker;

const PATIENCE: Duration = Duration::from_secs(120);

/// Nodes are counted from 0; the first is the manager. They are called node1, node2...
pub struct SwarmCluster {
    dir: tempfile::TempDir,
    /// What the names of our network namespaces begin with.
    prefix: String,
    nodes: Vec<Node>,
    join: String,
}

struct Node {
    dir: PathBuf,
    space: String,
    arguments: Vec<String>,
    child: Mutex<Option<Child>>,
}

/// Why no swarm can be made here.
pub fn swarm_is_possible() -> bool {
    let root = nix::unistd::geteuid().is_root();
    let image = docker(None, &["image", "inspect", IMAGE]).status.success();
    let spaces = Command::new("ip").args(["netns", "list"]).output().is_ok_and(|output| output.status.success());
    if !(root && image && spaces) {
        eprintln!("NOT RUN: a swarm needs root ({root}), ip netns ({spaces}) and an engine with {IMAGE} ({image})");
    }
    root && image && spaces
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl SwarmCluster {
    pub const OWN_NODE: usize = 3;

    pub fn start(nodes: usize) -> Self {
        Self::start_with(nodes, &[])
    }

    /// `arguments`: for every dockerd.
    pub fn start_with(nodes: usize, arguments: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // One at a time: a dozen engines that start at once keep each other waiting for longer than anybody has patience.
        static STARTING: Mutex<()> = Mutex::new(());
        let _turn = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Short: the name of an interface has fifteen letters.
        let prefix = format!("gs{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::tempdir().unwrap();
        let hub = format!("{prefix}h");
        ip(&["netns", "add", &hub]);
        ip(&["-n", &hub, "link", "add", "br0", "type", "bridge"]);
        ip(&["-n", &hub, "link", "set", "br0", "up"]);
        let made = (1..=nodes).map(|number| Node::connect(dir.path(), &prefix, number, arguments));
        let mut cluster = SwarmCluster { nodes: made.collect(), dir, prefix, join: String::new() };
        let archive = cluster.dir.path().join("image.tar");
        assert!(docker(None, &["save", "-o", archive.to_str().unwrap(), IMAGE]).status.success());
        std::thread::scope(|scope| {
            for node in &cluster.nodes {
                scope.spawn(|| {
                    node.run();
                    node.succeed(&["load", "-i", archive.to_str().unwrap()]);
                });
            }
        });
        cluster.succeed(0, &["swarm", "init", "--advertise-addr", &address(1)]);
        // A site may keep no records of tasks that ended.
        cluster.succeed(0, &["swarm", "update", "--task-history-limit", "0"]);
        cluster.join = cluster.succeed(0, &["swarm", "join-token", "-q", "worker"]);
        (1..nodes).for_each(|node| cluster.join(node));
        cluster
    }

    /// One of four nodes that several tests use at once; gone with the last of them. Nobody else runs anything on
    /// [`Self::OWN_NODE`], which is for the test that counts what others hold.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<SwarmCluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self::start(Self::OWN_NODE + 1));
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    fn join(&self, node: usize) {
        self.succeed(node, &["swarm", "join", "--token", &self.join, &format!("{}:2377", address(1))]);
        self.until_state(node, "ready");
    }

    /// For `docker -H`.
    pub fn host(&self, node: usize) -> String {
        self.nodes[node].host()
    }

    pub fn name(&self, node: usize) -> String {
        format!("node{}", node + 1)
    }

    pub fn docker(&self, node: usize, arguments: &[&str]) -> Output {
        docker(Some(&self.host(node)), arguments)
    }

    /// What the engine answers; panics when it refuses.
    pub fn succeed(&self, node: usize, arguments: &[&str]) -> String {
        self.nodes[node].succeed(arguments)
    }

    /// A command in the network of a node.
    pub fn inside(&self, node: usize, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.network(node).display())).arg(program);
        command
    }

    /// The file that stands for the network of a node.
    pub fn network(&self, node: usize) -> PathBuf {
        Path::new("/run/netns").join(&self.nodes[node].space)
    }

    pub fn label(&self, node: usize, label: &str) {
        self.succeed(0, &["node", "update", "--label-add", label, &self.name(node)]);
    }

    pub fn pause(&self, node: usize) {
        self.set_availability(node, "pause");
    }

    pub fn drain(&self, node: usize) {
        self.set_availability(node, "drain");
    }

    pub fn activate(&self, node: usize) {
        self.set_availability(node, "active");
    }

    fn set_availability(&self, node: usize, availability: &str) {
        self.succeed(0, &["node", "update", "--availability", availability, &self.name(node)]);
    }

    /// By SIGKILL: its containers go on, and nobody hears of them.
    pub fn kill_engine(&self, node: usize) {
        if let Some(mut child) = self.nodes[node].child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn restart_engine(&self, node: usize) {
        self.nodes[node].run();
        self.until_state(node, "ready");
    }

    /// A dead node is noticed within some ten seconds: after three signs of life that did not come. Sooner, one that a
    /// busy machine only keeps waiting would be taken for dead, too.
    pub fn notice_soon(&self) {
        self.succeed(0, &["swarm", "update", "--dispatcher-heartbeat", "3s"]);
        // Every node hears of it with its next sign of life.
        std::thread::sleep(Duration::from_secs(5));
    }

    /// `ready`, `down`: as the manager sees the node.
    pub fn until_state(&self, node: usize, state: &str) {
        let deadline = Instant::now() + PATIENCE;
        let seen = || self.docker(0, &["node", "inspect", "-f", "{{.Status.State}}", &self.name(node)]).stdout;
        while String::from_utf8_lossy(&seen()).trim() != state {
            assert!(Instant::now() < deadline, "{} is not {state}", self.name(node));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Removes an instance's services with what they run.
    pub fn remove_services(&self, instance: &str) {
        let listed =
            self.docker(0, &["service", "ls", "-q", "--filter", &format!("label=godocker.instance={instance}")]);
        for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
            self.docker(0, &["service", "rm", id]);
        }
    }
}

impl Drop for SwarmCluster {
    fn drop(&mut self) {
        std::thread::scope(|scope| self.nodes.iter().for_each(|node| drop(scope.spawn(|| node.end()))));
        for space in self.nodes.iter().map(|node| node.space.clone()).chain([format!("{}h", self.prefix)]) {
            let _ = Command::new("ip").args(["netns", "del", &space]).output();
        }
    }
}

fn address(number: usize) -> String {
    format!("10.77.0.{number}")
}

impl Node {
    fn connect(dir: &Path, prefix: &str, number: usize, arguments: &[&str]) -> Self {
        let (space, hub, port) = (format!("{prefix}n{number}"), format!("{prefix}h"), format!("port{number}"));
        ip(&["netns", "add", &space]);
        ip(&["-n", &space, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &hub]);
        ip(&["-n", &space, "addr", "add", &format!("{}/24", address(number)), "dev", "eth0"]);
        for (space, link) in [(&space, "lo"), (&space, "eth0")] {
            ip(&["-n", space, "link", "set", link, "up"]);
        }
        ip(&["-n", &hub, "link", "set", &port, "master", "br0", "up"]);
        let dir = dir.join(format!("node{number}"));
        std::fs::create_dir(&dir).unwrap();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Node { dir, space, arguments, child: Mutex::default() }
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.join("docker.sock").display())
    }

    fn name(&self) -> &str {
        self.dir.file_name().unwrap().to_str().unwrap()
    }

    /// With its own network, host name and mounts: what it leaves mounted goes with it.
    fn run(&self) {
        let path = |name: &str| self.dir.join(name).to_str().unwrap().to_owned();
        let log = std::fs::File::options().create(true).append(true).open(path("log")).unwrap();
        let child = Command::new("nsenter")
            .arg(format!("--net=/run/netns/{}", self.space))
            .args(["unshare", "--uts", "--mount", "--propagation", "slave"])
            .args(["sh", "-c", "hostname \"$0\" && exec dockerd \"$@\"", self.name()])
            .args(["--data-root", &path("data"), "--exec-root", &path("exec"), "--pidfile", &path("pid")])
            .args(["--host", &self.host(), "--bip", "172.29.0.1/24", "--ip6tables=false", "--no-new-privileges"])
            .args(&self.arguments)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while !docker(Some(&self.host()), &["version"]).status.success() {
            let log = std::fs::read_to_string(path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "dockerd does not answer: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = docker(Some(&self.host()), arguments);
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Nothing of it stays behind, also of one whose engine was killed.
    fn end(&self) {
        if self.child.lock().unwrap().is_none() && std::panic::catch_unwind(|| self.run()).is_err() {
            return;
        }
        docker(Some(&self.host()), &["swarm", "leave", "--force"]);
        let listed = docker(Some(&self.host()), &["ps", "-aq"]);
        for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
            docker(Some(&self.host()), &["rm", "-f", id]);
        }
        let Some(mut child) = self.child.lock().unwrap().take() else { return };
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = child.wait();
    }
}
