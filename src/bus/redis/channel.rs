//! Publications: events to whoever listens, questions to the leading scheduler and answers back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use redis::RedisResult;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::PAUSES;
use super::link::Link;
use crate::bus::{ANSWER_WITHIN, Answer, Asked, Event, Question};

/// A page that is this far behind has missed events, and asks the store instead.
const EVENTS: usize = 4_096;
/// Publications on their way; what comes beyond that is dropped, as events may be.
const OUT: usize = 8_192;
/// Sent in one go.
const BATCH: usize = 256;
const QUESTIONS: usize = 256;

#[derive(Serialize, Deserialize)]
struct Ask {
    number: u64,
    /// Where the answer is awaited.
    reply_to: String,
    #[serde(flatten)]
    question: Question,
}

#[derive(Serialize, Deserialize)]
struct Reply {
    number: u64,
    answer: Answer,
}

pub struct Channel {
    names: Arc<Names>,
    shared: Arc<Shared>,
    out: mpsc::Sender<(String, String)>,
}

struct Names {
    events: String,
    asks: String,
    replies: String,
}

struct Shared {
    events: broadcast::Sender<Event>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    scheduler: Mutex<Option<mpsc::Sender<Asked>>>,
}

impl Channel {
    pub fn open(link: Arc<Link>) -> Self {
        let names = Arc::new(Names {
            events: link.key("events"),
            asks: link.key("asks"),
            replies: link.key(&format!("replies:{:016x}", rand::random::<u64>())),
        });
        let events = broadcast::channel(EVENTS).0;
        let shared = Arc::new(Shared { events, waiting: Mutex::default(), scheduler: Mutex::default() });
        let (out, outgoing) = mpsc::channel(OUT);
        tokio::spawn(send(link.clone(), outgoing));
        tokio::spawn(listen(link, names.clone(), shared.clone(), out.clone()));
        Channel { names, shared, out }
    }

    pub fn publish(&self, event: Event) {
        let text = serde_json::to_string(&event).expect("an event is always JSON");
        // Full or closed: an event may be lost.
        let _ = self.out.try_send((self.names.events.clone(), text));
    }

    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    pub async fn ask(&self, question: Question) -> Option<Answer> {
        let number = rand::random::<u64>();
        let (answer, answered) = oneshot::channel();
        self.shared.waiting.lock().expect("no holder of this lock panics").insert(number, answer);
        let ask = Ask { number, reply_to: self.names.replies.clone(), question };
        let text = serde_json::to_string(&ask).expect("a question is always JSON");
        let sent = self.out.send((self.names.asks.clone(), text)).await.is_ok();
        let answer = if sent { tokio::time::timeout(ANSWER_WITHIN, answered).await.ok() } else { None };
        self.shared.waiting.lock().expect("no holder of this lock panics").remove(&number);
        answer?.ok()
    }

    pub fn questions(&self) -> mpsc::Receiver<Asked> {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        *self.shared.scheduler.lock().expect("no holder of this lock panics") = Some(sender);
        receiver
    }
}

async fn send(link: Arc<Link>, mut outgoing: mpsc::Receiver<(String, String)>) {
    let mut batch = Vec::new();
    while outgoing.recv_many(&mut batch, BATCH).await > 0 {
        let mut all = redis::pipe();
        for (channel, text) in &batch {
            all.cmd("PUBLISH").arg(channel).arg(text).ignore();
        }
        if let Err(error) = link.all::<()>(&all).await {
            tracing::debug!(%error, "publications were lost");
        }
        batch.clear();
    }
}

/// Listens for as long as somebody may publish from here.
async fn listen(link: Arc<Link>, names: Arc<Names>, shared: Arc<Shared>, out: mpsc::Sender<(String, String)>) {
    let out = out.downgrade();
    let mut pause = PAUSES.start;
    while out.strong_count() > 0 {
        match listen_once(&link, &names, &shared, &out).await {
            // Redis closed the connection after a while that it worked.
            Ok(()) => pause = PAUSES.start,
            Err(error) => tracing::debug!(%error, "publications do not come in; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.end);
    }
}

async fn listen_once(
    link: &Link,
    names: &Names,
    shared: &Arc<Shared>,
    out: &mpsc::WeakSender<(String, String)>,
) -> RedisResult<()> {
    let mut publications = link.publications().await?;
    publications.subscribe(&[&names.events, &names.asks, &names.replies]).await?;
    let mut messages = publications.into_on_message();
    while let Some(message) = messages.next().await {
        let channel = message.get_channel_name();
        let text = message.get_payload_bytes();
        if channel == names.events {
            if let Ok(event) = serde_json::from_slice(text) {
                // An error means that nobody listens, which is fine.
                let _ = shared.events.send(event);
            }
        } else if channel == names.replies {
            if let Ok(Reply { number, answer }) = serde_json::from_slice(text) {
                let waiting = shared.waiting.lock().expect("no holder of this lock panics").remove(&number);
                // Whoever asked may have given up.
                if let Some(waiting) = waiting {
                    let _ = waiting.send(answer);
                }
            }
        } else if let Ok(ask) = serde_json::from_slice::<Ask>(text) {
            let Some(out) = out.upgrade() else { break };
            pass_on(shared, ask, out);
        }
    }
    Ok(())
}

/// To the scheduler of this process, if it leads.
fn pass_on(shared: &Shared, ask: Ask, out: mpsc::Sender<(String, String)>) {
    let scheduler = shared.scheduler.lock().expect("no holder of this lock panics").clone();
    let Some(scheduler) = scheduler.filter(|scheduler| !scheduler.is_closed()) else { return };
    tokio::spawn(async move {
        let (answer, answered) = oneshot::channel();
        if scheduler.send(Asked { question: ask.question, answer }).await.is_err() {
            return;
        }
        if let Ok(answer) = answered.await {
            let reply = Reply { number: ask.number, answer };
            let text = serde_json::to_string(&reply).expect("an answer is always JSON");
            let _ = out.send((ask.reply_to, text)).await;
        }
    });
}
