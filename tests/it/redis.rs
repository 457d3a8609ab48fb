//! Redis as sites run it: behind a password and TLS, and with sentinels that name another master.

use std::process::{Child, Command, Stdio};

use crate::support::certificates::make_certificates;
use crate::support::cluster::{cluster, until};
use crate::support::job;
use crate::support::redis::{Redis, free_port};

const EACH: [&str; 3] = ["scheduler-1", "watcher-1", "web-1"];

#[tokio::test]
async fn a_password_and_tls_are_spoken() {
    let dir = tempfile::tempdir().unwrap();
    make_certificates(dir.path());
    let tls_port = free_port().to_string();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let redis = Redis::with(
        &[],
        &[
            &["--requirepass", "pass-of-redis", "--tls-port", &tls_port, "--tls-auth-clients", "no"],
            &["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &authority][..],
        ]
        .concat(),
    );
    let cluster = cluster(redis)
        .with("GODOCKER_REDIS_URL", &format!("rediss://:pass-of-redis@localhost:{tls_port}/3"))
        .with("GODOCKER_REDIS_CA_FILE", &authority)
        .with("GODOCKER_REDIS_PREFIX", "lab")
        .begin(&EACH);
    let api = cluster.api("web-1").await;
    let task = api.over(api.submit(job("true")).await).await;
    assert_eq!(task["status"]["ending"], "done", "{}", cluster.logs());
    assert!(!cluster.logs().contains("pass-of-redis"));

    let refused = |name: &str, value: &str| {
        let mut other = crate::support::cluster::cluster(Redis::start());
        for (known, url) in cluster.env().filter(|(known, _)| known.starts_with("GODOCKER_REDIS")) {
            other.set(&known, &url);
        }
        other.set(name, value);
        let said = other.go_d(&["scheduler", "once"]);
        assert_eq!(said.status.code(), Some(1));
        String::from_utf8_lossy(&said.stderr).into_owned()
    };
    let stranger = refused("GODOCKER_REDIS_CA_FILE", &file("other-ca.pem"));
    assert!(stranger.contains("certificate"), "{stranger}");
    let wrong = refused("GODOCKER_REDIS_URL", &format!("rediss://:wrong-pass@localhost:{tls_port}/3"));
    assert!(!wrong.contains("wrong-pass"), "{wrong}");
}

/// Gone when dropped.
struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_master_that_sentinels_name_is_followed() {
    let mut first = Redis::start();
    let replica = Redis::with(&[], &["--replicaof", "127.0.0.1", &first.port().to_string()]);
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let settings = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor godocker 127.0.0.1 {} 1\n\
         sentinel down-after-milliseconds godocker 500\nsentinel failover-timeout godocker 3000\n",
        first.port()
    );
    let file = dir.path().join("sentinel.conf");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new("redis-server");
    let command = command.arg(&file).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
    let _sentinel = Sentinel(command.spawn().unwrap());
    let sentinel = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let ask = |words: &[&str]| {
        let mut command = redis::cmd("SENTINEL");
        words.iter().for_each(|word| {
            command.arg(*word);
        });
        command.query::<Vec<redis::Value>>(&mut sentinel.get_connection().ok()?).ok()
    };
    until("the sentinel knows the replica", || ask(&["replicas", "godocker"]).filter(|found| !found.is_empty())).await;

    let mut cluster = cluster(Redis::start())
        .with("GODOCKER_REDIS_SENTINELS", &format!("127.0.0.1:{port}"))
        .with("GODOCKER_REDIS_SENTINEL_MASTER", "godocker");
    cluster.unset("GODOCKER_REDIS_URL");
    let cluster = cluster.begin(&EACH);
    let api = cluster.api("web-1").await;
    assert_eq!(api.over(api.submit(job("true")).await).await["status"]["ending"], "done", "{}", cluster.logs());
    first.kill();
    let id = api.submit(job("true")).await;
    assert_eq!(api.over(id).await["status"]["ending"], "done", "{}", cluster.logs());
    let lease = || replica.command::<Option<String>>("GET god:lease");
    until("the lease is held at the new master", lease).await;
}
