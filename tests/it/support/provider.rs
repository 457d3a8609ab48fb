//! An OpenID provider: oauth2-mock-server, from npm, in a directory of its own; it can be made to lie.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::npm::installed;

/// The newest that Debian 12's nodejs runs.
const PACKAGE: &str = "oauth2-mock-server@7.2.1";

/// The only client it knows.
pub const CLIENT_ID: &str = "godocker-tests";
pub const CLIENT_SECRET: &str = "a-secret-of-the-tests";

static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| installed(PACKAGE));

pub struct Provider {
    child: Child,
    issuer: String,
    client: reqwest::Client,
    /// As tests/support/provider.js describes it.
    control: Value,
}

impl Provider {
    /// Its user is `subject`, called `name`, with a verified email; the ID token tells all of it.
    pub async fn start(subject: &str, name: &str, email: &str) -> Self {
        let mut child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/provider.js"))
            .args([CLIENT_ID, CLIENT_SECRET])
            .env("NODE_PATH", INSTALLED.join("node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://"), "the provider did not start");
        let mut provider = Provider { child, issuer, client: browser(), control: Value::Null };
        provider
            .set(json!({
                "person": { "sub": subject, "preferred_username": name, "email": email, "email_verified": true },
                "claims_in": "id_token",
                "id_token": {},
                "userinfo": {},
                "forge": false,
                "answers": {},
            }))
            .await;
        provider
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Another person comes, or the same with other claims.
    pub async fn person(&mut self, claims: Value) {
        self.change("person", claims).await;
    }

    /// The ID token tells nothing but the subject.
    pub async fn tells_only_by_userinfo(&mut self) {
        self.change("claims_in", "userinfo").await;
    }

    /// Claims over those of the ID token, before it is signed.
    pub async fn id_token(&mut self, claims: Value) {
        self.change("id_token", claims).await;
    }

    /// Claims over those that userinfo tells.
    pub async fn userinfo(&mut self, claims: Value) {
        self.change("userinfo", claims).await;
    }

    /// From now on, ID tokens are changed after they were signed.
    pub async fn forges(&mut self) {
        self.change("forge", true).await;
    }

    /// What `path` answers in place of its own, from now on.
    pub async fn answers(&mut self, path: &str, status: u16, headers: Value, body: &str) {
        let mut answers = self.control["answers"].clone();
        answers[path] = json!({ "status": status, "headers": headers, "body": body });
        self.change("answers", answers).await;
    }

    /// It is gone, and does not come back.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn change(&mut self, what: &str, value: impl Into<Value>) {
        self.control[what] = value.into();
        self.set(self.control.clone()).await;
    }

    async fn set(&mut self, control: Value) {
        let answer = self.client.put(format!("{}/control", self.issuer)).json(&control).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        self.control = control;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

fn browser() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Where a provider sends the visitor of its login page, who logs in without being asked.
pub async fn visit(url: &str) -> reqwest::Url {
    let answer = browser().get(url).send().await.unwrap();
    let location = answer.headers().get("location").unwrap_or_else(|| panic!("{url} leads nowhere: {answer:?}"));
    location.to_str().unwrap().parse().unwrap()
}

/// One of the values in an address.
pub fn value(url: &reqwest::Url, name: &str) -> String {
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}
