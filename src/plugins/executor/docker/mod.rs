//! Jobs as containers of one Docker engine.
//!
//! A launch is a create and a start; its end comes by the engine's event stream and one inspection. What a container
//! may do is in [`container`]; following the stream is [`events`], fetching images [`pull`]; what the engine said, as
//! ours, is in [`report`]. The engine may come and go: nothing is remembered here that its listing does not tell again.

mod container;
mod events;
mod image;
mod pull;
mod report;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum as Status};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions,
};
use tokio::sync::{Semaphore, mpsc};

use super::claim::{Claim, Trace, claim, give_back, trace};
use super::engine::answer::{is_port_taken, of_docker, status_code};
use super::engine::{LABEL, connect, inside, stats};
use super::{AttemptEnd, Capabilities, Executor, ExecutorError, Launch, Node, Sighting, Started};
use crate::config;
use crate::domain::{AttemptName, Clock, Cores, InstanceId, Label, Memory, Reading, Resources, SystemClock};

pub struct DockerExecutor {
    inner: Arc<Inner>,
}

struct Inner {
    config: config::Docker,
    instance: InstanceId,
    network_disabled: bool,
    client: tokio::sync::OnceCell<Docker>,
    launches: Semaphore,
    ends: Mutex<Option<mpsc::Sender<AttemptEnd>>>,
    node: Mutex<Option<Node>>,
    /// Images that are being pulled.
    pulls: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Where images came from, by their ids.
    digests: Mutex<HashMap<String, String>>,
}

/// Host ports that are tried before a launch is given up.
const PORT_TRIES: u16 = 20;
const RECONNECT: Duration = Duration::from_secs(1);
/// How long what an engine has lost sight of may take to say how it ended.
const UNSEEN_FOR: Duration = Duration::from_secs(120);
const INSPECT_TRIES: u32 = 50;
const INSPECT_PAUSE: Duration = Duration::from_millis(100);

impl DockerExecutor {
    pub const NAME: &'static str = "docker";

    pub const CAPABILITIES: Capabilities = Capabilities {
        pause: true,
        ports: true,
        root: true,
        images: true,
        volumes: true,
        tmp_storage: true,
        shared_ends: true,
    };

    /// The engine is not asked yet, and need not be there.
    pub fn new(config: &config::Docker, instance: InstanceId, network_disabled: bool) -> Self {
        let inner = Inner {
            launches: Semaphore::new(config.concurrency.max(1)),
            config: config.clone(),
            instance,
            network_disabled,
            client: tokio::sync::OnceCell::new(),
            ends: Mutex::default(),
            node: Mutex::default(),
            pulls: Mutex::default(),
            digests: Mutex::default(),
        };
        DockerExecutor { inner: Arc::new(inner) }
    }
}

