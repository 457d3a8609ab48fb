//! go-d.ini, the environment, and what they must be.
//!
//! Defaults, then the file (YAML, the original's keys), then `GODOCKER_*`, then flags. One table ([`keys`]) names every
//! key with its type, default, environment variable and sentence; parsing, `go-d config check`, the README's list and
//! go-d.ini.example's test all read it. All faults are reported at once.

mod cluster;
mod engine;
mod ftp;
mod keys;
mod load;
mod people;
mod status;
mod units;
mod values;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::{Acl, Cores, Label, Memory, Quotas};

pub use cluster::{Daemons, Mongo, Redis};
pub use engine::{Docker, DockerTls, Registry, Swarm};
pub use ftp::{Ftp, FtpTls};
pub use keys::environment_table_markdown;
pub use load::{check_report, load};
pub use status::{Consul, Etcd, Metrics, Status};
pub use units::{parse_duration, parse_size};
pub use values::{Faults, Sources};

/// Everything a process needs to know, valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the embedded shape keeps its database and keys.
    pub data_dir: PathBuf,
    /// Job directories live under it (`tasks/pairtree_root`). Default: `<data_dir>/shared`.
    pub shared_dir: PathBuf,
    /// `None`: SQLite in `data_dir`.
    pub mongo: Option<Mongo>,
    /// `None`: everything is in one process.
    pub redis: Option<Redis>,
    pub daemons: Daemons,
    pub status: Status,
    pub metrics: Metrics,
    pub web: Web,
    pub ftp: Ftp,
    /// In order of preference; the first is the default. Empty: docker if an engine answers, else native.
    pub executors: Vec<String>,
    pub docker: Docker,
    pub swarm: Swarm,
    pub native: Native,
    pub scheduler: Scheduler,
    pub defaults: Defaults,
    pub access: Access,
    pub proxy: Proxy,
    /// Set for `auth_policy: ldap`.
    pub ldap: Option<Ldap>,
    /// `None` where guests are not allowed.
    pub guests: Option<Guests>,
    pub images: Vec<Image>,
    pub volumes: Vec<Volume>,
    pub volumes_check: bool,
    /// Labels that jobs may ask for: name and possible values.
    pub constraints: Vec<Constraint>,
    pub mail: Option<Mail>,
    pub watchers: Vec<String>,
    /// Limit for jobs that set no maxlifespan; the original's `maxlifespan` default. `None` is no limit.
    pub max_lifespan: Option<Duration>,
    /// `None`: what running jobs use is not looked at.
    pub sample_every: Option<Duration>,
    /// Names of requirements that `PUT /task/{id}` may change.
    pub dynamic_fields: Vec<DynamicField>,
    pub limits: Limits,
    pub disk: Disk,
    /// Between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    pub log: Log,
    pub instance_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Web {
    pub host: String,
    pub port: u16,
    /// `/god` behind a proxy that serves us there; empty or begins with `/` and does not end with it.
    pub prefix: String,
    /// How people reach us, for links in mail. Default: http://host:port.
    pub endpoint: Option<String>,
    pub session_duration: Duration,
    pub token_duration: Duration,
    /// Cookies only over HTTPS.
    pub secure_cookies: bool,
}

#[derive(Debug, Clone)]
pub struct Native {
    /// `None` takes what the machine has.
    pub cpus: Option<Cores>,
    pub ram: Option<Memory>,
    /// Enforce memory and process limits with cgroups where we may.
    pub cgroups: bool,
}

#[derive(Debug, Clone)]
pub struct Scheduler {
    /// `fifo` or `fairshare`.
    pub policy: String,
    /// Jobs beyond a quota are rejected, not kept waiting.
    pub reject_over_quota: bool,
    pub fair_share: FairShareWeights,
    /// What holds for accounts that have no quota of their own.
    pub site_quotas: Quotas,
    /// Days of use that count for fair share and quotas (`user_reset_usage_duration`).
    pub usage_window_days: u32,
    /// How long the oldest job that does not fit waits before room is kept for it.
    pub starvation_after: Duration,
    /// How often memory is compared with the store, and the store with the executors.
    pub reconcile_every: Duration,
}

/// The original's keys and defaults (`fairshare_*_weight`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FairShareWeights {
    pub waiting_time: f64,
    pub user_time: f64,
    pub user_cpu: f64,
    pub user_ram: f64,
    pub group_time: f64,
    pub group_cpu: f64,
    pub group_ram: f64,
    pub user: f64,
    pub group: f64,
}

