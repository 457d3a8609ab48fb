//! The executor actor: carries out what the plan and the users decided, on the backends.

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::*;
use futures::StreamExt;
use futures::stream;

use super::launching::{self, Launched};
use super::{Deliver, Shutdown, Works};
use crate::bus::{Command, Receipt};
use crate::domain::{Job, JobId, JobState, Phase, Request, Transition};
use crate::measures::{self, Fault};
use crate::plugins::executor::ExecutorError;
use crate::store::{Applied, Change, StoreError};

/// Launches at once. Backends bound themselves further where they must.
const LAUNCHES: usize = 64;

/// These launches are through, whatever came of them.
#[derive(Message)]
#[rtype(result = "()")]
struct LaunchesDone(Vec<JobId>);

pub struct ExecutorActor {
    works: Works,
    /// Jobs whose launch is under way here: a second command for them changes nothing.
    in_flight: HashSet<JobId>,
    /// Answered when `in_flight` is empty.
    stopping: Option<tokio::sync::oneshot::Sender<()>>,
}

impl ExecutorActor {
    pub fn new(works: Works) -> Self {
        ExecutorActor { works, in_flight: HashSet::new(), stopping: None }
    }

    /// While this stops, nothing is begun: the command is delivered again, to another or at the next start.
    fn begin_launches(&mut self, ids: Vec<JobId>, receipt: Receipt, me: Addr<Self>) {
        if self.stopping.is_some() {
            return;
        }
        let ids: Vec<_> = ids.into_iter().filter(|id| self.in_flight.insert(*id)).collect();
        if ids.is_empty() {
            receipt.done();
            return;
        }
        let works = self.works.clone();
        actix::spawn(async move {
            match launch_all(&works, &ids).await {
                Ok(()) => receipt.done(),
                Err(error) => tracing::error!(%error, "launches could not be stored; they are tried again"),
            }
            // Fails only when the actor is gone, and with it the set.
            me.do_send(LaunchesDone(ids));
        });
    }
}

impl Actor for ExecutorActor {
    type Context = Context<Self>;
}

impl Handler<Deliver> for ExecutorActor {
    type Result = ();

    fn handle(&mut self, Deliver(command, receipt): Deliver, ctx: &mut Self::Context) {
        match command {
            Command::Launch { ids } => self.begin_launches(ids, receipt, ctx.address()),
            Command::ActiveRequested { ids } => {
                let works = self.works.clone();
                actix::spawn(async move {
                    // What could not be carried out is told again by recovery, which knows whether it is still asked.
                    carry_out(&works, &ids).await;
                    receipt.done();
                });
            }
            other => tracing::error!(?other, "not for the executor"),
        }
    }
}

impl Handler<LaunchesDone> for ExecutorActor {
    type Result = ();

    fn handle(&mut self, LaunchesDone(ids): LaunchesDone, _: &mut Self::Context) {
        for id in ids {
            self.in_flight.remove(&id);
        }
        if self.in_flight.is_empty() {
            // The receiver may have given up waiting.
            self.stopping.take().map(|done| done.send(()));
        }
    }
}

impl Handler<Shutdown> for ExecutorActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) -> Self::Result {
        let (done, finished) = tokio::sync::oneshot::channel();
        if self.in_flight.is_empty() {
            let _ = done.send(());
        } else {
            self.stopping = Some(done);
        }
        Box::pin(async move {
            let _ = finished.await;
        })
    }
}

pub(super) async fn launch_all(works: &Works, ids: &[JobId]) -> Result<(), StoreError> {
    let jobs = works.store.jobs(ids).await?;
    let mut launches = stream::iter(jobs)
        .map(|job| launching::launch(works, Arc::new(job)))
        .buffer_unordered(LAUNCHES)
        .filter_map(std::future::ready)
        .ready_chunks(LAUNCHES)
        .boxed_local();
    while let Some(launched) = launches.next().await {
        store_launches(works, launched).await?;
    }
    Ok(())
}

/// Stores how launches went. Whoever lost a race against a request on the job is read again and stored once more.
async fn store_launches(works: &Works, mut launched: Vec<Launched>) -> Result<(), StoreError> {
    while !launched.is_empty() {
        let (changes, of): (Vec<Change>, Vec<Launched>) = launched
            .into_iter()
            .filter_map(|launched| Some((launching::change_after(works, &launched)?, launched)))
            .unzip();
        let states: Vec<JobState> = changes.iter().map(|change| change.state.clone()).collect();
        let applied = works.store.commit(changes).await?;
        let mut stale = Vec::new();
        let mut stored = Vec::new();
        for ((launched, applied), state) in of.into_iter().zip(applied).zip(states) {
            match applied {
                Applied::Done { .. } => stored.push((launched, state)),
                Applied::Stale => stale.push(launched),
            }
        }
        tell_of(works, stored).await;
        launched = read_again(works, stale).await?;
    }
    Ok(())
}

