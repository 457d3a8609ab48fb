//! From a name in go-d.ini to a plugin. A plugin is one line of its kind's table.

use std::sync::Arc;

use super::auth::AuthBackend;
use super::auth::directory::DirectoryAuth;
use super::auth::fake::FakeAuth;
use super::auth::ldap::Directory;
use super::auth::local::LocalAuth;
use super::executor::docker::DockerExecutor;
use super::executor::native::NativeExecutor;
use super::executor::swarm::SwarmExecutor;
use super::executor::{Capabilities, Executor};
use super::guests::Guests;
use super::status::StatusBackend;
use super::status::consul::ConsulStatus;
use super::status::etcd::EtcdStatus;
use super::status::store::StoreStatus;
use super::watcher::WatcherRule;
use super::watcher::maxlifespan::MaxLifespan;
use crate::config::Config;
use crate::domain::{Clock, InstanceId};
use crate::store::Store;

#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("there is no {kind} {name:?}: known are {known}")]
    Unknown { kind: &'static str, name: String, known: String },
    #[error("{0}")]
    NotAllowed(String),
    #[error("{name} cannot be used: {message}")]
    Failed { name: String, message: String },
}

type MakeAuth = fn(&Config, Arc<dyn Store>, Arc<dyn Clock>) -> Result<Arc<dyn AuthBackend>, RegistryError>;
type MakeStatus = fn(&Config, Arc<dyn Clock>) -> Result<Option<Arc<dyn StatusBackend>>, RegistryError>;
type MakeRule = fn(&Config) -> Box<dyn WatcherRule>;

const AUTH: &[(&str, MakeAuth)] = &[
    ("local", |_, store, _| Ok(Arc::new(LocalAuth::new(store)))),
    ("ldap", make_directory_auth),
    ("fake", make_fake_auth),
];

const STATUS: &[(&str, MakeStatus)] = &[
    (StoreStatus::NAME, |_, _| Ok(None)),
    (EtcdStatus::NAME, |config, _| Ok(Some(Arc::new(EtcdStatus::new(&config.status.etcd))))),
    (ConsulStatus::NAME, make_consul_status),
];

const WATCHER_RULES: &[(&str, MakeRule)] =
    &[(MaxLifespan::NAME, |config| Box::new(MaxLifespan { default: config.max_lifespan }))];

/// One of the site's `executors`. An executor whose backend does not answer now is made all the same.
pub async fn executor(name: &str, config: &Config, instance: &InstanceId) -> Result<Arc<dyn Executor>, RegistryError> {
    let failed = |message: String| RegistryError::Failed { name: name.to_owned(), message };
    match name {
        NativeExecutor::NAME => {
            let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
            let made = NativeExecutor::new(&config.native, instance.clone(), &config.data_dir, program);
            Ok(Arc::new(made.map_err(|error| failed(error.to_string()))?))
        }
        DockerExecutor::NAME => {
            let network_disabled = config.access.network_disabled;
            Ok(Arc::new(DockerExecutor::new(&config.docker, instance.clone(), network_disabled)))
        }
        SwarmExecutor::NAME => {
            let (docker, network_disabled) = (&config.docker, config.access.network_disabled);
            let (swarm, grace) = (&config.swarm, config.kill_grace);
            Ok(Arc::new(SwarmExecutor::new(docker, swarm, grace, instance.clone(), network_disabled)))
        }
        _ => Err(RegistryError::Unknown {
            kind: "executor",
            name: name.to_owned(),
            known: [DockerExecutor::NAME, SwarmExecutor::NAME, NativeExecutor::NAME].join(", "),
        }),
    }
}

/// What the executor of that name can do, without making one.
pub fn capabilities(name: &str) -> Option<Capabilities> {
    match name {
        NativeExecutor::NAME => Some(NativeExecutor::CAPABILITIES),
        DockerExecutor::NAME => Some(DockerExecutor::CAPABILITIES),
        SwarmExecutor::NAME => Some(SwarmExecutor::CAPABILITIES),
        _ => None,
    }
}

/// The site's `auth_policy`.
pub fn auth(
    config: &Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn AuthBackend>, RegistryError> {
    find("auth_policy", AUTH, &config.access.policy)?(config, store, clock)
}

/// The site's `status_policy`, where that is not the store, to which processes speak in any case. One whose service does
/// not answer now is made all the same.
pub fn status(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Arc<dyn StatusBackend>>, RegistryError> {
    find("status_policy", STATUS, &config.status.policy)?(config, clock)
}

/// The site's `guest_providers`, where guests are allowed.
pub fn guests(config: &Config) -> Result<Option<Arc<Guests>>, RegistryError> {
    let Some(settings) = &config.guests else { return Ok(None) };
    let made = Guests::new(settings.providers.clone());
    let failed = |error: super::guests::GuestError| RegistryError::Failed {
        name: "guest_providers".to_owned(),
        message: error.to_string(),
    };
    Ok(Some(Arc::new(made.map_err(failed)?)))
}

/// The site's `watchers`.
pub fn watcher_rules(config: &Config) -> Result<Vec<Box<dyn WatcherRule>>, RegistryError> {
    config.watchers.iter().map(|name| Ok(find("watcher", WATCHER_RULES, name)?(config))).collect()
}

fn make_directory_auth(
    config: &Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn AuthBackend>, RegistryError> {
    let unset = || RegistryError::NotAllowed("auth_policy ldap needs ldap_host and ldap_dn".into());
    let directory = Directory::new(config.ldap.clone().ok_or_else(unset)?);
    Ok(Arc::new(DirectoryAuth::new(directory, store, clock, config.defaults.clone())))
}

fn make_consul_status(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Arc<dyn StatusBackend>>, RegistryError> {
    let made = ConsulStatus::new(config.status.consul.clone(), clock);
    let failed = |error: super::status::StatusError| RegistryError::Failed {
        name: ConsulStatus::NAME.to_owned(),
        message: error.to_string(),
    };
    Ok(Some(Arc::new(made.map_err(failed)?)))
}

fn make_fake_auth(
    config: &Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn AuthBackend>, RegistryError> {
    let auth = FakeAuth::new(config.access.allow_fake, store, clock, config.defaults.clone());
    Ok(Arc::new(auth.map_err(|error| RegistryError::NotAllowed(error.to_string()))?))
}

/// The line of a table with this name.
fn find<T: Copy>(kind: &'static str, table: &[(&'static str, T)], name: &str) -> Result<T, RegistryError> {
    table.iter().find(|(known, _)| *known == name).map(|(_, make)| *make).ok_or_else(|| RegistryError::Unknown {
        kind,
        name: name.to_owned(),
        known: table.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_those_that_are_known() {
        let error = find("auth_policy", AUTH, "ldpa").map(drop).expect_err("there is no such plugin");
        assert_eq!(error.to_string(), r#"there is no auth_policy "ldpa": known are local, ldap, fake"#);
        assert!(find("watcher", WATCHER_RULES, "maxlifespan").is_ok());
    }
}
