//! Crashes and full disks, with real processes: nothing is lost, nothing runs twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::engine::SmallDisk;
use crate::support::{Options, Server, job, job_with, native, open_dir};

const CRASHES: u32 = 10;

/// Submits, crashes and starts again ten times, then checks that every job ended once, well, and ran once.
async fn survive(options: Options, jobs: usize, batch: usize, executor: &str) {
    let mut server = options.start().await;
    let dir = open_dir(&server, "ran");
    let mut job = job(&format!("echo $GODOCKER_JID >> {}/ids; sleep 0.0$((GODOCKER_JID % 10))", dir.display()));
    if executor == "docker" {
        // The file is reached through the job directory's own mount: each job says that it ran in its own log too.
        job = self::in_container();
    }
    let mut ids = Vec::new();
    let mut random = fastish_random();
    for _ in 0..CRASHES {
        for _ in 0..batch {
            ids.push(server.submit(job.clone()).await);
        }
        tokio::time::sleep(Duration::from_millis(random() % 700)).await;
        server.crash();
        server.start_again().await;
    }
    while ids.len() < jobs {
        ids.push(server.submit(job.clone()).await);
    }
    for id in &ids {
        let task = server.over(*id).await;
        assert_eq!(task["status"]["ending"], "done", "{task}\n{}", server.log());
        assert_eq!(task["status"]["failure"]["count"], 0);
        if executor == "docker" {
            assert_eq!(server.file(*id, "ids").await, format!("{id}\n"), "it ran once");
        }
    }
    if executor == "native" {
        let mut ran: BTreeMap<u64, u32> = BTreeMap::new();
        for id in std::fs::read_to_string(dir.join("ids")).unwrap().lines() {
            *ran.entry(id.parse().unwrap()).or_default() += 1;
        }
        assert_eq!(ran, ids.iter().map(|id| (*id, 1)).collect());
    }
    assert_eq!(charged(&server).await, ids.len() as f64, "every job is charged once");
}

/// Cores that the ledger has for the administrator: one a job here.
async fn charged(server: &Server) -> f64 {
    let days = server.get("/user/admin/usage").await;
    days.as_array().unwrap().iter().map(|day| day["cpu"].as_f64().unwrap()).sum()
}

fn in_container() -> Value {
    job("echo $GODOCKER_JID >> ids")
}

/// Numbers that differ from run to run; which, is printed by no one and matters to no one.
fn fastish_random() -> impl FnMut() -> u64 {
    let mut state = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[tokio::test]
async fn native_jobs_survive_crashes() {
    survive(native(), 200, 20, "native").await;
}

#[tokio::test]
async fn docker_jobs_survive_crashes() {
    survive(crate::support::docker(), 20, 2, "docker").await;
}

#[tokio::test]
async fn running_jobs_go_on_through_a_clean_stop() {
    let mut server = native().start().await;
    let id = server.submit(job("sleep 1; echo still here")).await;
    server.running(id).await;
    assert_eq!(server.stop(), Some(0));
    server.start_again().await;
    assert_eq!(server.over(id).await["status"]["ending"], "done");
    assert_eq!(server.file(id, "god.log").await, "still here\n");
}

fn copy_database(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let is_ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("godocker.db");
    let files = |dir: &Path| std::fs::read_dir(dir).unwrap().map(Result::unwrap).filter(is_ours).collect::<Vec<_>>();
    files(to).iter().for_each(|file| std::fs::remove_file(file.path()).unwrap());
    let found = files(from);
    assert!(!found.is_empty());
    for file in found {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_database_restored_from_a_backup_gives_no_number_twice() {
    let mut server = native().start().await;
    let (data, backup) = (server.dir().join("data"), server.dir().join("backup"));
    let kept = server.submit(job("echo kept")).await;
    server.over(kept).await;
    assert_eq!(server.stop(), Some(0));
    copy_database(&data, &backup);

    server.start_again().await;
    let mut lost = Vec::new();
    for _ in 0..3 {
        lost.push(server.submit(job("echo lost > mine")).await);
    }
    for id in &lost {
        server.over(*id).await;
    }
    assert_eq!(server.stop(), Some(0));
    copy_database(&backup, &data);

    server.start_again().await;
    assert!(server.log().contains("was a backup restored?"), "{}", server.log());
    assert_eq!(server.over(kept).await["status"]["ending"], "done");
    let new = server.submit(job("ls; pwd")).await;
    assert_eq!(new, lost[2] + 1);
    server.over(new).await;
    let seen = server.file(new, "god.log").await;
    assert!(!seen.contains("mine"), "{seen}");
    let directory = Path::new(seen.lines().last().unwrap()).to_owned();
    let beside =
        |id: u64| std::fs::read_to_string(directory.parent().unwrap().with_file_name(id.to_string()).join("task/mine"));
    assert_eq!(beside(lost[2]).unwrap(), "lost\n", "what was there is left");
}

#[tokio::test]
async fn a_full_disk_under_the_database_refuses_clearly_and_loses_nothing() {
    let disk = SmallDisk::new(24 << 20);
    let shared = tempfile::tempdir().unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(shared.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let server =
        native().data_dir(disk.path()).with("GODOCKER_SHARED_DIR", &shared.path().display().to_string()).start().await;
    let before = server.submit(job("echo before")).await;
    server.over(before).await;
    let filler = disk.fill();
    // Some bytes of the log may be left; a few large jobs take them.
    let big = job_with(&format!("#{}\ntrue", "x".repeat(200_000)), "meta", "name", "big");
    let mut refused = None;
    let mut accepted = Vec::new();
    for _ in 0..50 {
        let (status, answer) = server.call("POST", "/task", Some(big.clone())).await;
        match status {
            200 => accepted.push(answer["id"].as_u64().unwrap()),
            _ => {
                refused = Some((status, answer));
                break;
            }
        }
    }
    let (status, answer) = refused.expect("a full disk takes no job");
    assert_eq!(status, 500);
    assert_eq!(answer["error"], "disk_full", "{answer}");
    assert_eq!(server.task(before).await["status"]["ending"], "done", "reading goes on");
    std::fs::remove_file(filler).unwrap();
    let after = server.submit(job("echo after")).await;
    for id in accepted.into_iter().chain([after]) {
        assert_eq!(server.over(id).await["status"]["ending"], "done", "{}", server.log());
    }
}

#[tokio::test]
async fn a_full_shared_directory_keeps_jobs_waiting_with_that_reason() {
    let disk = SmallDisk::new(4 << 20);
    let server = native().with("GODOCKER_SHARED_DIR", &disk.path().display().to_string()).start().await;
    let filler = disk.fill();
    let id = server.submit(job("echo at last")).await;
    let waits = |task: &Value| task["status"]["reason"].as_str().is_some_and(|reason| reason.contains("full"));
    let task = server.until(id, "waiting for the disk", waits).await;
    assert_eq!(task["status"]["primary"], "pending");
    std::fs::remove_file(filler).unwrap();
    assert_eq!(server.over(id).await["status"]["ending"], "done");
    assert_eq!(server.file(id, "god.log").await, "at last\n");
}

#[tokio::test]
async fn children_of_an_array_survive_crashes_and_are_counted_once() {
    let mut server = native().start().await;
    let id = server.submit(job_with("sleep 0.02", "requirements", "array", json!({ "values": "100" }))).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.crash();
        server.start_again().await;
    }
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}\n{}", server.log());
    assert_eq!(task["requirements"]["array"]["nb_tasks_over"], task["requirements"]["array"]["nb_tasks"]);
    assert_eq!(charged(&server).await, task["requirements"]["array"]["nb_tasks"].as_f64().unwrap());
}