#[async_trait]
impl Executor for DockerExecutor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    /// Where events are watched, asked once a connection: when they stop, what was remembered is dropped.
    async fn nodes(&self) -> Result<Vec<Node>, ExecutorError> {
        let watched = self.inner.ends.lock().expect("no holder of this lock panics").is_some();
        let known = self.inner.node.lock().expect("no holder of this lock panics").clone();
        if let (true, Some(node)) = (watched, known) {
            return Ok(vec![node]);
        }
        let info = self.inner.client().await?.info().await.map_err(of_docker)?;
        let labels = info.labels.unwrap_or_default();
        let node = Node {
            name: info.name.unwrap_or_else(|| "docker".to_owned()),
            executor: Self::NAME.to_owned(),
            total: Resources {
                cpu: Cores::whole(u32::try_from(info.ncpu.unwrap_or(1)).unwrap_or(1)),
                ram: Memory::from_bytes(u64::try_from(info.mem_total.unwrap_or(0)).unwrap_or(0)),
                gpus: self.inner.config.gpus,
            },
            labels: labels
                .iter()
                .filter_map(|label| label.split_once('='))
                .map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() })
                .collect(),
            others: Resources::default(),
            drained: false,
        };
        *self.inner.node.lock().expect("no holder of this lock panics") = Some(node.clone());
        Ok(vec![node])
    }

    async fn watch(&self, ends: mpsc::Sender<AttemptEnd>) -> Result<(), ExecutorError> {
        *self.inner.ends.lock().expect("no holder of this lock panics") = Some(ends);
        tokio::spawn(self.inner.clone().follow_events());
        Ok(())
    }

    async fn launch(&self, launch: Launch) -> Result<Started, ExecutorError> {
        let mut pulled = false;
        let mut try_number = 0;
        while try_number < PORT_TRIES {
            let turn = self.inner.launches.acquire().await.expect("this semaphore is never closed");
            let launched = self.inner.launch_once(&launch, try_number).await;
            // A pull takes minutes, and must not keep those waiting who need none.
            drop(turn);
            match launched {
                Ok(started) => return Ok(started),
                Err(LaunchError::PortTaken) => try_number += 1,
                Err(LaunchError::ImageMissing) if !pulled => {
                    self.inner.pull_once(&launch.job.spec.image).await?;
                    pulled = true;
                }
                Err(LaunchError::ImageMissing) => {
                    let image = &launch.job.spec.image;
                    return Err(ExecutorError::Unavailable(format!("the image {image} went away as soon as it came")));
                }
                Err(LaunchError::Executor(error)) => return Err(error),
            }
        }
        Err(ExecutorError::Unavailable("no free host port was found".to_owned()))
    }

    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError> {
        self.inner.list().await
    }

    async fn stop(&self, name: &AttemptName, grace: Duration) -> Result<(), ExecutorError> {
        // A paused container takes no signal; unpausing one that is not is refused, which is fine.
        let _ = self.inner.client().await?.unpause_container(&name.to_string()).await;
        self.inner.kill(name, "SIGTERM").await?;
        let (inner, name) = (self.inner.clone(), name.clone());
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            // It may have ended in time.
            let _ = inner.kill(&name, "SIGKILL").await;
        });
        Ok(())
    }

    async fn suspend(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let done = self.inner.client().await?.pause_container(&name.to_string()).await;
        idempotent(done, "already paused")
    }

    async fn resume(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let done = self.inner.client().await?.unpause_container(&name.to_string()).await;
        idempotent(done, "not paused")
    }

    async fn forget(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let done = self.inner.client().await?.remove_container(&name.to_string(), Some(options)).await;
        idempotent(done, "already in progress")
    }

    async fn sample(&self, names: &[AttemptName]) -> Result<Vec<(AttemptName, Reading)>, ExecutorError> {
        let containers = names.iter().map(|name| (name.clone(), name.to_string())).collect();
        Ok(stats::sample(self.inner.client().await?, containers).await)
    }
}

/// A refusal that says it is so already is a success.
fn idempotent(done: Result<(), bollard::errors::Error>, already: &str) -> Result<(), ExecutorError> {
    match done {
        Err(error) if status_code(&error) == Some(404) => Err(ExecutorError::NoSuchAttempt),
        Err(error) if error.to_string().contains(already) => Ok(()),
        Err(error) if error.to_string().contains("is not running") => Err(ExecutorError::NoSuchAttempt),
        done => done.map_err(of_docker),
    }
}

/// Which container goes.
#[derive(PartialEq, Eq)]
enum Remove {
    Always,
    UnlessItRuns,
}

enum LaunchError {
    PortTaken,
    ImageMissing,
    Executor(ExecutorError),
}

impl From<ExecutorError> for LaunchError {
    fn from(error: ExecutorError) -> Self {
        LaunchError::Executor(error)
    }
}

impl Inner {
    async fn client(&self) -> Result<&Docker, ExecutorError> {
        self.client
            .get_or_try_init(|| async {
                connect(self.config.url.as_deref(), self.config.tls.as_ref())?
                    .negotiate_version()
                    .await
                    .map_err(of_docker)
            })
            .await
    }

    async fn launch_once(&self, launch: &Launch, try_number: u16) -> Result<Started, LaunchError> {
        let client = self.client().await?;
        let name = launch.name.to_string();
        let ports = inside::ports(&launch.job.spec.ports, &self.config, try_number, launch.job.id.0);
        let body = container::body(launch, &ports, &self.config, self.network_disabled);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let digest = match client.create_container(Some(options), body).await {
            Ok(created) => {
                // Asked while it is being started: the launch takes no longer for it.
                let (begun, digest) = tokio::join!(self.begin(launch, &created.id), self.digest_of(&created.id));
                begun?;
                digest
            }
            Err(error) if status_code(&error) == Some(404) => return Err(LaunchError::ImageMissing),
            Err(error) if status_code(&error) == Some(409) => return Ok(self.go_on(launch, &name).await?),
            Err(error) => return Err(of_docker(error).into()),
        };
        Ok(self.started(launch, &name, ports, digest))
    }

