//! A cluster on this machine: every role a process of its own, over a Redis and a store of the test's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::netns::Host;
use super::redis::Redis;
use super::{API_KEY, Api, PASSWORD, command, engine, go_d, kill_processes_under, lines_of};

/// Roles by the name that GOD_PROCID gives them: `scheduler-1`, `web-2`.
pub struct Cluster {
    pub redis: Redis,
    env: Vec<(String, String)>,
    processes: BTreeMap<String, Process>,
    dir: tempfile::TempDir,
}

struct Process {
    child: Child,
    /// Of a web process.
    address: Option<String>,
    /// The host it lives on, where that is not this one: its network namespace and address.
    host: Option<(String, String)>,
}

/// A cluster without processes yet.
pub fn cluster(redis: Redis) -> Cluster {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data_dir = dir.path().join("data");
    let mut cluster = Cluster { redis, env: Vec::new(), processes: BTreeMap::new(), dir };
    for (name, value) in [
        ("GODOCKER_DATA_DIR", data_dir.to_str().unwrap()),
        ("GODOCKER_ADMIN_APIKEY", API_KEY),
        ("GODOCKER_ADMIN_PASSWORD", PASSWORD),
        ("GODOCKER_RECONCILE_EVERY", "1s"),
        ("GODOCKER_KILL_GRACE", "1s"),
        ("GODOCKER_MASTER_TIMEOUT", "2s"),
        ("GODOCKER_EXECUTORS", "native"),
        ("GODOCKER_NATIVE_CPUS", "8"),
        ("GODOCKER_WEB_PORT", "0"),
    ] {
        cluster.set(name, value);
    }
    let url = cluster.redis.url();
    cluster.set("GODOCKER_REDIS_URL", &url);
    cluster
}

impl Cluster {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    pub fn env(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.env.iter().cloned()
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// `go-d ..` with this cluster's configuration.
    pub fn go_d(&self, args: &[&str]) -> Output {
        go_d(&self.env, args, "")
    }

    /// What it printed; it must have gone well.
    pub fn go_d_well(&self, args: &[&str]) -> String {
        let output = self.go_d(args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "go-d {args:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Makes the database ready, and starts these roles.
    pub fn begin(mut self, names: &[&str]) -> Self {
        self.go_d_well(&["scheduler", "init", "--run-as", "games"]);
        names.iter().for_each(|name| self.start(name));
        self
    }

    /// Starts `<role>-<anything>`. One that lived before under that name must be gone.
    pub fn start(&mut self, name: &str) {
        self.start_at(name, None);
    }

    /// On another host.
    pub fn start_in(&mut self, name: &str, host: Option<&Host>) {
        self.start_at(name, host.map(|host| (host.name().to_owned(), host.inside())));
    }

    fn start_at(&mut self, name: &str, host: Option<(String, String)>) {
        let role = name.split('-').next().unwrap();
        let log = std::fs::File::options().create(true).append(true).open(self.log_path(name)).unwrap();
        let mut command = command(&self.env, &[role, "run"], host.as_ref().map(|(namespace, _)| namespace.as_str()));
        if let Some((_, address)) = &host {
            command.env("GODOCKER_WEB_HOST", address);
        }
        if let Some(web) = self.processes.get(name).and_then(|process| process.address.as_ref()) {
            // Under the address it had before, as behind a proxy.
            command.env("GODOCKER_WEB_PORT", web.split([':', '/']).nth(1).unwrap());
        }
        let mut child = command.env("GOD_PROCID", name).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = lines_of(&mut child);
        let address = (role == "web").then(|| {
            let ready = "GoDocker serves at http://";
            let found = lines.find_map(|line| line.strip_prefix(ready).map(str::to_owned));
            found.unwrap_or_else(|| panic!("{name} did not start: {}", self.log(name)))
        });
        // What it says later must have somewhere to go.
        std::thread::spawn(move || lines.for_each(drop));
        let process = Process { child, address, host };
        self.processes.insert(name.to_owned(), process);
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.log"))
    }

    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.log_path(name)).unwrap_or_default()
    }

    /// All that all of them have to say.
    pub fn logs(&self) -> String {
        self.processes.keys().map(|name| format!("--- {name}\n{}", self.log(name))).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.processes.keys().cloned().collect()
    }

    pub fn address(&self, web: &str) -> String {
        self.processes[web].address.clone().unwrap()
    }

    pub async fn api(&self, web: &str) -> Api {
        Api::log_in(&self.address(web), self.log_path(web)).await
    }

    pub fn signal(&self, name: &str, signal: Signal) {
        kill(Pid::from_raw(self.processes[name].child.id() as i32), signal).unwrap();
    }

    /// SIGKILL, as a crash.
    pub fn crash(&mut self, name: &str) {
        let process = self.processes.get_mut(name).unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Those that have ended by themselves, or were made to.
    pub fn ended(&mut self) -> Vec<String> {
        let ended = |process: &mut Process| process.child.try_wait().unwrap().is_some();
        self.processes.iter_mut().filter_map(|(name, process)| ended(process).then(|| name.clone())).collect()
    }

    /// And starts it again, where it was.
    pub fn start_again(&mut self, name: &str) {
        self.start_at(name, self.processes[name].host.clone());
    }

    /// SIGTERM; the exit code.
    pub fn stop(&mut self, name: &str) -> Option<i32> {
        self.signal(name, Signal::SIGTERM);
        self.processes.get_mut(name).unwrap().child.wait().unwrap().code()
    }

    /// Which scheduler leads, by its own word; waits until one does.
    pub async fn leader(&self) -> String {
        let names = self.names();
        until("a scheduler leads", || {
            let holder: Option<String> = self.redis.command("GET god:lease");
            let holder = holder?.split(' ').next()?.to_owned();
            names.contains(&holder).then_some(holder)
        })
        .await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        kill_processes_under(self.dir.path());
        engine::remove_containers_under(&self.dir.path().display().to_string());
    }
}

/// Waits until there is something; panics with `what` after a minute.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
