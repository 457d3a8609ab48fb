//! The watcher actor: applies ends of attempts, rules on running jobs, and compares the store with the executors.
//!
//! Ends arrive from the executors in batches and are stored in batches: one read, one commit.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use actix::prelude::*;
use futures::future::join_all;
use tokio::sync::mpsc;

use super::share::Share;
use super::{Deliver, Shutdown, Works, ending, launching, recovery};
use crate::bus::Command;
use crate::domain::{AttemptName, Job, JobId, JobState, Phase, Request, StopCause, Timestamp};
use crate::measures::{self, Fault};
use crate::plugins::executor::{AttemptEnd, Exit};
use crate::plugins::watcher::WatcherRule;
use crate::store::{Applied, Change, StoreError};

/// Compare the store with the executors.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Recover;

/// Rules have something to say about these running jobs.
#[derive(Message)]
#[rtype(result = "()")]
struct Deadlines(Vec<(Timestamp, JobId)>);

/// Stop what has run for too long.
#[derive(Message)]
#[rtype(result = "()")]
struct DeadlinePassed;

#[derive(Message)]
#[rtype(result = "()")]
struct Recovered;

/// Ends applied together.
const BATCH: usize = 256;

pub struct WatcherActor {
    works: Works,
    share: Share,
    rules: std::sync::Arc<Vec<Box<dyn WatcherRule>>>,
    deadlines: BinaryHeap<Reverse<(Timestamp, JobId)>>,
    recover_every: Duration,
    recovering: bool,
    /// Something happened while it was under way.
    recover_again: bool,
}

impl WatcherActor {
    pub fn new(works: Works, share: Share, rules: Vec<Box<dyn WatcherRule>>, recover_every: Duration) -> Self {
        WatcherActor {
            works,
            share,
            rules: std::sync::Arc::new(rules),
            deadlines: BinaryHeap::new(),
            recover_every,
            recovering: false,
            recover_again: false,
        }
    }

    /// When watchers come or go, what is ours now is looked at.
    fn take_up_shares(&self, ctx: &mut Context<Self>) {
        let (mut share, me) = (self.share.clone(), ctx.address());
        let follow = async move {
            loop {
                share.changed().await;
                if me.send(Recover).await.is_err() {
                    break;
                }
            }
        };
        ctx.spawn(follow.into_actor(self));
    }

    fn wait_for_next_deadline(&self, ctx: &mut Context<Self>) {
        if let Some(Reverse((at, _))) = self.deadlines.peek() {
            let now = self.works.clock.now();
            // A deadline may lie years ahead; looking again after a day costs nothing.
            let wait = at.since(now).min(Duration::from_secs(86_400)) + Duration::from_millis(1);
            ctx.run_later(wait, |_, ctx| ctx.notify(DeadlinePassed));
        }
    }
}

impl Actor for WatcherActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.notify(Recover);
        ctx.run_interval(self.recover_every, |_, ctx| ctx.notify(Recover));
        self.take_up_shares(ctx);
    }
}

impl Handler<Recover> for WatcherActor {
    type Result = ();

    fn handle(&mut self, _: Recover, ctx: &mut Self::Context) {
        if std::mem::replace(&mut self.recovering, true) {
            self.recover_again = true;
            return;
        }
        let (works, share) = (self.works.clone(), self.share.clone());
        let rules = self.rules.clone();
        let me = ctx.address();
        actix::spawn(async move {
            match recovery::recover(&works, &share).await {
                Ok(running) => me.do_send(Deadlines(deadlines(&rules, &running))),
                Err(error) => tracing::error!(%error, "the running jobs could not be compared; it is tried again"),
            }
            // Only an actor that is gone does not take it.
            me.do_send(Recovered);
        });
    }
}

impl Handler<Recovered> for WatcherActor {
    type Result = ();

    fn handle(&mut self, _: Recovered, ctx: &mut Self::Context) {
        self.recovering = false;
        if std::mem::take(&mut self.recover_again) {
            ctx.notify(Recover);
        }
    }
}

fn deadlines(rules: &[Box<dyn WatcherRule>], running: &[Job]) -> Vec<(Timestamp, JobId)> {
    running
        .iter()
        .filter(|job| !job.is_array_parent())
        .filter_map(|job| Some((rules.iter().filter_map(|rule| rule.deadline(job)).map(|(at, _)| at).min()?, job.id)))
        .collect()
}

impl Handler<Deliver> for WatcherActor {
    type Result = ();

