//! What each role is made of, in whatever process it lives.

use std::sync::Arc;

use actix::prelude::*;
use anyhow::bail;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::actors::archiver::ArchiverActor;
use crate::actors::executor::ExecutorActor;
use crate::actors::leadership::Fence;
use crate::actors::measuring;
use crate::actors::notifier::NotifierActor;
use crate::actors::notify::Mailer;
use crate::actors::sampler::SamplerActor;
use crate::actors::scheduler::{self, SchedulerActor};
use crate::actors::scheduler_state::SchedulerState;
use crate::actors::share::Share;
use crate::actors::watcher::{WatcherActor, apply_ends};
use crate::actors::{Shutdown, Works, pump};
use crate::bus::Role;
use crate::config::Config;
use crate::domain::InstanceId;
use crate::ftp::{self, FtpServer};
use crate::plugins::auth::LoginLimiter;
use crate::plugins::executor::{Capabilities, Executor};
use crate::plugins::registry;
use crate::scheduling::policy;

/// A scheduler that plans until this is dropped.
pub struct Scheduler {
    pub actor: Addr<SchedulerActor>,
    arbiter: Arbiter,
    pumps: Vec<JoinHandle<()>>,
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.pumps.iter().for_each(JoinHandle::abort);
        self.arbiter.stop();
    }
}

/// What it plans with: policy and first executor.
pub fn scheduler_state(config: &Config, works: &Works) -> anyhow::Result<SchedulerState> {
    let Some(policy) = policy::policy(&config.scheduler.policy, config.scheduler.fair_share) else {
        bail!("scheduler_policy: {} is not known; known are fifo, fairshare", config.scheduler.policy);
    };
    let Some(default_executor) = works.executors.first().map(|executor| executor.name().to_owned()) else {
        bail!("executors: none is configured");
    };
    Ok(SchedulerState::new(&config.scheduler, policy, default_executor))
}

pub fn scheduler(config: &Config, works: &Works, fence: Fence) -> anyhow::Result<Scheduler> {
    let state = scheduler_state(config, works)?;
    let actor = SchedulerActor::new(works.clone(), fence, state, &config.scheduler);
    let arbiter = Arbiter::new();
    let actor = SchedulerActor::start_in_arbiter(&arbiter.handle(), |_| actor);
    let mut pumps = vec![scheduler::answer(works.bus.as_ref(), actor.clone())];
    pumps.extend(pump(works.bus.as_ref(), Role::Scheduler, actor.clone().recipient()));
    Ok(Scheduler { actor, arbiter, pumps })
}

/// What launches, watches and tells of jobs.
pub struct Watcher {
    executor: Addr<ExecutorActor>,
    watcher: Addr<WatcherActor>,
}

impl Watcher {
    /// Lets launches under way be stored.
    pub async fn stop(&self) {
        // A mailbox that is closed has nothing left to store.
        let _ = self.executor.send(Shutdown).await;
        let _ = self.watcher.send(Shutdown).await;
    }
}

/// `endpoint`: what links in mail begin with.
pub async fn watcher(config: &Config, works: &Works, share: Share, endpoint: String) -> anyhow::Result<Watcher> {
    let rules = registry::watcher_rules(config)?;
    let mailer = config.mail.as_ref().map(Mailer::new).transpose()?;
    for executor in works.executors.iter() {
        let (ends, reported) = mpsc::channel(4096);
        if let Err(error) = executor.watch(ends).await {
            tracing::warn!(executor = executor.name(), %error, "not watched yet; it will be");
        }
        // An end that only one process hears of is that process's to apply.
        let share = if executor.capabilities().shared_ends { share.clone() } else { Share::everything() };
        tokio::spawn(apply_ends(works.clone(), share, reported));
    }
    let of = works.clone();
    let executor = ExecutorActor::start_in_arbiter(&Arbiter::new().handle(), |_| ExecutorActor::new(of));
    let (of, every) = (works.clone(), config.scheduler.reconcile_every);
    if let Some(every) = config.disk.measure_every {
        tokio::spawn(measuring::measure_for_ever(works.clone(), share.clone(), every));
    }
    if let Some(every) = config.sample_every {
        let (of, share) = (works.clone(), share.clone());
        SamplerActor::start_in_arbiter(&Arbiter::new().handle(), move |_| SamplerActor::new(of, share, every));
    }
    let watcher =
        WatcherActor::start_in_arbiter(&Arbiter::new().handle(), move |_| WatcherActor::new(of, share, rules, every));
    let notifier = NotifierActor::new(works.clone(), mailer, endpoint).start();
    pump(works.bus.as_ref(), Role::Executor, executor.clone().recipient());
    pump(works.bus.as_ref(), Role::Watcher, watcher.clone().recipient());
    pump(works.bus.as_ref(), Role::Notifier, notifier.recipient());
    Ok(Watcher { executor, watcher })
}

/// `me`: its name, where there may be several.
pub fn archiver(config: &Config, works: &Works, me: &str) {
    let archiver = ArchiverActor::new(works.clone(), config.disk.retention, me.to_owned()).start();
    pump(works.bus.as_ref(), Role::Archiver, archiver.recipient());
}

/// `limiter`: failed logins count wherever they were tried, where one process has several doors.
pub fn ftp(config: &Config, works: &Works, limiter: Arc<LoginLimiter>) -> anyhow::Result<FtpServer> {
    let of = ftp::Works {
        store: works.store.clone(),
        spaces: works.files.uploads().clone(),
        clock: works.clock.clone(),
        limiter,
    };
    let server = ftp::serve(config.ftp.clone(), of)?;
    println!("GoDocker serves FTP at {}", server.address);
    Ok(server)
}

/// The executors that go-d.ini names.
pub async fn named_executors(config: &Config, instance: &InstanceId) -> anyhow::Result<Vec<Arc<dyn Executor>>> {
    let mut executors = Vec::new();
    for name in &config.executors {
        executors.push(registry::executor(name, config, instance).await?);
    }
    Ok(executors)
}

pub fn capabilities(executors: &[Arc<dyn Executor>]) -> Vec<(String, Capabilities)> {
    executors.iter().map(|executor| (executor.name().to_owned(), executor.capabilities())).collect()
}
