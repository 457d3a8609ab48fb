//! What only a cluster has: MongoDB, Redis, the scheduler's lease, daemons.

use std::path::PathBuf;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo};

use super::Secret;
use super::values::Values;

/// Where jobs and accounts are kept.
#[derive(Debug, Clone)]
pub struct Mongo {
    /// It may hold a password.
    pub url: Secret,
    pub db: String,
}

/// Where commands and events go between processes.
#[derive(Debug, Clone)]
pub struct Redis {
    pub host: String,
    pub port: u16,
    pub db: i64,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub tls: bool,
    /// Who signed its certificate, as PEM; `None` takes the system's authorities.
    pub authority: Option<Vec<u8>>,
    /// Asked for the master instead of `host`, where there are any.
    pub sentinels: Vec<(String, u16)>,
    pub sentinel_master: String,
    /// What all our keys begin with.
    pub prefix: String,
}

#[derive(Debug, Clone)]
pub struct Daemons {
    /// How long a leading scheduler may be silent before another leads.
    pub master_timeout: Duration,
    /// Daemons may start without being root: every job then runs as who started them.
    pub unprivileged: bool,
    /// Pid files; what a daemon says goes to `log_dir`.
    pub run_dir: PathBuf,
    pub log_dir: PathBuf,
}

/// The URL's text is not repeated in a fault, as it may hold a password.
pub(super) fn mongo(values: &mut Values) -> Option<Mongo> {
    let db = values.text("mongo_db").unwrap_or_default();
    let is_name = !db.is_empty() && db.len() < 64 && db.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !is_name {
        values.fault("mongo_db", format!("expected up to 63 letters, digits, _ or -, got {db:?}"));
    }
    let url = values.text("mongo_url")?;
    let schemes = ["mongodb://", "mongodb+srv://"];
    if !schemes.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
        values.fault("mongo_url", "expected mongodb://user:password@host:port/, or mongodb+srv://");
    }
    Some(Mongo { url: Secret::new(url), db })
}

pub(super) fn redis(values: &mut Values) -> Option<Redis> {
    let mut redis = Redis {
        host: String::new(),
        port: values.int("redis_port").unwrap_or(6379) as u16,
        db: values.int("redis_db").unwrap_or(0),
        user: None,
        password: values.text("redis_password").map(Secret::new),
        tls: false,
        authority: None,
        sentinels: Vec::new(),
        sentinel_master: values.text("redis_sentinel_master").unwrap_or_default(),
        prefix: values.text("redis_prefix").unwrap_or_default(),
    };
    if let Some(url) = values.text("redis_url") {
        take_url(values, &url, &mut redis);
    } else if let Some(host) = values.text("redis_host") {
        redis.host = host;
    }
    for text in values.list("redis_sentinels") {
        let (host, port) = text.rsplit_once(':').unwrap_or((&text, "26379"));
        match port.parse() {
            Ok(port) if !host.is_empty() => redis.sentinels.push((host.to_owned(), port)),
            _ => values.fault("redis_sentinels", format!("expected host:port, got {text:?}")),
        }
    }
    if let Some(file) = values.text("redis_ca_file") {
        match std::fs::read(&file) {
            Ok(pem) => redis.authority = Some(pem),
            Err(error) => values.fault("redis_ca_file", format!("{file} cannot be read: {error}")),
        }
    }
    (!redis.host.is_empty() || !redis.sentinels.is_empty()).then_some(redis)
}

/// The URL's text is not repeated in a fault, as it may hold a password.
fn take_url(values: &mut Values, url: &str, redis: &mut Redis) {
    let expected = "expected redis://user:password@host:port/db, or rediss:// for TLS";
    let Ok(info) = url.into_connection_info() else {
        values.fault("redis_url", expected);
        return;
    };
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => (redis.host, redis.port) = (host.clone(), *port),
        ConnectionAddr::TcpTls { host, port, insecure: false, .. } => {
            (redis.host, redis.port, redis.tls) = (host.clone(), *port, true);
        }
        _ => values.fault("redis_url", expected),
    }
    let login = info.redis_settings();
    redis.db = login.db();
    redis.user = login.username().map(str::to_owned);
    if let Some(password) = login.password() {
        redis.password = Some(Secret::new(password));
    }
}

pub(super) fn daemons(values: &mut Values, data_dir: &std::path::Path) -> Daemons {
    let master_timeout = values.duration("master_timeout").unwrap_or_default();
    if master_timeout < Duration::from_secs(2) {
        values.fault("master_timeout", "expected at least 2s");
    }
    let mut directory = |key, name: &str| {
        let dir = values.text(key).map_or_else(|| data_dir.join(name), PathBuf::from);
        if !dir.is_absolute() {
            values.fault(key, format!("expected an absolute path, got {}", dir.display()));
        }
        dir
    };
    let (run_dir, log_dir) = (directory("run_dir", "run"), directory("log_dir", "log"));
    Daemons { master_timeout, unprivileged: values.bool("unprivileged"), run_dir, log_dir }
}
