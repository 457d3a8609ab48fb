//! Jobs as processes of this machine, for where there is no Docker and for speed.
//!
//! A small process of our own binary, the *spawner* ([`spawner`]), forks a *wrapper* per attempt: a session of its own
//! that forks the job, waits for it and writes how it ended beside the job directory ([`record`]). Neither dies with
//! GoDocker: a restart reads the records, and watches the wrappers that still run by pidfd. Deliberately absent:
//! isolation. A job sees the host as its user does; with `native_cgroups` its memory and processes are limited
//! ([`cgroup`]).

mod cgroup;
mod record;
mod spawner;
mod usage;
mod wire;
mod wrapper;

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::{
    AttemptEnd, Capabilities, DATA_MOUNT, Executor, ExecutorError, Exit, Launch, Node, Sighting, Started, claim,
};
use crate::config;
use crate::domain::{Attempt, AttemptName, Clock, Cores, InstanceId, Memory, Reading, Resources, SystemClock};
use record::{Record, Records, Status};
use spawner::Spawner;

pub use spawner::{SPAWNER_ARG, spawner_main};

/// How long `forget` waits for what it killed.
const DEATH_WITHIN: Duration = Duration::from_secs(15);

pub struct NativeExecutor {
    inner: Arc<Inner>,
}

struct Inner {
    instance: InstanceId,
    node: String,
    total: Resources,
    records: Records,
    spawner: Spawner,
    cgroups: Option<cgroup::Cgroups>,
    ends: Mutex<Option<mpsc::Sender<AttemptEnd>>>,
    /// Attempts whose wrapper is watched, so that none is watched twice.
    watched: Mutex<HashSet<AttemptName>>,
    /// Names that are being launched.
    launching: Mutex<HashMap<AttemptName, Arc<tokio::sync::Mutex<()>>>>,
}

impl NativeExecutor {
    pub const NAME: &'static str = "native";

    pub const CAPABILITIES: Capabilities = Capabilities {
        pause: true,
        ports: false,
        root: false,
        images: false,
        volumes: false,
        tmp_storage: false,
        shared_ends: false,
    };

    /// `program` is our own binary, which knows [`SPAWNER_ARG`].
    ///
    /// # Errors
    /// A sentence, when the records' directory cannot be used.
    pub fn new(
        config: &config::Native,
        instance: InstanceId,
        data_dir: &Path,
        program: PathBuf,
    ) -> Result<Self, ExecutorError> {
        let records = Records::open(&data_dir.join("native")).map_err(unavailable)?;
        let cgroups = if config.cgroups { cgroup::Cgroups::find() } else { None };
        let inner = Inner {
            node: hostname(),
            total: Resources { cpu: cpus(config), ram: ram(config), gpus: 0 },
            records,
            spawner: Spawner::new(program),
            cgroups,
            instance,
            ends: Mutex::default(),
            watched: Mutex::default(),
            launching: Mutex::default(),
        };
        Ok(NativeExecutor { inner: Arc::new(inner) })
    }
}

fn hostname() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "localhost".to_owned())
}

fn cpus(config: &config::Native) -> Cores {
    let of_machine = || std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    config.cpus.unwrap_or_else(|| Cores::whole(of_machine()))
}

fn ram(config: &config::Native) -> Memory {
    let of_machine = || {
        let info = rustix::system::sysinfo();
        Memory::from_bytes(info.totalram as u64 * u64::from(info.mem_unit))
    };
    config.ram.unwrap_or_else(of_machine)
}

fn unavailable(error: impl std::fmt::Display) -> ExecutorError {
    ExecutorError::Unavailable(error.to_string())
}

