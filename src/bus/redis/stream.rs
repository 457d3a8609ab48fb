//! Commands, over a stream a role.
//!
//! An entry is read by one consumer of the role's group, and removed when it is acknowledged. While it is in hand its
//! reader says so; what nobody has said anything of for [`IDLE`] is taken over by whoever looks next. An entry that has
//! been in many hands without an end is set aside.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamInfoConsumersReply, StreamPendingCountReply, StreamRangeReply, StreamReadReply};
use redis::{RedisResult, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::PAUSES;
use super::link::Link;
use crate::bus::{Acknowledged, Command, Delivery, Depth, Receipt, Role};
use crate::measures::{self, Fault};

/// Commands read before the actor asks for them.
pub const AHEAD: usize = 64;
/// Entries in a stream that nobody reads; the oldest go first, and are found again in the store.
const LENGTH: usize = 100_000;
/// How long one read waits for something to come.
const WAIT: Duration = Duration::from_secs(5);
/// An entry that nobody has said anything of for this long is anyone's.
const IDLE: Duration = Duration::from_secs(15);
/// How often that is looked for, and said of what is in hand.
const LOOK: Duration = Duration::from_secs(5);
/// After so many deliveries an entry is set aside.
const DELIVERIES: usize = 10;
/// Entries set aside that are kept.
const SET_ASIDE: usize = 1_000;
/// A consumer without entries that was not seen for this long is forgotten.
const FORGET: Duration = Duration::from_secs(3_600);

/// What an entry holds, in its field `message`.
#[derive(Serialize, Deserialize)]
struct Message {
    version: u32,
    #[serde(flatten)]
    command: Command,
}

const VERSION: u32 = 1;
const FIELD: &str = "message";

fn key_of(link: &Link, role: Role) -> String {
    link.key(&format!("bus:{}", role.as_str()))
}

/// # Errors
/// Redis'; whether it was added is then not known.
pub async fn add(link: &Link, command: &Command) -> RedisResult<()> {
    let key = key_of(link, command.role());
    let message = Message { version: VERSION, command: command.clone() };
    let text = serde_json::to_string(&message).expect("a command is always JSON");
    let mut add = redis::cmd("XADD");
    add.arg(&key).arg("MAXLEN").arg("~").arg(LENGTH).arg("*").arg(FIELD).arg(&text);
    link.one(&add).await
}

/// How many entries a role has before it, and how old the oldest is.
///
/// # Errors
/// Redis'.
pub async fn depth(link: &Link, role: Role) -> RedisResult<Depth> {
    let key = key_of(link, role);
    let mut both = redis::pipe();
    both.cmd("XLEN").arg(&key).cmd("XRANGE").arg(&key).arg("-").arg("+").arg("COUNT").arg(1);
    let (length, first): (u64, StreamRangeReply) = link.all(&both).await?;
    let lag = first.ids.first().map(|entry| age(&entry.id)).unwrap_or_default();
    Ok(Depth { role, waiting: length, lag: Some(lag) })
}

/// By the milliseconds that begin an entry's id.
fn age(id: &str) -> Duration {
    let added = id.split('-').next().and_then(|ms| ms.parse().ok()).map(Duration::from_millis).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(added)
}

struct Consumer {
    link: Arc<Link>,
    role: Role,
    key: String,
    name: String,
    to: mpsc::Sender<Delivery>,
    acknowledge: mpsc::UnboundedSender<Acknowledged>,
}

/// Reads a role's commands until nobody takes them any more.
pub async fn consume(link: Arc<Link>, role: Role, name: String, to: mpsc::Sender<Delivery>) {
    let (acknowledge, acknowledged) = mpsc::unbounded_channel();
    let key = key_of(&link, role);
    let (hands, in_hand) = mpsc::unbounded_channel();
    tokio::spawn(keep(link.clone(), key.clone(), role, name.clone(), in_hand, acknowledged));
    let me = Consumer { link, role, key, name, to, acknowledge };
    let mut pause = PAUSES.start;
    let mut broken = false;
    while !me.to.is_closed() {
        let began = Instant::now();
        match me.read_on(&hands, broken).await {
            Ok(()) => return,
            Err(error) => {
                measures::error(Fault::Bus);
                if !std::mem::replace(&mut broken, true) {
                    tracing::warn!(?role, %error, "messages do not come in; trying again");
                }
            }
        }
        // One that worked for a while is tried again soon.
        pause = if began.elapsed() > PAUSES.end { PAUSES.start } else { (pause * 2).min(PAUSES.end) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = me.to.closed() => return,
        }
    }
}

impl Consumer {
    /// Reads until nobody takes the commands (`Ok`) or Redis fails.
    async fn read_on(&self, hands: &mpsc::UnboundedSender<String>, broken: bool) -> RedisResult<()> {
        let mut redis = self.link.connect(WAIT + Duration::from_secs(5)).await?;
        let made = make_group(&mut redis, &self.key, self.role).await?;
        if broken || made {
            // Messages may have been lost; what they asked is in the store.
            if broken {
                tracing::info!(role = ?self.role, "messages come in again");
            }
            self.tell_to_look().await;
        }
        // What this name was given before comes first: a process that is back under its old name.
        let mut own = self.read(&mut redis, "0").await?;
        let mut looked = Instant::now();
        loop {
            for entry in own.drain(..).filter(|entry| !entry.map.is_empty()) {
                if !self.deliver(&mut redis, entry, hands).await? {
                    return Ok(());
                }
            }
            if looked.elapsed() >= LOOK {
                own.extend(take_over(&mut redis, &self.key, self.role, &self.name).await?);
                looked = Instant::now();
            }
            if own.is_empty() {
                let waited = tokio::select! {
                    read = self.read(&mut redis, ">") => read?,
                    () = self.to.closed() => return Ok(()),
                };
                own.extend(waited);
            }
        }
    }

    /// The next entries: from `>` those that nobody had, from `0` those that this name had.
    async fn read(&self, redis: &mut MultiplexedConnection, from: &str) -> RedisResult<Vec<StreamId>> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(self.role.as_str()).arg(&self.name).arg("COUNT").arg(AHEAD);
        read.arg("BLOCK").arg(WAIT.as_millis() as u64).arg("STREAMS").arg(&self.key).arg(from);
        let reply: Option<StreamReadReply> = read.query_async(redis).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|stream| stream.ids).collect())
    }

    /// False when nobody takes commands any more.
    async fn deliver(
        &self,
        redis: &mut MultiplexedConnection,
        entry: StreamId,
        hands: &mpsc::UnboundedSender<String>,
    ) -> RedisResult<bool> {
        let Some(command) = command_of(&entry) else {
            set_aside(redis, &self.key, self.role, &entry).await?;
            return Ok(true);
        };
        // Only fails when `keep` is gone, and with it this process.
        let _ = hands.send(entry.id.clone());
        let receipt = Receipt::new(self.acknowledge.clone(), entry.id);
        Ok(self.to.send(Delivery { command, receipt }).await.is_ok())
    }

    async fn tell_to_look(&self) {
        let look = match self.role {
            Role::Scheduler => Command::Reconcile,
            Role::Watcher => Command::Recover,
            // What these missed the watchers find, and tell again.
            Role::Executor | Role::Archiver | Role::Notifier => return,
        };
        // An error means that nobody takes commands any more.
        let _ = self.to.send(Delivery { command: look, receipt: Receipt::default() }).await;
    }
}

