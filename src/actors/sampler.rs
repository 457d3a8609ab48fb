//! What running jobs use, from time to time: readings of the executors, added up (`domain::sample`) and stored.
//!
//! A round is one listing of the running jobs, one question to each executor, one write. Jobs that have just begun are
//! looked at more often, so that those that soon end have a curve too. Nothing depends on any of it: a watcher that is
//! killed loses what it had not written, and the next goes on from what is stored.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use actix::prelude::*;
use futures::future::join_all;
use tokio::sync::broadcast::error::RecvError;

use super::share::Share;
use super::{Shutdown, Works, launching};
use crate::bus::Event;
use crate::domain::{AttemptName, Job, JobId, Phase, Samples, Timestamp};
use crate::store::{AttemptSamples, JobFilter, Page, StoreError};

/// Look at all running jobs that are ours.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Round;

/// Look at those that have just begun.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EarlyRound;

#[derive(Message)]
#[rtype(result = "()")]
struct Began(JobId);

#[derive(Message)]
#[rtype(result = "()")]
struct Ended(JobId);

/// A round is done; what it knows of the attempts.
#[derive(Message)]
#[rtype(result = "()")]
struct Looked(Kept);

/// Between two looks at jobs that have just begun.
const EARLY_EVERY: Duration = Duration::from_secs(3);
/// One that is over within this is not looked at.
const FIRST_AFTER: Duration = Duration::from_secs(2);
/// Looked at together early on: thousands of short jobs are not slowed down for it.
const EARLY_AT_ONCE: usize = 64;
/// Attempts written by one message.
const WRITTEN_TOGETHER: usize = 500;

/// What attempts have used so far, of those that are ours.
pub type Kept = HashMap<AttemptName, Samples>;

pub struct SamplerActor {
    works: Works,
    share: Share,
    every: Duration,
    /// With the round, while one is under way.
    kept: Option<Kept>,
    /// A round came while another was under way.
    round_due: bool,
    young: HashMap<JobId, Timestamp>,
}

impl SamplerActor {
    pub fn new(works: Works, share: Share, every: Duration) -> Self {
        let every = every.max(Duration::from_secs(1));
        SamplerActor { works, share, every, kept: Some(Kept::new()), round_due: false, young: HashMap::new() }
    }

    /// Losing one of these messages costs an early look.
    fn follow_jobs(&self, ctx: &mut Context<Self>) {
        let (mut events, share, me) = (self.works.bus.events(), self.share.clone(), ctx.address());
        let follow = async move {
            loop {
                match events.recv().await {
                    Ok(Event::JobChanged { id, phase: Phase::Running, .. }) if share.has(id) => me.do_send(Began(id)),
                    Ok(Event::JobChanged { id, phase: Phase::Over, .. }) => me.do_send(Ended(id)),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                }
            }
        };
        ctx.spawn(follow.into_actor(self));
    }

    fn look(&mut self, whom: Whom, ctx: &mut Context<Self>) {
        let Some(kept) = self.kept.take() else { return };
        let (works, share, me) = (self.works.clone(), self.share.clone(), ctx.address());
        actix::spawn(async move {
            // Only an actor that is gone does not take it.
            me.do_send(Looked(look(&works, &share, whom, kept).await));
        });
    }
}

impl Actor for SamplerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(4096);
        self.follow_jobs(ctx);
        ctx.run_interval(self.every, |_, ctx| ctx.notify(Round));
        ctx.run_interval(EARLY_EVERY.min(self.every), |_, ctx| ctx.notify(EarlyRound));
    }
}

impl Handler<Round> for SamplerActor {
    type Result = ();

    fn handle(&mut self, _: Round, ctx: &mut Self::Context) {
        self.round_due = self.kept.is_none();
        self.look(Whom::All, ctx);
    }
}

impl Handler<EarlyRound> for SamplerActor {
    type Result = ();

    fn handle(&mut self, _: EarlyRound, ctx: &mut Self::Context) {
        let (now, every) = (self.works.clock.now(), self.every);
        // Older ones have their turn with all others.
        self.young.retain(|_, began| now.since(*began) <= every);
        let mut due: Vec<_> = self.young.iter().filter(|(_, began)| now.since(**began) >= FIRST_AFTER).collect();
        due.sort_unstable_by_key(|(id, began)| (**began, **id));
        let due: Vec<JobId> = due.into_iter().map(|(id, _)| *id).take(EARLY_AT_ONCE).collect();
        if !due.is_empty() {
            self.look(Whom::These(due), ctx);
        }
    }
}

impl Handler<Began> for SamplerActor {
    type Result = ();

