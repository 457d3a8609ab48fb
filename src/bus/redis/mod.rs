//! The bus of a cluster, over Redis: a stream a role with one group of consumers, and publications for the rest.
//!
//! Nothing in Redis is the truth: it can be flushed or away at any time. Whoever could not send, and whoever finds a
//! stream gone, tells the scheduler and the watchers to look in the store. [`lease`] is the right to be the scheduler.

mod channel;
pub mod lease;
mod link;
mod stream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc};

use self::channel::Channel;
pub use self::lease::Lease;
pub use self::link::Link;
use super::{Answer, Asked, Bus, BusError, Command, Delivery, Depth, Event, Question, Role};
use crate::config;

/// Pauses between attempts while Redis is away: doubled from the first to the last.
const PAUSES: std::ops::Range<Duration> = Duration::from_millis(100)..Duration::from_secs(5);

pub struct RedisBus {
    link: Arc<Link>,
    channel: Channel,
    /// Names this process in the groups of consumers.
    consumer: String,
    taken: Mutex<HashMap<Role, mpsc::Sender<Delivery>>>,
    /// A command could not be sent: who should have had it is told to look, once Redis is back.
    lost: Arc<AtomicBool>,
}

impl RedisBus {
    /// `process`: GOD_PROCID or what stands for it; one at a time has it. Redis need not answer yet.
    pub fn new(settings: config::Redis, process: &str) -> Self {
        let link = Arc::new(Link::new(settings));
        let channel = Channel::open(link.clone());
        RedisBus { link, channel, consumer: process.to_owned(), taken: Mutex::default(), lost: Arc::default() }
    }

    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The right to be the scheduler, for `ttl` at a time.
    pub fn lease(&self, ttl: Duration) -> Lease {
        Lease::new(self.link.clone(), &self.consumer, ttl)
    }

    /// # Errors
    /// Redis', as a sentence.
    pub async fn ping(&self) -> Result<(), BusError> {
        Ok(self.link.one(&::redis::cmd("PING")).await?)
    }

    /// Sees to it that those who may have missed a command look in the store.
    fn tell_to_look(&self) {
        if self.lost.swap(true, Ordering::Relaxed) {
            return;
        }
        let (link, lost) = (self.link.clone(), self.lost.clone());
        tokio::spawn(async move {
            let mut pause = PAUSES.start;
            loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.end);
                // Cleared first: what is lost from now on asks for another look.
                lost.store(false, Ordering::Relaxed);
                if stream::add(&link, &Command::Reconcile).await.is_ok()
                    && stream::add(&link, &Command::Recover).await.is_ok()
                {
                    break;
                }
                lost.store(true, Ordering::Relaxed);
            }
        });
    }
}

/// Publishes an event without a bus. Answers how many heard it.
///
/// # Errors
/// Redis'.
pub async fn announce(settings: config::Redis, event: &Event) -> Result<u64, BusError> {
    let link = Link::new(settings);
    let text = serde_json::to_string(event).expect("an event is always JSON");
    Ok(link.one(::redis::cmd("PUBLISH").arg(link.key("events")).arg(text)).await?)
}

/// What waits, and who has the lease, without a bus. What Redis does not answer is left out.
pub async fn look(settings: config::Redis) -> (Vec<Depth>, Option<String>) {
    let link = Link::new(settings);
    (depths(&link).await, lease::holder(&link).await.ok().flatten())
}

async fn depths(link: &Link) -> Vec<Depth> {
    let asked = Role::ALL.map(|role| stream::depth(link, role));
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

#[async_trait]
impl Bus for RedisBus {
    async fn send(&self, command: Command) -> Result<(), BusError> {
        let sent = stream::add(&self.link, &command).await;
        if sent.is_err() {
            self.tell_to_look();
        }
        Ok(sent?)
    }

    fn publish(&self, event: Event) {
        self.channel.publish(event);
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.channel.events()
    }

    fn commands(&self, role: Role) -> Option<mpsc::Receiver<Delivery>> {
        let mut taken = self.taken.lock().expect("no holder of this lock panics");
        if taken.get(&role).is_some_and(|sender| !sender.is_closed()) {
            return None;
        }
        let (sender, receiver) = mpsc::channel(stream::AHEAD);
        taken.insert(role, sender.clone());
        tokio::spawn(stream::consume(self.link.clone(), role, self.consumer.clone(), sender));
        Some(receiver)
    }

    async fn ask(&self, question: Question) -> Option<Answer> {
        self.channel.ask(question).await
    }

    fn questions(&self) -> mpsc::Receiver<Asked> {
        self.channel.questions()
    }

    async fn depths(&self) -> Vec<Depth> {
        depths(&self.link).await
    }

    async fn lease_holder(&self) -> Option<String> {
        lease::holder(&self.link).await.ok().flatten()
    }
}
