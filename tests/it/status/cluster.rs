//! Roles in processes of their own, over a Redis of their own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{API_KEY, PASSWORD};

pub struct Cluster {
    pub dir: tempfile::TempDir,
    env: Vec<(String, String)>,
    redis: Child,
    roles: Vec<(&'static str, Child)>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// With a database, an administrator and Redis, and no role yet.
    pub fn new(env: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (redis, port) = start_redis();
        let mut all: Vec<(String, String)> = [
            ("GODOCKER_DATA_DIR", dir.path().join("data").display().to_string()),
            ("GODOCKER_REDIS_HOST", "127.0.0.1".to_owned()),
            ("GODOCKER_REDIS_PORT", port.to_string()),
            ("GODOCKER_EXECUTORS", "native".to_owned()),
            ("GODOCKER_WEB_PORT", "0".to_owned()),
            ("GODOCKER_UNPRIVILEGED", "true".to_owned()),
            ("GODOCKER_RECONCILE_EVERY", "1s".to_owned()),
            ("GODOCKER_ADMIN_APIKEY", API_KEY.to_owned()),
            ("GODOCKER_ADMIN_PASSWORD", PASSWORD.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        all.extend(env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let cluster = Cluster { dir, env: all, redis, roles: Vec::new() };
        let made = cluster.go_d(&["scheduler", "init", "--run-as", "games"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_go-d"));
        command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(self.env.iter().cloned());
        command
    }

    pub fn go_d(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn start(&mut self, role: &'static str) {
        let log = std::fs::File::create(self.dir.path().join(format!("{role}.log"))).unwrap();
        let child = self.command(&[role, "run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.roles.push((role, child));
    }

    pub fn log(&self, role: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(format!("{role}.log"))).unwrap_or_default()
    }

    /// SIGTERM, and waits.
    pub fn stop(&mut self, role: &str) {
        let at = self.roles.iter().position(|(name, _)| *name == role).unwrap();
        let (_, mut child) = self.roles.remove(at);
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log(role));
    }

    pub fn stop_redis(&mut self) {
        self.redis.kill().unwrap();
        self.redis.wait().unwrap();
    }

    /// What `go-d status --json` says, as soon as it ends with `code` and `is` holds.
    pub fn status(&self, code: i32, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let output = self.go_d(&["status", "--json"]);
            let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if output.status.code() == Some(code) && is(&said) {
                return said;
            }
            let logs: Vec<_> = self.roles.iter().map(|(role, _)| self.log(role)).collect();
            assert!(Instant::now() < deadline, "{output:?}\n{}", logs.join("\n"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// `http://` and where this role serves.
    pub fn address(&self, role: &str, status: &Value) -> String {
        let processes = status["processes"].as_array().unwrap();
        let process = processes.iter().find(|process| process["role"] == role).unwrap();
        format!("http://{}", process["address"].as_str().unwrap_or_else(|| panic!("{role} serves nowhere: {status}")))
    }
}

fn start_redis() -> (Child, u16) {
    // A port that was free may be taken by the time Redis opens it.
    for _ in 0..5 {
        let port = free_port();
        let mut redis = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while redis.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (redis, port);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("Redis does not start");
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (_, child) in &mut self.roles {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = self.redis.kill();
        let _ = self.redis.wait();
    }
}
