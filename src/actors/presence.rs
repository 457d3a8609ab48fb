//! That this process lives: said every [`ProcessStatus::EVERY`], unsaid at a stop in order.
//!
//! It is said in the store, always, and where the site has another status plugin, there too. Who the live watchers are,
//! and so which of them sees to which job, goes by the store alone: it is the one thing without which nothing can be
//! done for a job anyway, so that no further service can stop one by being away. While the store is away the last known
//! watchers stay; two that both take a job for theirs do the same twice, which the store makes once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::share;
use crate::domain::{Clock, ProcessStatus};
use crate::plugins::status::StatusBackend;
use crate::store::{ProcessStore, Store, StoreError};

/// How long one that died without a word is shown.
const FORGET: Duration = Duration::from_secs(86_400);
/// How long others are told, at a stop.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What tells others of this process.
pub struct Presence {
    store: Arc<dyn Store>,
    announced: Option<Arc<dyn StatusBackend>>,
    status: ProcessStatus,
    saying: Vec<JoinHandle<()>>,
}

/// Where it is said.
pub struct Places {
    pub store: Arc<dyn Store>,
    /// The site's status plugin; `None` where that is the store.
    pub announced: Option<Arc<dyn StatusBackend>>,
}

impl Presence {
    /// `leads`: whether this is the leading scheduler. Answers the live watchers too, kept up to date.
    pub fn begin(
        places: Places,
        clock: Arc<dyn Clock>,
        status: ProcessStatus,
        leads: watch::Receiver<bool>,
    ) -> (Self, watch::Receiver<Arc<[String]>>) {
        let (watchers, live) = watch::channel(Arc::from([]));
        let Places { store, announced } = places;
        let mut saying = vec![tokio::spawn(say(store.clone(), clock.clone(), status.clone(), leads.clone(), watchers))];
        if let Some(backend) = announced.clone() {
            saying.push(tokio::spawn(announce(backend, clock, status.clone(), leads)));
        }
        (Presence { store, announced, status, saying }, live)
    }

    pub async fn end(self) {
        for saying in self.saying {
            saying.abort();
            // What said it last may be under way.
            let _ = saying.await;
        }
        if let Err(error) = self.store.remove_process(&self.status.id).await {
            tracing::warn!(%error, "others take this process for dead in a while");
        }
        let Some(backend) = self.announced else { return };
        match tokio::time::timeout(END_WITHIN, backend.remove(&self.status)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "it is announced for a while longer"),
            Err(_) => tracing::warn!("it is announced for a while longer"),
        }
    }
}

/// Comes back when it is to be said again.
async fn due(tick: &mut tokio::time::Interval, leads: &mut watch::Receiver<bool>) {
    tokio::select! {
        _ = tick.tick() => {}
        // Whoever could tell is gone where nobody ever leads.
        Ok(()) = leads.changed() => {}
    }
}

fn every(span: Duration) -> tokio::time::Interval {
    let mut tick = interval(span);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

async fn say(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    mut status: ProcessStatus,
    mut leads: watch::Receiver<bool>,
    watchers: watch::Sender<Arc<[String]>>,
) {
    let mut tick = every(ProcessStatus::EVERY);
    let mut away = false;
    loop {
        due(&mut tick, &mut leads).await;
        status.seen = clock.now();
        status.leader = *leads.borrow_and_update();
        match say_once(store.as_ref(), &status).await {
            Ok(processes) => {
                away = false;
                let now = share::watchers(&processes, clock.now());
                watchers.send_if_modified(|known| {
                    let changed = *known != now;
                    *known = now;
                    changed
                });
            }
            Err(error) if !std::mem::replace(&mut away, true) => {
                tracing::warn!(%error, "others cannot be told that this process lives");
            }
            Err(_) => {}
        }
    }
}

/// Answers what the others said. Those who died long ago are forgotten.
async fn say_once(
    store: &(impl ProcessStore + ?Sized),
    status: &ProcessStatus,
) -> Result<Vec<ProcessStatus>, StoreError> {
    store.put_process(status).await?;
    let processes = store.processes().await?;
    for gone in processes.iter().filter(|process| status.seen.since(process.seen) > FORGET) {
        store.remove_process(&gone.id).await?;
    }
    Ok(processes)
}

async fn announce(
    backend: Arc<dyn StatusBackend>,
    clock: Arc<dyn Clock>,
    mut status: ProcessStatus,
    mut leads: watch::Receiver<bool>,
) {
    let mut tick = every(ProcessStatus::EVERY);
    let mut away = false;
    loop {
        due(&mut tick, &mut leads).await;
        status.seen = clock.now();
        status.leader = *leads.borrow_and_update();
        match backend.put(&status).await {
            Ok(()) if std::mem::take(&mut away) => tracing::info!("this process is announced again"),
            Ok(()) => {}
            Err(error) if !std::mem::replace(&mut away, true) => {
                tracing::warn!(%error, "this process cannot be announced; jobs go on");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::domain::{ManualClock, ProcessRole, Timestamp};
    use crate::plugins::status;
    use crate::store::sqlite::testing::TestStore;

    struct Hangs;

    #[async_trait]
    impl StatusBackend for Hangs {
        async fn put(&self, _: &ProcessStatus) -> status::Result<()> {
            std::future::pending().await
        }

        async fn all(&self) -> status::Result<Vec<ProcessStatus>> {
            std::future::pending().await
        }

        async fn remove(&self, _: &ProcessStatus) -> status::Result<()> {
            std::future::pending().await
        }
    }

    fn a_watcher(id: &str, seen: Timestamp) -> ProcessStatus {
        ProcessStatus {
            id: id.to_owned(),
            role: ProcessRole::Watcher,
            host: "node1".to_owned(),
            pid: 7,
            version: String::new(),
            started: seen,
            seen,
            address: None,
            leader: false,
        }
    }

    #[tokio::test]
    async fn a_status_plugin_that_hangs_holds_nothing_up() {
        let kept = TestStore::new();
        let now = Timestamp::from_secs(1_000_000);
        let yesterday = Timestamp(now.0 - FORGET.as_millis() as i64 - 1);
        for other in [a_watcher("long dead", yesterday), a_watcher("w2", now)] {
            kept.store.put_process(&other).await.unwrap();
        }
        let places = Places { store: kept.store.clone(), announced: Some(Arc::new(Hangs)) };
        let clock = Arc::new(ManualClock::at(now));
        let (presence, mut live) = Presence::begin(places, clock, a_watcher("w1", now), watch::channel(false).1);
        live.changed().await.unwrap();
        assert_eq!(**live.borrow_and_update(), ["w1".to_owned(), "w2".to_owned()]);
        presence.end().await;
        let left: Vec<_> = kept.store.processes().await.unwrap().into_iter().map(|process| process.id).collect();
        assert_eq!(left, ["w2"], "it took back what it said, and the long dead are forgotten");
    }
}
