//! Connections to Redis, or to the master that the sentinels name, made anew when they break.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, TlsCertificates, TlsMode};
use tokio::sync::Mutex;

use crate::config;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

pub struct Link {
    settings: config::Redis,
    shared: Mutex<Option<MultiplexedConnection>>,
}

impl Link {
    pub fn new(settings: config::Redis) -> Self {
        Link { settings, shared: Mutex::default() }
    }

    /// A key of ours.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.settings.prefix)
    }

    /// Sends one command over the connection that all share; see [`Link::all`].
    ///
    /// # Errors
    /// Redis'.
    pub async fn one<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let first = command.query_async(&mut self.shared().await?).await;
        match first {
            Err(error) if self.is_broken(&error).await => command.query_async(&mut self.shared().await?).await,
            outcome => outcome,
        }
    }

    /// Sends commands over the connection that all share; once more over a new one if that has broken. What they do
    /// may therefore happen twice.
    ///
    /// # Errors
    /// Redis'.
    pub async fn all<T: FromRedisValue>(&self, commands: &Pipeline) -> RedisResult<T> {
        let first = commands.query_async(&mut self.shared().await?).await;
        match first {
            Err(error) if self.is_broken(&error).await => commands.query_async(&mut self.shared().await?).await,
            outcome => outcome,
        }
    }

    /// Whether a new connection may do what this one did not. One that is slow is given up, and not waited for twice.
    async fn is_broken(&self, error: &RedisError) -> bool {
        if error.is_unrecoverable_error() || error.is_timeout() {
            *self.shared.lock().await = None;
        }
        error.is_unrecoverable_error() && !error.is_timeout()
    }

    async fn shared(&self) -> RedisResult<MultiplexedConnection> {
        let mut shared = self.shared.lock().await;
        if let Some(connection) = shared.as_ref() {
            return Ok(connection.clone());
        }
        Ok(shared.insert(self.connect(ANSWER_WITHIN).await?).clone())
    }

    /// A connection of one's own, whose answers may take `answer_within`.
    ///
    /// # Errors
    /// Redis'.
    pub async fn connect(&self, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(answer_within));
        self.client().await?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// # Errors
    /// Redis'.
    pub async fn publications(&self) -> RedisResult<redis::aio::PubSub> {
        let client = self.client().await?;
        let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        tokio::time::timeout(CONNECT_WITHIN, client.get_async_pubsub()).await.map_err(late)?
    }

    async fn client(&self) -> RedisResult<Client> {
        let settings = &self.settings;
        if settings.sentinels.is_empty() {
            let address = address(&settings.host, settings.port, settings.tls);
            return open(address.into_connection_info()?.set_redis_settings(self.login()), self.certificates());
        }
        let sentinels = settings.sentinels.iter().map(|(host, port)| address(host, *port, settings.tls));
        let master = &settings.sentinel_master;
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_db(settings.db);
        if let Some(user) = &settings.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &settings.password {
            builder = builder.set_client_to_redis_password(password.reveal());
        }
        if settings.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            builder = builder.set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = self.certificates() {
            builder = builder.set_client_to_redis_certificates(certificates.clone());
            builder = builder.set_client_to_sentinel_certificates(certificates);
        }
        let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        tokio::time::timeout(CONNECT_WITHIN, builder.build()?.async_get_client()).await.map_err(late)?
    }

    fn login(&self) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default().set_db(self.settings.db);
        if let Some(user) = &self.settings.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.settings.password {
            login = login.set_password(password.reveal());
        }
        login
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        let authority = self.settings.authority.clone()?;
        Some(TlsCertificates { client_tls: None, root_cert: Some(authority) })
    }
}

fn open(info: ConnectionInfo, certificates: Option<TlsCertificates>) -> RedisResult<Client> {
    match certificates {
        None => Client::open(info),
        Some(certificates) => Client::build_with_tls(info, certificates),
    }
}

fn address(host: &str, port: u16, tls: bool) -> ConnectionAddr {
    if tls {
        ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host.to_owned(), port)
    }
}
