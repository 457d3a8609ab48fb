//! `etcd`: a key a process, `<etcd_prefix>/god/<role>/<id>`, with the status as JSON. Its lease ends with the process.

use async_trait::async_trait;
use etcd_client::{Client, ConnectOptions, Error, GetOptions, PutOptions};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::Mutex;

use super::{ANSWER_WITHIN, Result, StatusBackend, StatusError};
use crate::config;
use crate::domain::ProcessStatus;

/// What an id holds beyond this would be taken for a part of the path.
const IN_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub struct EtcdStatus {
    address: String,
    prefix: String,
    /// Where it is connected, with the lease of this process.
    link: Mutex<Option<Link>>,
}

#[derive(Clone)]
struct Link {
    client: Client,
    lease: Option<i64>,
}

impl EtcdStatus {
    pub const NAME: &str = "etcd";

    /// etcd need not answer yet.
    pub fn new(settings: &config::Etcd) -> Self {
        let prefix = format!("{}/god/", settings.prefix.trim_end_matches('/'));
        EtcdStatus { address: format!("{}:{}", settings.host, settings.port), prefix, link: Mutex::default() }
    }

    fn key(&self, process: &ProcessStatus) -> String {
        format!("{}{}/{}", self.prefix, process.role.as_str(), utf8_percent_encode(&process.id, IN_KEY))
    }

    /// Does this over the connection, which is made anew after an error.
    async fn with<T>(&self, work: impl AsyncFnOnce(&mut Link) -> std::result::Result<T, Error>) -> Result<T> {
        let mut held = self.link.lock().await;
        let done = async {
            let mut link = match held.take() {
                Some(link) => link,
                None => {
                    let options = ConnectOptions::new().with_connect_timeout(ANSWER_WITHIN).with_timeout(ANSWER_WITHIN);
                    Link { client: Client::connect([&self.address], Some(options)).await?, lease: None }
                }
            };
            let answer = work(&mut link).await?;
            *held = Some(link);
            Ok(answer)
        };
        let failed = |message: String| StatusError::Service { service: "etcd", message };
        match tokio::time::timeout(ANSWER_WITHIN * 2, done).await {
            Ok(done) => done.map_err(|error: Error| failed(error.to_string())),
            Err(_) => Err(failed(format!("nothing from {} in time", self.address))),
        }
    }
}

impl Link {
    /// The lease of this process, with its whole time before it.
    async fn lease(&mut self) -> std::result::Result<i64, Error> {
        if let Some(lease) = self.lease {
            match self.client.lease_keep_alive(lease).await {
                Ok(_) => return Ok(lease),
                // It ended while this process was asleep, or etcd was away.
                Err(Error::LeaseKeepAliveError(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let seconds = i64::try_from(ProcessStatus::DEAD_AFTER.as_secs()).unwrap_or(i64::MAX);
        let lease = self.client.lease_grant(seconds, None).await?.id();
        self.lease = Some(lease);
        Ok(lease)
    }
}

#[async_trait]
impl StatusBackend for EtcdStatus {
    async fn put(&self, process: &ProcessStatus) -> Result<()> {
        let key = self.key(process);
        let text = serde_json::to_string(process).expect("a status is always JSON");
        self.with(async |link| {
            let lease = link.lease().await?;
            link.client.put(key, text, Some(PutOptions::new().with_lease(lease))).await?;
            Ok(())
        })
        .await
    }

    async fn all(&self) -> Result<Vec<ProcessStatus>> {
        let prefix = self.prefix.clone();
        let found =
            self.with(async |link| link.client.get(prefix, Some(GetOptions::new().with_prefix())).await).await?;
        let mut processes: Vec<ProcessStatus> =
            found.kvs().iter().filter_map(|kv| serde_json::from_slice(kv.value()).ok()).collect();
        processes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(processes)
    }

    async fn remove(&self, process: &ProcessStatus) -> Result<()> {
        let key = self.key(process);
        self.with(async |link| link.client.delete(key, None).await).await?;
        Ok(())
    }
}
