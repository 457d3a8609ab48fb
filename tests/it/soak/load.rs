//! Twenty users who submit jobs of which it is known how they must end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::place::SoakUser;
use crate::support::IMAGE;

/// What a job is made to do; its name begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ends well.
    Well,
    /// Ends with code 3.
    Badly,
    /// Runs until it is killed.
    Killed,
    /// Three children that end well.
    Array,
    /// Waits for the user's last job that ends well.
    After,
    /// May be launched again when its node fails.
    Retried,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Well, Kind::Badly, Kind::Killed, Kind::Array, Kind::After, Kind::Retried];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Well => "well",
            Kind::Badly => "badly",
            Kind::Killed => "killed",
            Kind::Array => "array",
            Kind::After => "after",
            Kind::Retried => "retried",
        }
    }

    pub fn of(name: &str) -> Kind {
        Kind::ALL.into_iter().find(|kind| name.starts_with(kind.name())).expect("a job of the soak")
    }

    fn chosen(rng: &mut StdRng) -> Kind {
        match rng.random_range(0..100) {
            0..70 => Kind::Well,
            70..80 => Kind::Badly,
            80..85 => Kind::Killed,
            85..90 => Kind::Array,
            90..95 => Kind::After,
            _ => Kind::Retried,
        }
    }

    /// Says in its directory that it ran, and that it came to its end. One that may be launched again is there for long
    /// enough to be lost.
    fn script(self, tenths: u32) -> String {
        let rest = match self {
            Kind::Retried => format!("sleep 3.{tenths}; echo ended >> runs # {}", self.name()),
            Kind::Killed => "sleep 3600".to_owned(),
            Kind::Badly => format!("sleep 0.{tenths}; echo ended >> runs; exit 3"),
            Kind::Well | Kind::Array | Kind::After => format!("sleep 0.{tenths}; echo ended >> runs"),
        };
        format!("#!/bin/sh\necho begun >> runs\n{rest}\n")
    }
}

#[derive(Default)]
pub struct Submitted {
    /// Ids that the server answered with.
    pub accepted: Vec<u64>,
    /// Requests of which nobody knows whether they were carried out.
    pub unsure: usize,
}

struct Client {
    webs: Arc<Vec<String>>,
    http: reqwest::Client,
    user: SoakUser,
    token: String,
    rng: StdRng,
    unsure: usize,
}

/// All jobs in about `lasts`, whatever is broken meanwhile; what could not be submitted is submitted after it.
pub async fn submit(
    webs: Vec<String>,
    users: Vec<SoakUser>,
    jobs: usize,
    lasts: Duration,
    seed: u64,
    over: Arc<AtomicBool>,
) -> Submitted {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let webs = Arc::new(webs);
    let each = jobs.div_ceil(users.len());
    let tasks: Vec<_> = (0..)
        .zip(users)
        .map(|(n, user)| {
            let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
            let rng = StdRng::seed_from_u64(seed.wrapping_add(n + 1));
            let client = Client { webs: webs.clone(), http, user, token: String::new(), rng, unsure: 0 };
            tokio::spawn(client.submit_all(each, lasts, over.clone()))
        })
        .collect();
    let mut all = Submitted::default();
    for task in tasks {
        let one = task.await.expect("no user panics");
        all.accepted.extend(one.accepted);
        all.unsure += one.unsure;
    }
    all
}

impl Client {
    async fn submit_all(mut self, count: usize, lasts: Duration, over: Arc<AtomicBool>) -> Submitted {
        let began = Instant::now();
        let mut accepted = Vec::new();
        let mut last_well = None;
        for n in 0..count {
            // Evenly over the time, as far as what is broken lets us.
            let due = lasts.mul_f64(0.95 * n as f64 / count as f64);
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            let kind = if last_well.is_none() { Kind::Well } else { Kind::chosen(&mut self.rng) };
            let id = self.submit(kind, n, last_well, &over).await;
            match kind {
                Kind::Well => last_well = Some(id),
                Kind::Killed => self.ask("DELETE", &format!("/task/{id}"), None, &over).await,
                Kind::Badly => self.archive_something(&accepted, &over).await,
                Kind::Array | Kind::After | Kind::Retried => {}
            }
            accepted.push(id);
        }
        Submitted { accepted, unsure: self.unsure }
    }

    /// One of the older ones, if it is over by now.
    async fn archive_something(&mut self, accepted: &[u64], over: &AtomicBool) {
        if accepted.len() < 4 {
            return;
        }
        let id = accepted[self.rng.random_range(0..accepted.len() - 3)];
        if let Some((200, task)) = self.call("GET", &format!("/task/{id}"), None).await
            && task["status"]["primary"] == "over"
        {
            self.ask("GET", &format!("/task/{id}/archive"), None, over).await;
        }
    }

    async fn submit(&mut self, kind: Kind, n: usize, after: Option<u64>, over: &AtomicBool) -> u64 {
        let docker = kind == Kind::Retried || self.rng.random_range(0..6) == 0;
        let tenths = self.rng.random_range(0..5);
        let mut job = json!({
            "meta": { "name": format!("{}-{}-{n}", kind.name(), self.user.id), "tags": ["soak"] },
            "requirements": { "cpu": 0.2, "ram": 0.1, "executor": if docker { "docker" } else { "native" } },
            "container": { "image": IMAGE },
            "command": { "cmd": kind.script(tenths) },
        });
        match kind {
            Kind::Array => job["requirements"]["array"] = json!({ "values": "1:3:1" }),
            Kind::After => job["requirements"]["tasks"] = json!([after]),
            Kind::Retried => job["requirements"]["failure_policy"] = json!(2),
            Kind::Well | Kind::Badly | Kind::Killed => {}
        }
        loop {
            match self.call("POST", "/task", Some(&job)).await {
                Some((200, answer)) => return answer["id"].as_u64().unwrap(),
                answer => self.wait_for_better_times(answer, over).await,
            }
        }
    }

    /// Asks for something that may be asked twice, until it was heard.
    async fn ask(&mut self, method: &str, path: &str, body: Option<&Value>, over: &AtomicBool) {
        loop {
            match self.call(method, path, body).await {
                // 409: it was heard before, or is no longer to be asked.
                Some((200 | 409, _)) => return,
                answer => self.wait_for_better_times(answer, over).await,
            }
        }
    }

    async fn wait_for_better_times(&mut self, answer: Option<(u16, Value)>, over: &AtomicBool) {
        assert!(!over.load(Ordering::Relaxed), "submitting goes on");
        match answer {
            Some((status, answer)) => {
                assert!([401, 429, 500, 502, 503].contains(&status), "{}: {status} {answer}", self.user.id);
                self.unsure += usize::from(status >= 500);
            }
            None => self.unsure += 1,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// `None` when there was no answer.
    async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        if self.token.is_empty() {
            let login = json!({ "user": self.user.id, "apikey": self.user.key });
            let (status, answer) = self.send("POST", "/authenticate", Some(&login)).await?;
            if status != 200 {
                return Some((status, answer));
            }
            self.token = answer["token"].as_str().unwrap().to_owned();
        }
        self.send(method, path, body).await
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let web = &self.webs[self.rng.random_range(0..self.webs.len())];
        let mut request = self.http.request(method.parse().unwrap(), format!("{web}/api/1.0{path}"));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.ok()?))
    }
}
