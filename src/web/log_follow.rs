//! A job's output as server-sent events, as it grows.
//!
//! `out` and `err` carry `{text}` as god.log and god.err grow, `status` the job's status when it changes, `end` how it
//! ended, once it is over and everything was sent. Growth is learnt from inotify where it tells and from a look every
//! second where it does not (network file systems); the job's state from the bus, and from the store where it may have
//! been missed.

mod tail;
mod watch;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;

use self::tail::Tail;
pub(super) use self::tail::begun;
use self::watch::Watch;
use super::{Site, view};
use crate::bus::Event;
use crate::domain::{Job, JobId, Phase};

pub const OUT: &str = "god.log";
pub const ERR: &str = "god.err";

/// How often the files are looked at untold, and after how many such looks the store.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS_A_READ: u32 = 5;
/// A job that writes without end is looked at so often and no oftener.
const GATHER: Duration = Duration::from_millis(40);
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How far a follower has read, in bytes of each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    pub out: u64,
    pub err: u64,
}

impl Position {
    /// Reads an event's id back.
    pub fn parse(text: &str) -> Option<Self> {
        let (out, err) = text.split_once(':')?;
        Some(Position { out: out.parse().ok()?, err: err.parse().ok()? })
    }
}

/// The events of a job, from `position` on, until its end. Whether the caller may see the job was asked before.
pub fn follow(site: Site, id: JobId, position: Position) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let follower = Follower::new(site, id, position);
    futures::stream::unfold(follower, |mut follower| async {
        let bytes = follower.next().await?;
        Some((Ok(bytes), follower))
    })
}

struct Follower {
    site: Site,
    id: JobId,
    /// Heard from before the store is first read, so that nothing falls between.
    events: broadcast::Receiver<Event>,
    watch: Watch,
    out: Tail,
    err: Tail,
    status: Value,
    job: Option<Job>,
    store_is_newer: bool,
    looks: u32,
    looked: Instant,
    spoke: Instant,
    ready: VecDeque<Bytes>,
    ended: bool,
}

impl Follower {
    fn new(site: Site, id: JobId, position: Position) -> Self {
        let now = Instant::now();
        Follower {
            events: site.bus.events(),
            watch: Watch::new(site.files.directory_of(id)),
            site,
            id,
            out: Tail::new(OUT, position.out),
            err: Tail::new(ERR, position.err),
            status: Value::Null,
            job: None,
            store_is_newer: true,
            looks: 0,
            looked: now,
            spoke: now,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.spoke = Instant::now();
                return Some(bytes);
            }
            if self.ended {
                return None;
            }
            let has_more = self.look().await;
            if self.ready.is_empty() && !self.ended && !has_more {
                self.wait().await;
            }
        }
    }

    /// Looks at the store if something may have changed there, then at the files. True when the files hold more.
    async fn look(&mut self) -> bool {
        if self.store_is_newer {
            self.read_store().await;
        }
        self.looked = Instant::now();
        let has_more = self.read_files().await;
        let is_over = self.job.as_ref().is_none_or(|job| !job.state.is_active());
        // While the store does not answer, nothing is known of an end.
        if is_over && !has_more && !self.store_is_newer && self.ready.is_empty() {
            self.end();
        }
        has_more
    }

    async fn read_store(&mut self) {
        let job = match self.site.store.job(self.id).await {
            Ok(job) => job,
            Err(error) => return tracing::warn!(%error, job = %self.id, "a follower could not read its job"),
        };
        self.store_is_newer = false;
        if let Some(job) = &job {
            let waiting = match job.state.phase() {
                Phase::Pending => self.site.queue.explain(&[job.id]).await.pop(),
                Phase::Starting | Phase::Running | Phase::Over | Phase::Archived => None,
            };
            let mut task = view::task(job, &self.site.files.directory_of(job.id), waiting.as_ref());
            let status = task["status"].take();
            if status != self.status {
                self.say("status", &status);
                self.status = status;
            }
        }
        self.job = job;
    }

    async fn read_files(&mut self) -> bool {
        let Ok(directory) = self.site.files.open(self.id).await else { return false };
        self.watch.begin();
        let (out, err) = (std::mem::take(&mut self.out), std::mem::take(&mut self.err));
        let read = super::jobs::blocking(move || {
            let (mut out, mut err) = (out, err);
            let texts = (out.read(&directory), err.read(&directory));
            (out, err, texts)
        });
        let (out, err, (out_text, err_text)) = read.await;
        (self.out, self.err) = (out, err);
        for (event, text) in [("out", out_text), ("err", err_text)] {
            if !text.is_empty() {
                self.say(event, &json!({ "text": text }));
            }
        }
        self.out.has_more || self.err.has_more
    }

    /// Everything was sent: says how it ended.
    fn end(&mut self) {
        for (event, rest) in [("out", self.out.rest()), ("err", self.err.rest())] {
            if !rest.is_empty() {
                self.say(event, &json!({ "text": rest }));
            }
        }
        let last = json!({ "ending": self.status["ending"], "exitcode": self.status["exitcode"] });
        self.say("end", &last);
        self.ended = true;
    }

    fn say(&mut self, event: &str, data: &Value) {
        let (out, err) = (self.out.position(), self.err.position());
        // JSON has no line breaks of its own, so one line of data holds it.
        self.ready.push_back(Bytes::from(format!("id: {out}:{err}\nevent: {event}\ndata: {data}\n\n")));
    }

    /// Waits until something may be new.
    async fn wait(&mut self) {
        let next_look = Instant::now() + LOOK;
        let heartbeat = self.spoke + HEARTBEAT;
        loop {
            tokio::select! {
                told = self.events.recv() => match told {
                    Ok(Event::JobChanged { id, .. } | Event::JobRemoved { id }) if id != self.id => continue,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.store_is_newer = true,
                    // The service goes down.
                    Err(broadcast::error::RecvError::Closed) => self.ended = true,
                },
                () = self.watch.grown() => tokio::time::sleep_until(self.looked + GATHER).await,
                () = tokio::time::sleep_until(next_look) => {
                    self.looks += 1;
                    self.store_is_newer |= self.looks.is_multiple_of(LOOKS_A_READ);
                }
                () = tokio::time::sleep_until(heartbeat) => {
                    // A comment: keeps proxies from closing, and finds out who has gone.
                    self.ready.push_back(Bytes::from_static(b": still here\n\n"));
                }
            }
            return;
        }
    }
}
