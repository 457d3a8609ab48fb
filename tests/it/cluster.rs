//! One role a process: what several of each promise together, and what survives the end of any of them.

use std::os::unix::process::CommandExt;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::browser::{Browser, between};
use crate::support::cluster::{Cluster, cluster, until};
use crate::support::mongo::Mongo;
use crate::support::redis::Redis;
use crate::support::{PASSWORD, job, job_with};

/// One of each.
const EACH: [&str; 4] = ["scheduler-1", "watcher-1", "archive-1", "web-1"];
const TWO_SCHEDULERS: [&str; 4] = ["scheduler-1", "scheduler-2", "watcher-1", "web-1"];

fn ending(task: &Value) -> &str {
    task["status"]["ending"].as_str().unwrap_or("none")
}

/// The directory of a job, where it says how often it ran.
fn directory(task: &Value) -> &Path {
    Path::new(task["container"]["volumes"][0]["path"].as_str().unwrap())
}

fn runs(task: &Value) -> usize {
    std::fs::read_to_string(directory(task).join("runs")).unwrap_or_default().lines().count()
}

/// A script that notes that it ran.
fn noting(rest: &str) -> String {
    format!("echo ran >> runs; {rest}")
}

#[tokio::test]
async fn a_job_goes_through_every_role() {
    let cluster = cluster(Redis::start()).begin(&EACH);
    let api = cluster.api("web-1").await;
    let id = api.submit(job("echo hello; echo $GODOCKER_JID")).await;
    let task = api.over(id).await;
    assert_eq!(ending(&task), "done", "{}", cluster.logs());
    assert_eq!(api.file(id, "god.log").await, format!("hello\n{id}\n"));
    api.get(&format!("/task/{id}/archive")).await;
    api.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    assert!(!directory(&task).exists(), "its files are gone");
    let long = api.submit(job("sleep 600")).await;
    api.running(long).await;
    api.kill_job(long).await;
    assert_eq!(ending(&api.over(long).await), "killed");
    assert!(
        !api.get("/queue/nodes").await.as_array().unwrap().is_empty(),
        "the leading scheduler is asked for the nodes"
    );
}

#[tokio::test]
async fn the_same_over_mongodb_which_may_be_away() {
    let mut mongo = Mongo::start();
    let cluster = cluster(Redis::start()).with("GODOCKER_MONGO_URL", &mongo.url()).begin(&EACH);
    let api = cluster.api("web-1").await;
    let array = api.submit(job_with(&noting("true"), "requirements", "array", json!({ "values": "1:5:1" }))).await;
    let task = api.over(array).await;
    assert_eq!(ending(&task), "done", "{}", cluster.logs());
    assert_eq!(task["requirements"]["array"]["nb_tasks_over"], 5);
    let go = cluster.dir().join("go");
    let waits = noting(&format!("while [ ! -e {} ]; do sleep 0.1; done; echo ended >> ended", go.display()));
    let running = api.submit(job(&waits)).await;
    let directory = directory(&api.running(running).await).to_owned();
    mongo.kill();
    std::fs::write(&go, "").unwrap();
    until("it ends while no database is there", || directory.join("ended").exists().then_some(())).await;
    let (status, answer) = api.call("POST", "/task", Some(job("true"))).await;
    assert_eq!((status, &answer["error"]), (500, &"unavailable".into()), "{answer}");
    mongo.start_again();
    let task = api.over(running).await;
    assert_eq!((ending(&task), runs(&task)), ("done", 1), "{}", cluster.logs());
    api.get(&format!("/task/{running}/archive")).await;
    api.until(running, "archived", |task| task["status"]["primary"] == "archived").await;
    assert!(!cluster.data_dir().join("godocker.db").exists(), "nothing goes into SQLite");
}

#[tokio::test]
async fn another_scheduler_leads_when_the_first_is_stopped_or_dies() {
    let mut cluster = cluster(Redis::start()).begin(&TWO_SCHEDULERS);
    let api = cluster.api("web-1").await;
    let first = cluster.leader().await;
    assert_eq!(ending(&api.over(api.submit(job("true")).await).await), "done");
    assert_eq!(cluster.stop(&first), Some(0), "{}", cluster.log(&first));
    assert_eq!(ending(&api.over(api.submit(job("true")).await).await), "done");
    let second = cluster.leader().await;
    assert_ne!(first, second);
    cluster.start_again(&first);
    cluster.crash(&second);
    assert_eq!(ending(&api.over(api.submit(job("true")).await).await), "done");
    assert_eq!(cluster.leader().await, first);
}

