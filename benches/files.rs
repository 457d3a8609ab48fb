//! The files of jobs: archiving, listing, downloading.

use std::path::Path;
use std::time::{Duration, Instant};

use godocker::actors::archive::Archiver;
use godocker::bus::LocalBus;
use godocker::domain::{JobId, Phase, Request, SystemClock};
use godocker::files::JobDirs;
use godocker::store::sqlite::SqliteStore;
use godocker::store::{Change, JobStore};

use crate::server::{Server, job};
use crate::store::{new_job, over};
use crate::{millis, per_second, row};

const JOBS: usize = 10_000;
/// What each directory holds: files in two directories.
const FILES: usize = 10;
const ENTRIES: usize = 100_000;
const DOWNLOAD: u64 = 1_000_000_000;

pub async fn files() {
    archive().await;
    listing().await;
    download().await;
}

fn fill(directory: &Path) {
    std::fs::create_dir_all(directory.join("out")).expect("a directory");
    for file in 0..FILES / 2 {
        std::fs::write(directory.join(format!("{file}.txt")), "some text").expect("a file");
        std::fs::write(directory.join(format!("out/{file}.txt")), "some text").expect("a file");
    }
}

async fn archive() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(&dir.path().join("bench.db")).expect("a database");
    let files = JobDirs::new(dir.path().join("shared"));
    let inserts = (0..JOBS).map(|n| store.submit(new_job(n % 100)));
    let ids: Vec<JobId> =
        futures::future::try_join_all(inserts).await.expect("they are stored").iter().map(|s| s.id).collect();
    let change = |id: &JobId| Change {
        id: *id,
        expect: 1,
        state: over(1000),
        request: None,
        failed_nodes: Vec::new(),
        charge: None,
    };
    store.commit(ids.iter().map(change).collect()).await.expect("they are stored");
    ids.iter().for_each(|id| fill(&files.directory_of(*id)));
    store.request(&ids, Request::Archive, &[Phase::Over]).await.expect("it is stored");
    let (bus, clock) = (LocalBus::default(), SystemClock);
    let begun = Instant::now();
    let archiver = Archiver { store: store.as_ref(), files: &files, bus: &bus, clock: &clock };
    let freed = archiver.many(&ids).await.expect("the store answers");
    let took = begun.elapsed();
    assert_eq!((freed.jobs as usize, freed.failed), (JOBS, 0));
    let yardstick = format!("rm -r of the same trees {}", removal(dir.path()));
    row(&format!("{JOBS} job directories archived, {FILES} files each"), millis(took), "", &yardstick);
    row("  a second", format!("{:.0}/s", per_second(JOBS, took)), "", "");
}

/// What `rm -r` takes for the same.
fn removal(dir: &Path) -> String {
    let root = dir.join("yardstick");
    (0..JOBS).for_each(|n| fill(&root.join((n / 100).to_string()).join(n.to_string())));
    let begun = Instant::now();
    let removed = std::process::Command::new("rm").arg("-r").arg(&root).status();
    assert!(removed.is_ok_and(|status| status.success()));
    millis(begun.elapsed())
}

async fn listing() {
    let server = Server::start("native", &[]).await;
    let id = server.submit(job("none", &format!("mkdir many; cd many; seq {ENTRIES} | xargs touch"))).await;
    let task = server.over(id).await;
    let path = task["container"]["volumes"][0]["path"].as_str().unwrap_or_default().to_owned();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let listed = server.call("GET", &format!("/task/{id}/files/many"), None).await;
        best = best.min(begun.elapsed());
        assert_eq!(listed.as_array().map_or(0, Vec::len), ENTRIES);
    }
    let begun = Instant::now();
    let listed = std::process::Command::new("ls").arg("-l").arg(format!("{path}/many")).output();
    assert!(listed.is_ok_and(|output| output.status.success()));
    let yardstick = format!("ls -l {}", millis(begun.elapsed()));
    row(&format!("a directory of {ENTRIES} files listed by the API"), millis(best), "", &yardstick);
}

/// A 1 GB file and the same as tar, against `cat` into a pipe.
async fn download() {
    let server = Server::start("native", &[]).await;
    let id = server.submit(job("none", &format!("head -c {DOWNLOAD} /dev/urandom > large"))).await;
    let task = server.over(id).await;
    let path = task["container"]["volumes"][0]["path"].as_str().unwrap_or_default().to_owned();
    let rate = |bytes: u64, span: Duration| format!("{:.0} MB/s", bytes as f64 / 1e6 / span.as_secs_f64());
    let begun = Instant::now();
    let mut cat = std::process::Command::new("sh");
    cat.args(["-c", "cat \"$0\" | cat > /dev/null"]).arg(format!("{path}/large"));
    assert!(cat.status().is_ok_and(|status| status.success()));
    let yardstick = format!("cat {}", rate(DOWNLOAD, begun.elapsed()));
    for (what, path) in [("a 1 GB file downloaded", "large"), ("  in a tar", "?archive=tar")] {
        let begun = Instant::now();
        let read = server.read(&format!("/task/{id}/files/{path}")).await;
        assert!(read >= DOWNLOAD);
        row(what, rate(read, begun.elapsed()), "", &yardstick);
    }
}
