//! Chromium, steered as a person would: WebDriver's few calls that the tests need, to chromedriver.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Chromium {
    driver: Child,
    session: String,
    client: reqwest::Client,
    profile: tempfile::TempDir,
}

impl Chromium {
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let mut chromium = Chromium { driver, session: format!("http://127.0.0.1:{port}"), client, profile };
        let deadline = Instant::now() + Duration::from_secs(30);
        while chromium.client.get(format!("{}/status", chromium.session)).send().await.is_err() {
            assert!(Instant::now() < deadline, "chromedriver does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut arguments: Vec<String> = [
            "headless",
            "no-sandbox",
            "disable-gpu",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "disable-dev-shm-usage",
        ]
        .map(|argument| format!("--{argument}"))
        .to_vec();
        arguments.push(format!("--user-data-dir={}", chromium.profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } });
        let made = chromium.send("POST", "/session", Some(wanted)).await;
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}"));
        chromium.session = format!("{}/session/{id}", chromium.session);
        chromium
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["value"].clone()
    }

    pub async fn open(&self, url: &str) {
        self.send("POST", "/url", Some(json!({ "url": url }))).await;
    }

    pub async fn url(&self) -> String {
        self.send("GET", "/url", None).await.as_str().unwrap().to_owned()
    }

    /// What a reader sees of the page.
    pub async fn text(&self) -> String {
        let body = self.find("body").await;
        self.send("GET", &format!("/element/{body}/text"), None).await.as_str().unwrap_or_default().to_owned()
    }

    /// The first element of a CSS selector, as soon as it is there.
    async fn find(&self, selector: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let wanted = json!({ "using": "css selector", "value": selector });
            let found = self.send("POST", "/element", Some(wanted)).await;
            if let Some(id) = found[ELEMENT].as_str() {
                return id.to_owned();
            }
            assert!(Instant::now() < deadline, "no {selector}: {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        let answer = self.send("POST", &format!("/element/{element}/click"), Some(json!({}))).await;
        assert!(answer.is_null(), "{selector}: {answer}");
    }

    /// In place of what is in the field.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.send("POST", &format!("/element/{element}/clear"), Some(json!({}))).await;
        let answer = self.send("POST", &format!("/element/{element}/value"), Some(json!({ "text": text }))).await;
        assert!(answer.is_null(), "{selector}: {answer}");
    }

    /// Waits until the page says this.
    pub async fn says(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "{} does not say {wanted:?} but: {text}", self.url().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // A driver that is killed leaves its browser, which is known by its profile.
        let profile = self.profile.path().display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|pid| pid.parse::<i32>().ok()) else { continue };
            let said = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&said).contains(&profile) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
}