#[tokio::test]
async fn a_leader_that_slept_past_its_lease_starts_nothing_when_it_wakes() {
    let mut cluster = cluster(Redis::start()).with("GODOCKER_NATIVE_CPUS", "2").begin(&TWO_SCHEDULERS);
    let api = cluster.api("web-1").await;
    let old = cluster.leader().await;
    // More than fit at once, so that there is always something to plan.
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(api.submit(job(&noting("sleep 0.1"))).await);
    }
    api.until(ids[2], "over", |task| task["status"]["primary"] == "over").await;
    cluster.signal(&old, Signal::SIGSTOP);
    let new = until("another leads", || {
        let holder: Option<String> = cluster.redis.command("GET god:lease");
        holder.filter(|holder| !holder.starts_with(&format!("{old} ")))
    })
    .await;
    api.until(ids[12], "over", |task| task["status"]["primary"] == "over").await;
    cluster.signal(&old, Signal::SIGCONT);
    for id in ids {
        let task = api.over(id).await;
        assert_eq!((ending(&task), runs(&task)), ("done", 1), "{task}\n{}", cluster.logs());
    }
    let holder: Option<String> = cluster.redis.command("GET god:lease");
    assert_eq!(holder, Some(new), "who led went on to");
    until("the old one has noticed", || cluster.log(&old).contains("does not lead any more").then_some(())).await;
    assert_eq!(cluster.stop(&old), Some(0));
}

#[tokio::test]
async fn watchers_share_the_jobs_and_take_over_a_dead_ones() {
    let names = ["scheduler-1", "watcher-1", "watcher-2", "watcher-3", "web-1"];
    let mut cluster = cluster(Redis::start()).with("GODOCKER_NATIVE_CPUS", "40").begin(&names);
    let api = cluster.api("web-1").await;
    let go = cluster.dir().join("go");
    let script = noting(&format!("while [ ! -e {} ]; do sleep 0.1; done; exit 3", go.display()));
    let mut ids = Vec::new();
    for _ in 0..24 {
        ids.push(api.submit(job(&script)).await);
    }
    // A limit that a dead watcher had in its keeping is kept by another.
    let limited = api.submit(job_with("sleep 600", "requirements", "maxlifespan", "8s")).await;
    for id in ids.iter().chain([&limited]) {
        api.running(*id).await;
    }
    cluster.crash("watcher-1");
    cluster.crash("watcher-2");
    std::fs::write(&go, "").unwrap();
    for id in ids {
        let task = api.over(id).await;
        assert_eq!((ending(&task), task["status"]["exitcode"].as_i64()), ("failed", Some(3)), "{}", cluster.logs());
        assert_eq!(runs(&task), 1);
    }
    assert_eq!(ending(&api.over(limited).await), "time limit");
    cluster.start_again("watcher-1");
    cluster.crash("watcher-3");
    assert_eq!(ending(&api.over(api.submit(job("true")).await).await), "done", "{}", cluster.logs());
}

#[tokio::test]
async fn sessions_tokens_and_live_output_work_on_either_web() {
    let names = ["scheduler-1", "watcher-1", "web-1", "web-2"];
    let mut cluster = cluster(Redis::start()).with("GODOCKER_WEB_PREFIX", "/god").begin(&names);
    let (first, second) = (cluster.api("web-1").await, cluster.api("web-2").await);
    let mut browser = Browser::at(&first);
    let form = browser.page("/login").await;
    let csrf = between(&form, "name=\"csrf\" value=\"", "\"").to_owned();
    // The form of one, sent to the other, and the session opened there used with the first.
    browser.url = second.url();
    let fields = [("csrf", csrf.as_str()), ("user", "admin"), ("password", PASSWORD), ("next", "")];
    assert_eq!(browser.post("/login", &fields).await.location, "/god/");
    browser.url = first.url();
    assert!(browser.page("/jobs").await.contains("admin"));

    let go = cluster.dir().join("go");
    let script = format!("echo begun; while [ ! -e {} ]; do sleep 0.05; done; echo ended", go.display());
    let id = first.submit(job(&script)).await;
    second.running(id).await;
    let url = format!("{}/api/1.0/task/{id}/log?follow=1", second.url());
    let mut live = browser.client.get(url).bearer_auth(first.token()).send().await.unwrap();
    assert_eq!(live.status(), 200, "a token of one is good at the other");
    let mut heard = String::new();
    while let Some(chunk) = live.chunk().await.unwrap() {
        heard.push_str(&String::from_utf8_lossy(&chunk));
        if heard.contains("begun") && !go.exists() {
            std::fs::write(&go, "").unwrap();
        }
    }
    assert!(heard.contains("ended") && heard.contains("event: end"), "{heard}");
    cluster.crash("web-1");
    assert_eq!(ending(&second.over(second.submit(job("true")).await).await), "done");
}

