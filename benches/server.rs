//! A `go-d up` of its own, and what it takes for native jobs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{millis, peak_memory, per_second, row};

pub const KEY: &str = "the-key-of-the-bench";

pub struct Server {
    child: Child,
    url: String,
    token: String,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Server {
    pub async fn start(executor: &str, env: &[(&str, &str)]) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut child = Command::new(env!("CARGO_BIN_EXE_go-d"))
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.path().join("data"))
            .env("GODOCKER_ADMIN_APIKEY", KEY)
            .env("GODOCKER_EXECUTORS", executor)
            .env("GOD_LOGLEVEL", "error")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("go-d starts");
        let lines = BufReader::new(child.stdout.take().expect("asked for")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("GoDocker is ready at ").map(str::to_owned))
            .expect("go-d says where it is");
        let client = reqwest::Client::new();
        let mut server = Server { child, url, token: String::new(), client, _dir: dir };
        let answer = server.call("POST", "/authenticate", Some(json!({ "user": "admin", "apikey": KEY }))).await;
        server.token = answer["token"].as_str().unwrap_or_default().to_owned();
        server
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}/api/1.0{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the server answers");
        response.json().await.expect("it answers JSON")
    }

    /// The bytes of an answer, read and counted.
    pub async fn read(&self, path: &str) -> u64 {
        let request = self.client.get(format!("{}/api/1.0{path}", self.url)).bearer_auth(&self.token);
        let mut response = request.send().await.expect("the server answers");
        let mut read = 0;
        while let Some(chunk) = response.chunk().await.expect("it goes on") {
            read += chunk.len() as u64;
        }
        read
    }

    pub async fn submit(&self, job: Value) -> u64 {
        let answer = self.call("POST", "/task", Some(job)).await;
        answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}"))
    }

    pub async fn over(&self, id: u64) -> Value {
        loop {
            let task = self.call("GET", &format!("/task/{id}/wait?timeout=60"), None).await;
            if task["status"]["primary"] == "over" {
                assert_eq!(task["status"]["ending"], "done", "{task}");
                return task;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn job(image: &str, script: &str) -> Value {
    json!({
        "meta": { "name": "bench" },
        "requirements": { "cpu": 1, "ram": 0.1 },
        "container": { "image": image },
        "command": { "cmd": script },
    })
}

pub async fn native(yardstick: &str) {
    for (cgroups, target) in [("false", "≥ 660/s"), ("true", "")] {
        let env = [("GODOCKER_NATIVE_CPUS", "8"), ("GODOCKER_NATIVE_CGROUPS", cgroups)];
        let server = Server::start("native", &env).await;
        let mut many = job("none", "#!/bin/true\n");
        many["requirements"]["array"] = json!({ "values": "5000" });
        let begun = Instant::now();
        let id = server.submit(many).await;
        server.over(id).await;
        let held = if cgroups == "true" { ", held by control groups" } else { "" };
        let figure = format!("{:.0}/s", per_second(5000, begun.elapsed()));
        row(&format!("native jobs, submit to done{held}"), figure, target, yardstick);
        row("  peak memory of go-d", peak_memory(server.child.id()), "", "");
    }
    let server = Server::start("native", &[("GODOCKER_NATIVE_CPUS", "8")]).await;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        server.over(server.submit(job("none", "true")).await).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    row("one `true`, submit to done, median of 50", millis(times[25]), "≤ 20 ms", "Slurm: 2,000 ms");
    let mut large = job("none", "true");
    // It waits for ever, so that only its acceptance is measured.
    large["requirements"]["cpu"] = json!(8);
    large["requirements"]["array"] = json!({ "values": "100000" });
    let blocker = server.submit(job("none", "sleep 600")).await;
    let begun = Instant::now();
    let id = server.submit(large).await;
    row("an array of 100,000 accepted", millis(begun.elapsed()), "≤ 1,000 ms", "");
    for id in [id, blocker] {
        server.call("DELETE", &format!("/task/{id}"), None).await;
    }
    row("  peak memory of go-d", peak_memory(server.child.id()), "", "");
}
