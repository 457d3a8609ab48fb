//! What a job used, and what would become of one.

use super::*;
use crate::domain::{Reading, Samples};
use crate::store::{AttemptSamples, SampleStore};

/// Two of eight cores and some memory, for ten minutes.
async fn has_used(world: &World, id: u64, attempt: u32) {
    let mut samples = Samples::since(Timestamp(0));
    for n in 1..=20 {
        let span = Duration::from_secs(n * 30);
        samples.add(&Reading { at: Timestamp(0).plus(span), cpu: span * 2, memory: 100_000_000 + n });
    }
    world.store.store.put_samples(vec![AttemptSamples { job: JobId(id), attempt, samples }]).await.unwrap();
}

#[tokio::test]
async fn use_is_shown_against_what_was_asked_for() {
    let world = world().await;
    let mut document = a_document();
    document["requirements"] = json!({ "cpu": 8, "ram": 4 });
    let id = world.submit("ann", &document).await;
    let path = format!("/task/{id}/usage");
    let nothing = world.get(&path, "ann").await.json();
    assert_eq!((&nothing["samples"], &nothing["peak"], &nothing["advice"]), (&json!([]), &Value::Null, &json!([])));
    has_used(&world, id, 1).await;
    let JobState::Over(outcome) = over() else { panic!("it is over") };
    let attempt = running().attempt().cloned();
    assert_eq!(attempt.as_ref().map(|attempt| attempt.number), Some(1));
    let (started, ended) = (Some(Timestamp(0)), Timestamp(610_000));
    let outcome = Outcome { attempt, started, ended, ending: Ending::Done, ..outcome };
    world.set(id, JobState::Over(outcome)).await;
    let used = world.get(&path, "ann").await.json();
    assert_eq!(used["samples"][1], json!({ "at": 60.0, "cpu": 2.0, "memory": 100_000_002 }));
    assert_eq!(used["requested"], json!({ "cpu": 8, "memory": 4_000_000_000_u64, "limit_secs": null }));
    assert_eq!(used["peak"], json!({ "cpu": 2.0, "memory": 100_000_020 }));
    assert_eq!((&used["average"]["cpu"], &used["cpu_seconds"]), (&json!(2.0), &json!(1200.0)));
    assert_eq!(used["advice"][0], json!({ "code": "less_memory", "asked": 4, "used": 0.10000002, "ask": 0.2 }));
    assert_eq!(used["advice"][1], json!({ "code": "fewer_cores", "asked": 8, "average": 2.0, "peak": 2.0, "ask": 3 }));
    has_used(&world, id, 2).await;
    let again = world.get(&path, "ann").await.json();
    assert_eq!((&again["attempt"], &again["attempts"]), (&json!(1), &json!([1, 2])), "the last attempt's");
    assert_eq!(world.get(&format!("{path}?attempt=2"), "ann").await.json()["attempt"], 2);
    assert_eq!(world.get(&path, "ben").await.status, 404);
    assert_eq!(world.get(&path, "root").await.status, 200);
}

#[tokio::test]
async fn a_preview_has_all_faults_of_a_submit_and_stores_nothing() {
    let world = world().await;
    let preview = async |document: &Value| world.send("POST", "/task/preview", "ann", &document.to_string(), &[]).await;
    let good = preview(&a_document()).await.json();
    assert_eq!((&good["valid"], &good["outlook"]), (&json!(true), &Value::Null), "no scheduler answers here");
    assert_eq!(good["free"]["executors"][0]["name"], "docker");
    let mut wrong = a_document();
    wrong["requirements"] = json!({ "cpu": -1, "executor": "nowhere" });
    wrong["container"]["image"] = json!("not an image");
    wrong["command"]["cmd"] = json!("#!/bin/sh\nif\n)\n");
    let answer = preview(&wrong).await.json();
    let submitted = world.send("POST", "/task", "ann", &wrong.to_string(), &[]).await.json();
    assert_eq!((&answer["valid"], &answer["faults"]), (&json!(false), &submitted["fields"]));
    assert_eq!((&answer["script"]["shell"], &answer["script"]["faults"][0]["line"]), (&json!("sh"), &json!(3)));
    let mut others = a_document();
    others["user"] = json!({ "id": "ben" });
    assert_eq!(preview(&others).await.status, 403, "as a submit");
    assert_eq!(world.get("/task", "ann").await.json(), json!([]));
    assert!(world.sent_to(Role::Scheduler).is_empty());
}

#[tokio::test]
async fn what_is_free_is_told_of_ones_own_projects_only() {
    let world = world().await;
    assert_eq!(world.get("/site/free?project=rna", "ann").await.status, 200);
    assert_eq!(world.get("/site/free", "ben").await.json()["quota"], Value::Null, "no scheduler answers here");
    let refused = world.get("/site/free?project=rna", "ben").await;
    assert_eq!((refused.status, &refused.json()["fields"][0]["field"]), (400, &json!("project")));
}