    fn started(
        &self,
        launch: &Launch,
        name: &str,
        ports: Vec<crate::domain::PortMapping>,
        digest: Option<String>,
    ) -> Started {
        let mut attempt = launch.attempt.clone();
        attempt.container = Some(name.to_owned());
        attempt.digest = digest;
        attempt.ports = ports;
        Started { attempt, at: SystemClock.now() }
    }

    /// Starts a container that was made, if it is the one that the attempt is begun with.
    async fn begin(&self, launch: &Launch, id: &str) -> Result<(), LaunchError> {
        let again = match claim(launch, id).await {
            Ok(Claim::Ours) => false,
            Ok(Claim::OursBefore) if !self.is_to_be_started(launch, id).await? => return Ok(()),
            Ok(Claim::OursBefore) => true,
            // Two containers cannot have the name at once, so that other one is gone.
            Ok(Claim::Others(_)) => {
                self.remove(id, Remove::Always).await;
                return Err(ExecutorError::BegunBefore.into());
            }
            Err(error) => {
                self.remove(id, Remove::Always).await;
                return Err(ExecutorError::Unavailable(format!("the launch cannot be noted: {error}")).into());
            }
        };
        match self.client().await?.start_container(id, None::<StartContainerOptions>).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_started(launch, id, again, error).await),
        }
    }

    /// By its id, so that nothing else of that name is hit. What cannot be removed is found by the next recovery.
    async fn remove(&self, id: &str, which: Remove) -> bool {
        let options = RemoveContainerOptionsBuilder::default().force(which == Remove::Always).v(true).build();
        match self.client().await {
            Ok(client) => client.remove_container(id, Some(options)).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The container is there from an earlier try: whatever it lacks is done now.
    async fn go_on(&self, launch: &Launch, name: &str) -> Result<Started, ExecutorError> {
        let found = self.inspect_soon(name).await?;
        let state = found.state.clone().unwrap_or_default();
        match state.status {
            Some(Status::CREATED) => {
                let id = found.id.as_deref().unwrap_or(name);
                if let Err(error) = self.begin(launch, id).await {
                    return match error {
                        LaunchError::Executor(error) => Err(error),
                        LaunchError::PortTaken | LaunchError::ImageMissing => {
                            Err(ExecutorError::Unavailable("its port is taken".to_owned()))
                        }
                    };
                }
            }
            Some(Status::REMOVING) => return Err(ExecutorError::Unavailable("it is just being removed".to_owned())),
            Some(Status::EXITED | Status::DEAD) => self.report(report::end(&launch.name, &state)).await,
            _ => {}
        }
        let digest = match &found.image {
            Some(image) => self.digest(image).await,
            None => None,
        };
        let mut started = self.started(launch, name, report::ports_of(&found), digest);
        started.at = report::started_at(&state).unwrap_or(started.at);
        Ok(started)
    }

    /// A name is taken some moments before the engine knows the container by it.
    async fn inspect_soon(&self, name: &str) -> Result<ContainerInspectResponse, ExecutorError> {
        let client = self.client().await?;
        for _ in 0..INSPECT_TRIES {
            match client.inspect_container(name, None::<InspectContainerOptions>).await {
                Err(error) if status_code(&error) == Some(404) => tokio::time::sleep(INSPECT_PAUSE).await,
                found => return found.map_err(of_docker),
            }
        }
        Err(ExecutorError::Unavailable(format!("the engine has the name {name} taken, and no such container")))
    }

    /// A container that could not be started stays for the next try, which goes on with it; whether it has begun after all,
    /// as an engine that is just ending may not say, is found out then. One whose port is taken cannot be used again, nor one
    /// that the engine fails to start for the second time: what it left of the first may stand in its way for ever.
    async fn not_started(&self, launch: &Launch, id: &str, again: bool, error: bollard::errors::Error) -> LaunchError {
        if is_port_taken(&error) {
            if matches!(self.has_begun(id).await, Ok(false)) && self.remove(id, Remove::UnlessItRuns).await {
                // Only now: nobody can start it any more.
                give_back(launch, id).await;
            }
            return LaunchError::PortTaken;
        }
        let text = error.to_string();
        let is_known = text.contains("already exists") || text.contains("id already in use");
        if is_known || (again && status_code(&error) == Some(500)) {
            return LaunchError::Executor(self.begun_unseen(launch, id, &text).await);
        }
        let error = of_docker(error);
        if matches!(error, ExecutorError::Refused(_)) {
            self.remove(id, Remove::UnlessItRuns).await;
        }
        LaunchError::Executor(error)
    }

    /// Whether a container that somebody claimed before has not begun. An engine that was killed in the midst of a start
    /// may take for new what has begun, and even ended: what it wrote is asked first.
    async fn is_to_be_started(&self, launch: &Launch, id: &str) -> Result<bool, ExecutorError> {
        if matches!(trace(launch).await, Ok(Trace::Nothing)) {
            return Ok(true);
        }
        // Whoever claimed it may be starting it at this moment.
        for _ in 0..INSPECT_TRIES {
            // An engine that does not answer has not said that it runs.
            if self.has_begun(id).await? {
                return Ok(false);
            }
            tokio::time::sleep(INSPECT_PAUSE).await;
        }
        Err(self.begun_unseen(launch, id, "the engine has not begun it").await)
    }

    /// The engine was killed while it began this container: its runtime has a task that the engine does not know of, which
    /// may have begun or never will. What the attempt has written tells.
    async fn begun_unseen(&self, launch: &Launch, id: &str, why: &str) -> ExecutorError {
        match trace(launch).await {
            Ok(Trace::Nothing) => {
                if self.remove(id, Remove::Always).await {
                    give_back(launch, id).await;
                }
                ExecutorError::Unavailable(format!("it is begun anew: {why}"))
            }
            Ok(Trace::Begun(age)) if age < UNSEEN_FOR => {
                ExecutorError::Unavailable("it runs, and its engine has lost sight of it".to_owned())
            }
            Ok(Trace::Begun(_) | Trace::Ended) => {
                self.remove(id, Remove::Always).await;
                ExecutorError::BegunBefore
            }
            Err(error) => ExecutorError::Unavailable(format!("what became of it cannot be read: {error}")),
        }
    }

    async fn has_begun(&self, id: &str) -> Result<bool, ExecutorError> {
        let found = self.client().await?.inspect_container(id, None::<InspectContainerOptions>).await;
        let state = found.map_err(of_docker)?.state.unwrap_or_default();
        Ok(report::started_at(&state).is_some())
    }

    async fn kill(&self, name: &AttemptName, signal: &str) -> Result<(), ExecutorError> {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        let done = self.client().await?.kill_container(&name.to_string(), Some(options)).await;
        idempotent(done, "is not running")
    }

    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError> {
        let client = self.client().await?;
        let filters = HashMap::from([("label".to_owned(), vec![format!("{LABEL}={}", self.instance)])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = client.list_containers(Some(options)).await.map_err(of_docker)?;
        let mut sightings = Vec::with_capacity(found.len());
        for summary in found {
            let Some(name) = report::name_of(&summary).filter(|name| name.instance == self.instance) else { continue };
            match report::sighting(&name, &summary, &self.node_name()) {
                Some(mut sighting) => {
                    if let (Sighting::Running { started, .. }, Some(image)) = (&mut sighting, &summary.image_id) {
                        started.attempt.digest = self.digest(image).await;
                    }
                    sightings.push(sighting);
                }
                None => sightings.extend(self.inspect_end(&name).await?.map(Sighting::Ended)),
            }
        }
        Ok(sightings)
    }

    fn node_name(&self) -> String {
        let node = self.node.lock().expect("no holder of this lock panics");
        node.as_ref().map_or_else(|| "docker".to_owned(), |node| node.name.clone())
    }

    async fn inspect_end(&self, name: &AttemptName) -> Result<Option<AttemptEnd>, ExecutorError> {
        let client = self.client().await?;
        match client.inspect_container(&name.to_string(), None::<InspectContainerOptions>).await {
            Ok(found) => {
                let state = found.state.unwrap_or_default();
                let ended = matches!(state.status, Some(Status::EXITED | Status::DEAD | Status::REMOVING));
                Ok(ended.then(|| report::end(name, &state)))
            }
            Err(error) if status_code(&error) == Some(404) => Ok(None),
            Err(error) => Err(of_docker(error)),
        }
    }

    async fn report(&self, end: AttemptEnd) {
        let ends = self.ends.lock().expect("no holder of this lock panics").clone();
        if let Some(ends) = ends {
            // Nobody listens while we stop; the container stays.
            let _ = ends.send(end).await;
        }
    }
}
