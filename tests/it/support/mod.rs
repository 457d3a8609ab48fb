//! Servers to test against, and the API as a test speaks it.

pub mod browser;
pub mod engine;
pub mod mail_sink;
pub mod provider;
pub mod slapd;
pub mod swarm;
pub mod webdriver;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub const IMAGE: &str = "godocker/busybox";
pub const API_KEY: &str = "the-key-of-the-tests";
pub const PASSWORD: &str = "the password of the tests";

/// A `go-d up` of its own, in a directory of its own. Killed, with all its jobs, when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
    token: String,
    client: reqwest::Client,
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
        // The same key is known by whatever provider is first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(120)).pool_max_idle_per_host(0).build().unwrap();
        let (child, address) = spawn(&env, "127.0.0.1:0", dir.path());
        let mut server = Server { child, address, dir, env, token: String::new(), client };
        server.log_in().await;
        server
    }
}

fn spawn(env: &[(String, String)], listen: &str, dir: &Path) -> (Child, String) {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("go-d.log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_go-d"))
        // A system user that every Debian has, with a home that exists.
        .args(["up", "--listen", listen, "--run-as", "games"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(env.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = "GoDocker is ready at http://";
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix(ready).map(str::to_owned))
        .unwrap_or_else(|| panic!("go-d did not start: {}", log_of(dir)));
    // What it says later must have somewhere to go.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (child, address)
}

fn log_of(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("go-d.log")).unwrap_or_default()
}

impl Server {
    async fn log_in(&mut self) {
        let body = json!({ "user": "admin", "apikey": API_KEY });
        let (status, answer) = self.call("POST", "/authenticate", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        self.token = answer["token"].as_str().unwrap().to_owned();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn log(&self) -> String {
        log_of(self.dir.path())
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// `go-d user ..` on this server's database; what it prints.
    pub fn go_d_user(&self, args: &[&str], stdin: &str) -> std::process::Output {
        use std::io::Write;
        let mut child = Command::new(env!("CARGO_BIN_EXE_go-d"))
            .arg("user")
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(self.env.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
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

    pub async fn token_of(&self, id: &str, key: &str) -> String {
        let (status, answer) =
            self.call_as("", "POST", "/authenticate", Some(json!({ "user": id, "apikey": key }))).await;
        assert_eq!(status, 200, "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    /// A path of the API and what it answers the administrator; text that is no JSON comes as a string.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_as(&self.token, method, path, body).await
    }

    /// The same for who has this token; `""` is nobody.
    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/api/1.0{path}", self.url());
        let mut request = self.client.request(method, url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log()));
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn submit(&self, job: Value) -> u64 {
        let (status, answer) = self.call("POST", "/task", Some(job)).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_u64().unwrap()
    }

    pub async fn submit_as(&self, token: &str, job: Value) -> u64 {
        let (status, answer) = self.call_as(token, "POST", "/task", Some(job)).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_u64().unwrap()
    }

    pub async fn task(&self, id: u64) -> Value {
        self.get(&format!("/task/{id}")).await
    }

    /// The job, once it is over.
    pub async fn over(&self, id: u64) -> Value {
        for _ in 0..12 {
            let task = self.get(&format!("/task/{id}/wait?timeout=10")).await;
            if task["status"]["primary"] == "over" {
                return task;
            }
        }
        panic!("job {id} is not over: {}\n{}", self.task(id).await, self.log());
    }

    /// The job, once `is` holds for it.
    pub async fn until(&self, id: u64, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let task = self.task(id).await;
            if is(&task) {
                return task;
            }
            assert!(Instant::now() < deadline, "job {id} is not {what}: {task}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn running(&self, id: u64) -> Value {
        self.until(id, "running", |task| task["status"]["phase"] == "running").await
    }

    pub async fn file(&self, id: u64, name: &str) -> String {
        let url = format!("{}/api/1.0/task/{id}/files/{name}", self.url());
        let response = self.client.get(url).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        response.text().await.unwrap()
    }

    pub async fn kill_job(&self, id: u64) {
        let (status, answer) = self.call("DELETE", &format!("/task/{id}"), None).await;
        assert_eq!(status, 200, "{answer}");
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

    /// On the same address, over the same data.
    pub async fn start_again(&mut self) {
        let (child, address) = spawn(&self.env, &self.address.clone(), self.dir.path());
        self.child = child;
        self.address = address;
        self.log_in().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Native jobs outlive their server by design; those of a test do not outlive it.
        let ours = self.dir.path().display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|pid| pid.parse::<i32>().ok()) else { continue };
            let in_ours =
                |what: &str| std::fs::read_link(process.path().join(what)).is_ok_and(|path| path.starts_with(&ours));
            if in_ours("cwd") {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
        engine::remove_containers_under(&ours);
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