    fn handle(&mut self, Deliver(command, receipt): Deliver, ctx: &mut Self::Context) {
        // What it says is in the store, where the next recovery finds it.
        receipt.done();
        let ids = match command {
            Command::JobsRunning { ids } => ids,
            Command::Recover => return ctx.notify(Recover),
            other => return tracing::error!(?other, "not for the watcher"),
        };
        let (works, rules, me) = (self.works.clone(), self.rules.clone(), ctx.address());
        if rules.is_empty() {
            return;
        }
        actix::spawn(async move {
            match works.store.jobs(&ids).await {
                // Found again by the next recovery if it is lost.
                Ok(jobs) => me.do_send(Deadlines(deadlines(&rules, &jobs))),
                Err(error) => tracing::error!(%error, "time limits could not be read; they are found again"),
            }
        });
    }
}

impl Handler<Deadlines> for WatcherActor {
    type Result = ();

    fn handle(&mut self, Deadlines(deadlines): Deadlines, ctx: &mut Self::Context) {
        let earlier = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let first = deadlines.iter().map(|(at, _)| *at).min();
        self.deadlines.extend(deadlines.into_iter().map(Reverse));
        if first.is_some_and(|first| earlier.is_none_or(|earlier| first < earlier)) {
            self.wait_for_next_deadline(ctx);
        }
    }
}

impl Handler<DeadlinePassed> for WatcherActor {
    type Result = ();

    fn handle(&mut self, _: DeadlinePassed, ctx: &mut Self::Context) {
        let now = self.works.clock.now();
        let mut due = Vec::new();
        while let Some(Reverse((at, id))) = self.deadlines.peek().copied() {
            if at > now {
                break;
            }
            self.deadlines.pop();
            due.push(id);
        }
        due.dedup();
        self.wait_for_next_deadline(ctx);
        if due.is_empty() {
            return;
        }
        let (works, rules) = (self.works.clone(), self.rules.clone());
        actix::spawn(async move {
            if let Err(error) = stop_overdue(&works, &rules, &due).await {
                tracing::error!(%error, "overdue jobs could not be stopped; they are found again");
            }
        });
    }
}

/// Asks the rules once more, as a limit may have been raised, and stops whoever is still over it.
async fn stop_overdue(works: &Works, rules: &[Box<dyn WatcherRule>], ids: &[JobId]) -> Result<(), StoreError> {
    let now = works.clock.now();
    let jobs = works.store.jobs(ids).await?;
    let mut by_cause: HashMap<StopCause, Vec<JobId>> = HashMap::new();
    for job in jobs.iter().filter(|job| job.state.phase() == Phase::Running) {
        let overdue = rules.iter().filter_map(|rule| rule.deadline(job)).find(|(at, _)| *at <= now);
        if let Some((_, cause)) = overdue {
            by_cause.entry(cause).or_default().push(job.id);
        }
    }
    for (cause, ids) in by_cause {
        let asked = works.store.request(&ids, Request::Kill(cause), &[Phase::Running]).await?;
        works.tell(Command::ActiveRequested { ids: asked }).await;
    }
    Ok(())
}

impl Handler<Shutdown> for WatcherActor {
    type Result = ();

