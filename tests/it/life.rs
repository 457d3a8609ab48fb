//! The life of native jobs: every state and ending, by a real job.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::mail_sink::MailSink;
use crate::support::{job, job_with, native, open_dir};

fn ending(task: &Value) -> (&str, i64) {
    (task["status"]["ending"].as_str().unwrap_or("none"), task["status"]["exitcode"].as_i64().unwrap_or(-1))
}

#[tokio::test]
async fn a_job_runs_as_its_user_in_its_directory_and_keeps_its_output() {
    let server = native().start().await;
    let id =
        server.submit(job("#!/bin/sh\necho to out; echo to err >&2; pwd; id -u; touch mine; echo $GODOCKER_JID")).await;
    let task = server.over(id).await;
    assert_eq!(ending(&task), ("done", 0));
    let volume = &task["container"]["volumes"][0];
    let directory = volume["path"].as_str().unwrap();
    let uid = task["user"]["uid"].as_u64().unwrap();
    assert_eq!(server.file(id, "god.log").await, format!("to out\n{directory}\n{uid}\n{id}\n"));
    assert_eq!(server.file(id, "god.err").await, "to err\n");
    assert_eq!(server.file(id, "god.info").await.lines().count(), 2);
    for name in ["mine", "god.log", "cmd.sh"] {
        use std::os::unix::fs::MetadataExt;
        let owner = std::fs::metadata(format!("{directory}/{name}")).unwrap().uid();
        assert_eq!(u64::from(owner), uid, "{name}");
    }
    assert_ne!(uid, 0, "no job runs as root by default");
}

#[tokio::test]
async fn an_exit_code_is_the_jobs() {
    let server = native().start().await;
    let task = server.over(server.submit(job("exit 7")).await).await;
    assert_eq!(ending(&task), ("failed", 7));
    let task = server.over(server.submit(job("kill -SEGV $$")).await).await;
    assert_eq!(ending(&task), ("failed", 139));
}

#[tokio::test]
async fn a_killed_job_is_killed_also_when_it_does_not_listen() {
    let server = native().start().await;
    let id = server.submit(job("trap '' TERM; echo up; while :; do sleep 1; done")).await;
    server.running(id).await;
    server.kill_job(id).await;
    let task = server.over(id).await;
    assert_eq!(ending(&task), ("killed", 137));
    assert_eq!(task["status"]["secondary"], "killed");
}

#[tokio::test]
async fn a_pending_job_says_why_and_is_killed_without_ever_running() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "1").start().await;
    let first = server.submit(job("sleep 60")).await;
    server.running(first).await;
    let second = server.submit(job("true")).await;
    let waits = |task: &Value| task["status"]["pending"]["code"] == "capacity";
    let task = server.until(second, "waiting for room", waits).await;
    assert_eq!(task["status"]["pending"]["position"], 1);
    assert!(task["status"]["reason"].as_str().unwrap().contains("No node has"), "{task}");
    server.kill_job(second).await;
    let task = server.over(second).await;
    assert_eq!(ending(&task), ("killed", 137));
    assert!(task["status"].get("date_running").is_none(), "{task}");
}

#[tokio::test]
async fn a_job_over_its_time_limit_is_stopped() {
    let server = native().start().await;
    let id = server.submit(job_with("sleep 60", "requirements", "maxlifespan", "1s")).await;
    assert_eq!(ending(&server.over(id).await), ("time limit", 137));
}

#[tokio::test]
async fn a_job_over_its_memory_is_stopped_where_it_can_be_held_to_it() {
    if !std::path::Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists()
        && !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
    {
        return;
    }
    let server = native().start().await;
    let mut hungry = job("exec python3 -c 'x = bytearray(400_000_000)'");
    hungry["requirements"]["ram"] = json!(0.1);
    let id = server.submit(hungry).await;
    assert_eq!(ending(&server.over(id).await).0, "out of memory");
}

