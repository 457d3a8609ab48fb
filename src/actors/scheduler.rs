//! The scheduler actor: keeps the queue, decides, and sends what it decided to be launched.
//!
//! A pass runs when something changed. While a plan is being stored the next pass waits, and takes all that came
//! meanwhile: under load passes grow instead of multiplying.

use std::time::{Duration, Instant};

use actix::prelude::*;

use super::leadership::Fence;
use super::scheduler_state::{Accounts, Freed, SchedulerState, row_of};
use super::scheduler_store::{CHUNK, PlanStored, Snapshot, accounts, end_killed, snapshot, store_plan};
use super::{Deliver, Shutdown, Works};
use crate::bus::{Answer, Asked, Bus, Command, Question};
use crate::domain::{JobId, Request};
use crate::measures::{self, Fault};
use crate::plugins::executor::Node;
use crate::scheduling::queue::DependencyState;
use crate::store::PendingRow;

/// Decide now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Pass;

/// Compare memory with the store.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconcile;

#[derive(Message)]
#[rtype(result = "()")]
struct Arrived(Vec<PendingRow>);

#[derive(Message)]
#[rtype(result = "()")]
struct DependenciesKnown(Vec<(JobId, DependencyState)>);

/// An executor's nodes are not what they were.
#[derive(Message)]
#[rtype(result = "()")]
struct NodesChanged(&'static str);

#[derive(Message)]
#[rtype(result = "()")]
struct NodesSeen {
    executor: String,
    nodes: Result<Vec<Node>, String>,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Loaded {
    snapshot: Box<Snapshot>,
    /// [`SchedulerActor::epoch`] when the reading began.
    epoch: u64,
}

#[derive(Message)]
#[rtype(result = "()")]
struct AccountsRead(Option<Box<Accounts>>);

/// What pages and API ask whoever plans.
#[derive(Message)]
#[rtype(result = "Answer")]
struct Ask(Question);

/// How often an executor that is away is asked whether it is back.
const ASK_AGAIN: Duration = Duration::from_secs(1);

pub struct SchedulerActor {
    works: Works,
    /// The right to plan.
    fence: Fence,
    state: SchedulerState,
    usage_window_days: u32,
    reconcile_every: Duration,
    /// Raised by whatever changes the queue or what is placed: tells whether a snapshot is still the truth.
    epoch: u64,
    pass_due: bool,
    /// A plan is on its way to the store.
    storing: bool,
    reading_accounts: bool,
    read_accounts_again: bool,
    stopping: Option<tokio::sync::oneshot::Sender<()>>,
    stopped: bool,
}

impl SchedulerActor {
    pub fn new(works: Works, fence: Fence, state: SchedulerState, config: &crate::config::Scheduler) -> Self {
        SchedulerActor {
            works,
            fence,
            state,
            usage_window_days: config.usage_window_days,
            reconcile_every: config.reconcile_every,
            epoch: 0,
            pass_due: false,
            storing: false,
            reading_accounts: false,
            read_accounts_again: false,
            stopping: None,
            stopped: false,
        }
    }

    fn want_pass(&mut self, ctx: &mut Context<Self>) {
        if !self.pass_due && !self.storing && !self.stopped {
            self.pass_due = true;
            ctx.notify(Pass);
        } else if self.storing {
            self.pass_due = true;
        }
    }

    fn ask_nodes(&self, executor_name: &str, me: Addr<Self>) {
        let Some(executor) = self.works.executor(executor_name).cloned() else { return };
        actix::spawn(async move {
            let nodes = executor.nodes().await.map_err(|error| error.to_string());
            // Only an actor that is gone does not take it.
            me.do_send(NodesSeen { executor: executor.name().to_owned(), nodes });
        });
    }

    /// A node that is drained gets nothing new from then on, not from the next reconciliation.
    fn follow_nodes(&self, ctx: &mut Context<Self>) {
        for executor in self.works.executors.iter() {
            let (executor, me) = (executor.clone(), ctx.address());
            let follow = async move {
                loop {
                    executor.nodes_changed().await;
                    if me.send(NodesChanged(executor.name())).await.is_err() {
                        break;
                    }
                }
            };
            ctx.spawn(follow.into_actor(self));
        }
    }

    fn ask_dependencies(&self, me: Addr<Self>) {
        let ids = self.state.queue.unresolved_dependencies();
        if ids.is_empty() {
            return;
        }
        let works = self.works.clone();
        actix::spawn(async move {
            match works.store.outcomes(&ids).await {
                Ok(known) => {
                    let state_of = |id: &JobId| match known.iter().find(|outcome| outcome.id == *id) {
                        Some(outcome) => outcome.ending.map_or(DependencyState::Active, DependencyState::Ended),
                        None => DependencyState::Gone,
                    };
                    let known = ids.iter().map(|id| (*id, state_of(id))).collect();
                    // Asked again at the next reconciliation if it is lost.
                    me.do_send(DependenciesKnown(known));
                }
                Err(error) => tracing::error!(%error, "dependencies could not be read"),
            }
        });
    }

    fn fetch(&self, ids: Vec<JobId>, me: Addr<Self>) {
        let works = self.works.clone();
        actix::spawn(async move {
            match works.store.jobs(&ids).await {
                // Found again at the next reconciliation if it is lost.
                Ok(jobs) => me.do_send(Arrived(jobs.iter().filter_map(row_of).collect())),
                Err(error) => tracing::error!(%error, "pending jobs could not be read"),
            }
        });
    }

    fn fetch_new(&self, first: JobId, count: u32, me: Addr<Self>) {
        let works = self.works.clone();
        actix::spawn(async move {
            let last = first.0 + u64::from(count);
            let mut after = JobId(first.0 - 1);
            while after.0 < last {
                match works.store.pending(after, CHUNK.min((last - after.0) as usize)).await {
                    Ok(mut rows) => {
                        rows.retain(|row| row.id.0 <= last);
                        let Some(end) = rows.last().map(|row| row.id) else { break };
                        after = end;
                        if me.send(Arrived(rows)).await.is_err() {
                            break;
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "new jobs could not be read; they are found again");
                        break;
                    }
                }
            }
        });
    }

    /// Reads the accounts; nothing starts meanwhile. What changes while they are read is read again.
    fn load_accounts(&mut self, me: Addr<Self>) {
        if self.reading_accounts {
            self.read_accounts_again = true;
            return;
        }
        self.reading_accounts = true;
        let (works, from_day) = (self.works.clone(), self.first_day());
        actix::spawn(async move {
            let read = accounts(&works, from_day).await;
            if let Err(error) = &read {
                tracing::error!(%error, "the accounts could not be read; they are with the next round");
            }
            // Only an actor that is gone does not take it.
            me.do_send(AccountsRead(read.ok().map(Box::new)));
        });
    }

    /// The first day of use that counts.
    fn first_day(&self) -> i64 {
        self.works.clock.now().day() - i64::from(self.usage_window_days) + 1
    }

    fn load(&self, me: Addr<Self>) {
        let works = self.works.clone();
        let epoch = self.epoch;
        let from_day = self.first_day();
        actix::spawn(async move {
            match snapshot(&works, from_day).await {
                Ok(snapshot) => me.do_send(Loaded { snapshot: Box::new(snapshot), epoch }),
                Err(error) => tracing::error!(%error, "the queue could not be read; it is tried again"),
            }
        });
    }
}

impl Actor for SchedulerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(4096);
        ctx.notify(Reconcile);
        ctx.run_interval(self.reconcile_every, |_, ctx| ctx.notify(Reconcile));
        ctx.run_interval(ASK_AGAIN, |me, ctx| {
            let away: Vec<_> = me.state.view.away.keys().cloned().collect();
            away.iter().for_each(|executor| me.ask_nodes(executor, ctx.address()));
        });
        self.follow_nodes(ctx);
    }
}

