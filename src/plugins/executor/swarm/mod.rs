//! Jobs as services of a Docker Swarm: one service without restart for each attempt, one task on the node that the plan
//! chose.
//!
//! The service is [`service`], bringing it to run [`launch`]. What its task is doing is on the [`board`], which one
//! listing at a time fills; what a task says, as ours, is in [`report`]. The machines are [`nodes`]. A manager may come
//! and go: nothing is remembered here that its listings do not tell again.
//!
//! What a swarm cannot do, and what is done instead:
//! - *A stop with a grace of its own.* A service has one, set when it is made: the site's `kill_grace`. Scaled to none, a
//!   service forgets its task and how it ended; so a stop asks for a task that no node may run, and Swarm stops the one
//!   that runs and keeps its record.
//! - *Signals, suspend and resume.* There are none.
//! - *No network.* A service has one at least: that of [`service::ISOLATED`], which leads nowhere and whose interface
//!   neither asks nor answers for addresses.
//! - *No new privileges; no swap.* Engines before 25 and 29 are not told by a service. The first is the engine's own
//!   setting (`no-new-privileges` in its daemon.json), and nodes that need it are warned of.
//! - *Out of memory.* A task's status does not say it: the wrapper reads it from its control group, and leaves a note
//!   in the job directory. It is the job's word on itself, and nothing but the word for its end depends on it.
//! - *Labels as constraints.* Swarm kills what runs on a node whose label is taken away. Nodes have their labels in
//!   `node.labels`, the plan obeys them, a launch compares them again; the service itself is bound to its node only.
//! - *A node out of reach.* Its jobs run for all that anybody knows, until it is back, or the manager gives it up
//!   (`docker node rm --force`, or a day): then their node has failed.
//! - *Not pulling.* An engine asks the registry for every image that is not named by digest; so services name it by what
//!   the registry told the manager ([`image`]).
//! - *Graphics cards* are what the engines' `node-generic-resources` say of `gpu` or `NVIDIA-GPU`.

mod board;
mod image;
mod launch;
mod nodes;
mod report;
mod service;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bollard::Docker;
use bollard::models::{Service, Task};
use bollard::query_parameters::{InspectServiceOptions, UpdateServiceOptionsBuilder};
use tokio::sync::{Semaphore, mpsc};

use self::board::Board;
use self::image::Digests;
use self::nodes::Nodes;
use super::engine::answer::{of_docker, status_code};
use super::engine::{connect, stats};
use super::{AttemptEnd, Capabilities, Executor, ExecutorError, Launch, Node, Sighting, Started};
use crate::config;
use crate::domain::{AttemptName, InstanceId, Reading};

pub struct SwarmExecutor {
    inner: Arc<Inner>,
}

struct Inner {
    docker: config::Docker,
    url: Option<String>,
    /// What a service is given between SIGTERM and SIGKILL.
    grace: Duration,
    instance: InstanceId,
    network_disabled: bool,
    client: tokio::sync::OnceCell<Docker>,
    manager: tokio::sync::OnceCell<Option<String>>,
    launches: Semaphore,
    ends: Mutex<Option<mpsc::Sender<AttemptEnd>>>,
    board: Board,
    nodes: Nodes,
    digests: Digests,
}

/// How often a change is tried against a service that others change too.
const UPDATE_TRIES: u32 = 5;
const RECONNECT: Duration = Duration::from_secs(1);
/// Beyond the grace, until a container that is removed must be gone.
const REMOVED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl SwarmExecutor {
    pub const NAME: &'static str = "swarm";

    pub const CAPABILITIES: Capabilities = Capabilities {
        pause: false,
        ports: true,
        root: true,
        images: true,
        volumes: true,
        shared_ends: true,
        tmp_storage: true,
    };

    /// The manager is not asked yet, and need not be there. `grace`: between SIGTERM and SIGKILL.
    pub fn new(
        docker: &config::Docker,
        swarm: &config::Swarm,
        grace: Duration,
        instance: InstanceId,
        network_disabled: bool,
    ) -> Self {
        let inner = Inner {
            launches: Semaphore::new(docker.concurrency.max(1)),
            docker: docker.clone(),
            url: swarm.url.clone(),
            grace,
            instance,
            network_disabled,
            client: tokio::sync::OnceCell::new(),
            manager: tokio::sync::OnceCell::new(),
            ends: Mutex::default(),
            board: Board::default(),
            nodes: Nodes::default(),
            digests: Digests::default(),
        };
        SwarmExecutor { inner: Arc::new(inner) }
    }
}

#[async_trait]
impl Executor for SwarmExecutor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    async fn nodes(&self) -> Result<Vec<Node>, ExecutorError> {
        self.inner.nodes().await
    }

    async fn nodes_changed(&self) {
        self.inner.node_changed().await;
    }

    async fn watch(&self, ends: mpsc::Sender<AttemptEnd>) -> Result<(), ExecutorError> {
        *self.inner.ends.lock().expect("no holder of this lock panics") = Some(ends);
        tokio::spawn(self.inner.clone().follow_events());
        Ok(())
    }

    async fn launch(&self, launch: Launch) -> Result<Started, ExecutorError> {
        self.inner.launch(&launch).await
    }

    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError> {
        self.inner.list().await
    }

    /// The grace is the one that the service was made with.
    async fn stop(&self, name: &AttemptName, _grace: Duration) -> Result<(), ExecutorError> {
        self.inner.stop(name).await
    }

    async fn suspend(&self, _: &AttemptName) -> Result<(), ExecutorError> {
        Err(ExecutorError::Refused("A swarm cannot suspend a job.".to_owned()))
    }

    async fn resume(&self, _: &AttemptName) -> Result<(), ExecutorError> {
        Err(ExecutorError::Refused("A swarm cannot resume a job.".to_owned()))
    }

    async fn forget(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        self.inner.forget(name).await
    }

    /// Only of what runs on the manager that we speak to: other nodes' engines are not ours to reach.
    async fn sample(&self, names: &[AttemptName]) -> Result<Vec<(AttemptName, Reading)>, ExecutorError> {
        let client = self.inner.client().await?;
        let Some(here) = self.inner.manager(client).await? else { return Ok(Vec::new()) };
        let on_it = |name: &AttemptName| {
            let view = self.inner.board.view(name)?;
            let runs = matches!(view.phase, report::Phase::Running(_)) && view.node.as_ref() == Some(here);
            Some((name.clone(), view.container.filter(|_| runs)?))
        };
        Ok(stats::sample(client, names.iter().filter_map(on_it).collect()).await)
    }
}

