//! What jobs use, and what would become of one: by real jobs, in one process and in a cluster.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::cluster::cluster;
use crate::support::redis::Redis;
use crate::support::{job, job_with, native};

/// A second of a processor, then a second of none; until it is told to end.
const BUSY: &str = "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done; \
                    while [ ! -e go ]; do sleep 0.2; done";

async fn used(api: &Api, id: u64, readings: usize) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let used = api.get(&format!("/task/{id}/usage")).await;
        if used["samples"].as_array().unwrap().len() >= readings {
            return used;
        }
        assert!(Instant::now() < deadline, "{used}\n{}", api.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn preview(api: &Api, document: Value) -> Value {
    let (status, answer) = api.call("POST", "/task/preview", Some(document)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn let_go(api: &Api, id: u64) -> Value {
    let task = api.task(id).await;
    let directory = task["container"]["volumes"][0]["path"].as_str().unwrap();
    std::fs::write(format!("{directory}/go"), "").unwrap();
    api.over(id).await
}

#[tokio::test]
async fn a_running_job_has_a_curve_which_stays_when_it_is_over() {
    let server = native().with("GODOCKER_SAMPLE_EVERY", "1s").start().await;
    let id = server.submit(job_with(BUSY, "requirements", "ram", 0.5)).await;
    let running = used(&server, id, 3).await;
    assert_eq!(running["requested"], json!({ "cpu": 1, "memory": 500_000_000, "limit_secs": null }));
    assert_eq!((&running["attempt"], &running["attempts"], &running["advice"]), (&json!(1), &json!([1]), &json!([])));
    let peak = running["peak"]["cpu"].as_f64().unwrap();
    assert!((0.2..1.5).contains(&peak), "{running}");
    assert!(running["peak"]["memory"].as_u64().unwrap() > 10_000, "{running}");
    let_go(&server, id).await;
    let over = server.get(&format!("/task/{id}/usage")).await;
    assert!(over["samples"].as_array().unwrap().len() >= 3, "{over}");
    assert!(over["cpu_seconds"].as_f64().unwrap() >= 0.5, "{over}");
    // Its files go with the archive, what it used with its record.
    server.get(&format!("/task/{id}/archive")).await;
    server.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    assert_eq!(server.get(&format!("/task/{id}/usage")).await["samples"], over["samples"]);
}

#[tokio::test]
async fn nobody_looks_where_nobody_is_to() {
    let server = native().with("GODOCKER_SAMPLE_EVERY", "0").start().await;
    let id = server.submit(job("sleep 6")).await;
    server.over(id).await;
    let used = server.get(&format!("/task/{id}/usage")).await;
    assert_eq!((&used["samples"], &used["peak"], &used["attempt"]), (&json!([]), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_preview_says_what_a_submit_would_do() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "2").start().await;
    let free = preview(&server, job("echo hello")).await;
    assert_eq!((&free["valid"], &free["faults"]), (&json!(true), &json!([])));
    assert_eq!(free["script"], json!({ "shell": "sh", "faults": [] }));
    assert_eq!((&free["outlook"]["starts"], &free["outlook"]["reason"]), (&json!(1), &Value::Null), "{free}");
    let executor = &free["free"]["executors"][0];
    assert_eq!(
        (&executor["name"], &executor["free"]["cpu"], &executor["largest"]["cpu"]),
        (&json!("native"), &json!(2), &json!(2))
    );
    assert_eq!(free["free"]["quota"]["user"]["cpu"], Value::Null, "there is no quota");

    let id = server.submit(job_with("while [ ! -e go ]; do sleep 0.1; done", "requirements", "cpu", 2)).await;
    server.running(id).await;
    let full = preview(&server, job("echo 'oops\n")).await;
    assert_eq!((&full["outlook"]["starts"], &full["outlook"]["position"]), (&json!(0), &json!(1)), "{full}");
    assert_eq!(full["outlook"]["reason"]["code"], "capacity");
    assert_eq!(full["outlook"]["sentence"], "No node has 1 cpu, 1 GB free at the moment.");
    assert_eq!(full["free"]["executors"][0]["free"]["cpu"], 0);
    assert!(full["script"]["faults"][0]["line"].is_u64(), "a warning: {full}");
    assert_eq!(full["valid"], true);
    assert_eq!(server.get("/site/free").await["executors"][0]["used"]["cpu"], 2);

    let wrong = preview(&server, job_with("#!/bin/sh\nfi\n", "requirements", "cpu", 64)).await;
    assert_eq!((&wrong["valid"], &wrong["faults"][0]["field"]), (&json!(false), &json!("requirements.cpu")), "{wrong}");
    assert_eq!((&wrong["outlook"], &wrong["script"]["faults"][0]["line"]), (&Value::Null, &json!(2)));
    let listed = server.get("/task").await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "nothing was stored");
    let_go(&server, id).await;
}

#[tokio::test]
async fn the_same_in_a_cluster() {
    let cluster =
        cluster(Redis::start()).with("GODOCKER_SAMPLE_EVERY", "1s").begin(&["scheduler-1", "watcher-1", "web-1"]);
    let api = cluster.api("web-1").await;
    let id = api.submit(job(BUSY)).await;
    used(&api, id, 2).await;
    let foretold = preview(&api, job("true")).await;
    assert!(foretold["outlook"]["starts"].is_u64(), "the leading scheduler answers: {foretold}");
    assert!(foretold["free"]["quota"]["user"].is_object(), "{foretold}");
    let_go(&api, id).await;
}
