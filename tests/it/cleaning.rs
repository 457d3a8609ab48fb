//! What becomes of the files of over jobs: archive, `go-d clean`, retention, disk quotas, `go-d recount`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::{Server, job, job_with, native};

fn directory(task: &Value) -> PathBuf {
    task["container"]["volumes"][0]["path"].as_str().unwrap().into()
}

async fn over(server: &Server, script: &str) -> (u64, PathBuf) {
    let id = server.submit(job(script)).await;
    (id, directory(&server.over(id).await))
}

async fn disk(server: &Server) -> u64 {
    server.get("/user/admin").await["usage"]["disk"].as_u64().unwrap()
}

async fn archived(server: &Server, id: u64) -> Value {
    server.until(id, "archived", |task| task["status"]["primary"] == "archived").await
}

/// Runs `go-d clean`; its exit code, what it says, and what it complains of.
fn clean(server: &Server, args: &[&str]) -> (i32, String, String) {
    let output = server.go_d(&[&["clean"], args].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn clean_archives_what_is_old_and_what_is_named() {
    let server = native().start().await;
    let (first, at_first) = over(&server, "head -c 5000 /dev/zero > data").await;
    let (second, at_second) = over(&server, "true").await;
    let tagged = server.submit(job_with("true", "meta", "tags", json!(["old"]))).await;
    server.over(tagged).await;
    let running = server.submit(job("sleep 60")).await;
    server.running(running).await;
    let before = disk(&server).await;
    assert!(before >= 5000);

    let (code, said, _) = clean(&server, &[]);
    assert_eq!((code, said.as_str()), (0, "0 jobs archived, which freed 0 B (0 bytes).\n"), "nothing is that old");
    let (code, said, _) = clean(&server, &["--dry-run", "--older-than", "0"]);
    assert!(code == 0 && said.contains("3 jobs would be archived"), "{said}");
    assert!(said.contains(&format!("{before} bytes")) && said.lines().count() == 5, "{said}");
    assert!(at_first.exists() && disk(&server).await == before);

    let (code, said, complaints) = clean(&server, &[&first.to_string(), &running.to_string(), "999999"]);
    assert!(code == 1 && said.starts_with("1 job archived"), "{said}");
    assert!(complaints.contains("is running: only a job that is over") && complaints.contains("999999: there is none"));
    let task = archived(&server, first).await;
    assert_eq!((task["status"]["ending"].as_str(), at_first.exists()), (Some("done"), false));
    assert!(disk(&server).await <= before - 5000);
    let (code, said, complaints) = clean(&server, &[&first.to_string()]);
    assert!(code == 0 && said.starts_with("0 jobs") && complaints.contains("archived already"), "{said}{complaints}");

    let (_, said, _) = clean(&server, &["--older-than", "0", "--tag", "old"]);
    assert!(said.starts_with("1 job archived"), "{said}");
    assert!(archived(&server, tagged).await["meta"]["tags"] == json!(["old"]) && at_second.exists());
    for (flag, value) in [("--user", "nobody-here"), ("--project", "other")] {
        let (_, said, _) = clean(&server, &["--older-than", "0", flag, value]);
        assert!(said.starts_with("0 jobs"), "{said}");
    }
    let (_, said, _) = clean(&server, &["--older-than", "0", "--user", "admin", "--project", "default"]);
    assert!(said.starts_with("1 job archived"), "{said}");
    archived(&server, second).await;
    assert_eq!((at_second.exists(), disk(&server).await), (false, 0));
    assert_eq!(server.task(running).await["status"]["primary"], "running");
    let (code, _, complaints) = clean(&server, &["1", "--older-than", "3"]);
    assert!(code == 2 && complaints.contains("cannot be used with"), "{complaints}");
}

#[tokio::test]
async fn clean_takes_arrays_whole_and_works_without_a_server() {
    let mut server = native().start().await;
    let id =
        server.submit(job_with("head -c 1000 /dev/zero > x", "requirements", "array", json!({ "values": "5" }))).await;
    server.over(id).await;
    let child = directory(&server.task(id + 3).await);
    assert!(child.join("x").exists());
    server.stop();
    let (_, said, _) = clean(&server, &["--dry-run", "--older-than", "0"]);
    assert!(said.contains("1 job would be archived, which would free 5."), "{said}");
    let (code, said, _) = clean(&server, &["--older-than", "0"]);
    assert!(code == 0 && said.contains("1 job archived, which freed 5."), "{said}");
    assert!(!child.exists());
    server.start_again().await;
    for id in id..=id + 5 {
        assert_eq!(server.task(id).await["status"]["primary"], "archived", "{id}");
    }
    assert_eq!(disk(&server).await, 0);
}

#[tokio::test]
async fn what_a_crash_cut_short_is_archived_and_counted_once() {
    let mut server = native().start().await;
    let mut jobs = Vec::new();
    for _ in 0..20 {
        jobs.push(server.submit(job("mkdir a; touch a/1 a/2; head -c 1000 /dev/zero > a/3")).await);
    }
    for id in &jobs {
        server.over(*id).await;
    }
    let kept = over(&server, "head -c 700 /dev/zero > kept; rm -f god.log god.err").await;
    let of_kept = server.task(kept.0).await["container"]["meta"]["disk_size"].as_u64().unwrap();
    for round in 0..4 {
        for id in &jobs[round * 5..round * 5 + 5] {
            server.call("GET", &format!("/task/{id}/archive"), None).await;
        }
        server.crash();
        server.start_again().await;
    }
    for id in jobs {
        let task = archived(&server, id).await;
        assert!(!directory(&task).exists());
        assert_eq!(server.call("GET", &format!("/task/{id}/archive"), None).await.0, 409, "only over jobs");
    }
    assert_eq!(disk(&server).await, of_kept);
}

#[tokio::test]
async fn what_is_old_enough_goes_by_itself_after_its_owner_was_told() {
    let sink = crate::support::mail_sink::MailSink::start();
    let mut server = native()
        .with("GODOCKER_ARCHIVE_AFTER", "4s")
        .with("GODOCKER_ARCHIVE_WARN_BEFORE", "3s")
        .with("GODOCKER_EMAIL_SMTP_HOST", "127.0.0.1")
        .with("GODOCKER_EMAIL_SMTP_PORT", &sink.port.to_string())
        .with("GODOCKER_EMAIL_FROM", "godocker@example.org")
        .start()
        .await;
    assert_eq!(server.call("PUT", "/user/admin", Some(json!({ "email": "ann@example.org" }))).await.0, 200);
    let (id, directory) = over(&server, "true").await;
    // A round is with every start, and then every hour.
    let deadline = Instant::now() + Duration::from_secs(60);
    while sink.mails().is_empty() {
        assert!(Instant::now() < deadline, "nobody is told: {}", server.log());
        server.stop();
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.start_again().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mails = sink.mails();
    assert!(mails[0].contains("ann@example.org") && mails[0].contains(&format!("{id} ")), "{}", mails[0]);
    assert!(mails[0].contains("/disk") && mails[0].contains("will be deleted on"), "{}", mails[0]);
    while directory.exists() {
        assert!(Instant::now() < deadline, "it is not archived: {}", server.log());
        server.stop();
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.start_again().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    archived(&server, id).await;
    assert_eq!(sink.mails().len(), 1, "told once");
}

#[tokio::test]
async fn over_its_disk_quota_nobody_starts_anything_also_by_what_runs() {
    let server = native().with("GODOCKER_DISK_MEASURE_EVERY", "1s").start().await;
    let token = server.new_user("ann", 7002).await;
    let quota = json!({ "usage": { "quota_disk": 50_000 } });
    assert_eq!(server.call("PUT", "/user/ann", Some(quota)).await.0, 200);
    let writes = "head -c 100000 /dev/zero > big; while [ ! -e go ]; do sleep 0.1; done; rm big; touch gone; sleep 60";
    let first = server.submit_as(&token, job(writes)).await;
    let at = directory(&server.running(first).await);
    // Until it was measured others may start.
    let deadline = Instant::now() + Duration::from_secs(60);
    let second = loop {
        let id = server.submit_as(&token, job("true")).await;
        let waits = |task: &Value| {
            task["status"]["primary"] == "over" || task["status"]["pending"]["code"].as_str() == Some("quota_user")
        };
        let task = server.until(id, "over or waiting", waits).await;
        if task["status"]["primary"] != "over" {
            assert!(task["status"]["reason"].as_str().unwrap().contains("disk"), "{task}");
            break id;
        }
        assert!(Instant::now() < deadline, "a running job is not measured");
    };
    std::fs::write(at.join("go"), "").unwrap();
    server.over(second).await;
    assert!(at.join("gone").exists());
}

#[tokio::test]
async fn recount_sets_right_what_went_wrong() {
    let server = native().start().await;
    let (id, at) = over(&server, "head -c 1000 /dev/zero > data").await;
    let (gone, at_gone) = over(&server, "head -c 2000 /dev/zero > data").await;
    let right = disk(&server).await;
    std::fs::write(at.join("later"), vec![0; 10_000]).unwrap();
    std::fs::remove_dir_all(&at_gone).unwrap();
    for corrected in [2, 0] {
        let output = server.go_d(&["recount"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && said.contains(&format!("2 job directories measured, {corrected} corrected")),
            "{said}"
        );
    }
    let of = |task: Value| task["container"]["meta"]["disk_size"].as_u64().unwrap();
    let (size, size_gone) = (of(server.task(id).await), of(server.task(gone).await));
    assert!(size > 11_000 && size_gone == 0);
    assert!(disk(&server).await == size && size > right);
    // What was corrected is given back once.
    let (_, said, _) = clean(&server, &["--older-than", "0"]);
    assert!(said.contains(&format!("{size} bytes")), "{said}");
    assert_eq!(disk(&server).await, 0);
}

#[tokio::test]
async fn only_its_owner_and_administrators_delete_a_job_and_the_audit_log_says_so() {
    let server = native().with("GODOCKER_SHARE_PROJECT_TASKS", "true").start().await;
    let (ann, ben) = (server.new_user("ann", 7002).await, server.new_user("ben", 7003).await);
    let project = json!({ "id": "rna", "members": ["ann", "ben"] });
    assert_eq!(server.call("POST", "/project", Some(project)).await.0, 200);
    let mut shared = job("true");
    shared["user"] = json!({ "project": "rna" });
    let id = server.submit_as(&ann, shared.clone()).await;
    server.over(id).await;
    let path = format!("/task/{id}/archive");
    let (status, answer) = server.call_as(&ben, "DELETE", &path, None).await;
    assert!(status == 403 && answer["msg"].as_str().unwrap().contains("only its owner"), "{answer}");
    assert_eq!(server.call_as(&ben, "GET", &path, None).await.0, 200, "members archive each other's");
    archived(&server, id).await;
    assert_eq!(server.call_as(&ann, "DELETE", &path, None).await.0, 200);
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.call("GET", &format!("/task/{id}"), None).await.0 != 404 {
        assert!(Instant::now() < deadline, "it is not deleted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lines = server.get("/audit?action=job.purge").await;
    assert_eq!((&lines[0]["actor"], &lines[0]["subject"]), (&json!("ann"), &json!(id.to_string())), "{lines}");
    assert_eq!(lines[0]["details"]["owner"], "ann");
    let many = server.submit_as(&ann, shared).await;
    server.over(many).await;
    let (status, answer) = server.call_as(&ann, "DELETE", "/archive/0", None).await;
    assert!(status == 200 && answer["count"] == 1, "{answer}");
    assert_eq!(server.get("/audit?action=job.purge").await[0]["subject"], many.to_string());
}

#[tokio::test]
async fn many_are_archived_by_one_request_and_each_is_answered_for() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7002).await;
    let (first, at_first) = over(&server, "head -c 100000 /dev/zero > data").await;
    let (second, at_second) = over(&server, "true").await;
    let others = server.submit_as(&ann, job("true")).await;
    server.over(others).await;
    let running = server.submit(job("sleep 60")).await;
    server.running(running).await;
    let archive =
        async |token: &str, ids: Value| server.call_as(token, "POST", "/archive", Some(json!({ "ids": ids }))).await;
    let outcomes = |answer: &Value| -> Vec<(u64, u64)> {
        let tasks = answer["tasks"].as_array().unwrap().iter();
        tasks.map(|task| (task["id"].as_u64().unwrap(), task["status"].as_u64().unwrap())).collect()
    };
    let (status, answer) = archive(&ann, json!([first, others, 999_999])).await;
    assert_eq!((status, outcomes(&answer)), (200, vec![(first, 404), (others, 200), (999_999, 404)]), "{answer}");
    let (_, answer) = archive(server.token(), json!([running, first, second.to_string()])).await;
    assert_eq!(outcomes(&answer), [(running, 409), (first, 200), (second, 200)], "{answer}");
    assert!(answer["count"] == 2 && answer["tasks"][0]["msg"].as_str().unwrap().contains("is running"), "{answer}");
    for id in [first, second, others] {
        archived(&server, id).await;
    }
    assert!(!at_first.exists() && !at_second.exists());
    assert_eq!(
        outcomes(&archive(server.token(), json!([first])).await.1),
        [(first, 409)],
        "there is nothing to archive"
    );
    for bad in [json!([]), json!("1"), json!([1.5]), json!(["x"]), json!(vec![1; 1001]), Value::Null] {
        let (status, answer) = archive(&ann, bad.clone()).await;
        assert_eq!((status, &answer["fields"][0]["field"]), (400, &json!("ids")), "{bad}");
    }
}

#[tokio::test]
async fn what_uses_the_space_is_listed_and_archived_from_the_page() {
    let server = native().start().await;
    let (small, at_small) = over(&server, "true").await;
    let (large, at_large) = over(&server, "head -c 300000 /dev/zero > data").await;
    let array =
        server.submit(job_with("head -c 50000 /dev/zero > x", "requirements", "array", json!({ "values": "3" }))).await;
    server.over(array).await;
    let found = server.get("/user/admin/disk?limit=2").await;
    let ids: Vec<_> = found["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_u64().unwrap()).collect();
    assert_eq!((ids, &found["count"]), (vec![large, array], &json!(3)), "{found}");
    assert!(found["jobs"][1]["size"].as_u64().unwrap() >= 150_000 && found["used"].as_u64().unwrap() > 450_000);

    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let csrf = browser.csrf().await;
    let html = browser.page("/disk").await;
    let at = |id: u64| html.find(&format!("value=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {html}"));
    assert!(at(large) < at(array) && at(array) < at(small));
    let (large, array) = (large.to_string(), array.to_string());
    let fields =
        [("csrf", csrf.as_str()), ("back", "disk"), ("id", &large), ("id", &array), ("id", "999999"), ("id", "x")];
    let seen = browser.post("/jobs/archive", &fields).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/disk"), "{}", seen.html);
    for id in [&large, &array] {
        archived(&server, id.parse().unwrap()).await;
    }
    assert!(!at_large.exists() && at_small.exists());
    let html = browser.page("/disk").await;
    assert!(!html.contains(&format!("value=\"{large}\"")) && html.contains(&format!("value=\"{small}\"")), "{html}");
    let html = browser.page("/jobs?over=1").await;
    assert_eq!(html.matches("data-can=\"archive\"").count(), 1, "what is archived is not ticked again: {html}");
    let seen = browser.post("/jobs/archive", &[("csrf", &csrf), ("id", &small.to_string())]).await;
    assert_eq!(seen.location, "/jobs?over=1");
    archived(&server, small).await;
    assert!(!Path::new(&at_small).exists() && browser.page("/disk").await.contains("No job that is over has files"));
    assert_eq!(browser.post(&format!("/jobs/{small}/purge"), &[("csrf", &csrf)]).await.location, "/jobs?over=1");
}