#[async_trait]
impl Executor for NativeExecutor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    async fn nodes(&self) -> Result<Vec<Node>, ExecutorError> {
        let inner = &self.inner;
        Ok(vec![Node {
            name: inner.node.clone(),
            executor: Self::NAME.to_owned(),
            total: inner.total,
            labels: Vec::new(),
            others: Resources::default(),
            drained: false,
        }])
    }

    async fn watch(&self, ends: mpsc::Sender<AttemptEnd>) -> Result<(), ExecutorError> {
        *self.inner.ends.lock().expect("no holder of this lock panics") = Some(ends);
        Ok(())
    }

    async fn launch(&self, launch: Launch) -> Result<Started, ExecutorError> {
        let owner = &launch.job.owner;
        if owner.uid == 0 {
            return Err(ExecutorError::Refused("no job runs as root on the host itself".to_owned()));
        }
        let ours = rustix::process::getuid().as_raw();
        if ours != 0 && ours != owner.uid {
            return Err(ExecutorError::Refused(format!(
                "GoDocker runs as uid {ours} here and cannot start jobs of uid {}",
                owner.uid
            )));
        }
        // A record that is being made looks like one that nobody finished: one launch of a name at a time.
        let turn = self.inner.launching().entry(launch.name.clone()).or_default().clone();
        let launched = {
            let _turn = turn.lock().await;
            self.inner.launch(&launch).await
        };
        drop(turn);
        let mut launching = self.inner.launching();
        if launching.get(&launch.name).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            launching.remove(&launch.name);
        }
        launched
    }

    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || inner.records.all().map_err(unavailable))
            .await
            .map_err(unavailable)??
            .into_iter()
            .filter(|record| record.name.instance == self.inner.instance)
            .map(|record| self.inner.sight(record))
            .collect()
    }

    async fn stop(&self, name: &AttemptName, grace: Duration) -> Result<(), ExecutorError> {
        let record = self.inner.running(name)?;
        self.inner.signal(&record, Signal::TERM)?;
        // A stopped process takes no other signal before it goes on.
        self.inner.signal(&record, Signal::CONT)?;
        let inner = self.inner.clone();
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            // It may have ended in time.
            let _ = inner.kill(&record);
        });
        Ok(())
    }

    async fn suspend(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let record = self.inner.running(name)?;
        self.inner.records.mark_suspended(name, true).map_err(unavailable)?;
        self.inner.signal(&record, Signal::STOP)
    }

    async fn resume(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let record = self.inner.running(name)?;
        self.inner.records.mark_suspended(name, false).map_err(unavailable)?;
        self.inner.signal(&record, Signal::CONT)
    }

    async fn forget(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let Some(record) = self.inner.records.get(name).map_err(unavailable)? else {
            return Err(ExecutorError::NoSuchAttempt);
        };
        if record.status.is_none()
            && let Some(wrapper) = record.pidfd()
        {
            self.inner.kill(&record)?;
            // Its record goes when nobody writes it any more.
            if tokio::time::timeout(DEATH_WITHIN, wait_for(wrapper)).await.is_err() {
                return Err(unavailable(format!("{name} does not die")));
            }
        }
        self.inner.records.delete(&record).map_err(unavailable)?;
        self.inner.watched().remove(name);
        self.inner.remove_group(name).await;
        Ok(())
    }

    async fn sample(&self, names: &[AttemptName]) -> Result<Vec<(AttemptName, Reading)>, ExecutorError> {
        let (inner, names) = (self.inner.clone(), names.to_vec());
        let sampled = tokio::task::spawn_blocking(move || {
            // One without a record is forgotten.
            let records: Vec<_> = names.iter().filter_map(|name| inner.records.get(name).ok().flatten()).collect();
            usage::sample(&records, inner.cgroups.as_ref())
        });
        sampled.await.map_err(unavailable)
    }
}

impl Inner {
    async fn launch(self: &Arc<Self>, launch: &Launch) -> Result<Started, ExecutorError> {
        let order = self.order(launch)?;
        match self.spawner.launch(order).await? {
            wire::Launched::Started => self.launched_now(launch),
            wire::Launched::Exists => self.launched_before(launch).await,
            wire::Launched::BegunBefore => Err(ExecutorError::BegunBefore),
            wire::Launched::Failed { message } => {
                if let Some(cgroups) = &self.cgroups {
                    cgroups.remove(&launch.name);
                }
                Err(ExecutorError::Unavailable(message))
            }
        }
    }