impl Default for FairShareWeights {
    fn default() -> Self {
        FairShareWeights {
            waiting_time: 0.1,
            user_time: 1.0,
            user_cpu: 0.2,
            user_ram: 0.2,
            group_time: 0.1,
            group_cpu: 0.01,
            group_ram: 0.01,
            user: 1.0,
            group: 1.0,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Defaults {
    pub cpu: Cores,
    pub ram: Memory,
    /// New accounts get these; `disk` and `upload` hold for every account that has none of its own.
    pub quotas: Quotas,
    pub priority: u8,
}

#[derive(Debug, Clone)]
pub struct Access {
    /// `local`, `ldap` or `fake`.
    pub policy: String,
    /// The second time one has to say that `fake` is meant.
    pub allow_fake: bool,
    pub allow_root: bool,
    pub network_disabled: bool,
    /// Tokens and sessions are signed with it; `None`: a random key, kept in the data directory.
    pub secret: Option<Secret>,
    pub allow_user_images: bool,
    /// Members of a project see and manage each other's jobs in it.
    pub share_project_tasks: bool,
}

/// Proxies in front of us.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub trusted: Vec<IpNet>,
    /// The header in which a trusted proxy says who is logged in; `None`: nobody may.
    pub remote_user_header: Option<String>,
}

impl Proxy {
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LdapTls {
    None,
    StartTls,
    Ldaps,
}

#[derive(Debug, Clone)]
pub struct Ldap {
    pub host: String,
    pub port: u16,
    pub tls: LdapTls,
    /// PEM; `None` takes the system's authorities.
    pub ca_file: Option<PathBuf>,
    pub base_dn: String,
    /// Users are below `<this>,<base_dn>`.
    pub base_dn_filter: Option<String>,
    /// `None` searches anonymously.
    pub admin_dn: Option<String>,
    pub admin_password: Option<Secret>,
    pub login_fields: Vec<String>,
    pub home_field: String,
    pub mail_field: String,
    pub timeout: Duration,
}

#[derive(Debug, Clone)]
pub struct Guests {
    /// The system user whose uid and gid their jobs run with.
    pub bind: String,
    /// Each has a directory of their id under it; `None`: they have none.
    pub home_root: Option<PathBuf>,
    pub allow_root: bool,
    pub providers: Vec<GuestProvider>,
}

#[derive(Debug, Clone)]
pub struct GuestProvider {
    /// In our URLs: lower case letters, digits and -.
    pub name: String,
    /// On the button.
    pub title: String,
    pub kind: ProviderKind,
    pub client_id: String,
    pub client_secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    Oidc { issuer: String },
    GitHub { auth_url: String, token_url: String, user_url: String },
}

/// A text that never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, Clone)]
pub struct Image {
    pub name: String,
    pub url: String,
    pub default: bool,
}

#[derive(Debug, Clone)]
pub struct Volume {
    pub name: String,
    pub acl: Acl,
    /// May hold `$USERID`. `home` needs none: it is the user's.
    pub path: Option<String>,
    /// Default: `/mnt/<name>`.
    pub mount: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Constraint {
    pub name: String,
    pub values: Vec<String>,
}

impl Constraint {
    pub fn labels(&self) -> impl Iterator<Item = Label> + '_ {
        self.values.iter().map(|value| Label { name: self.name.clone(), value: value.clone() })
    }
}

#[derive(Debug, Clone)]
pub struct DynamicField {
    pub name: String,
    pub only_admin: bool,
}

#[derive(Debug, Clone)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    /// STARTTLS.
    pub tls: bool,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub from: String,
}

#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a script.
    pub script_bytes: usize,
    pub array_jobs: u32,
    /// Bytes of a file that may be downloaded; 0 is no limit.
    pub max_file_download: u64,
    /// Pending jobs a user may have; `None` is no limit (`rate_limit`).
    pub rate_limit: Option<u64>,
    /// Pending jobs in all (`rate_limit_all`).
    pub rate_limit_all: Option<u64>,
}

/// What becomes of the files of jobs, and how they are measured.
#[derive(Debug, Clone)]
pub struct Disk {
    /// The age from which `go-d clean` archives.
    pub clean_old: Duration,
    pub retention: Option<Retention>,
    /// `None`: running jobs are not measured.
    pub measure_every: Option<Duration>,
}

/// Over jobs are archived without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub archive_after: Duration,
    /// So long before, owners are told.
    pub warn_before: Option<Duration>,
}

#[derive(Debug, Clone)]
pub struct Log {
    pub level: String,
    pub json: bool,
}
