//! The figures of DESIGN "Speed", each with the yardstick that can be measured in the same run: `make bench`.
//!
//! Not a test: nothing fails here but what cannot be measured.

mod cluster;
mod docker;
mod files;
mod ftp;
mod pages;
mod server;
mod store;
// Clusters are made as the tests make them.
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support/mod.rs"]
mod support;
mod yardsticks;

use std::time::{Duration, Instant};

use godocker::config::FairShareWeights;
use godocker::scheduling::plan::ordered;
use godocker::scheduling::policy::policy;
use godocker::scheduling::synthetic::synthetic;

/// A row: what, how much, what it should be, and what others take.
pub fn row(what: &str, figure: String, target: &str, yardstick: &str) {
    println!("{what:<58} {figure:>16}   target {target:<12} {yardstick}");
}

pub fn per_second(count: usize, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}

pub fn millis(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1000.0)
}

/// VmHWM of a process, in MB.
pub fn peak_memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let kb: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    format!("{:.0} MB", kb / 1000.0)
}

fn ordering() {
    for (jobs, target) in [(100_000, "≤ 20 ms"), (1_000_000, "≤ 250 ms")] {
        let (queue, view) = synthetic(jobs, 200, 20);
        let policy = policy("fairshare", FairShareWeights::default()).expect("it is known");
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let begun = Instant::now();
            assert_eq!(ordered(&queue, &view, policy.as_ref()).len() as u64, jobs);
            best = best.min(begun.elapsed());
        }
        let yardstick = if jobs == 100_000 { "the original: 790 ms" } else { "" };
        row(&format!("{jobs} pending ordered by fair share"), millis(best), target, yardstick);
    }
    row("  peak memory with 1,000,000 pending", peak_memory(std::process::id()), "≤ 1 GB", "");
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // One part alone, by its name.
    let asked = |part: &str| std::env::args().any(|argument| argument == part);
    if asked("files") {
        ftp::upload().await;
        return files::files().await;
    }
    if asked("pages") {
        return pages::pages().await;
    }
    if asked("cluster") {
        return of_a_cluster().await;
    }
    ordering();
    store::first_page_of_a_million().await;
    let spawned = yardsticks::bash_spawns();
    let hyperqueue = yardsticks::hyperqueue();
    server::native(&format!("HyperQueue {hyperqueue}; bash spawns {spawned}")).await;
    ftp::upload().await;
    files::files().await;
    docker::containers().await;
    pages::pages().await;
    of_a_cluster().await;
}

async fn of_a_cluster() {
    cluster::shapes().await;
    cluster::takeover().await;
    cluster::a_million_pending().await;
}