impl Inner {
    async fn client(&self) -> Result<&Docker, ExecutorError> {
        self.client
            .get_or_try_init(|| async {
                connect(self.url.as_deref(), self.docker.tls.as_ref())?.negotiate_version().await.map_err(of_swarm)
            })
            .await
    }

    /// The manager's own node.
    async fn manager(&self, client: &Docker) -> Result<Option<&String>, ExecutorError> {
        let asked = self.manager.get_or_try_init(|| async {
            let swarm = client.info().await.map_err(of_swarm)?.swarm;
            Ok::<_, ExecutorError>(swarm.and_then(|swarm| swarm.node_id).filter(|id| !id.is_empty()))
        });
        Ok(asked.await?.as_ref())
    }

    async fn service(&self, name: &str) -> Result<Option<Service>, ExecutorError> {
        match self.client().await?.inspect_service(name, None::<InspectServiceOptions>).await {
            Ok(service) => Ok(Some(service)),
            Err(error) if status_code(&error) == Some(404) => Ok(None),
            Err(error) => Err(of_swarm(error)),
        }
    }

    /// Changes a service as it is now, unless it is so already. Whoever loses a race looks again.
    async fn change(
        &self,
        id: &str,
        change: impl Fn(&mut bollard::models::ServiceSpec) -> bool,
    ) -> Result<(), ExecutorError> {
        for _ in 0..UPDATE_TRIES {
            let Some(service) = self.service(id).await? else { return Err(ExecutorError::NoSuchAttempt) };
            let mut spec = service.spec.unwrap_or_default();
            if !change(&mut spec) {
                return Ok(());
            }
            let version = service.version.and_then(|version| version.index).unwrap_or(0);
            let options = UpdateServiceOptionsBuilder::default().version(i32::try_from(version).unwrap_or(i32::MAX));
            match self.client().await?.update_service(id, spec, options.build(), None).await {
                Ok(_) => return Ok(()),
                Err(error) if error.to_string().contains("out of sequence") => {}
                Err(error) => return Err(of_swarm(error)),
            }
        }
        Err(ExecutorError::Unavailable(format!("the service {id} does not hold still")))
    }

    async fn stop(self: &Arc<Self>, name: &AttemptName) -> Result<(), ExecutorError> {
        let text = name.to_string();
        let Some(service) = self.service(&text).await? else { return Err(ExecutorError::NoSuchAttempt) };
        if !service::is_begun(&service) || service::is_stopped(&service) {
            return if service::is_begun(&service) { Ok(()) } else { Err(ExecutorError::NoSuchAttempt) };
        }
        let tasks = self.tasks_of(name).await?;
        if report::views(&tasks).into_values().any(|view| view.is_over()) {
            return Ok(());
        }
        self.change(&service.id.unwrap_or(text), service::stop).await?;
        self.wake_up();
        Ok(())
    }

    /// An attempt that ended is only taken off the list; one that runs is waited for, so that it does not any more.
    async fn forget(self: &Arc<Self>, name: &AttemptName) -> Result<(), ExecutorError> {
        let over = self.board.view(name).is_some_and(|view| view.is_over());
        match self.client().await?.delete_service(&name.to_string()).await {
            Ok(()) if over => Ok(()),
            Ok(()) => self.until_gone(name).await.map(drop),
            Err(error) if status_code(&error) == Some(404) => Err(ExecutorError::NoSuchAttempt),
            Err(error) => Err(of_swarm(error)),
        }
    }

    /// Waits until no node runs anything of a service that was removed; a node out of reach will not when it is back.
    /// Whether any node had anything of it.
    async fn until_gone(&self, name: &AttemptName) -> Result<bool, ExecutorError> {
        let deadline = Instant::now() + self.grace + REMOVED_WITHIN;
        let mut was_somewhere = false;
        loop {
            let tasks = self.tasks_of(name).await?;
            was_somewhere |= tasks.iter().any(report::is_on_a_node);
            let silent = if tasks.is_empty() { HashSet::new() } else { self.silent_nodes().await? };
            let node_is_silent = |task: &&Task| task.node_id.as_ref().is_some_and(|node| silent.contains(node));
            if !tasks.iter().filter(|task| !node_is_silent(task)).any(report::may_still_run) {
                return Ok(was_somewhere);
            }
            if Instant::now() > deadline {
                return Err(ExecutorError::Unavailable(format!("{name} is removed, and its node has not said so yet")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// A manager's answer: one that has lost the others, or is none, is away like one that does not answer.
fn of_swarm(error: bollard::errors::Error) -> ExecutorError {
    match status_code(&error) {
        Some(406 | 503) => ExecutorError::Unavailable(super::engine::answer::sentence(&error)),
        _ => of_docker(error),
    }
}
