//! A cluster under faults: jobs from many users while processes, Redis, the database, the engine and the network fail.
//!
//! [`load`] submits jobs of known outcome, [`faults`] breaks things and mends them, and in the end [`check`] reads the
//! store and what the jobs wrote, and nothing else. It has the machine to itself:
//! `make soak`, or `make soak SECONDS=3600` for as long as asked. SOAK_SEED repeats the choices of an earlier run.

mod check;
mod faults;
mod load;
mod place;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use self::load::Kind;

/// Jobs for each two minutes.
const JOBS: usize = 1000;
const USERS: u32 = 20;
/// How long what is left may take once all is mended.
const SETTLE: Duration = Duration::from_secs(180);

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "has the machine to itself: scripts/soak"]
async fn a_cluster_under_faults_loses_nothing_and_does_nothing_twice() {
    let lasts = Duration::from_secs(from_env("SOAK_SECONDS", 120));
    let seed = from_env("SOAK_SEED", rand::random::<u32>().into());
    println!("soak: {} s, seed {seed}", lasts.as_secs());
    let jobs = (JOBS as u64 * lasts.as_secs().max(1) / 120) as usize;
    let mut place = place::begin();
    let users = place.users(USERS).await;

    let began = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load::submit(place.webs(), users, jobs, lasts, seed, over.clone()));
    let mut broken = faults::Tally::default();
    let mut rng = StdRng::seed_from_u64(seed);
    while began.elapsed() < lasts {
        faults::break_something(&mut place, &mut rng, &mut broken, began).await;
    }
    let submitted = load.await.expect("the load does not panic");
    over.store(true, Ordering::Relaxed);
    println!("soak: {} jobs accepted, {} refused or unsure; {broken}", submitted.accepted.len(), submitted.unsure);
    assert!(submitted.accepted.len() >= jobs, "all were submitted in the end");

    let settled = Instant::now();
    place.start_again_what_ended();
    place.kill_strays().await;
    check::until_all_is_over(&place, SETTLE).await;
    println!("soak: all over {:.1} s after the last fault", settled.elapsed().as_secs_f64());
    check::until_no_attempt_is_left(&place, SETTLE).await;
    check::until_the_bus_is_empty(&place).await;
    place.stop();
    let summary = check::everything(&place, &submitted, &broken.1).await;
    println!("soak: {summary}");
    assert!(Kind::ALL.iter().all(|kind| summary.of(*kind) > 0), "every kind of job was there");
}
