//! What the tasks of our services are doing: one listing at a time, for everybody who waits for something.
//!
//! A manager's events tell of services and of its own containers, not of tasks that end on other nodes. So while
//! something of ours is under way the tasks are listed again and again, in a fixed part of the time however long a
//! listing takes; while nothing is, nothing is asked.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bollard::models::{EventMessage, EventMessageTypeEnum as Type, Task};
use bollard::query_parameters::{EventsOptionsBuilder, ListServicesOptionsBuilder, ListTasksOptionsBuilder};
use futures::StreamExt;
use tokio::sync::{Notify, watch};

use super::image::digest_of;
use super::report::{self, Phase, View, attempt_of, ports_of, started};
use super::service::ATTEMPT;
use super::{Inner, RECONNECT, of_swarm};
use crate::domain::{AttemptName, Clock, SystemClock};
use crate::plugins::executor::engine::LABEL;
use crate::plugins::executor::{AttemptEnd, ExecutorError, Sighting};

/// Between two listings, unless something happens.
const PAUSE: Duration = Duration::from_millis(250);
/// The same when the manager does not answer.
const PAUSE_AWAY: Duration = Duration::from_secs(1);
/// At most one part of so many of the time is spent listing.
const SHARE: u32 = 5;

/// The last listing; `Err` says why there is none.
pub type Seen = Result<Arc<HashMap<AttemptName, View>>, String>;

pub struct Board {
    seen: watch::Sender<Seen>,
    /// Look now.
    wake: Notify,
    looking: AtomicBool,
    waiting: AtomicUsize,
    reported: Mutex<HashSet<AttemptName>>,
    /// See [`View::doomed`]; what a task says of itself later does not tell any more.
    doomed: Mutex<HashSet<AttemptName>>,
}

impl Default for Board {
    fn default() -> Self {
        Board {
            seen: watch::Sender::new(Ok(Arc::default())),
            wake: Notify::new(),
            looking: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            reported: Mutex::default(),
            doomed: Mutex::default(),
        }
    }
}

impl Board {
    /// As last seen.
    pub fn view(&self, name: &AttemptName) -> Option<View> {
        self.seen.borrow().as_ref().ok()?.get(name).cloned()
    }

    fn remember_doomed(&self, views: &HashMap<AttemptName, View>) {
        let mut doomed = self.doomed.lock().expect("no holder of this lock panics");
        doomed.retain(|name| views.contains_key(name));
        doomed.extend(views.iter().filter(|(_, view)| view.doomed).map(|(name, _)| name.clone()));
    }
}

/// Somebody waits for what the next listings say.
pub struct Watching<'a> {
    board: &'a Board,
    seen: watch::Receiver<Seen>,
}