impl Handler<Reconcile> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, _: Reconcile, ctx: &mut Self::Context) {
        let names: Vec<_> = self.works.executors.iter().map(|executor| executor.name()).collect();
        names.iter().for_each(|name| self.ask_nodes(name, ctx.address()));
        self.load(ctx.address());
    }
}

impl Handler<Loaded> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Loaded { snapshot, epoch }: Loaded, ctx: &mut Self::Context) {
        let Snapshot { mut rows, active, accounts } = *snapshot;
        if self.storing || self.epoch != epoch {
            // Things moved while it was read, so memory knows better; but nothing pending may be missed. A row that is
            // out of date loses its race in the store and is dropped there.
            rows.retain(|row| !self.state.queue.contains(row.id));
            self.state.free_vanished(&active, self.works.clock.now());
        } else {
            self.state.reset_placed(&active);
            self.state.queue.clear();
        }
        self.state.set_accounts(&accounts);
        self.accept(rows, ctx);
    }
}

impl Handler<AccountsRead> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, AccountsRead(accounts): AccountsRead, ctx: &mut Self::Context) {
        self.reading_accounts = false;
        if std::mem::take(&mut self.read_accounts_again) {
            self.load_accounts(ctx.address());
            return;
        }
        if let Some(accounts) = accounts {
            self.state.set_accounts(&accounts);
        }
        self.want_pass(ctx);
    }
}