fn command_of(entry: &StreamId) -> Option<Command> {
    let text: String = entry.get(FIELD)?;
    let message: Message = serde_json::from_str(&text).ok()?;
    (message.version == VERSION).then_some(message.command)
}

/// True when there was none.
async fn make_group(redis: &mut MultiplexedConnection, key: &str, role: Role) -> RedisResult<bool> {
    let mut make = redis::cmd("XGROUP");
    make.arg("CREATE").arg(key).arg(role.as_str()).arg("0").arg("MKSTREAM");
    match make.exec_async(redis).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes what others have in hand and say nothing of.
async fn take_over(redis: &mut MultiplexedConnection, key: &str, role: Role, name: &str) -> RedisResult<Vec<StreamId>> {
    let idle = IDLE.as_millis() as u64;
    let mut ask = redis::cmd("XPENDING");
    ask.arg(key).arg(role.as_str()).arg("IDLE").arg(idle).arg("-").arg("+").arg(AHEAD);
    let pending: StreamPendingCountReply = ask.query_async(redis).await?;
    if pending.ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut claim = redis::cmd("XCLAIM");
    claim.arg(key).arg(role.as_str()).arg(name).arg(idle);
    for entry in &pending.ids {
        claim.arg(&entry.id);
    }
    let claimed: StreamRangeReply = claim.query_async(redis).await?;
    let mut taken = Vec::new();
    for entry in claimed.ids {
        let deliveries = pending.ids.iter().find(|known| known.id == entry.id).map_or(0, |known| known.times_delivered);
        if deliveries >= DELIVERIES {
            set_aside(redis, key, role, &entry).await?;
        } else {
            taken.push(entry);
        }
    }
    Ok(taken)
}

/// Keeps an entry that nobody could do anything with where an administrator finds it.
async fn set_aside(redis: &mut MultiplexedConnection, key: &str, role: Role, entry: &StreamId) -> RedisResult<()> {
    let text: String = entry.get(FIELD).unwrap_or_default();
    tracing::error!(?role, id = entry.id, "a message was set aside: nobody could do what it asks");
    let mut both = redis::pipe();
    both.cmd("XADD").arg(format!("{key}:aside")).arg("MAXLEN").arg("~").arg(SET_ASIDE).arg("*");
    both.arg("id").arg(&entry.id).arg(FIELD).arg(text);
    both.cmd("XACK").arg(key).arg(role.as_str()).arg(&entry.id).cmd("XDEL").arg(key).arg(&entry.id);
    both.exec_async(redis).await
}

/// Acknowledges what is done, and says of the rest that it is in hand.
async fn keep(
    link: Arc<Link>,
    key: String,
    role: Role,
    name: String,
    mut in_hand: mpsc::UnboundedReceiver<String>,
    mut acknowledged: mpsc::UnboundedReceiver<Acknowledged>,
) {
    let mut hands: HashSet<String> = HashSet::new();
    let mut done: Vec<String> = Vec::new();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            entry = in_hand.recv(), if !in_hand.is_closed() || !in_hand.is_empty() => {
                hands.extend(entry);
                continue;
            }
            count = acknowledged.recv_many(&mut batch, 1024) => {
                if count == 0 {
                    return;
                }
                for one in batch.drain(..) {
                    hands.remove(&one.message);
                    if one.done {
                        done.push(one.message);
                    }
                }
            }
            _ = look.tick() => {
                if let Err(error) = say_in_hand(&link, &key, role, &name, &hands).await {
                    tracing::debug!(?role, %error, "what is in hand could not be said");
                }
            }
        }
        // What cannot be acknowledged now is with the next round.
        if !done.is_empty() && remove(&link, &key, role, &done).await.is_ok() {
            done.clear();
        }
    }
}

