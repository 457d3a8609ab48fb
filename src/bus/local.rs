//! The bus of the embedded shape: bounded channels, one a role, and a broadcast.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc};

use super::{Bus, BusError, Command, Event, Role};

/// A role that is this far behind makes its senders wait.
const QUEUE: usize = 16_384;
/// A page that is this far behind has missed events, and asks the store instead.
const EVENTS: usize = 4_096;

pub struct LocalBus {
    senders: HashMap<Role, mpsc::Sender<Command>>,
    receivers: Mutex<HashMap<Role, mpsc::Receiver<Command>>>,
    events: broadcast::Sender<Event>,
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
        LocalBus { senders, receivers: Mutex::new(receivers), events: broadcast::channel(EVENTS).0 }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn send(&self, command: Command) -> Result<(), BusError> {
        let role = command.role();
        let sender = self.senders.get(&role).ok_or(BusError::Closed(role))?;
        sender.send(command).await.map_err(|_| BusError::Closed(role))
    }

    fn publish(&self, event: Event) {
        // An error means that nobody listens, which is fine.
        let _ = self.events.send(event);
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn commands(&self, role: Role) -> Option<mpsc::Receiver<Command>> {
        self.receivers.lock().expect("no holder of this lock panics").remove(&role)
    }
}
