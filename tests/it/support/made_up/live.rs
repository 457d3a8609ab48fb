//! What is under way: real jobs of a native executor with eight cores.

use serde_json::{Value, json};

use super::Named;
use super::people::key_of;
use crate::support::Server;

/// Says something at once, and then nothing for long: a picture of it is the same each time.
const WORKS: &str = "#!/bin/sh
echo 'reading reads.fq'
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo \"chunk $n of 40: $((n * 37 % 101)) hits\"; done
echo 'warning: 3 reads are shorter than 20 bases' >&2
exec sleep 100000
";

pub async fn begin(server: &Server, named: &mut Named) {
    let ann = server.token_of("ann", &key_of("ann")).await;
    let bob = server.token_of("bob", &key_of("bob")).await;
    let carla = server.token_of("carla", &key_of("carla")).await;

    let running = server.submit_as(&ann, job("align-reads", "rna", 2, WORKS)).await;
    let suspended = server.submit_as(&ann, job("fit-model", "default", 1, WORKS)).await;
    let bobs = server.submit_as(&bob, job("segment-cells", "imaging", 2, WORKS)).await;
    for id in [running, suspended, bobs] {
        server.running(id).await;
    }
    assert_eq!(server.call("GET", &format!("/task/{suspended}/suspend"), None).await.0, 200);
    server.until(suspended, "suspended", |task| task["status"]["secondary"] == "suspended").await;

    // Four of twelve are over, two run, the others wait for their turn.
    let mut array = job("fastqc", "rna", 1, "#!/bin/sh\n[ $GODOCKER_TASK_ID -le 4 ] || exec sleep 100000\necho well\n");
    array["requirements"]["array"] = json!({ "values": "1:12:1%2" });
    let array = server.submit_as(&ann, array).await;
    server.until(array, "at work", |task| task["requirements"]["array"]["nb_tasks_over"] == 4).await;

    let mut waiting = job("count-k-mers", "rna", 1, WORKS);
    waiting["requirements"]["tasks"] = json!([running]);
    let waiting = server.submit_as(&ann, waiting).await;
    let pending = server.submit_as(&ann, job("blast-nr", "rna", 4, WORKS)).await;
    let quota = server.submit_as(&carla, job("downscale", "climate", 1, WORKS)).await;
    for id in [waiting, pending, quota] {
        server.until(id, "looked at", |task| !task["status"]["reason"].is_null()).await;
    }
    for (name, id) in [
        ("running", running),
        ("suspended", suspended),
        ("array", array),
        ("waiting", waiting),
        ("pending", pending),
        ("over-quota", quota),
    ] {
        named.call(name, id);
    }
    tokens(server, &ann).await;
}

fn job(name: &str, project: &str, cpu: u32, script: &str) -> Value {
    json!({
        "user": { "project": project },
        "meta": { "name": name, "description": "", "tags": ["rna"] },
        "requirements": { "cpu": cpu, "ram": 2 },
        "container": { "image": "debian:stable" },
        "command": { "cmd": script },
    })
}

async fn tokens(server: &Server, ann: &str) {
    for (name, scope) in [("nightly pipeline", "submit"), ("dashboard", "read")] {
        let wanted = json!({ "name": name, "scope": scope });
        let (status, answer) = server.call_as(ann, "POST", "/user/ann/token", Some(wanted)).await;
        assert_eq!(status, 200, "{answer}");
    }
}
