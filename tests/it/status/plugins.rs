//! Each status plugin against its service: the database, a real etcd, a stand-in for Consul.

use std::sync::Arc;

use godocker::config::{self, Secret};
use godocker::domain::{Clock, ProcessRole, SystemClock};
use godocker::plugins::status::consul::ConsulStatus;
use godocker::plugins::status::etcd::EtcdStatus;
use godocker::plugins::status::store::StoreStatus;
use godocker::plugins::status::{StatusBackend, conformance};
use godocker::process;
use godocker::store::Store;
use godocker::store::sqlite::SqliteStore;

use crate::support::consul::{Consul, TOKEN};
use crate::support::etcd::Etcd;

#[tokio::test(flavor = "multi_thread")]
async fn the_store_keeps_what_a_status_plugin_promises() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = SqliteStore::open(&dir.path().join("godocker.db")).unwrap();
    conformance::run(async || StoreStatus::new(store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_keeps_what_a_status_plugin_promises() {
    let etcd = Etcd::start();
    let settings = config::Etcd { host: "127.0.0.1".into(), port: etcd.port, prefix: "/lab/".into() };
    conformance::run(async || EtcdStatus::new(&settings)).await;
}

fn consul_settings(consul: &Consul) -> config::Consul {
    config::Consul { host: "127.0.0.1".into(), port: consul.port, token: Some(Secret::new(TOKEN)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn consul_keeps_what_a_status_plugin_promises() {
    let consul = Consul::start();
    conformance::run(async || ConsulStatus::new(consul_settings(&consul), Arc::new(SystemClock)).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consul_that_forgot_everything_is_told_again() {
    let consul = Consul::start();
    let backend = ConsulStatus::new(consul_settings(&consul), Arc::new(SystemClock)).unwrap();
    let status = process::status(ProcessRole::Web, SystemClock.now());
    backend.put(&status).await.unwrap();
    consul.forget_everything();
    assert!(backend.all().await.unwrap().is_empty());
    backend.put(&status).await.unwrap();
    assert_eq!(backend.all().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_or_refuses_is_an_error_without_its_secrets() {
    let etcd = Etcd::start();
    let settings = config::Etcd { host: "127.0.0.1".into(), port: etcd.port, prefix: String::new() };
    let backend = EtcdStatus::new(&settings);
    backend.all().await.unwrap();
    drop(etcd);
    let error = backend.all().await.unwrap_err().to_string();
    assert!(error.starts_with("etcd does not answer"), "{error}");
    let consul = Consul::start();
    let wrong = config::Consul { token: Some(Secret::new("a wrong token")), ..consul_settings(&consul) };
    let backend = ConsulStatus::new(wrong, Arc::new(SystemClock)).unwrap();
    let error = backend.all().await.unwrap_err().to_string();
    assert_eq!(error, "Consul does not answer as it should: it does not take consul_token");
}
