//! What the soak runs on: two hosts, one of them a network namespace; Redis, a database and an engine of its own.

use std::path::PathBuf;
use std::sync::Arc;

use godocker::bootstrap::open_store;
use godocker::config::{self, Config, Sources};
use godocker::domain::Phase;
use godocker::files::JobDirs;
use godocker::store::{JobFilter, Page, Store};

use super::load::Kind;
use crate::support::IMAGE;
use crate::support::cluster::{Cluster, cluster};
use crate::support::engine::{Engine, docker};
use crate::support::mongo::Mongo;
use crate::support::netns::Host;
use crate::support::redis::Redis;

/// Processes by where they live: here, and on the far host.
const HERE: [&str; 5] = ["scheduler-1", "watcher-1", "watcher-2", "archive-1", "web-1"];
const FAR: [&str; 3] = ["scheduler-2", "watcher-3", "web-2"];

/// A container that the engine had before.
pub const NOT_OURS: &str = "not-ours";

pub struct Place {
    pub cluster: Cluster,
    pub mongo: Mongo,
    pub engine: Engine,
    pub far: Host,
}

pub struct SoakUser {
    pub id: String,
    pub key: String,
}

pub fn begin() -> Place {
    let far = Host::new("far");
    let engine = Engine::start();
    // Not ours, and to be left alone. It also keeps the engine from thinking at a stop that nothing runs, in which case
    // it would kill what is just being started.
    let idle = ["run", "-d", "--name", NOT_OURS, "--network", "none", IMAGE, "sleep", "1000000"];
    assert!(docker(Some(&engine.host()), &idle).status.success());
    let redis = Redis::with(&[&far.outside()], &[]);
    let url = format!("redis://{}:{}/0", far.outside(), redis.port());
    let mongo = Mongo::start_at(&far.outside());
    let mut cluster = cluster(redis)
        .with("GODOCKER_MONGO_URL", &mongo.url())
        .with("GODOCKER_REDIS_URL", &url)
        .with("GODOCKER_EXECUTORS", "native, docker")
        .with("GODOCKER_DOCKER_URL", &engine.host())
        .with("GODOCKER_NATIVE_CPUS", "12")
        .with("GODOCKER_RECONCILE_EVERY", "5s")
        .begin(&HERE);
    for name in FAR {
        cluster.start_in(name, Some(&far));
    }
    Place { cluster, mongo, engine, far }
}

impl Place {
    /// New users with uids of their own.
    pub async fn users(&self, count: u32) -> Vec<SoakUser> {
        let make = |n: u32| {
            let (id, uid) = (format!("user{n}"), (20_000 + n).to_string());
            let made = self.cluster.go_d_well(&["user", "create", &id, "--no-password", "--uid", &uid, "--gid", &uid]);
            let key = made.split("API key: ").nth(1).unwrap().lines().next().unwrap().to_owned();
            SoakUser { id, key }
        };
        (0..count).map(make).collect()
    }

    pub fn webs(&self) -> Vec<String> {
        ["web-1", "web-2"].map(|web| format!("http://{}", self.cluster.address(web))).to_vec()
    }

    fn config(&self) -> Config {
        let env = self.cluster.env().collect();
        config::load(&Sources { file: None, env, flags: Vec::new() }).unwrap().0
    }

    pub async fn store(&self) -> Arc<dyn Store> {
        open_store(&self.config()).await.unwrap()
    }

    pub fn shared_dir(&self) -> PathBuf {
        self.config().shared_dir
    }

    /// Jobs that run until they are killed, and whose submitter never heard that they were accepted.
    pub async fn kill_strays(&self) {
        let api = self.cluster.api("web-1").await;
        let filter = JobFilter { phases: Phase::ACTIVE.to_vec(), ..JobFilter::default() };
        for job in self.store().await.list(&filter, Page::ALL).await.unwrap() {
            if Kind::of(&job.spec.name) == Kind::Killed && job.request.is_none() {
                // It may be killed by now.
                api.call("DELETE", &format!("/task/{}", job.id), None).await;
            }
        }
    }

    /// As the units in contrib/systemd do. Only one thing may end a role: at its start, a database that breaks off.
    pub fn start_again_what_ended(&mut self) {
        for name in self.cluster.ended() {
            let log = self.cluster.log(&name);
            let last = log.trim_end().lines().next_back().unwrap_or_default();
            assert!(last.contains("cannot be opened: the database does not answer"), "{name} ended: {log}");
            println!("soak: {name} ended and is started again: {last}");
            self.cluster.start_again(&name);
        }
    }

    /// Ends every role as an administrator would.
    pub fn stop(&mut self) {
        for name in self.cluster.names() {
            assert_eq!(self.cluster.stop(&name), Some(0), "{name}: {}", self.cluster.log(&name));
        }
    }

    /// Names and states of the containers that the engine has, also of those that have ended.
    pub fn containers(&self) -> String {
        let listed = docker(Some(&self.engine.host()), &["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
        assert!(listed.status.success());
        String::from_utf8_lossy(&listed.stdout).trim().to_owned()
    }

    /// Of first and second attempts of jobs that may be launched twice more: what of them runs.
    pub fn retried_containers(&self) -> Vec<String> {
        let listed =
            docker(Some(&self.engine.host()), &["ps", "--format", "{{.Names}}", "--filter", "label=godocker.job"]);
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let retried = |name: &&str| {
            let mut parts = name.rsplit('-');
            let (attempt, job) = (parts.next(), parts.next());
            let Some(job) = job.and_then(|job| job.parse().ok()) else { return false };
            let script = JobDirs::new(self.shared_dir()).directory_of(job).join("cmd.sh");
            attempt.is_some_and(|attempt| attempt < "3")
                && std::fs::read_to_string(script).is_ok_and(|script| script.contains(Kind::Retried.name()))
        };
        names.lines().filter(retried).map(str::to_owned).collect()
    }

    /// What the native executor still knows of.
    pub fn native_records(&self) -> Vec<String> {
        let records = std::fs::read_dir(self.cluster.data_dir().join("native")).unwrap();
        records.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}
