//! Servers to test against, and the API as a test speaks it.

pub mod api;
pub mod browser;
pub mod certificates;
pub mod chromium;
pub mod cluster;
pub mod consul;
pub mod engine;
pub mod etcd;
pub mod made_up;
pub mod mail_sink;
pub mod mongo;
pub mod netns;
pub mod npm;
pub mod provider;
pub mod redis;
pub mod slapd;
pub mod swarm;

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub use api::Api;

pub const IMAGE: &str = "godocker/busybox";
pub const API_KEY: &str = "the-key-of-the-tests";
pub const PASSWORD: &str = "the password of the tests";

/// A `go-d up` of its own, in a directory of its own. Killed, with all its jobs, when dropped.
pub struct Server {
    child: Child,
    api: Api,
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Deref for Server {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

#[derive(Default)]
pub struct Options {
    env: Vec<(String, String)>,
    data_dir: Option<PathBuf>,
}

pub fn native() -> Options {
    Options::default().with("GODOCKER_EXECUTORS", "native").with("GODOCKER_NATIVE_CPUS", "8")
}

pub fn docker() -> Options {
    Options::default().with("GODOCKER_EXECUTORS", "docker")
}

/// On a swarm of the test's own.
pub fn swarm(cluster: &swarm::SwarmCluster) -> Options {
    Options::default().with("GODOCKER_EXECUTORS", "swarm").with("GODOCKER_SWARM_URL", &cluster.host(0))
}

impl Options {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// On a file system of the test's choice.
    pub fn data_dir(mut self, dir: &Path) -> Self {
        self.data_dir = Some(dir.to_owned());
        self
    }

    pub async fn start(self) -> Server {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let data_dir = self.data_dir.unwrap_or_else(|| dir.path().join("data"));
        let mut env = vec![
            ("GODOCKER_DATA_DIR".to_owned(), data_dir.display().to_string()),
            ("GODOCKER_ADMIN_APIKEY".to_owned(), API_KEY.to_owned()),
            ("GODOCKER_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()),
            ("GODOCKER_RECONCILE_EVERY".to_owned(), "1s".to_owned()),
            ("GODOCKER_KILL_GRACE".to_owned(), "1s".to_owned()),
        ];
        env.extend(self.env);
        let (child, address) = spawn(&env, "127.0.0.1:0", dir.path());
        let api = Api::log_in(&address, dir.path().join("go-d.log")).await;
        Server { child, api, dir, env }
    }
}

fn spawn(env: &[(String, String)], listen: &str, dir: &Path) -> (Child, String) {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("go-d.log")).unwrap();
    // A system user that every Debian has, with a home that exists.
    let mut command = command(env, &["up", "--listen", listen, "--run-as", "games"], None);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut lines = lines_of(&mut child);
    let ready = "GoDocker is ready at http://";
    let address = lines
        .find_map(|line| line.strip_prefix(ready).map(str::to_owned))
        .unwrap_or_else(|| panic!("go-d did not start: {}", log_of(dir)));
    // What it says later must have somewhere to go.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

/// `go-d` with nothing around it but `env`; in a network namespace where one is named.
fn command(env: &[(String, String)], args: &[&str], namespace: Option<&str>) -> Command {
    let program = env!("CARGO_BIN_EXE_go-d");
    let mut command = match namespace {
        None => Command::new(program),
        Some(namespace) => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", namespace, program]);
            command
        }
    };
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(env.iter().cloned()).stdin(Stdio::null());
    command
}

/// Runs `go-d` to its end.
fn go_d(env: &[(String, String)], args: &[&str], stdin: &str) -> std::process::Output {
    use std::io::Write;
    let mut command = command(env, args, None);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn lines_of(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok)
}

/// Native jobs outlive their server by design; those of a test do not outlive it.
fn kill_processes_under(dir: &Path) {
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|pid| pid.parse::<i32>().ok()) else { continue };
        if std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir)) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

fn log_of(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("go-d.log")).unwrap_or_default()
}

impl Server {
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// `go-d ..` on this server's data; what it prints.
    pub fn go_d(&self, args: &[&str]) -> std::process::Output {
        go_d(&self.env, args, "")
    }

    /// `go-d user ..` on this server's database; what it prints.
    pub fn go_d_user(&self, args: &[&str], stdin: &str) -> std::process::Output {
        let args: Vec<_> = ["user"].iter().chain(args).copied().collect();
        go_d(&self.env, &args, stdin)
    }

    /// A new local user without a password, whose jobs run as `uid`; their token.
    pub async fn new_user(&self, id: &str, uid: u32) -> String {
        let uid = uid.to_string();
        let made = self.go_d_user(&["create", id, "--no-password", "--uid", &uid, "--gid", &uid], "");
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        assert!(made.status.success(), "{said}{}", String::from_utf8_lossy(&made.stderr));
        let key = said.split("API key: ").nth(1).unwrap().lines().next().unwrap();
        self.token_of(id, key).await
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// SIGKILL, as a crash.
    pub fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }

    /// For when it is started again.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// On the same address, over the same data.
    pub async fn start_again(&mut self) {
        let (child, address) = spawn(&self.env, &self.address, self.dir.path());
        self.child = child;
        self.api = Api::log_in(&address, self.dir.path().join("go-d.log")).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        kill_processes_under(self.dir.path());
        engine::remove_containers_under(&self.dir.path().display().to_string());
    }
}

/// A job to submit: a name, an image, a script.
pub fn job(script: &str) -> Value {
    json!({
        "meta": { "name": "test" },
        "requirements": { "cpu": 1, "ram": 1 },
        "container": { "image": IMAGE },
        "command": { "cmd": script },
    })
}

/// A job with something of its own.
pub fn job_with(script: &str, section: &str, field: &str, value: impl Into<Value>) -> Value {
    let mut job = job(script);
    job[section][field] = value.into();
    job
}

/// A directory that everybody may write to, as a job's user must.
pub fn open_dir(server: &Server, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let dir = server.dir().join(name);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o777)).unwrap();
    dir
}
