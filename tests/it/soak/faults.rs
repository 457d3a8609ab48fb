//! What goes wrong, one after the other, each mended before the next.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::StdRng;

use super::place::Place;
use crate::support::engine::docker;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    RoleKilled,
    LeaderKilled,
    RedisFlushed,
    RedisKilled,
    DatabaseKilled,
    LeaderAsleep,
    RoleAsleep,
    EngineRestarted,
    NetworkCut,
    /// Somebody removed the container of a job that may be launched again.
    AttemptLost,
}

impl Fault {
    const ALL: [Fault; 10] = [
        Fault::RoleKilled,
        Fault::LeaderKilled,
        Fault::RedisFlushed,
        Fault::RedisKilled,
        Fault::DatabaseKilled,
        Fault::LeaderAsleep,
        Fault::RoleAsleep,
        Fault::EngineRestarted,
        Fault::NetworkCut,
        Fault::AttemptLost,
    ];
}

/// How often what went wrong; and the jobs of which an attempt was taken away.
#[derive(Default)]
pub struct Tally(BTreeMap<Fault, usize>, pub Vec<u64>);

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> = self.0.iter().map(|(fault, times)| format!("{times} {fault:?}")).collect();
        write!(f, "faults: {}", each.join(", "))
    }
}

/// Breaks something, leaves it broken for a while, and mends it. Every fault comes once before any comes again.
pub async fn break_something(place: &mut Place, rng: &mut StdRng, tally: &mut Tally, began: Instant) {
    pause(rng, 300..1500).await;
    place.start_again_what_ended();
    let least = Fault::ALL.iter().map(|fault| tally.0.get(fault).copied().unwrap_or(0)).min().unwrap_or(0);
    let next: Vec<_> =
        Fault::ALL.into_iter().filter(|fault| tally.0.get(fault).copied().unwrap_or(0) == least).collect();
    let fault = next[rng.random_range(0..next.len())];
    *tally.0.entry(fault).or_default() += 1;
    println!("soak: {:6.1} s {fault:?}", began.elapsed().as_secs_f64());
    match fault {
        Fault::RoleKilled => {
            let name = any_role(place, rng);
            crash_and_return(place, rng, &name).await;
        }
        Fault::LeaderKilled => {
            let name = leader(place, rng);
            crash_and_return(place, rng, &name).await;
        }
        Fault::RedisFlushed => {
            let _: () = place.cluster.redis.command("FLUSHALL");
        }
        Fault::RedisKilled => {
            place.cluster.redis.kill();
            pause(rng, 100..3000).await;
            place.cluster.redis.go_on();
        }
        Fault::DatabaseKilled => {
            place.mongo.kill();
            pause(rng, 100..3000).await;
            place.mongo.start_again();
        }
        // Past its lease, which is of two seconds.
        Fault::LeaderAsleep => {
            let name = leader(place, rng);
            sleep_and_wake(place, rng, &name, 3000..6000).await;
        }
        // Sometimes for so long that it is taken for dead.
        Fault::RoleAsleep => {
            let name = any_role(place, rng);
            sleep_and_wake(place, rng, &name, 1000..14_000).await;
        }
        Fault::EngineRestarted => {
            place.engine.stop();
            pause(rng, 0..1500).await;
            place.engine.go_on();
        }
        Fault::NetworkCut => {
            place.far.pull_out();
            pause(rng, 2000..8000).await;
            place.far.plug_in();
        }
        Fault::AttemptLost => tally.1.extend(lose_an_attempt(place).await),
    }
}

/// Waits a while for one that runs.
async fn lose_an_attempt(place: &Place) -> Option<u64> {
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        if let Some(container) = place.retried_containers().first() {
            // It may have ended meanwhile.
            docker(Some(&place.engine.host()), &["rm", "-f", container]);
            return container.rsplit('-').nth(1)?.parse().ok();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn pause(rng: &mut StdRng, millis: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(millis))).await;
}

fn any_role(place: &Place, rng: &mut StdRng) -> String {
    let names = place.cluster.names();
    names[rng.random_range(0..names.len())].clone()
}

/// Whoever leads, or would.
fn leader(place: &Place, rng: &mut StdRng) -> String {
    let holder: Option<String> = place.cluster.redis.command("GET god:lease");
    let holder = holder.and_then(|holder| holder.split(' ').next().map(str::to_owned));
    holder.unwrap_or_else(|| format!("scheduler-{}", rng.random_range(1..3)))
}

async fn crash_and_return(place: &mut Place, rng: &mut StdRng, name: &str) {
    place.cluster.crash(name);
    pause(rng, 0..2500).await;
    place.cluster.start_again(name);
}

async fn sleep_and_wake(place: &mut Place, rng: &mut StdRng, name: &str, millis: std::ops::Range<u64>) {
    place.cluster.signal(name, Signal::SIGSTOP);
    pause(rng, millis).await;
    place.cluster.signal(name, Signal::SIGCONT);
}
