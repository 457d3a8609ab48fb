//! Jobs in real containers.

use serde_json::json;

use crate::support::engine::{Engine, docker as engine};
use crate::support::{docker, job, job_with};

#[tokio::test]
async fn a_container_is_its_users_and_may_do_nothing_else() {
    let server = docker().start().await;
    let script =
        "#!/bin/bash\nid -u; pwd; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; touch /outside || echo kept in";
    let id = server.submit(job(script)).await;
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}");
    let uid = task["user"]["uid"].as_u64().unwrap();
    let log = server.file(id, "god.log").await;
    let lines: Vec<_> = log.split_whitespace().collect();
    assert_eq!(lines[..2], [uid.to_string().as_str(), "/mnt/go-docker"], "bash is not required: {log}");
    assert!(log.contains("NoNewPrivs:\t1") && log.contains("CapEff:\t0000000000000000"), "{log}");
    assert!(log.contains("kept in"), "{log}");
    assert_eq!(server.file(id, "god.info").await.lines().count(), 2);
}

#[tokio::test]
async fn what_a_root_job_leaves_is_its_users_and_nothing_else_is() {
    use std::os::unix::fs::MetadataExt;
    let server = docker().with("GODOCKER_ALLOW_ROOT", "true").start().await;
    let script = "id -u; mkdir -p out/deep; echo fine > out/deep/result; chmod 600 out/deep/result; ln -s /etc/passwd link; \
                  ln -s /etc etc; mkfifo fifo; ln out/deep/result twice; mknod zero c 1 5 || echo no device";
    let id = server.submit(job_with(script, "container", "root", true)).await;
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}");
    let log = server.file(id, "god.log").await;
    assert!(log.starts_with("0\n") && log.contains("no device"), "{log}");
    let at = std::path::PathBuf::from(task["container"]["volumes"][0]["path"].as_str().unwrap());
    let (uid, gid) = (task["user"]["uid"].as_u64().unwrap(), task["user"]["gid"].as_u64().unwrap());
    for name in ["", "out", "out/deep", "link", "etc", "fifo", "god.log"] {
        let found = std::fs::symlink_metadata(at.join(name)).unwrap();
        assert_eq!((u64::from(found.uid()), u64::from(found.gid())), (uid, gid), "{name}");
    }
    assert_eq!(std::fs::metadata("/etc/passwd").unwrap().uid(), 0);
    assert_eq!(std::fs::metadata("/etc").unwrap().uid(), 0);
    // Several names could be somebody else's too: such a file stays root's, and is not read.
    assert_eq!(std::fs::metadata(at.join("twice")).unwrap().uid(), 0);
    for name in ["link", "etc/passwd", "twice", "fifo"] {
        let (status, answer) = server.call("GET", &format!("/task/{id}/files/{name}"), None).await;
        assert_eq!(status, 400, "{name}: {answer}");
    }
    assert_eq!(server.call("GET", &format!("/task/{id}/archive"), None).await.0, 200);
    server.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    assert!(!at.exists() && std::path::Path::new("/etc/passwd").exists());
}

#[tokio::test]
async fn temporary_storage_has_its_size_and_goes_with_the_job() {
    let server = docker().start().await;
    let script = "touch /tmp-data/x && df -k /tmp-data | tail -1; \
                  head -c 30000000 /dev/zero > /tmp-data/big || echo full; ls /tmp-data";
    let mut wants = job_with(script, "requirements", "tmpstorage", json!({ "size": "20M", "path": null }));
    wants["requirements"]["ram"] = json!(0.1);
    let id = server.submit(wants.clone()).await;
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}");
    let log = server.file(id, "god.log").await;
    assert!(log.starts_with("tmpfs") && log.contains("full") && log.contains("big"), "{log}");
    assert_eq!(task["requirements"]["tmpstorage"], json!({ "size": "20000000", "path": "/tmp-data" }));
    wants["requirements"]["tmpstorage"]["size"] = json!("1g");
    let (status, answer) = server.call("POST", "/task", Some(wants)).await;
    assert!(status == 400 && answer["msg"].as_str().unwrap().contains("it is in memory"), "{answer}");
}

#[tokio::test]
async fn a_job_that_takes_too_much_memory_ends_as_that() {
    let server = docker().start().await;
    let mut hungry = job("x=1; while :; do x=$x$x; done");
    hungry["requirements"]["ram"] = json!(0.02);
    let task = server.over(server.submit(hungry).await).await;
    assert_eq!(task["status"]["ending"], "out of memory", "{task}");
    assert_eq!(task["container"]["meta"]["State"]["OOMKilled"], true);
}

#[tokio::test]
async fn killing_suspending_and_exit_codes_work_in_containers() {
    let server = docker().start().await;
    let id = server.submit(job("trap 'exit 9' TERM; while :; do sleep 0.1; done")).await;
    server.running(id).await;
    assert_eq!(server.call("GET", &format!("/task/{id}/suspend"), None).await.0, 200);
    server.until(id, "suspended", |task| task["status"]["secondary"] == "suspended").await;
    server.kill_job(id).await;
    let task = server.over(id).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&json!("killed"), &json!(137)));
    let task = server.over(server.submit(job("exit 42")).await).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&json!("failed"), &json!(42)));
}

