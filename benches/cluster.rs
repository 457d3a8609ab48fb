//! A process a role, against the embedded shape in the same run; who takes over, and how soon; what a pass costs that finds
//! a million jobs in the store.

use std::time::Instant;

use godocker::actors::scheduler_state::SchedulerState;
use godocker::config::{self, Sources};
use godocker::domain::{Cores, JobId, Memory, Node, Resources, Timestamp};
use godocker::scheduling::policy::policy;
use godocker::store::{JobStore, Store};
use serde_json::json;

use crate::server::job;
use crate::support::cluster::{Cluster, cluster};
use crate::support::mongo::Mongo;
use crate::support::redis::Redis;
use crate::support::{Api, native};
use crate::{millis, peak_memory, per_second, row};

const EACH: [&str; 3] = ["scheduler-1", "watcher-1", "web-1"];
const JOBS: usize = 2_000;

fn quiet(cluster: Cluster) -> Cluster {
    // As a site has it.
    cluster
        .with("GOD_LOGLEVEL", "error")
        .with("GODOCKER_RECONCILE_EVERY", "30s")
        .with("GODOCKER_NATIVE_CGROUPS", "false")
        .with("GODOCKER_MASTER_TIMEOUT", "15s")
}

pub async fn shapes() {
    let embedded = native().with("GOD_LOGLEVEL", "error").with("GODOCKER_NATIVE_CGROUPS", "false").start().await;
    measure(&embedded, "embedded", JOBS).await;
    drop(embedded);
    let over_redis = quiet(cluster(Redis::start())).begin(&EACH);
    measure(&over_redis.api("web-1").await, "over Redis and SQLite", JOBS).await;
    drop(over_redis);
    // It says nothing of MongoDB's own speed: SecantusDB takes milliseconds for each document.
    let mongo = Mongo::start();
    let over_mongo = quiet(cluster(Redis::start())).with("GODOCKER_MONGO_URL", &mongo.url()).begin(&EACH);
    measure(&over_mongo.api("web-1").await, "over Redis and SecantusDB", JOBS / 10).await;
}

async fn measure(api: &Api, shape: &str, jobs: usize) {
    let mut many = job("none", "#!/bin/true\n");
    many["requirements"]["array"] = json!({ "values": jobs.to_string() });
    let begun = Instant::now();
    over(api, api.submit(many).await).await;
    row(&format!("{jobs} native jobs {shape}"), format!("{:.0}/s", per_second(jobs, begun.elapsed())), "", "");
    let mut times = Vec::new();
    for _ in 0..30 {
        let begun = Instant::now();
        over(api, api.submit(job("none", "true")).await).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    row(&format!("one `true` {shape}, submit to done, median of 30"), millis(times[15]), "", "");
}

async fn over(api: &Api, id: u64) {
    while api.get(&format!("/task/{id}/wait?timeout=60")).await["status"]["primary"] != "over" {}
}

pub async fn takeover() {
    for (how, timeout) in [("stopped in order", "15s"), ("killed", "2s")] {
        let mut cluster = quiet(cluster(Redis::start())).with("GODOCKER_MASTER_TIMEOUT", timeout);
        cluster = cluster.begin(&["scheduler-1", "scheduler-2", "watcher-1", "web-1"]);
        let api = cluster.api("web-1").await;
        let leader = cluster.leader().await;
        over(&api, api.submit(job("none", "true")).await).await;
        if how == "killed" {
            cluster.crash(&leader);
        } else {
            assert_eq!(cluster.stop(&leader), Some(0));
        }
        let begun = Instant::now();
        over(&api, api.submit(job("none", "true")).await).await;
        let what = format!("a job done after the leader was {how}, master_timeout {timeout}");
        row(&what, millis(begun.elapsed()), &format!("≤ {timeout}"), "");
    }
}

/// A million pending jobs in the store: reading them, and a pass.
pub async fn a_million_pending() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = godocker::store::sqlite::SqliteStore::open(&dir.path().join("bench.db")).expect("a database");
    for user in 0..10 {
        let mut array = crate::store::new_job(user);
        array.spec.array = Some(godocker::domain::ArraySpec { first: 1, last: 100_000, step: 1, throttle: None });
        store.submit(array).await.expect("it is stored");
    }
    pass_over(&*store, "SQLite").await;
}

async fn pass_over(store: &dyn Store, name: &str) {
    let (config, _) = config::load(&Sources { file: None, env: Vec::new(), flags: Vec::new() }).expect("defaults");
    let policy = policy("fairshare", config.scheduler.fair_share).expect("it is known");
    let mut state = SchedulerState::new(&config.scheduler, policy, "native".into());
    let begun = Instant::now();
    let (mut after, mut count) = (JobId(0), 0);
    loop {
        let rows = store.pending(after, 10_000).await.expect("the store answers");
        let Some(last) = rows.last() else { break };
        after = last.id;
        count += rows.len();
        rows.into_iter().for_each(|row| state.enqueue(row));
    }
    row(&format!("{count} pending jobs read from {name}"), millis(begun.elapsed()), "", "");
    let total = Resources { cpu: Cores::whole(64), ram: Memory::gb(256), gpus: 0 };
    let node = Node {
        name: "n".into(),
        executor: "native".into(),
        total,
        others: Resources::default(),
        labels: Vec::new(),
        drained: false,
    };
    state.see_nodes("native", Ok(vec![node]));
    let begun = Instant::now();
    let plan = state.pass(Timestamp(1_000_000));
    let took = begun.elapsed();
    assert_eq!(plan.starts.len(), 64, "as many as fit");
    row(&format!("a pass over {count} pending that starts 64"), millis(took), "≤ 250 ms", "");
    row("  peak memory so far", peak_memory(std::process::id()), "≤ 1 GB", "");
}
