//! What moves: one actor a file, its messages at the top.
//!
//! An actor turns a message into a decision (a plain function) and the decision into an effect (store first, world
//! second, bus third). Callers hold a typed handle. Deliberately not here: the decisions themselves (`scheduling`,
//! `domain`), what runs a job (`plugins::executor`) and what a caller may ask (`web::jobs`).

pub mod archive;
pub mod archiver;
pub mod executor;
pub mod leadership;
pub mod measuring;
pub mod notifier;
pub mod notify;
pub mod presence;
pub mod recovery;
pub mod retention;
pub mod rounds;
pub mod sampler;
pub mod scheduler;
pub mod scheduler_handle;
pub mod scheduler_state;
pub mod share;
pub mod watcher;

mod ending;
mod launching;
mod leaving;
mod scheduler_store;
#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::task::JoinHandle;

use crate::bus::{Bus, Command, Delivery, Event, Receipt, Role};
use crate::domain::{Clock, InstanceId, Job};
use crate::files::JobDirs;
use crate::measures::{self, Fault};
use crate::plugins::executor::Executor;
use crate::store::Store;

/// A command from the bus, for the actor of its role.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Command, pub Receipt);

/// The one signal that ends an actor's work: it takes nothing new and answers when what it had begun is stored.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Shutdown;

/// What every actor works with.
#[derive(Clone)]
pub struct Works {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub files: JobDirs,
    pub clock: Arc<dyn Clock>,
    /// In order of preference.
    pub executors: Arc<Vec<Arc<dyn Executor>>>,
    pub instance: InstanceId,
    pub kill_grace: Duration,
}

impl Works {
    pub fn executor(&self, name: &str) -> Option<&Arc<dyn Executor>> {
        self.executors.iter().find(|executor| executor.name() == name)
    }

    /// Sends, and logs where nobody takes it: what was asked is in the store, and is found again at the next start.
    pub async fn tell(&self, command: Command) {
        if let Err(error) = self.bus.send(command).await {
            measures::error(Fault::Bus);
            tracing::warn!(%error, "a message was not taken");
        }
    }

    pub fn changed(&self, job: &Job) {
        self.bus.publish(Event::JobChanged {
            id: job.id,
            parent: job.parent(),
            owner: job.owner.user.clone(),
            project: job.owner.project.clone(),
            phase: job.state.phase(),
        });
    }
}

/// Carries a role's commands from the bus to its actor, one after the other, so that a slow actor slows its senders.
pub fn pump(bus: &dyn Bus, role: Role, to: Recipient<Deliver>) -> Option<JoinHandle<()>> {
    let Some(mut commands) = bus.commands(role) else {
        tracing::error!(?role, "the commands of a role are taken twice");
        return None;
    };
    Some(tokio::spawn(async move {
        while let Some(Delivery { command, receipt }) = commands.recv().await {
            if to.send(Deliver(command, receipt)).await.is_err() {
                break;
            }
        }
    }))
}