#[tokio::test]
async fn an_image_that_is_not_to_be_had_is_refused_with_its_name() {
    let server = docker().with("GODOCKER_DOCKER_PULL", "false").start().await;
    let id = server.submit(job_with("true", "container", "image", "no/such:image")).await;
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "rejected", "{task}");
    assert!(task["status"]["reason"].as_str().unwrap().contains("no/such:image"), "{task}");
}

#[tokio::test]
async fn a_job_says_exactly_which_image_it_runs() {
    let server = docker().start().await;
    let id = server.submit(job("sleep 60")).await;
    let running = server.running(id).await;
    let image = running["container"]["image"].as_str().unwrap();
    let told = engine(None, &["image", "inspect", "--format", "{{.Id}}", image]);
    // It was made here, and has no other name that holds for ever.
    let expected = String::from_utf8(told.stdout).unwrap().trim().to_owned();
    assert!(expected.starts_with("sha256:"), "{expected}");
    assert_eq!(running["container"]["digest"], expected.as_str());
    server.kill_job(id).await;
    assert_eq!(server.over(id).await["container"]["digest"], expected.as_str(), "it is still known afterwards");
}

#[tokio::test]
async fn ports_are_opened_on_the_host() {
    let server = docker().start().await;
    let script = "mkdir www; echo hello > www/index.html; httpd -f -p 8080 -h www";
    let id = server.submit(job_with(script, "requirements", "ports", json!([8080]))).await;
    let task = server.running(id).await;
    let mapping = &task["container"]["port_mapping"][0];
    assert_eq!(mapping["container"], 8080);
    assert!(task["container"]["ports"][0].is_string(), "old clients join them");
    let url = format!("http://127.0.0.1:{}/", mapping["host"]);
    server
        .until(id, "answering", |_| {
            let answer = std::process::Command::new("curl").args(["-s", &url]).output().unwrap();
            String::from_utf8_lossy(&answer.stdout).contains("hello")
        })
        .await;
    server.kill_job(id).await;
    server.over(id).await;
}

#[tokio::test]
async fn the_exit_code_that_engines_give_what_they_lost_is_also_a_jobs_own() {
    let server = docker().start().await;
    let task = server.over(server.submit(job("exit 255")).await).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&"failed".into(), &255.into()), "{task}");
}

#[tokio::test]
async fn a_container_removed_by_somebody_else_is_a_node_failure() {
    let server = docker().start().await;
    let id = server.submit(job("sleep 60")).await;
    let task = server.running(id).await;
    engine(None, &["rm", "-f", task["container"]["id"].as_str().unwrap()]);
    let task = server.over(id).await;
    assert!(["node failure", "failed"].contains(&task["status"]["ending"].as_str().unwrap()), "{task}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_yet_keeps_jobs_waiting_with_that_reason() {
    let server = docker().with("GODOCKER_DOCKER_URL", "unix:///nowhere/docker.sock").start().await;
    let id = server.submit(job("true")).await;
    let away = |task: &serde_json::Value| task["status"]["pending"]["code"] == "executor_away";
    let task = server.until(id, "waiting for the engine", away).await;
    let reason = task["status"]["reason"].as_str().unwrap();
    assert!(reason.contains("docker.sock") && !reason.contains("hyper"), "{reason}");
}

#[tokio::test]
async fn an_engine_that_goes_and_comes_back_loses_nothing() {
    let mut engine = Engine::start();
    let server = docker().with("GODOCKER_DOCKER_URL", &engine.host()).start().await;
    let networkless = |script: &str| job_with(script, "container", "network", false);
    let before = server.submit(networkless("while [ ! -e go ]; do sleep 0.1; done; echo lived")).await;
    let ending = server.submit(networkless("echo begun; while [ ! -e go ]; do sleep 0.1; done; exit 5")).await;
    server.running(before).await;
    let task = server.running(ending).await;
    engine.stop();
    let directory = task["container"]["volumes"][0]["path"].as_str().unwrap();
    std::fs::write(format!("{directory}/go"), "").unwrap();
    let said = || std::fs::read_to_string(format!("{directory}/god.exit")).unwrap_or_default();
    crate::support::cluster::until("it ends while no engine looks", || (said() == "5\n").then_some(())).await;
    let during = server.submit(networkless("echo later")).await;
    let away = |task: &serde_json::Value| task["status"]["pending"]["code"] == "executor_away";
    let task = server.until(during, "waiting for the engine", away).await;
    assert!(task["status"]["reason"].as_str().unwrap().contains("does not answer"), "{task}");
    assert_eq!(server.task(before).await["status"]["phase"], "running");
    engine.go_on();
    let directory = server.task(before).await["container"]["volumes"][0]["path"].as_str().unwrap().to_owned();
    std::fs::write(format!("{directory}/go"), "").unwrap();
    let task = server.over(ending).await;
    assert_eq!((&task["status"]["ending"], &task["status"]["exitcode"]), (&"failed".into(), &5.into()), "{task}");
    for (id, log) in [(before, "lived\n"), (during, "later\n")] {
        let task = server.over(id).await;
        assert_eq!(task["status"]["ending"], "done", "{task}\n{}", server.log());
        assert_eq!(server.file(id, "god.log").await, log);
    }
}