    fn launching(&self) -> std::sync::MutexGuard<'_, HashMap<AttemptName, Arc<tokio::sync::Mutex<()>>>> {
        self.launching.lock().expect("no holder of this lock panics")
    }

    fn order(&self, launch: &Launch) -> Result<wire::Order, ExecutorError> {
        let owner = &launch.job.owner;
        let directory = launch.directory.display().to_string();
        let home = launch.mounts.iter().find(|mount| mount.name == "home");
        let home = home.map_or_else(|| directory.clone(), |mount| mount.path.display().to_string());
        let data = launch.data.as_ref().map_or_else(|| DATA_MOUNT.to_owned(), |data| data.display().to_string());
        let mut env = launch.env.clone();
        for (name, value) in [
            ("GODOCKER_PWD", directory.as_str()),
            ("GODOCKER_HOME", &home),
            ("GODOCKER_DATA", &data),
            ("HOME", &home),
            ("USER", owner.user.as_str()),
            ("LOGNAME", owner.user.as_str()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
        ] {
            env.push((name.to_owned(), value.to_owned()));
        }
        if env.iter().any(|(name, value)| name.contains(['=', '\0']) || value.contains('\0')) {
            return Err(ExecutorError::Refused("the job's environment holds what no environment can".to_owned()));
        }
        let cgroup = match &self.cgroups {
            Some(cgroups) => cgroups.make(&launch.name, &launch.job.spec.resources).map_err(unavailable)?,
            None => Vec::new(),
        };
        Ok(wire::Order {
            // Given by the spawner's link.
            ticket: 0,
            name: launch.name.to_string(),
            record: self.records.path(&launch.name),
            begun: claim::path(&launch.private_directory, launch.attempt.number),
            directory: launch.directory.clone(),
            uid: owner.uid,
            gid: owner.gid,
            groups: owner.groups.clone(),
            env,
            cgroup,
        })
    }

    fn launched_now(self: &Arc<Self>, launch: &Launch) -> Result<Started, ExecutorError> {
        let record = self.records.get(&launch.name).map_err(unavailable)?.ok_or(ExecutorError::NoSuchAttempt)?;
        let started = started(&launch.attempt, &record);
        self.watch_wrapper(record);
        Ok(started)
    }

    async fn remove_group(&self, name: &AttemptName) {
        let Some(cgroups) = &self.cgroups else { return };
        // What was killed leaves its group in its own time.
        for _ in 0..200 {
            if cgroups.remove(name) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tracing::warn!(%name, "the attempt's control group cannot be removed");
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashSet<AttemptName>> {
        self.watched.lock().expect("no holder of this lock panics")
    }

    /// It was launched by a process that died before it could say so. A record that was never claimed is of a launch
    /// that never took: it is removed, which no wrapper survives, and the launch is tried again.
    async fn launched_before(self: &Arc<Self>, launch: &Launch) -> Result<Started, ExecutorError> {
        let gone = || unavailable("the record of an earlier launch has just gone; it is tried again");
        let record = self.records.get(&launch.name).map_err(unavailable)?.ok_or_else(gone)?;
        if record.pid == 0 {
            self.records.delete_unclaimed(&launch.name).map_err(unavailable)?;
            return Err(gone());
        }
        let started = started(&launch.attempt, &record);
        if let Sighting::Ended(end) = self.sight(record)? {
            self.report(end).await;
        }
        Ok(started)
    }

    /// What a record says, and the watch on it if it runs.
    fn sight(self: &Arc<Self>, record: Record) -> Result<Sighting, ExecutorError> {
        if record.pid == 0 {
            return Ok(Sighting::Created(record.name));
        }
        if let Some(end) = self.end_of(&record) {
            return Ok(Sighting::Ended(end));
        }
        let attempt = Attempt {
            number: record.name.attempt,
            executor: NativeExecutor::NAME.to_owned(),
            node: self.node.clone(),
            container: Some(record.pid.to_string()),
            digest: None,
            ports: Vec::new(),
        };
        let started = Started { attempt, at: record.started };
        let sighting = Sighting::Running { name: record.name.clone(), started, suspended: record.suspended };
        self.watch_wrapper(record);
        Ok(sighting)
    }

    /// The end of an attempt whose wrapper is gone; `None` while it runs.
    fn end_of(&self, record: &Record) -> Option<AttemptEnd> {
        let status = match record.status {
            Some(status) => Some(status),
            None if record.wrapper_is_alive() => return None,
            // It may have written its last words between our reading and our asking.
            None => self.records.get(&record.name).ok().flatten().and_then(|record| record.status),
        };
        Some(self.end(&record.name, record.started, status))
    }

    fn end(&self, name: &AttemptName, started: crate::domain::Timestamp, status: Option<Status>) -> AttemptEnd {
        // A job that ended well did without what was killed.
        let out_of_memory = status.is_none_or(|status| status.code != 0)
            && self.cgroups.as_ref().is_some_and(|cgroups| cgroups.ran_out_of_memory(name));
        AttemptEnd {
            name: name.clone(),
            exit: Exit { code: status.map(|status| status.code), out_of_memory },
            started: Some(started),
            ended: status.map_or_else(|| SystemClock.now(), |status| status.ended),
        }
    }

    async fn report(&self, end: AttemptEnd) {
        let ends = self.ends.lock().expect("no holder of this lock panics").clone();
        if let Some(ends) = ends {
            // Nobody listens while we stop; the record stays.
            let _ = ends.send(end).await;
        }
    }

    /// Reports the end of the record's wrapper, whoever started it and however it goes.
    fn watch_wrapper(self: &Arc<Self>, record: Record) {
        if !self.watched().insert(record.name.clone()) {
            return;
        }
        let me = Arc::downgrade(self);
        tokio::spawn(async move {
            if let Some(pidfd) = record.pidfd() {
                wait_for(pidfd).await;
            }
            let Some(me) = me.upgrade() else { return };
            // Forgotten meanwhile: nobody wants to hear of it.
            let wanted = me.watched().remove(&record.name);
            if let (true, Ok(Some(record))) = (wanted, me.records.get(&record.name))
                && let Some(end) = me.end_of(&record)
            {
                me.report(end).await;
            }
        });
    }

    fn running(&self, name: &AttemptName) -> Result<Record, ExecutorError> {
        let record = self.records.get(name).map_err(unavailable)?.ok_or(ExecutorError::NoSuchAttempt)?;
        if record.status.is_some() || !record.wrapper_is_alive() {
            // It has ended, and says so on its own.
            return Err(ExecutorError::NoSuchAttempt);
        }
        Ok(record)
    }

    /// To the job's process group, never to its wrapper.
    fn signal(&self, record: &Record, signal: Signal) -> Result<(), ExecutorError> {
        let group = record.job_group().ok_or(ExecutorError::NoSuchAttempt)?;
        match rustix::process::kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn kill(&self, record: &Record) -> Result<(), ExecutorError> {
        if let Some(cgroups) = &self.cgroups {
            cgroups.kill_all(&record.name);
        }
        if record.wrapper_is_alive() { self.signal(record, Signal::KILL) } else { Ok(()) }
    }
}

fn started(planned: &Attempt, record: &Record) -> Started {
    Started { attempt: Attempt { container: Some(record.pid.to_string()), ..planned.clone() }, at: record.started }
}

/// Returns when the process is gone.
async fn wait_for(pidfd: OwnedFd) {
    // SAFETY: the descriptor is owned, and nobody else closes or replaces it.
    let readable = unsafe { AsyncFd::register_with_interest(pidfd, tokio::io::Interest::READABLE) };
    match readable {
        Ok(readable) => drop(readable.readable().await.map(|_| ())),
        Err(error) => tracing::error!(%error, "a process cannot be watched; the next listing finds its end"),
    }
}

/// A handle on process `pid`, if it is still the one that began at `start` (see [`record::start_time`]).
fn pidfd_of(pid: i32, start: u64) -> Option<OwnedFd> {
    let pidfd = rustix::process::pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    // Looked at after the handle is open: the number cannot have passed to another process in between.
    let still = record::start_time(pid) == Some(start);
    let _ = pidfd.as_fd();
    still.then_some(pidfd)
}