#[tokio::test]
async fn redis_may_lose_everything_or_be_away() {
    let mut cluster = cluster(Redis::start()).begin(&TWO_SCHEDULERS);
    let api = cluster.api("web-1").await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(api.submit(job(&noting("sleep 0.3"))).await);
    }
    let _: () = cluster.redis.command("FLUSHALL");
    for _ in 0..10 {
        ids.push(api.submit(job(&noting("true"))).await);
    }
    cluster.redis.kill();
    for _ in 0..10 {
        ids.push(api.submit(job(&noting("true"))).await);
    }
    cluster.redis.go_on();
    for id in ids {
        let task = api.over(id).await;
        assert_eq!((ending(&task), runs(&task)), ("done", 1), "{task}\n{}", cluster.logs());
    }
}

#[tokio::test]
async fn a_message_that_nobody_understands_is_set_aside() {
    let cluster = cluster(Redis::start()).begin(&EACH);
    let api = cluster.api("web-1").await;
    for role in ["scheduler", "executor", "watcher", "archiver", "notifier"] {
        let _: String = cluster.redis.command(&format!("XADD god:bus:{role} * message nonsense"));
        let aside = || cluster.redis.command::<u64>(&format!("XLEN god:bus:{role}:aside"));
        until("it is set aside", || (aside() == 1).then_some(())).await;
        assert_eq!(cluster.redis.command::<u64>(&format!("XLEN god:bus:{role}")), 0, "{role}");
    }
    assert_eq!(ending(&api.over(api.submit(job("true")).await).await), "done");
    let keys: Vec<String> = cluster.redis.command("KEYS *");
    assert!(keys.iter().all(|key| key.starts_with("god:")), "{keys:?}");
}

#[tokio::test]
async fn what_a_dead_process_had_in_hand_is_done_by_another() {
    let cluster = cluster(Redis::start()).begin(&["web-1"]);
    let api = cluster.api("web-1").await;
    let id = api.submit(job("true")).await;
    // As a scheduler that read the message, and died.
    let _: () = cluster.redis.command("XGROUP CREATE god:bus:scheduler scheduler 0 MKSTREAM");
    let _: redis::Value = cluster.redis.command("XREADGROUP GROUP scheduler gone COUNT 10 STREAMS god:bus:scheduler >");
    let mut cluster = cluster;
    cluster.start("scheduler-1");
    cluster.start("watcher-1");
    assert_eq!(ending(&api.over(id).await), "done", "{}", cluster.logs());
    let pending = || {
        cluster
            .redis
            .command::<(u64, redis::Value, redis::Value, redis::Value)>("XPENDING god:bus:scheduler scheduler")
            .0
    };
    until("nothing is in hand any more", || (pending() == 0).then_some(())).await;
}

fn go_d_well(cluster: &Cluster, words: &str) -> String {
    cluster.go_d_well(&words.split(' ').collect::<Vec<_>>())
}

#[tokio::test]
async fn daemons_start_tell_of_themselves_and_stop() {
    let cluster = cluster(Redis::start()).begin(&[]);
    let status = |role: &str| cluster.go_d(&[role, "status"]).status.code();
    for role in ["scheduler", "watcher", "archive", "web"] {
        assert_eq!(status(role), Some(3), "{role} does not run yet");
        let said = go_d_well(&cluster, &format!("{role} start"));
        assert!(said.starts_with(&format!("go-d-{role} runs, as process ")), "{said}");
        let again = go_d_well(&cluster, &format!("{role} start"));
        assert!(again.contains("runs already"), "{again}");
        assert_eq!(status(role), Some(0));
        let second = cluster.go_d(&[role, "run"]);
        assert_eq!(second.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&second.stderr).contains("it runs already, as process"));
    }
    let said = go_d_well(&cluster, "scheduler config-reload");
    assert!(said.contains("4 processes were told"), "{said}");
    for role in ["scheduler", "watcher", "archive", "web"] {
        assert_eq!(status(role), Some(0), "{role} runs, also while it begins anew");
        assert!(go_d_well(&cluster, &format!("{role} stop")).contains("has stopped; running jobs go on"));
        assert_eq!(status(role), Some(3));
        assert!(go_d_well(&cluster, &format!("{role} stop")).contains("did not run"));
    }
}