async fn remove(link: &Link, key: &str, role: Role, ids: &[String]) -> RedisResult<()> {
    let mut both = redis::pipe();
    both.cmd("XACK").arg(key).arg(role.as_str()).arg(ids).ignore().cmd("XDEL").arg(key).arg(ids).ignore();
    link.all(&both).await
}

/// Claims what is one's own, which sets back how long nobody has said anything of it; and forgets consumers of long ago.
async fn say_in_hand(link: &Link, key: &str, role: Role, name: &str, hands: &HashSet<String>) -> RedisResult<()> {
    if !hands.is_empty() {
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(key).arg(role.as_str()).arg(name).arg(0);
        for id in hands {
            claim.arg(id);
        }
        link.one::<Value>(claim.arg("JUSTID")).await?;
    }
    let mut ask = redis::cmd("XINFO");
    let known: StreamInfoConsumersReply = link.one(ask.arg("CONSUMERS").arg(key).arg(role.as_str())).await?;
    for gone in known.consumers.iter().filter(|c| c.pending == 0 && c.idle as u128 > FORGET.as_millis()) {
        let mut forget = redis::cmd("XGROUP");
        forget.arg("DELCONSUMER").arg(key).arg(role.as_str()).arg(&gone.name);
        link.one::<Value>(&forget).await?;
    }
    Ok(())
}