#[tokio::test]
async fn a_suspended_job_stands_still_until_it_is_resumed() {
    let server = native().start().await;
    let id = server.submit(job("while :; do date +%N > tick; sleep 0.05; done")).await;
    let tick_of = |task: &Value| format!("{}/tick", task["container"]["volumes"][0]["path"].as_str().unwrap());
    // Running is a moment before the script's first line.
    let ticks = |task: &Value| std::fs::read(tick_of(task)).is_ok_and(|tick| !tick.is_empty());
    let tick = tick_of(&server.until(id, "ticking", ticks).await);
    assert_eq!(server.call("GET", &format!("/task/{id}/suspend"), None).await.0, 200);
    let suspended = |task: &Value| task["status"]["secondary"] == "suspended";
    server.until(id, "suspended", suspended).await;
    let before = std::fs::read(&tick).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(std::fs::read(&tick).unwrap(), before);
    assert_eq!(server.call("GET", &format!("/task/{id}/resume"), None).await.0, 200);
    server.until(id, "resumed", |task| !suspended(task) && std::fs::read(&tick).unwrap() != before).await;
    server.kill_job(id).await;
    assert_eq!(ending(&server.over(id).await), ("killed", 137));
}

#[tokio::test]
async fn an_array_runs_its_children_within_its_throttle() {
    let server = native().start().await;
    let dir = open_dir(&server, "shared");
    let script = format!(
        "echo + >> {0}/log; sleep 0.1; echo - >> {0}/log; echo $GODOCKER_TASK_ID $GOGOCKER_TASK_STEP >> {0}/ids",
        dir.display()
    );
    let id = server.submit(job_with(&script, "requirements", "array", json!({ "values": "1:10:4%2" }))).await;
    let task = server.over(id).await;
    assert_eq!(ending(&task), ("done", 0), "{task}");
    assert_eq!(task["requirements"]["array"]["nb_tasks"], 3);
    assert_eq!(task["requirements"]["array"]["nb_tasks_over"], 3);
    let mut ids: Vec<_> = std::fs::read_to_string(dir.join("ids")).unwrap().lines().map(str::to_owned).collect();
    ids.sort();
    assert_eq!(ids, ["1 4", "5 4", "9 4"]);
    let log = std::fs::read_to_string(dir.join("log")).unwrap();
    let most = log.lines().scan(0, |now, line| {
        *now += if line == "+" { 1 } else { -1 };
        Some(*now)
    });
    assert!(most.max().unwrap() <= 2, "{log}");
}

#[tokio::test]
async fn a_killed_array_takes_its_children_with_it() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "2").start().await;
    let id = server.submit(job_with("sleep 60", "requirements", "array", json!({ "values": "20" }))).await;
    server.running(id).await;
    server.kill_job(id).await;
    let task = server.over(id).await;
    assert_eq!(ending(&task).0, "killed", "{task}");
    assert_eq!(task["requirements"]["array"]["nb_tasks_over"], task["requirements"]["array"]["nb_tasks"]);
}

#[tokio::test]
async fn dependencies_go_by_how_the_other_job_ended() {
    let server = native().start().await;
    let good = server.submit(job("sleep 0.3")).await;
    let bad = server.submit(job("sleep 0.3; exit 1")).await;
    let after = async |on: String| server.submit(job_with("true", "requirements", "tasks", json!([on]))).await;
    let runs = [after(good.to_string()).await, after(format!("{bad}:failed")).await, after(format!("{bad}:any")).await];
    let never = [after(bad.to_string()).await, after(format!("{good}:failed")).await];
    for id in runs {
        assert_eq!(ending(&server.over(id).await), ("done", 0));
    }
    for id in never {
        let task = server.over(id).await;
        assert_eq!(ending(&task).0, "rejected", "{task}");
        assert!(task["status"]["reason"].as_str().unwrap().contains("It waited for job"), "{task}");
        assert_eq!(task["status"]["secondary"], "rejected by scheduler");
    }
}

/// Kills a job's wrapper and the job: what a node does when it dies.
fn lose(task: &Value) {
    let wrapper: i32 = task["container"]["id"].as_str().unwrap().parse().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{wrapper}/task/{wrapper}/children")).unwrap();
    let kill = |pid: i32| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    kill(wrapper).unwrap();
    for child in children.split_whitespace() {
        let _ = kill(-child.parse::<i32>().unwrap());
    }
}