impl SchedulerActor {
    /// Puts rows in the queue; those that were asked to end do so instead.
    fn accept(&mut self, rows: Vec<PendingRow>, ctx: &mut Context<Self>) {
        self.epoch += 1;
        let mut to_end = Vec::new();
        for row in rows {
            match row.request {
                Some(Request::Kill(_)) => to_end.push(row.id),
                _ => self.state.enqueue(row),
            }
        }
        if !to_end.is_empty() {
            self.end_pending(to_end);
        }
        self.ask_dependencies(ctx.address());
        self.want_pass(ctx);
    }

    fn end_pending(&mut self, ids: Vec<JobId>) {
        for id in &ids {
            self.state.queue.remove(*id);
        }
        let (works, fence) = (self.works.clone(), self.fence.clone());
        actix::spawn(async move {
            if let Err(error) = end_killed(&works, &fence, &ids).await {
                tracing::error!(%error, "killed pending jobs could not be stored; they are found again");
            }
        });
    }
}

impl Handler<Deliver> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Deliver(command, receipt): Deliver, ctx: &mut Self::Context) {
        // What it says is in the store, and is read there by whoever leads next.
        receipt.done();
        self.epoch += 1;
        match command {
            Command::JobSubmitted { id, children } => self.fetch_new(id, children, ctx.address()),
            Command::PendingRequested { ids } => self.end_pending(ids),
            Command::DiskMeasured { sizes } => {
                if self.state.disk_measured(sizes) {
                    self.want_pass(ctx);
                }
            }
            Command::RoomFreed { ids } => {
                let freed = ids.into_iter().filter(|id| self.state.free_room(*id)).count();
                if freed > 0 {
                    self.want_pass(ctx);
                }
            }
            Command::JobsOver { ids } => {
                let now = self.works.clock.now();
                let mut read_first = false;
                for id in &ids {
                    read_first |= self.state.free(*id, Freed::Over, now);
                    self.state.queue.remove(*id);
                }
                if read_first {
                    self.load_accounts(ctx.address());
                }
                self.ask_dependencies_on(&ids, ctx.address());
                self.want_pass(ctx);
            }
            Command::JobsRequeued { ids } => {
                let now = self.works.clock.now();
                for id in &ids {
                    self.state.free(*id, Freed::Back, now);
                }
                self.fetch(ids, ctx.address());
            }
            Command::Reconcile => ctx.notify(Reconcile),
            Command::AccountsChanged => self.load_accounts(ctx.address()),
            Command::ExecutorAway { executor, message } => self.state.see_nodes(&executor, Err(message)),
            other => tracing::error!(?other, "not for the scheduler"),
        }
    }
}

impl SchedulerActor {
    fn away(&self) -> Vec<(String, Option<String>)> {
        let of = |name: &str| (name.to_owned(), self.state.away(name).map(str::to_owned));
        self.works.executors.iter().map(|executor| of(executor.name())).collect()
    }

    /// Some jobs ended: whoever waits for them wants to know how.
    fn ask_dependencies_on(&mut self, ids: &[JobId], me: Addr<Self>) {
        let waited_for: Vec<_> = ids.iter().copied().filter(|id| self.state.queue.is_waited_for(*id)).collect();
        if waited_for.is_empty() {
            return;
        }
        let works = self.works.clone();
        actix::spawn(async move {
            if let Ok(known) = works.store.outcomes(&waited_for).await {
                let known = known
                    .into_iter()
                    .map(|o| (o.id, o.ending.map_or(DependencyState::Active, DependencyState::Ended)))
                    .collect();
                // Asked again at the next reconciliation if it is lost.
                me.do_send(DependenciesKnown(known));
            }
        });
    }
}

