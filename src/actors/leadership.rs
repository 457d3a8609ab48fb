//! Who plans: one scheduler at a time, by a lease it renews, and by a fence that the store checks on every plan.
//!
//! The lease decides who leads; the fence keeps one that does not know yet that it was deposed (it was stopped, or cut
//! off) from starting anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Works;
use crate::bus::redis::Lease;
use crate::bus::{Bus, Event};
use crate::measures;
use crate::store::{Applied, Change, JobStore, StoreError};

/// The right to plan, as the store checks it.
#[derive(Clone)]
pub struct Fence {
    number: u64,
    deposed: Arc<Notify>,
}

impl Fence {
    /// Deposes whoever planned before.
    ///
    /// # Errors
    /// The store's.
    pub async fn raise(store: &(impl JobStore + ?Sized)) -> Result<Self, StoreError> {
        Ok(Fence { number: store.raise_fence().await?, deposed: Arc::default() })
    }

    /// [`JobStore::commit`], unless another plans by now: then nothing is done and every change is stale.
    ///
    /// # Errors
    /// The store's.
    pub async fn commit(&self, works: &Works, changes: Vec<Change>) -> Result<Vec<Applied>, StoreError> {
        let count = changes.len();
        Ok(match works.store.commit_fenced(self.number, changes).await? {
            Some(applied) => applied,
            None => {
                measures::fence_refused();
                tracing::warn!(fence = self.number, "another scheduler leads: its plan stands, not this one's");
                self.deposed.notify_one();
                (0..count).map(|_| Applied::Stale).collect()
            }
        })
    }

    /// Comes back when the store has refused a plan.
    pub async fn deposed(&self) {
        self.deposed.notified().await;
    }
}

/// Leads whenever it may, until this is dropped: `lead` is run with a new fence each time, and dropped when the right to
/// lead is lost. `leads` is told.
pub async fn lead_whenever_possible(
    works: &Works,
    lease: &Lease,
    leads: &tokio::sync::watch::Sender<bool>,
    mut lead: impl AsyncFnMut(Fence),
) {
    let mut events = works.bus.events();
    loop {
        wait_for_turn(lease, &mut events).await;
        let fence = match Fence::raise(works.store.as_ref()).await {
            Ok(fence) => fence,
            Err(error) => {
                tracing::error!(%error, "the lease is ours, but the database does not answer; another may try");
                give_back(works.bus.as_ref(), lease).await;
                tokio::time::sleep(lease.ttl() / 3).await;
                continue;
            }
        };
        tracing::info!(fence = fence.number, "this scheduler leads");
        leads.send_replace(true);
        measures::leads(true);
        let why = tokio::select! {
            why = keep(lease) => why,
            () = fence.deposed() => "the store has a newer leader",
            () = lead(fence.clone()) => "it was stopped",
        };
        leads.send_replace(false);
        measures::leads(false);
        tracing::warn!(why, "this scheduler does not lead any more");
    }
}

/// Hands the right to lead to whoever waits for it.
pub async fn give_back(bus: &dyn Bus, lease: &Lease) {
    match lease.release().await {
        Ok(()) => bus.publish(Event::LeaseFree),
        Err(error) => tracing::warn!(%error, "the lease could not be given back; it expires"),
    }
}

async fn wait_for_turn(lease: &Lease, events: &mut tokio::sync::broadcast::Receiver<Event>) {
    let mut away = false;
    loop {
        match lease.take().await {
            Ok(true) => return,
            Ok(false) => away = false,
            Err(error) if !away => {
                tracing::warn!(%error, "Redis does not answer: nobody can lead");
                away = true;
            }
            Err(_) => {}
        }
        let free = async {
            loop {
                match events.recv().await {
                    Ok(Event::LeaseFree) => break,
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Looked at from time to time too: whoever led may have died without a word.
        let _ = tokio::time::timeout(lease.ttl() / 6, free).await;
    }
}

/// Renews the lease; comes back when it is lost, or may be by now.
async fn keep(lease: &Lease) -> &'static str {
    // What others count from is later than this.
    let mut held_since = Instant::now();
    loop {
        tokio::time::sleep(lease.ttl() / 3).await;
        let asked = Instant::now();
        if asked.duration_since(held_since) >= lease.ttl() {
            return "it was asleep for longer than the lease lasts";
        }
        match lease.take().await {
            Ok(true) => held_since = asked,
            Ok(false) => return "another has the lease",
            Err(error) => {
                tracing::warn!(%error, "the lease could not be renewed");
                let left = lease.ttl().saturating_sub(held_since.elapsed());
                if left < lease.ttl() / 3 {
                    tokio::time::sleep(left.saturating_sub(Duration::from_millis(200))).await;
                    return "the lease could not be renewed";
                }
            }
        }
    }
}
