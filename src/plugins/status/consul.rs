//! `consul`: a service `godocker` of the local agent, an instance of it a process, tagged with its role. A check with a
//! time to live says whether it lives.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{ANSWER_WITHIN, Result, StatusBackend, StatusError};
use crate::config;
use crate::domain::{Clock, ProcessStatus, Timestamp};

const SERVICE: &str = "godocker";
/// How long Consul shows one that died.
const FORGET_AFTER: &str = "10m";

pub struct ConsulStatus {
    client: Client,
    settings: config::Consul,
    clock: Arc<dyn Clock>,
    /// What is registered, as it was then.
    registered: Mutex<Option<ProcessStatus>>,
}

/// An instance, as `/v1/health/service` tells of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    service: Service,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(default)]
    meta: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    status: String,
}

impl ConsulStatus {
    pub const NAME: &str = "consul";

    /// Consul need not answer yet.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(settings: config::Consul, clock: Arc<dyn Clock>) -> Result<Self> {
        // An error here means that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(ANSWER_WITHIN).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| failed(&error))?;
        Ok(ConsulStatus { client, settings, clock, registered: Mutex::default() })
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let address = format!("http://{}:{}/v1{path}", self.settings.host, self.settings.port);
        let request = self.client.request(method, address);
        match &self.settings.token {
            Some(token) => request.header("X-Consul-Token", token.reveal()),
            None => request,
        }
    }

    async fn register(&self, process: &ProcessStatus) -> Result<()> {
        let (host, port) = process.address.as_deref().and_then(|address| address.rsplit_once(':')).unwrap_or_default();
        let service = json!({
            "ID": instance(process),
            "Name": SERVICE,
            "Tags": [process.role.as_str()],
            "Address": host,
            "Port": port.parse::<u16>().unwrap_or(0),
            "Meta": meta(process),
            "Check": {
                "CheckID": check(process),
                "TTL": format!("{}s", ProcessStatus::DEAD_AFTER.as_secs()),
                "Status": "passing",
                "DeregisterCriticalServiceAfter": FORGET_AFTER,
            },
        });
        sent(self.call(Method::PUT, "/agent/service/register").json::<Value>(&service)).await?;
        Ok(())
    }
}

/// It goes into a path of the API, so what would divide that is written in hexadecimal.
fn instance(process: &ProcessStatus) -> String {
    let written = |byte: u8| match byte {
        b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("_{byte:02x}"),
    };
    format!("god-{}-{}", process.role.as_str(), process.id.bytes().map(written).collect::<String>())
}

fn check(process: &ProcessStatus) -> String {
    format!("service:{}", instance(process))
}

/// Each field as a text of its own: Consul takes none above 512 bytes.
fn meta(process: &ProcessStatus) -> HashMap<String, String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(process) else { return HashMap::new() };
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, text(value))).collect()
}

fn from_meta(meta: &HashMap<String, String>) -> Option<ProcessStatus> {
    let value = |name: &str, text: &String| match name {
        "pid" | "started" | "seen" | "leader" => serde_json::from_str(text).unwrap_or_default(),
        _ => Value::String(text.clone()),
    };
    let fields = meta.iter().map(|(name, text)| (name.clone(), value(name, text))).collect();
    serde_json::from_value(Value::Object(fields)).ok()
}

async fn sent(request: RequestBuilder) -> Result<reqwest::Response> {
    request.send().await.and_then(reqwest::Response::error_for_status).map_err(|error| failed(&error))
}

/// Without its address, which says nothing new.
fn failed(error: &reqwest::Error) -> StatusError {
    let message = match (error.status(), std::error::Error::source(error)) {
        (Some(StatusCode::FORBIDDEN), _) => "it does not take consul_token".to_owned(),
        (Some(status), _) => format!("it answers {status}"),
        (None, Some(cause)) => cause.to_string(),
        (None, None) if error.is_timeout() => "nothing came in time".to_owned(),
        (None, None) => "it cannot be asked".to_owned(),
    };
    StatusError::Service { service: "Consul", message }
}

#[async_trait]
impl StatusBackend for ConsulStatus {
    async fn put(&self, process: &ProcessStatus) -> Result<()> {
        let mut registered = self.registered.lock().await;
        let same = |known: &ProcessStatus| ProcessStatus { seen: process.seen, ..known.clone() } == *process;
        if registered.as_ref().is_some_and(same) {
            let pass = self.call(Method::PUT, &format!("/agent/check/pass/{}", check(process))).send().await;
            let pass = pass.map_err(|error| failed(&error))?;
            // An agent that was started anew may know nothing of it.
            if pass.status().is_success() {
                return Ok(());
            }
        }
        *registered = None;
        self.register(process).await?;
        *registered = Some(process.clone());
        Ok(())
    }

    async fn all(&self) -> Result<Vec<ProcessStatus>> {
        let answer = sent(self.call(Method::GET, &format!("/health/service/{SERVICE}"))).await?;
        let instances: Vec<Instance> = answer.json().await.map_err(|error| failed(&error))?;
        let now = self.clock.now();
        let mut processes: Vec<ProcessStatus> = instances.iter().filter_map(|instance| status(instance, now)).collect();
        processes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(processes)
    }

    async fn remove(&self, process: &ProcessStatus) -> Result<()> {
        *self.registered.lock().await = None;
        let path = format!("/agent/service/deregister/{}", instance(process));
        let answer = self.call(Method::PUT, &path).send().await.map_err(|error| failed(&error))?;
        if answer.status() == StatusCode::NOT_FOUND {
            // It knows nothing of it any more.
            return Ok(());
        }
        answer.error_for_status().map(drop).map_err(|error| failed(&error))
    }
}

/// Consul knows whether it lives, and not exactly when it said so last.
fn status(instance: &Instance, now: Timestamp) -> Option<ProcessStatus> {
    let mut process = from_meta(instance.service.meta.as_ref()?)?;
    if instance.checks.iter().all(|check| check.status == "passing") {
        process.seen = now;
    } else if process.is_alive_at(now) {
        process.seen = Timestamp(now.0 - ProcessStatus::DEAD_AFTER.as_millis() as i64);
    }
    Some(process)
}