impl Handler<Arrived> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Arrived(rows): Arrived, ctx: &mut Self::Context) {
        self.accept(rows, ctx);
    }
}

impl Handler<DependenciesKnown> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, DependenciesKnown(known): DependenciesKnown, ctx: &mut Self::Context) {
        for (id, state) in known {
            self.state.queue.dependency_known(id, state);
        }
        self.want_pass(ctx);
    }
}

impl Handler<NodesChanged> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, NodesChanged(executor): NodesChanged, ctx: &mut Self::Context) {
        self.ask_nodes(executor, ctx.address());
    }
}

impl Handler<NodesSeen> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, NodesSeen { executor, nodes }: NodesSeen, ctx: &mut Self::Context) {
        let was_away = self.state.is_away(&executor);
        if let Err(message) = &nodes
            && !was_away
        {
            measures::error(Fault::Executor);
            tracing::warn!(executor, message, "the executor does not answer; its jobs wait");
        } else if nodes.is_ok() && was_away {
            tracing::info!(executor, "the executor answers again");
        }
        self.state.see_nodes(&executor, nodes);
        self.want_pass(ctx);
    }
}

impl Handler<Pass> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, _: Pass, ctx: &mut Self::Context) {
        self.pass_due = false;
        if self.stopped || self.storing || self.reading_accounts {
            return;
        }
        let began = Instant::now();
        let plan = self.state.pass(self.works.clock.now());
        measures::passed(began.elapsed(), plan.starts.len(), plan.rejects.len());
        if plan.starts.is_empty() && plan.rejects.is_empty() {
            return;
        }
        self.storing = true;
        self.epoch += 1;
        let (works, fence) = (self.works.clone(), self.fence.clone());
        let me = ctx.address();
        actix::spawn(async move {
            let stored = store_plan(&works, &fence, plan).await;
            // Only an actor that is gone does not take it.
            me.do_send(stored);
        });
    }
}

impl Handler<PlanStored> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, PlanStored { lost, rows }: PlanStored, ctx: &mut Self::Context) {
        self.storing = false;
        let now = self.works.clock.now();
        for id in &lost {
            self.state.free(*id, Freed::Back, now);
        }
        if let Some(done) = self.stopping.take() {
            // The receiver may have given up waiting.
            let _ = done.send(());
            return;
        }
        if !rows.is_empty() {
            self.accept(rows, ctx);
        }
        if self.pass_due {
            self.pass_due = false;
            self.want_pass(ctx);
        }
    }
}

impl Handler<Ask> for SchedulerActor {
    type Result = MessageResult<Ask>;

    fn handle(&mut self, Ask(question): Ask, _: &mut Self::Context) -> Self::Result {
        MessageResult(match question {
            Question::Explain { ids } => Answer::Waiting(self.state.explain(&ids, self.works.clock.now())),
            Question::Nodes => Answer::Nodes(self.state.nodes()),
            Question::Away => Answer::Away(self.away()),
            Question::Outlook { of } => Answer::Outlook(self.state.preview(&of, self.works.clock.now())),
            Question::Allowances { user, projects } => Answer::Allowances(self.state.allowances(&user, &projects)),
            Question::Reasons => Answer::Reasons(self.state.reasons()),
        })
    }
}

impl Handler<Shutdown> for SchedulerActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) -> Self::Result {
        self.stopped = true;
        let (done, finished) = tokio::sync::oneshot::channel();
        if self.storing {
            self.stopping = Some(done);
        } else {
            let _ = done.send(());
        }
        Box::pin(async move {
            let _ = finished.await;
        })
    }
}

/// Answers what is asked over the bus, until the actor is gone.
pub fn answer(bus: &dyn Bus, scheduler: Addr<SchedulerActor>) -> tokio::task::JoinHandle<()> {
    let mut questions = bus.questions();
    tokio::spawn(async move {
        while let Some(Asked { question, answer }) = questions.recv().await {
            match scheduler.send(Ask(question)).await {
                // Whoever asked may have given up.
                Ok(answered) => drop(answer.send(answered)),
                Err(_) => break,
            }
        }
    })
}