#[tokio::test]
async fn one_round_of_each_takes_a_job_to_its_end() {
    let mut cluster = cluster(Redis::start()).begin(&["web-1"]);
    let api = cluster.api("web-1").await;
    let id = api.submit(job("exit 4")).await;
    assert_eq!(go_d_well(&cluster, "scheduler once"), "0 pending, 1 started, 0 rejected\n");
    assert_eq!(api.task(id).await["status"]["phase"], "starting");
    assert_eq!(go_d_well(&cluster, "watcher once"), "1 launched, 1 running\n");
    let log = directory(&api.task(id).await).join("god.info");
    until("the job has ended", || {
        std::fs::read_to_string(&log).is_ok_and(|info| info.lines().count() == 2).then_some(())
    })
    .await;
    until("its end was seen", || go_d_well(&cluster, "watcher once").contains("0 running").then_some(())).await;
    let task = api.over(id).await;
    assert_eq!((ending(&task), task["status"]["exitcode"].as_i64()), ("failed", Some(4)));
    api.get(&format!("/task/{id}/archive")).await;
    assert_eq!(go_d_well(&cluster, "archive once"), "1 archived\n");
    assert_eq!(cluster.go_d(&["web", "once"]).status.code(), Some(1));
    // One that leads already keeps another from its round.
    cluster.start("scheduler-1");
    cluster.leader().await;
    let refused = cluster.go_d(&["scheduler", "once"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another scheduler leads"));
}

#[tokio::test]
async fn a_changed_configuration_is_taken_up_without_a_gap() {
    let mut cluster = cluster(Redis::start());
    let file = cluster.dir().join("go-d.ini");
    std::fs::write(&file, "native_cpus: 1\n").unwrap();
    cluster.set("GOD_CONFIG", file.to_str().unwrap());
    cluster.unset("GODOCKER_NATIVE_CPUS");
    let cluster = cluster.begin(&EACH);
    let api = cluster.api("web-1").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(api.submit(job("sleep 600")).await);
    }
    api.running(ids[0]).await;
    // A wrong one changes nothing: neither by the command, which sees it, nor by the signal.
    std::fs::write(&file, "native_cpus: many\n").unwrap();
    assert_eq!(cluster.go_d(&["scheduler", "config-reload"]).status.code(), Some(2));
    cluster.signal("watcher-1", Signal::SIGHUP);
    until("it says so", || cluster.log("watcher-1").contains("native_cpus").then_some(())).await;
    std::fs::write(&file, "native_cpus: 3\n").unwrap();
    go_d_well(&cluster, "scheduler config-reload");
    // Whoever comes meanwhile waits in the socket, which stays open; a request that the old program had just taken in may
    // be cut off with it.
    until("the web is there anew", || (cluster.log("web-1").matches("listening on").count() > 1).then_some(())).await;
    for id in &ids {
        api.running(*id).await;
        api.kill_job(*id).await;
        assert_eq!(ending(&api.over(*id).await), "killed");
    }
}

#[tokio::test]
async fn scheduler_and_watcher_want_root_unless_told_otherwise() {
    use std::os::unix::fs::PermissionsExt;
    let cluster = cluster(Redis::start());
    std::fs::create_dir_all(cluster.data_dir()).unwrap();
    std::fs::set_permissions(cluster.data_dir(), std::fs::Permissions::from_mode(0o777)).unwrap();
    // Where nobody may run it.
    let program = cluster.dir().join("go-d");
    std::fs::copy(env!("CARGO_BIN_EXE_go-d"), &program).unwrap();
    let as_nobody = |args: &[&str], extra: Option<(&str, &str)>| {
        let mut command = std::process::Command::new(&program);
        command.args(args).env_clear().envs(cluster.env()).envs(extra).uid(65_534).gid(65_534).output().unwrap()
    };
    for role in ["scheduler", "watcher", "archive"] {
        let refused = as_nobody(&[role, "run"], None);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains("takes root"), "{role}: {said}");
    }
    let told = Some(("GODOCKER_UNPRIVILEGED", "true"));
    let made = as_nobody(&["scheduler", "init"], told);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let round = as_nobody(&["scheduler", "once"], told);
    assert_eq!(String::from_utf8_lossy(&round.stdout), "0 pending, 0 started, 0 rejected\n");
}
