//! What the executors that speak to Docker engines share: the connection, what a job finds inside its container, and how
//! engines answer. What an executor asks of them is its own.

pub mod answer;
pub mod inside;
pub mod registry;
pub mod stats;

use std::path::Path;

use bollard::{API_DEFAULT_VERSION, Docker};

use self::answer::of_docker;
use super::ExecutorError;
use crate::config;

/// On everything that is ours.
pub const LABEL: &str = "godocker.instance";
/// For one answer of the engine; a pull and the events take as long as they take.
const ANSWER_WITHIN: u64 = 120;

/// The engine at `url` (`None`: the local socket). It is not asked yet, and need not answer.
///
/// # Errors
/// When the address makes no sense, or its certificates cannot be read.
pub fn connect(url: Option<&str>, tls: Option<&config::DockerTls>) -> Result<Docker, ExecutorError> {
    let connected = match url {
        None => Docker::connect_with_unix("unix:///var/run/docker.sock", ANSWER_WITHIN, API_DEFAULT_VERSION),
        Some(url) if url.starts_with("unix://") => Docker::connect_with_unix(url, ANSWER_WITHIN, API_DEFAULT_VERSION),
        Some(url) => match tls {
            Some(tls) => connect_with_tls(url, tls)?,
            None => Docker::connect_with_http(url, ANSWER_WITHIN, API_DEFAULT_VERSION),
        },
    };
    connected.map_err(of_docker)
}

/// The certificates are read at every connection: they may be renewed meanwhile.
fn connect_with_tls(
    url: &str,
    tls: &config::DockerTls,
) -> Result<Result<Docker, bollard::errors::Error>, ExecutorError> {
    for file in [&tls.authority, &tls.certificate, &tls.key] {
        readable(file)?;
    }
    // Whoever was first has set the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Docker::connect_with_ssl(url, &tls.key, &tls.certificate, &tls.authority, ANSWER_WITHIN, API_DEFAULT_VERSION))
}

fn readable(file: &Path) -> Result<(), ExecutorError> {
    std::fs::File::open(file)
        .map(drop)
        .map_err(|error| ExecutorError::Unavailable(format!("{} cannot be read: {error}", file.display())))
}
