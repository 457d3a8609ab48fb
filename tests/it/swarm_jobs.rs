//! Jobs on a swarm of several engines, by the whole program.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::swarm::{SwarmCluster, swarm_is_possible};
use crate::support::{Server, job, swarm};

fn node_of(task: &Value) -> &str {
    task["container"]["meta"]["Node"]["Name"].as_str().unwrap()
}

/// Until the scheduler has heard of it.
async fn until_drained(server: &Server, node: &str, wanted: bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    let is =
        |nodes: &Value| nodes.as_array().unwrap().iter().any(|seen| seen["name"] == node && seen["drained"] == wanted);
    while !is(&server.get("/queue/nodes").await) {
        assert!(Instant::now() < deadline, "not told that {node} is drained: {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn jobs_go_round_nodes_that_are_paused_or_drained_and_wait_where_all_are() {
    if !swarm_is_possible() {
        return;
    }
    let cluster = SwarmCluster::start(3);
    // Only the manager's word can be in time.
    let slow = swarm(&cluster).with("GODOCKER_KILL_GRACE", "2s").with("GODOCKER_RECONCILE_EVERY", "1h");
    let server = slow.start().await;
    let ends = server.submit(job("echo from $GODOCKER_JID; exit 3")).await;
    let task = server.over(ends).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&json!("failed"), &json!(3)), "{task}");
    assert_eq!(server.file(ends, "god.log").await, format!("from {ends}\n"));

    let runs = server.submit(job("while [ ! -e go ]; do sleep 0.1; done; echo lived")).await;
    let running = server.running(runs).await;
    let paused = (0..3).find(|node| cluster.name(*node) == node_of(&running)).unwrap();
    cluster.pause(paused);
    until_drained(&server, node_of(&running), true).await;
    let drained = (paused + 1) % 3;
    cluster.drain(drained);
    until_drained(&server, &cluster.name(drained), true).await;
    let others = [server.submit(job("true")).await, server.submit(job("true")).await];
    for id in others {
        let task = server.over(id).await;
        assert_eq!(task["status"]["ending"], "done", "{task}");
        assert_eq!(node_of(&task), cluster.name((paused + 2) % 3));
    }

    cluster.pause((paused + 2) % 3);
    let waits = server.submit(job("echo later")).await;
    let why = |task: &Value| task["status"]["pending"]["code"] == "drained";
    let task = server.until(waits, "waiting for a node", why).await;
    assert!(task["status"]["reason"].as_str().unwrap().contains("takes no new jobs"), "{task}");
    assert_eq!(server.task(runs).await["status"]["phase"], "running", "what runs on a paused node goes on");
    let asked = Instant::now();
    cluster.activate(drained);
    assert_eq!(server.over(waits).await["status"]["ending"], "done");
    assert!(asked.elapsed() < Duration::from_secs(15), "heard after {:?}", asked.elapsed());

    let volumes = running["container"]["volumes"].as_array().unwrap();
    let directory = volumes.iter().find(|volume| volume["name"] == "go-docker").unwrap()["path"].as_str().unwrap();
    std::fs::write(std::path::Path::new(directory).join("go"), "").unwrap();
    assert_eq!(server.over(runs).await["status"]["ending"], "done");
    assert_eq!(server.file(runs, "god.log").await, "lived\n");
}

#[tokio::test]
async fn a_crash_of_go_d_loses_no_job_of_a_swarm_and_kills_reach_it() {
    if !swarm_is_possible() {
        return;
    }
    let cluster = SwarmCluster::start(2);
    let mut server = swarm(&cluster).with("GODOCKER_KILL_GRACE", "2s").start().await;
    let runs = server.submit(job("trap 'echo asked; exit 9' TERM; while :; do sleep 0.1; done")).await;
    let ends = server.submit(job("sleep 2; exit 4")).await;
    for id in [runs, ends] {
        server.running(id).await;
    }
    server.crash();
    server.start_again().await;
    let task = server.over(ends).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&json!("failed"), &json!(4)), "{task}");
    assert_eq!(server.task(runs).await["status"]["phase"], "running");
    server.kill_job(runs).await;
    assert_eq!(server.over(runs).await["status"]["ending"], "killed");
    assert!(server.file(runs, "god.log").await.contains("asked"), "SIGTERM came first");
    let left = || cluster.succeed(0, &["service", "ls", "-q"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !left().is_empty() {
        assert!(Instant::now() < deadline, "services stay: {}", left());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
