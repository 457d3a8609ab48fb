//! The bus of the embedded shape: bounded channels, one a role, and a broadcast.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{ANSWER_WITHIN, Answer, Asked, Bus, BusError, Command, Delivery, Depth, Event, Question, Receipt, Role};

/// A role that is this far behind makes its senders wait.
const QUEUE: usize = 16_384;
/// A page that is this far behind has missed events, and asks the store instead.
const EVENTS: usize = 4_096;
const QUESTIONS: usize = 256;

pub struct LocalBus {
    senders: HashMap<Role, mpsc::Sender<Delivery>>,
    receivers: Mutex<HashMap<Role, mpsc::Receiver<Delivery>>>,
    events: broadcast::Sender<Event>,
    scheduler: Mutex<Option<mpsc::Sender<Asked>>>,
}

impl Default for LocalBus {
    fn default() -> Self {
        let mut senders = HashMap::new();
        let mut receivers = HashMap::new();
        for role in Role::ALL {
            let (sender, receiver) = mpsc::channel(QUEUE);
            senders.insert(role, sender);
            receivers.insert(role, receiver);
        }
        let events = broadcast::channel(EVENTS).0;
        LocalBus { senders, receivers: Mutex::new(receivers), events, scheduler: Mutex::default() }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn send(&self, command: Command) -> Result<(), BusError> {
        let role = command.role();
        let sender = self.senders.get(&role).ok_or(BusError::Closed(role))?;
        let delivery = Delivery { command, receipt: Receipt::default() };
        sender.send(delivery).await.map_err(|_| BusError::Closed(role))
    }

    fn publish(&self, event: Event) {
        // An error means that nobody listens, which is fine.
        let _ = self.events.send(event);
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn commands(&self, role: Role) -> Option<mpsc::Receiver<Delivery>> {
        self.receivers.lock().expect("no holder of this lock panics").remove(&role)
    }

    async fn ask(&self, question: Question) -> Option<Answer> {
        let scheduler = self.scheduler.lock().expect("no holder of this lock panics").clone()?;
        let (answer, answered) = oneshot::channel();
        scheduler.send(Asked { question, answer }).await.ok()?;
        tokio::time::timeout(ANSWER_WITHIN, answered).await.ok()?.ok()
    }

    fn questions(&self) -> mpsc::Receiver<Asked> {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        *self.scheduler.lock().expect("no holder of this lock panics") = Some(sender);
        receiver
    }

    async fn depths(&self) -> Vec<Depth> {
        let depth = |role: Role| {
            let sender = &self.senders[&role];
            Depth { role, waiting: (sender.max_capacity() - sender.capacity()) as u64, lag: None }
        };
        Role::ALL.into_iter().map(depth).collect()
    }
}