    fn handle(&mut self, Began(id): Began, _: &mut Self::Context) {
        self.young.insert(id, self.works.clock.now());
    }
}

impl Handler<Ended> for SamplerActor {
    type Result = ();

    fn handle(&mut self, Ended(id): Ended, _: &mut Self::Context) {
        self.young.remove(&id);
    }
}

impl Handler<Looked> for SamplerActor {
    type Result = ();

    fn handle(&mut self, Looked(kept): Looked, ctx: &mut Self::Context) {
        self.kept = Some(kept);
        if std::mem::take(&mut self.round_due) {
            ctx.notify(Round);
        }
    }
}

impl Handler<Shutdown> for SamplerActor {
    type Result = ();

    /// Nothing to finish: what is not written is of no weight.
    fn handle(&mut self, _: Shutdown, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// Whose turn it is.
pub enum Whom {
    All,
    These(Vec<JobId>),
}

/// Takes readings and stores what has come together. Answers what is to be kept for the next time.
pub async fn look(works: &Works, share: &Share, whom: Whom, mut kept: Kept) -> Kept {
    let jobs = match running(works, share, &whom).await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::warn!(%error, "what jobs use cannot be read: the running ones are not known");
            return kept;
        }
    };
    if matches!(whom, Whom::All) {
        let ours: HashSet<&AttemptName> = jobs.iter().map(|(name, _)| name).collect();
        kept.retain(|name, _| ours.contains(name));
    }
    let mut of_executor: HashMap<&str, Vec<AttemptName>> = HashMap::new();
    for (name, job) in &jobs {
        let executor = job.state.attempt().map(|attempt| attempt.executor.as_str()).unwrap_or_default();
        of_executor.entry(executor).or_default().push(name.clone());
    }
    let asked = of_executor.into_iter().filter_map(|(name, names)| Some((works.executor(name)?, names)));
    let answers = join_all(asked.map(|(executor, names)| async move {
        executor.sample(&names).await.unwrap_or_else(|error| {
            // Who has to do something about it hears of it elsewhere.
            tracing::debug!(executor = executor.name(), %error, "it does not tell what jobs use");
            Vec::new()
        })
    }));
    let readings: Vec<_> = answers.await.into_iter().flatten().collect();
    let began: HashMap<&AttemptName, Timestamp> =
        jobs.iter().filter_map(|(name, job)| Some((name, job.state.started()?))).collect();
    if let Err(error) = take_up(works, &mut kept, readings.iter().map(|(name, _)| name), &began).await {
        tracing::warn!(%error, "what jobs used before cannot be read");
        return kept;
    }
    let mut written = Vec::new();
    for (name, reading) in readings {
        if let Some(samples) = kept.get_mut(&name)
            && samples.add(&reading)
        {
            written.push(AttemptSamples { job: name.job, attempt: name.attempt, samples: samples.clone() });
        }
    }
    for together in written.chunks(WRITTEN_TOGETHER) {
        if let Err(error) = works.store.put_samples(together.to_vec()).await {
            tracing::warn!(%error, "what jobs use cannot be stored; it is with the next round");
            break;
        }
    }
    kept
}

/// The running attempts among `whom` that are ours.
async fn running(works: &Works, share: &Share, whom: &Whom) -> Result<Vec<(AttemptName, Job)>, StoreError> {
    let filter = JobFilter { phases: vec![Phase::Running], with_children: true, ..JobFilter::default() };
    let mut jobs = match whom {
        Whom::All => works.store.list(&filter, Page::ALL).await?,
        Whom::These(ids) => works.store.jobs(ids).await?,
    };
    jobs.retain(|job| job.state.phase() == Phase::Running && !job.is_array_parent() && share.has(job.id));
    Ok(jobs.into_iter().filter_map(|job| Some((launching::attempt_name(works, &job)?, job))).collect())
}

/// What is stored of attempts that are not kept yet, as another watcher, or another run of this one, may have begun it.
async fn take_up(
    works: &Works,
    kept: &mut Kept,
    names: impl Iterator<Item = &AttemptName>,
    began: &HashMap<&AttemptName, Timestamp>,
) -> Result<(), StoreError> {
    let new: Vec<&AttemptName> = names.filter(|name| !kept.contains_key(*name)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<JobId> = new.iter().map(|name| name.job).collect();
    let stored = works.store.samples(&ids).await?;
    for name in new {
        let before = stored.iter().find(|one| one.job == name.job && one.attempt == name.attempt);
        let began = began.get(name).copied().unwrap_or_default();
        kept.insert(name.clone(), before.map_or_else(|| Samples::since(began), |one| one.samples.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
