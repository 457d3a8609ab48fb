//! Messages between actors.
//!
//! Commands go to a role and are delivered at least once while this process lives; what they ask is always written in
//! the store first, so a lost one costs time, not work. Events may be lost and feed pages and caches. In the embedded
//! shape both stay in the process ([`local`]); handlers are idempotent so that another transport can deliver twice.

pub mod local;
pub mod message;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc};

pub use local::LocalBus;
pub use message::{Command, Event, Role};

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("no one takes messages for the {0:?} any more")]
    Closed(Role),
}

#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands a command to its role ([`Command::role`]). Waits while that role's queue is full.
    async fn send(&self, command: Command) -> Result<(), BusError>;

    /// Tells whoever listens. Never waits, never fails.
    fn publish(&self, event: Event);

    fn events(&self) -> broadcast::Receiver<Event>;

    /// The commands for one role. Called once a role; a second call gets `None`.
    fn commands(&self, role: Role) -> Option<mpsc::Receiver<Command>>;
}
