//! Docker engines and swarms: where they are, how they are spoken to, and whose images they run.

use std::path::PathBuf;

use super::Secret;
use super::values::Values;

#[derive(Debug, Clone)]
pub struct Docker {
    /// `unix:///var/run/docker.sock`, `tcp://host:port`; `None` takes the local socket.
    pub url: Option<String>,
    /// How engines behind tcp:// are spoken to; `None` is in the clear.
    pub tls: Option<DockerTls>,
    pub registry: Option<Registry>,
    pub pids_limit: i64,
    /// Pull an image that the engine does not have.
    pub pull: bool,
    pub port_allocate: bool,
    pub port_start: u16,
    pub port_range: u16,
    /// Graphics cards to hand out; the engine does not tell.
    pub gpus: u32,
    /// Launches at once.
    pub concurrency: usize,
}

/// PEM files: who signed the engine's certificate, and what we show it.
#[derive(Debug, Clone)]
pub struct DockerTls {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The site's own registry of images.
#[derive(Debug, Clone)]
pub struct Registry {
    /// `host` or `host:port`.
    pub host: String,
    /// `None`: it asks for no login.
    pub user: Option<String>,
    pub password: Option<Secret>,
}

#[derive(Debug, Clone)]
pub struct Swarm {
    /// A manager; `None` takes the local socket.
    pub url: Option<String>,
}

pub(super) fn docker(values: &mut Values) -> Docker {
    let url = address(values, "docker_url");
    let (start, range) = (values.int("port_start").unwrap_or(1), values.int("port_range").unwrap_or(1));
    if start + range > 65_536 {
        values.fault("port_range", format!("expected a range that ends by 65535, got {start} + {range}"));
    }
    Docker {
        url,
        tls: tls(values),
        registry: registry(values),
        pids_limit: values.int("docker_pids_limit").unwrap_or(4096),
        pull: values.bool("docker_pull"),
        port_allocate: values.bool("port_allocate"),
        port_start: start as u16,
        port_range: range as u16,
        gpus: values.int("docker_gpus").unwrap_or(0) as u32,
        concurrency: values.int("docker_concurrency").unwrap_or(1) as usize,
    }
}

pub(super) fn swarm(values: &mut Values) -> Swarm {
    let url = address(values, "swarm_url");
    Swarm { url: url.or_else(|| values.text("docker_url")) }
}

fn address(values: &mut Values, key: &'static str) -> Option<String> {
    let url = values.text(key)?;
    if !["unix://", "tcp://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
        values.fault(key, "expected unix:///path or tcp://host:port");
    }
    Some(url)
}

fn tls(values: &mut Values) -> Option<DockerTls> {
    if !values.bool("docker_tls") {
        return None;
    }
    let urls = [values.text("docker_url"), values.text("swarm_url")];
    if urls.iter().flatten().all(|url| url.starts_with("unix://")) {
        values.fault("docker_tls", "expected docker_url or swarm_url to be tcp://host:port: a local socket has no TLS");
    }
    Some(DockerTls {
        authority: pem(values, "docker_tls_ca"),
        certificate: pem(values, "docker_tls_cert"),
        key: pem(values, "docker_tls_key"),
    })
}

fn pem(values: &mut Values, key: &'static str) -> PathBuf {
    let Some(file) = values.text(key) else {
        values.fault(key, "expected a PEM file, as docker_tls is true");
        return PathBuf::new();
    };
    if let Err(error) = std::fs::File::open(&file) {
        values.fault(key, format!("{file} cannot be read: {error}"));
    }
    PathBuf::from(file)
}

fn registry(values: &mut Values) -> Option<Registry> {
    // The original's files say False for none.
    let host = values.text("use_private_registry").filter(|host| host != "false")?;
    if host.contains("://") || host.contains(char::is_whitespace) || !(host.contains(['.', ':']) || host == "localhost")
    {
        values.fault("use_private_registry", format!("expected host:port, without http://, got {host:?}"));
    }
    let (user, password) = (values.text("private_registry_user"), values.text("private_registry_password"));
    if user.is_some() != password.is_some() {
        values.fault("private_registry_user", "expected private_registry_password with it, or neither");
    }
    Some(Registry { host: host.trim_end_matches('/').to_owned(), user, password: password.map(Secret::new) })
}
