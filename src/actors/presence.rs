//! That this process lives: said every [`ProcessStatus::EVERY`], unsaid at a stop in order.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::share;
use crate::domain::{Clock, ProcessStatus};
use crate::store::Store;

/// What tells others of this process.
pub struct Presence {
    store: Arc<dyn Store>,
    id: String,
    saying: tokio::task::JoinHandle<()>,
}

impl Presence {
    /// `leads`: whether this is the leading scheduler. Answers the live watchers too, kept up to date.
    pub fn begin(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        mut status: ProcessStatus,
        mut leads: watch::Receiver<bool>,
    ) -> (Self, watch::Receiver<Arc<[String]>>) {
        let (watchers, live) = watch::channel(Arc::from([]));
        let (id, of) = (status.id.clone(), store.clone());
        let saying = tokio::spawn(async move {
            let mut tick = interval(ProcessStatus::EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut away = false;
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    // Whoever could tell is gone where nobody ever leads.
                    Ok(()) = leads.changed() => {}
                }
                status.seen = clock.now();
                status.leader = *leads.borrow_and_update();
                let said = async {
                    store.put_process(&status).await?;
                    store.processes().await
                };
                match said.await {
                    Ok(processes) => {
                        away = false;
                        let now = share::watchers(&processes, clock.now());
                        watchers.send_if_modified(|known| {
                            let changed = *known != now;
                            *known = now;
                            changed
                        });
                    }
                    Err(error) if !away => {
                        away = true;
                        tracing::warn!(%error, "others cannot be told that this process lives");
                    }
                    Err(_) => {}
                }
            }
        });
        (Presence { store: of, id, saying }, live)
    }

    pub async fn end(self) {
        self.saying.abort();
        // What said it last may be under way.
        let _ = self.saying.await;
        if let Err(error) = self.store.remove_process(&self.id).await {
            tracing::warn!(%error, "others take this process for dead in a while");
        }
    }
}
