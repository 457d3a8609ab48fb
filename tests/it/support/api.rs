//! The API of a server, as a test speaks it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::API_KEY;

/// The administrator, logged in to one web process.
pub struct Api {
    pub address: String,
    token: String,
    client: reqwest::Client,
    /// What the server has to say: shown when something is not as it should be.
    log: PathBuf,
}

impl Api {
    pub async fn log_in(address: &str, log: PathBuf) -> Self {
        // The same key is known by whatever provider is first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(120)).pool_max_idle_per_host(0).build().unwrap();
        let mut api = Api { address: address.to_owned(), token: String::new(), client, log };
        api.token = api.token_of("admin", API_KEY).await;
        api
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
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
}
