//! Messages between actors.
//!
//! Commands go to a role and are delivered at least once; what they ask is always written in the store first, so a lost
//! one costs time, not work. Events may be lost and feed pages and caches. Questions are answered by the leading
//! scheduler, or by nobody. In the embedded shape all stay in the process ([`local`]); in a cluster they go over Redis
//! ([`redis`]). Handlers are idempotent: a command may come twice.

pub mod local;
pub mod message;
pub mod redis;

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc, oneshot};

pub use self::redis::RedisBus;
pub use local::LocalBus;
pub use message::{Answer, Command, Event, Question, Role};

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("no one takes messages for the {0:?} any more")]
    Closed(Role),
    #[error("Redis does not take messages: {0}")]
    Redis(#[from] ::redis::RedisError),
}

/// How long a question may wait for its answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(1);

#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands a command to its role ([`Command::role`]). Waits while that role's queue is full.
    ///
    /// # Errors
    /// It may be lost; the role is then told to look in the store as soon as messages get through again.
    async fn send(&self, command: Command) -> Result<(), BusError>;

    /// Tells whoever listens. Never waits, never fails.
    fn publish(&self, event: Event);

    fn events(&self) -> broadcast::Receiver<Event>;

    /// The commands for one role, until the receiver is dropped. One receiver a role and process at a time: a second
    /// gets `None`.
    fn commands(&self, role: Role) -> Option<mpsc::Receiver<Delivery>>;

    /// Asks the leading scheduler; `None` when nobody answers within [`ANSWER_WITHIN`].
    async fn ask(&self, question: Question) -> Option<Answer>;

    /// The questions to the leading scheduler, for the process that is it. The last who called this gets them.
    fn questions(&self) -> mpsc::Receiver<Asked>;

    /// What waits for each role; those that cannot be asked now are left out.
    async fn depths(&self) -> Vec<Depth>;

    /// The process that has the right to be the scheduler; `None` where nobody has it, and where none is needed.
    async fn lease_holder(&self) -> Option<String> {
        None
    }
}

/// How much a role has before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Depth {
    pub role: Role,
    /// Commands that are not acknowledged yet.
    pub waiting: u64,
    /// The age of the oldest, where it is known.
    pub lag: Option<Duration>,
}

/// A command as it came.
#[derive(Debug)]
pub struct Delivery {
    pub command: Command,
    pub receipt: Receipt,
}

/// The means to say that what a command asks is done, or in the store. A receipt that is dropped without a word leaves
/// the command to be delivered again.
#[derive(Debug, Default)]
pub struct Receipt(Option<(mpsc::UnboundedSender<Acknowledged>, String)>);

#[derive(Debug)]
pub struct Acknowledged {
    pub message: String,
    /// False: given up, to be delivered again.
    pub done: bool,
}

impl Receipt {
    pub fn new(to: mpsc::UnboundedSender<Acknowledged>, message: String) -> Self {
        Receipt(Some((to, message)))
    }

    pub fn done(mut self) {
        self.tell(true);
    }

    fn tell(&mut self, done: bool) {
        if let Some((to, message)) = self.0.take() {
            // Nobody listens when the process ends; the command is then delivered again.
            let _ = to.send(Acknowledged { message, done });
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.tell(false);
    }
}

#[derive(Debug)]
pub struct Asked {
    pub question: Question,
    pub answer: oneshot::Sender<Answer>,
}