impl Watching<'_> {
    pub async fn next(&mut self) -> Seen {
        // Never fails: the sender lives as long as the board.
        let _ = self.seen.changed().await;
        self.seen.borrow_and_update().clone()
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.board.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Inner {
    pub(super) fn watching(self: &Arc<Self>) -> Watching<'_> {
        self.board.waiting.fetch_add(1, Ordering::SeqCst);
        let watching = Watching { board: &self.board, seen: self.board.seen.subscribe() };
        self.wake_up();
        watching
    }

    /// Has the tasks looked at now, and for as long as one of them is under way.
    pub(super) fn wake_up(self: &Arc<Self>) {
        self.board.wake.notify_one();
        if !self.board.looking.swap(true, Ordering::SeqCst) {
            tokio::spawn(self.clone().look_on());
        }
    }

    async fn look_on(self: Arc<Self>) {
        let board = &self.board;
        loop {
            let begun = Instant::now();
            let (under_way, pause) = match self.look().await {
                Ok(under_way) => (under_way, PAUSE),
                Err(error) => {
                    drop(board.seen.send_replace(Err(error.to_string())));
                    (true, PAUSE_AWAY)
                }
            };
            if (!under_way && board.waiting.load(Ordering::SeqCst) == 0) || self.nobody_listens() {
                board.looking.store(false, Ordering::SeqCst);
                // Something may have come in between.
                let woken = tokio::time::timeout(Duration::ZERO, board.wake.notified()).await.is_ok();
                if !woken || board.looking.swap(true, Ordering::SeqCst) {
                    return;
                }
                continue;
            }
            let rest = begun.elapsed() * (SHARE - 1);
            tokio::time::sleep(rest).await;
            // Either is a reason to look again.
            let _ = tokio::time::timeout(pause.saturating_sub(rest), board.wake.notified()).await;
        }
    }

    /// Whoever watched is gone.
    fn nobody_listens(&self) -> bool {
        self.ends.lock().expect("no holder of this lock panics").as_ref().is_some_and(|ends| ends.is_closed())
    }

    /// One listing: who waits is told, and what has ended is reported. Whether something is under way.
    async fn look(&self) -> Result<bool, ExecutorError> {
        let views = self.views().await?;
        let news: Vec<_> = {
            let mut reported = self.board.reported.lock().expect("no holder of this lock panics");
            reported.retain(|name| views.contains_key(name));
            let is_new = |(name, view): &(&AttemptName, &View)| view.is_over() && reported.insert((*name).clone());
            views.iter().filter(is_new).map(|(name, view)| (name.clone(), view.clone())).collect()
        };
        let under_way = views.values().any(|view| matches!(view.phase, Phase::Waiting(_) | Phase::Running(_)));
        drop(self.board.seen.send_replace(Ok(Arc::new(views))));
        for (name, view) in news {
            if let Some(end) = self.end(&name, &view).await {
                self.report(end).await;
            }
        }
        Ok(under_way)
    }

    pub(super) async fn end(&self, name: &AttemptName, view: &View) -> Option<AttemptEnd> {
        let doomed = self.board.doomed.lock().expect("no holder of this lock panics").contains(name);
        report::end(name, view, doomed).await
    }

    pub(super) async fn report(&self, end: AttemptEnd) {
        let ends = self.ends.lock().expect("no holder of this lock panics").clone();
        if let Some(ends) = ends {
            // Nobody listens while we stop; the service stays.
            let _ = ends.send(end).await;
        }
    }

    /// One listing. Whoever asks for it, what Swarm wants to end is remembered.
    async fn views(&self) -> Result<HashMap<AttemptName, View>, ExecutorError> {
        let views = report::views(&self.labelled(format!("{LABEL}={}", self.instance)).await?);
        self.board.remember_doomed(&views);
        Ok(views)
    }

    pub(super) async fn tasks_of(&self, name: &AttemptName) -> Result<Vec<Task>, ExecutorError> {
        self.labelled(format!("{ATTEMPT}={name}")).await
    }

    async fn labelled(&self, label: String) -> Result<Vec<Task>, ExecutorError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListTasksOptionsBuilder::default().filters(&filters).build();
        self.client().await?.list_tasks(Some(options)).await.map_err(of_swarm)
    }

    pub(super) async fn list(self: &Arc<Self>) -> Result<Vec<Sighting>, ExecutorError> {
        let filters = HashMap::from([("label", vec![format!("{LABEL}={}", self.instance)])]);
        let options = ListServicesOptionsBuilder::default().filters(&filters).build();
        let services = self.client().await?.list_services(Some(options)).await.map_err(of_swarm)?;
        if services.is_empty() {
            return Ok(Vec::new());
        }
        // The tasks after the services: one whose task is not there yet is only created.
        let views = self.views().await?;
        let names = self.node_names().await?;
        let mut sightings = Vec::with_capacity(services.len());
        for service in services {
            let Some(name) = attempt_of(self, &service) else { continue };
            let view = views.get(&name).filter(|view| Some(&view.service) == service.id.as_ref());
            sightings.push(match view.map(|view| (view, &view.phase)) {
                Some((view, Phase::Running(at))) => {
                    let node = view.node.as_ref().map_or("", |id| names.get(id).map_or(id.as_str(), String::as_str));
                    let started = started(&name, node, *at, ports_of(&service), digest_of(&service));
                    Sighting::Running { name, started, suspended: false }
                }
                Some((view, Phase::Ended(..))) => match self.end(&name, view).await {
                    Some(end) => Sighting::Ended(end),
                    None => continue,
                },
                // Nothing of the job has run: whoever launches it again waits for it, or finds out why it cannot be.
                Some((_, Phase::Waiting(_) | Phase::NotStarted(_))) | None => Sighting::Created(name),
            });
        }
        if sightings.iter().any(|sighting| !matches!(sighting, Sighting::Ended(_))) {
            self.wake_up();
        }
        Ok(sightings)
    }

    /// Looks at the tasks whenever a service of ours comes, goes or changes, or a container of ours ends on this
    /// manager, for as long as somebody listens.
    pub(super) async fn follow_events(self: Arc<Self>) {
        let mut since = SystemClock.now().as_secs();
        while !self.nobody_listens() {
            // What happened while nothing was followed is in the listing.
            self.wake_up();
            if let Err(error) = self.follow_once(&mut since).await {
                tracing::debug!(%error, "the manager's events stopped; they are asked for again");
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn follow_once(self: &Arc<Self>, since: &mut i64) -> Result<(), ExecutorError> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let filters = HashMap::from([
            ("type", words(&["service", "container"])),
            ("event", words(&["create", "update", "remove", "die"])),
        ]);
        let options = EventsOptionsBuilder::default().since(&since.to_string()).filters(&filters).build();
        let mut events = Box::pin(self.client().await?.events(Some(options)));
        let prefix = format!("god-{}-", self.instance);
        while let Some(event) = events.next().await {
            let event = event.map_err(of_swarm)?;
            *since = event.time.unwrap_or(*since);
            if name_in(&event).is_some_and(|name| name.starts_with(&prefix)) {
                self.wake_up();
            }
        }
        Ok(())
    }
}

/// The service that an event is about.
fn name_in(event: &EventMessage) -> Option<&String> {
    let attributes = event.actor.as_ref()?.attributes.as_ref()?;
    match event.typ? {
        Type::SERVICE => attributes.get("name"),
        _ => attributes.get("com.docker.swarm.service.name"),
    }
}