    /// Nothing to finish: an end that is not stored yet is reported again.
    fn handle(&mut self, _: Shutdown, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// Applies ends as they come in, for as long as anybody reports them.
///
/// `share`: the part that is this process's, where every watcher hears of every end.
pub async fn apply_ends(works: Works, share: Share, mut ends: mpsc::Receiver<AttemptEnd>) {
    let mut batch = Vec::with_capacity(BATCH);
    while ends.recv_many(&mut batch, BATCH).await > 0 {
        let mut batch = std::mem::take(&mut batch);
        batch.retain(|end| share.has(end.name.job));
        if batch.is_empty() {
            continue;
        }
        let ids = batch.iter().map(|end| end.name.job).collect();
        // Room first: the next jobs can be planned while this is stored. Lost in a crash, it is recounted.
        works.tell(Command::RoomFreed { ids }).await;
        batch.sort_by_key(|end| (end.name.job, end.name.attempt));
        batch.dedup_by(|a, b| a.name == b.name);
        while let Err(error) = apply(&works, &batch).await {
            tracing::error!(%error, "ends of jobs could not be stored; they are tried again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Stores what these ends make of their jobs, tells of it, and lets the executors forget the attempts.
///
/// # Errors
/// The store's; applying the same ends again is then right.
pub async fn apply(works: &Works, ends: &[AttemptEnd]) -> Result<(), StoreError> {
    let mut left: Vec<&AttemptEnd> = ends.iter().collect();
    let mut kept = HashSet::new();
    while !left.is_empty() {
        left = apply_once(works, left, &mut kept).await?;
    }
    let forgotten = ends.iter().filter(|end| !kept.contains(&end.name)).map(|end| forget(works, end));
    join_all(forgotten).await;
    Ok(())
}

/// One round; answers the ends whose jobs changed meanwhile. Attempts that a job has yet to take up are added to `kept`.
async fn apply_once<'a>(
    works: &Works,
    ends: Vec<&'a AttemptEnd>,
    kept: &mut HashSet<AttemptName>,
) -> Result<Vec<&'a AttemptEnd>, StoreError> {
    let ids: Vec<_> = ends.iter().map(|end| end.name.job).collect();
    let jobs: HashMap<_, _> = works.store.jobs(&ids).await?.into_iter().map(|job| (job.id, job)).collect();
    let current = |end: &&AttemptEnd| {
        jobs.get(&end.name.job).is_some_and(|job| {
            job.state.is_active() && job.state.attempt().is_some_and(|attempt| attempt.number == end.name.attempt)
        })
    };
    // A launch that seemed to fail, and did not: the next one of that number goes on with what it made.
    let awaited = |end: &&&AttemptEnd| {
        let job = jobs.get(&end.name.job);
        job.is_some_and(
            |job| matches!(job.state, JobState::Pending { attempts, .. } if attempts + 1 == end.name.attempt),
        )
    };
    kept.extend(ends.iter().filter(awaited).map(|end| end.name.clone()));
    let ends: Vec<_> = ends.into_iter().filter(current).collect();
    let sizes = join_all(ends.iter().map(|end| works.files.settle(&jobs[&end.name.job]))).await;
    let exits = join_all(ends.iter().map(|end| exit_of(works, end))).await;
    let now = works.clock.now();
    let (mut changes, mut of) = (Vec::new(), Vec::new());
    for ((end, size), exit) in ends.into_iter().zip(sizes).zip(exits) {
        let job = &jobs[&end.name.job];
        let size = size.unwrap_or_else(|error| {
            measures::error(Fault::Files);
            tracing::warn!(job = %job.id, %error, "the job directory could not be settled");
            0
        });
        if let Ok(change) = ending::after_attempt(job, &AttemptEnd { exit, ..end.clone() }, size, now) {
            changes.push(change);
            of.push(end);
        }
    }
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let after: Vec<Change> = changes.clone();
    let applied = works.store.commit(changes).await?;
    let (mut stale, mut moved) = (Vec::new(), Vec::new());
    let mut told = Told::default();
    for ((end, change), applied) in of.into_iter().zip(after).zip(applied) {
        match applied {
            Applied::Stale => stale.push(end),
            Applied::Done { parent_over, .. } => {
                measures::stored(&jobs[&end.name.job], &change.state);
                let job = Job { state: change.state, ..jobs[&end.name.job].clone() };
                told.add(&job, parent_over);
                moved.push(job);
            }
        }
    }
    // The scheduler first: whoever hears of an end and submits the next job finds it counted.
    told.tell(works).await;
    moved.iter().for_each(|job| works.changed(job));
    Ok(stale)
}

/// What the backend does not know, the attempt itself may have said.
async fn exit_of(works: &Works, end: &AttemptEnd) -> Exit {
    match end.exit {
        Exit { code: None, out_of_memory: false } => {
            Exit { code: works.files.exit_said(end.name.job).await, out_of_memory: false }
        }
        _ => end.exit.clone(),
    }
}

#[derive(Default)]
struct Told {
    over: Vec<JobId>,
    requeued: Vec<JobId>,
    notify: Vec<JobId>,
}

impl Told {
    fn add(&mut self, job: &Job, parent_over: Option<JobId>) {
        if job.state.phase() == Phase::Pending {
            self.requeued.push(job.id);
            return;
        }
        self.over.push(job.id);
        self.over.extend(parent_over);
        if job.spec.notify_email {
            self.notify.extend(parent_over.or_else(|| job.parent().is_none().then_some(job.id)));
        }
    }

    async fn tell(self, works: &Works) {
        for (ids, command) in [
            (self.over, (|ids| Command::JobsOver { ids }) as fn(Vec<JobId>) -> Command),
            (self.requeued, |ids| Command::JobsRequeued { ids }),
            (self.notify, |ids| Command::Notify { ids }),
        ] {
            if !ids.is_empty() {
                works.tell(command(ids)).await;
            }
        }
    }
}

async fn forget(works: &Works, end: &AttemptEnd) {
    for executor in works.executors.iter() {
        // Only one of them has it; what is left behind is found by the next recovery.
        if let Err(error) = executor.forget(&end.name).await {
            tracing::trace!(name = %end.name, executor = executor.name(), %error, "not forgotten");
        }
    }
}

/// The name of a job's current attempt, for whoever compares.
pub(super) fn current_name(works: &Works, job: &Job) -> Option<AttemptName> {
    launching::attempt_name(works, job)
}