async fn read_again(works: &Works, stale: Vec<Launched>) -> Result<Vec<Launched>, StoreError> {
    if stale.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = stale.iter().map(|launched| launched.job().id).collect();
    let mut now: std::collections::HashMap<_, _> =
        works.store.jobs(&ids).await?.into_iter().map(|job| (job.id, job)).collect();
    Ok(stale
        .into_iter()
        .filter_map(|launched| {
            let job = now.remove(&launched.job().id)?;
            let same_attempt = job.state.attempt() == launched.job().state.attempt();
            (job.state.phase() == Phase::Starting && same_attempt).then(|| launched.with_job(Arc::new(job)))
        })
        .collect())
}

async fn tell_of(works: &Works, stored: Vec<(Launched, JobState)>) {
    let (mut running, mut over, mut requeued, mut requested) = (vec![], vec![], vec![], vec![]);
    for (launched, state) in stored {
        let (id, phase) = (launched.job().id, state.phase());
        measure(&launched, &state);
        works.changed(&Job { state, ..launched.job().as_ref().clone() });
        if launched.job().request.is_some() {
            requested.push(id);
        }
        match launched {
            Launched::Running(..) => running.push(id),
            Launched::Refused(..) => over.push(id),
            Launched::Lost(..) if phase == Phase::Pending => requeued.push(id),
            Launched::Lost(..) => over.push(id),
            Launched::NotNow { executor, message, .. } => {
                tracing::warn!(job = %id, executor, message, "not launched; it waits");
                works.tell(Command::ExecutorAway { executor, message }).await;
                requeued.push(id);
            }
        }
    }
    let told = [
        (!running.is_empty()).then_some(Command::JobsRunning { ids: running }),
        (!over.is_empty()).then(|| Command::JobsOver { ids: over.clone() }),
        (!over.is_empty()).then_some(Command::Notify { ids: over }),
        (!requeued.is_empty()).then_some(Command::JobsRequeued { ids: requeued }),
        (!requested.is_empty()).then_some(Command::ActiveRequested { ids: requested }),
    ];
    for command in told.into_iter().flatten() {
        works.tell(command).await;
    }
}

fn measure(launched: &Launched, state: &JobState) {
    measures::stored(launched.job(), state);
    match launched {
        Launched::Running(job, started) => measures::launched(job, &started.attempt.executor, started.at),
        Launched::Refused(..) => measures::error(Fault::LaunchRefused),
        Launched::Lost(..) => measures::error(Fault::LaunchLost),
        // Counted where it was found out why.
        Launched::NotNow { .. } => {}
    }
}

/// Carries out what is asked of starting and running jobs.
pub(super) async fn carry_out(works: &Works, ids: &[JobId]) {
    let jobs = match works.store.jobs(ids).await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "requests could not be read; they are found again");
            return;
        }
    };
    let work = jobs.into_iter().filter(|job| !job.is_array_parent()).map(|job| carry_out_one(works, job));
    stream::iter(work).buffer_unordered(LAUNCHES).collect::<()>().await;
}

async fn carry_out_one(works: &Works, job: Job) {
    let (Some(request), Some(name)) = (job.request, launching::attempt_name(works, &job)) else { return };
    let executor = job.state.attempt().and_then(|attempt| works.executor(&attempt.executor));
    let (Some(executor), true) = (executor, job.state.is_active()) else { return };
    let (done, transition) = match request {
        Request::Kill(_) | Request::Reschedule => (executor.stop(&name, works.kill_grace).await, None),
        Request::Suspend => (executor.suspend(&name).await, Some(Transition::Suspend)),
        Request::Resume => (executor.resume(&name).await, Some(Transition::Resume)),
        Request::Archive | Request::Purge => return,
    };
    match (done, transition) {
        (Ok(()), Some(transition)) => store_request_done(works, job, transition).await,
        (Ok(()), None) => {}
        // A launch under way comes back here once it is stored; a lost attempt is found by recovery.
        (Err(ExecutorError::NoSuchAttempt), _) => tracing::debug!(job = %job.id, "nothing to carry it out on yet"),
        (Err(error), _) => tracing::warn!(job = %job.id, %error, "a request is not carried out yet"),
    }
}

async fn store_request_done(works: &Works, job: Job, transition: Transition) {
    let Ok(state) = job.state.next(transition) else { return };
    let change = Change {
        id: job.id,
        expect: job.revision,
        state: state.clone(),
        request: None,
        failed_nodes: job.failed_nodes.clone(),
        charge: None,
    };
    match works.store.commit(vec![change]).await {
        Ok(applied) if matches!(applied[..], [Applied::Done { .. }]) => works.changed(&Job { state, ..job }),
        Ok(_) => {}
        Err(error) => tracing::error!(job = %job.id, %error, "a carried out request could not be stored"),
    }
}
