//! What every status plugin does, as a suite that each runs, against a real service where one can be had. It panics
//! where a guarantee does not hold.

use std::time::{Duration, Instant};

use super::StatusBackend;
use crate::domain::{Clock, ProcessRole, ProcessStatus, SystemClock};

fn a_process(id: &str, role: ProcessRole) -> ProcessStatus {
    let now = SystemClock.now();
    ProcessStatus {
        id: id.to_owned(),
        role,
        host: "node1.example.org".to_owned(),
        pid: 7,
        version: "4.0.0".to_owned(),
        started: now,
        seen: now,
        address: Some("127.0.0.1:9100".to_owned()),
        leader: false,
    }
}

/// Every check. `make` answers another client of the same empty place each time, as another process would be.
pub async fn run<B: StatusBackend>(make: impl AsyncFn() -> B) {
    let (one, two, reader) = (make().await, make().await, make().await);
    let mut scheduler = a_process("s1", ProcessRole::Scheduler);
    // A name of the site's own choice may hold anything.
    let watcher = a_process("w/1 a%é", ProcessRole::Watcher);
    assert_eq!(alive(&reader).await, Vec::<ProcessStatus>::new());
    one.remove(&scheduler).await.expect("nothing to remove is no error");

    one.put(&scheduler).await.expect("the plugin answers");
    two.put(&watcher).await.expect("the plugin answers");
    assert_eq!(alive(&reader).await, [scheduler.clone(), watcher.clone()].map(without_seen), "what was said is read");

    one.put(&scheduler).await.expect("the plugin answers");
    scheduler.leader = true;
    one.put(&scheduler).await.expect("the plugin answers");
    assert_eq!(alive(&reader).await[0], without_seen(scheduler.clone()), "the last word counts, and is there once");

    two.remove(&watcher).await.expect("the plugin answers");
    two.remove(&watcher).await.expect("the plugin answers");
    assert_eq!(alive(&reader).await, [without_seen(scheduler.clone())], "who took back what it said is gone");

    let alike = a_process("w-1 a%é", ProcessRole::Watcher);
    one.put(&alike).await.expect("the plugin answers");
    two.put(&watcher).await.expect("the plugin answers");
    assert_eq!(alive(&reader).await.len(), 3, "names that are alike are not the same");
    one.remove(&alike).await.expect("the plugin answers");
    the_silent_are_dead_and_the_others_live(&one, &reader, scheduler, &watcher).await;
    two.put(&ProcessStatus { seen: SystemClock.now(), ..watcher.clone() }).await.expect("the plugin answers");
    assert_eq!(alive(&reader).await.len(), 2, "who speaks again lives");
}

async fn the_silent_are_dead_and_the_others_live(
    says: &dyn StatusBackend,
    reader: &dyn StatusBackend,
    mut speaks: ProcessStatus,
    silent: &ProcessStatus,
) {
    let began = Instant::now();
    loop {
        speaks.seen = SystemClock.now();
        says.put(&speaks).await.expect("the plugin answers");
        let alive = alive(reader).await;
        assert!(alive.iter().any(|process| process.id == speaks.id), "who speaks lives");
        if !alive.iter().any(|process| process.id == silent.id) {
            break;
        }
        let waited = began.elapsed();
        assert!(waited < ProcessStatus::DEAD_AFTER * 2, "silent for {waited:?}, and taken for alive");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(began.elapsed() > ProcessStatus::DEAD_AFTER / 2, "who was silent for a moment is not dead");
}

/// Those who live, with `seen` made the same.
async fn alive(backend: &dyn StatusBackend) -> Vec<ProcessStatus> {
    let now = SystemClock.now();
    let all = backend.all().await.expect("the plugin answers");
    all.into_iter().filter(|process| process.is_alive_at(now)).map(without_seen).collect()
}

fn without_seen(process: ProcessStatus) -> ProcessStatus {
    ProcessStatus { seen: process.started, ..process }
}