#[tokio::test]
async fn a_job_whose_node_fails_is_launched_again_as_often_as_asked() {
    let server = native().start().await;
    let id = server.submit(job_with("sleep 60", "requirements", "failure_policy", 1)).await;
    lose(&server.running(id).await);
    let again = |task: &Value| task["status"]["phase"] == "running" && task["status"]["failure"]["count"] == 1;
    let task = server.until(id, "running again", again).await;
    lose(&task);
    let task = server.over(id).await;
    assert_eq!(ending(&task).0, "node failure", "{task}");
}

#[tokio::test]
async fn a_rescheduled_job_begins_again() {
    let server = native().start().await;
    let dir = open_dir(&server, "shared");
    let script = format!("echo begun >> {0}/log; [ $(wc -l < {0}/log) = 2 ] || sleep 60", dir.display());
    let id = server.submit(job(&script)).await;
    server.running(id).await;
    server.until(id, "begun", |_| dir.join("log").exists()).await;
    assert_eq!(server.call("GET", &format!("/task/{id}/reschedule"), None).await.0, 200);
    assert_eq!(ending(&server.over(id).await), ("done", 0));
    assert_eq!(std::fs::read_to_string(dir.join("log")).unwrap(), "begun\nbegun\n");
}

#[tokio::test]
async fn an_impossible_request_is_refused_when_it_is_made() {
    let server = native().start().await;
    for (field, value) in
        [("cpu", json!(500)), ("gpus", json!(1)), ("tmpstorage", json!({ "size": "10g", "path": null }))]
    {
        let (status, answer) = server.call("POST", "/task", Some(job_with("true", "requirements", field, value))).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["msg"].as_str().unwrap().contains(&format!("requirements.{field}")), "{answer}");
    }
}

#[tokio::test]
async fn an_archived_job_keeps_its_record_and_loses_its_files() {
    let server = native().start().await;
    let id = server.submit(job("echo hello")).await;
    let directory = server.over(id).await["container"]["volumes"][0]["path"].as_str().unwrap().to_owned();
    assert_eq!(server.call("GET", &format!("/task/{id}/archive"), None).await.0, 200);
    server.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    assert!(!std::path::Path::new(&directory).exists());
}

#[tokio::test]
async fn the_owner_is_mailed_when_asked() {
    let sink = MailSink::start();
    let server = native()
        .with("GODOCKER_EMAIL_SMTP_HOST", "127.0.0.1")
        .with("GODOCKER_EMAIL_SMTP_PORT", &sink.port.to_string())
        .with("GODOCKER_EMAIL_FROM", "godocker@example.org")
        .start()
        .await;
    let (status, answer) = server.call("PUT", "/user/admin", Some(json!({ "email": "ann@example.org" }))).await;
    assert_eq!(status, 200, "{answer}");
    let mut quiet = job("true");
    quiet["notify"] = json!({ "email": false });
    server.over(server.submit(quiet).await).await;
    let mut loud = job("exit 3");
    loud["notify"] = json!({ "email": true });
    let id = server.submit(loud).await;
    server.until(id, "mailed about", |_| !sink.mails().is_empty()).await;
    let mails = sink.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert!(mails[0].contains("ann@example.org") && mails[0].contains(&format!("/jobs/{id}")), "{}", mails[0]);
}

#[tokio::test]
async fn output_is_streamed_as_it_grows() {
    use futures::StreamExt;
    let server = native().start().await;
    let id = server.submit(job("echo the beginning; while [ ! -e go ]; do sleep 0.05; done; echo the end of it")).await;
    let task = server.running(id).await;
    let directory = task["container"]["volumes"][0]["path"].as_str().unwrap().to_owned();
    let url = format!("{}/api/1.0/task/{id}/log?follow=1", server.url());
    let response = reqwest::Client::new().get(url).bearer_auth(server.token()).send().await.unwrap();
    let mut stream = response.bytes_stream();
    let mut seen = String::new();
    while !seen.contains("the beginning") {
        seen.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
    }
    assert!(!seen.contains("the end of it"));
    std::fs::write(format!("{directory}/go"), "").unwrap();
    while let Some(chunk) = stream.next().await {
        seen.push_str(&String::from_utf8_lossy(&chunk.unwrap()));
    }
    assert!(seen.contains("the end of it") && seen.contains("event: end"), "{seen}");
}
