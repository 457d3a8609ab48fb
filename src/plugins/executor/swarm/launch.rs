//! From a launch to a task that runs: made with nothing to run, claimed, begun, and waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::models::{NetworkCreateRequest, Service};

use super::board::Seen;
use super::image::digest_of;
use super::report::{self, Phase, View, ports_of};
use super::service::{self, ISOLATED};
use super::{Inner, of_swarm};
use crate::domain::{PortMapping, Timestamp};
use crate::plugins::executor::claim::{Claim, claim, give_back};
use crate::plugins::executor::engine::answer::{sentence, status_code};
use crate::plugins::executor::engine::{inside, registry};
use crate::plugins::executor::{ExecutorError, Launch, Started};

/// Host ports that are tried before a launch is given up.
const PORT_TRIES: u16 = 20;
/// How long a task may wait for its node to have room before the job goes back to the queue.
const ROOM_WITHIN: Duration = Duration::from_secs(3);
/// How long the manager may be silent, or say nothing of a task that was begun.
const NEWS_WITHIN: Duration = Duration::from_secs(20);

enum LaunchError {
    PortTaken,
    Executor(ExecutorError),
}

impl From<ExecutorError> for LaunchError {
    fn from(error: ExecutorError) -> Self {
        LaunchError::Executor(error)
    }
}

/// A service and what is known of it.
struct Made {
    id: String,
    ports: Vec<PortMapping>,
    digest: Option<String>,
}

impl Made {
    fn started(&self, launch: &Launch, at: Timestamp) -> Started {
        report::started(&launch.name, &launch.attempt.node, at, self.ports.clone(), self.digest.clone())
    }
}

impl Inner {
    pub(super) async fn launch(self: &Arc<Self>, launch: &Launch) -> Result<Started, ExecutorError> {
        for try_number in 0..PORT_TRIES {
            match self.launch_once(launch, try_number).await {
                Ok(started) => return Ok(started),
                Err(LaunchError::PortTaken) => {}
                Err(LaunchError::Executor(error)) => return Err(error),
            }
        }
        Err(ExecutorError::Unavailable("no free host port was found".to_owned()))
    }

    async fn launch_once(self: &Arc<Self>, launch: &Launch, try_number: u16) -> Result<Started, LaunchError> {
        let turn = self.launches.acquire().await.expect("this semaphore is never closed");
        let made = self.make(launch, try_number).await?;
        // An image may take minutes to come, and must not keep those waiting who have theirs.
        drop(turn);
        self.wait_for(launch, &made).await
    }

    /// The attempt's service, begun: new, or from an earlier try, which lacks whatever it lacks.
    async fn make(self: &Arc<Self>, launch: &Launch, try_number: u16) -> Result<Made, ExecutorError> {
        let name = launch.name.to_string();
        let service = match self.service(&name).await? {
            Some(service) => service,
            None => self.create(launch, &name, try_number).await?,
        };
        let made =
            Made { id: service.id.clone().unwrap_or_default(), ports: ports_of(&service), digest: digest_of(&service) };
        if !service::is_begun(&service) {
            self.begin(launch, &made.id).await?;
        }
        Ok(made)
    }

    async fn create(&self, launch: &Launch, name: &str, try_number: u16) -> Result<Service, ExecutorError> {
        let place = self.place(launch).await?;
        let ports = inside::ports(&launch.job.spec.ports, &self.docker, try_number, launch.job.id.0);
        let client = self.client().await?;
        let image = self.image(&launch.job.spec.image).await;
        let mut network_made = false;
        loop {
            let spec = service::spec(self, launch, &place, image.clone(), &ports);
            let shown = registry::credentials(&image, self.docker.registry.as_ref());
            match client.create_service(spec, shown).await {
                Ok(_) => break,
                Err(error) if status_code(&error) == Some(409) => break,
                Err(error) if sentence(&error).contains(ISOLATED) && !network_made => {
                    self.make_isolated_network().await?;
                    network_made = true;
                }
                Err(error) => return Err(refusal(error, launch)),
            }
        }
        let service = self.service(name).await?;
        service.ok_or_else(|| ExecutorError::Unavailable(format!("{name} went away as soon as it was made")))
    }

    /// Swarm makes its bridge on a node with the first job there, and removes it with the last.
    async fn make_isolated_network(&self) -> Result<(), ExecutorError> {
        let network = NetworkCreateRequest {
            name: ISOLATED.to_owned(),
            driver: Some("bridge".to_owned()),
            scope: Some("swarm".to_owned()),
            internal: Some(true),
            ..NetworkCreateRequest::default()
        };
        match self.client().await?.create_network(network).await {
            Ok(_) => Ok(()),
            // Another launch was first.
            Err(error) if ["already exists", "conflicts"].iter().any(|it| sentence(&error).contains(it)) => Ok(()),
            Err(error) => Err(of_swarm(error)),
        }
    }

    /// Sets a service going, if it is the one that the attempt is begun with.
    async fn begin(self: &Arc<Self>, launch: &Launch, id: &str) -> Result<(), ExecutorError> {
        let refused = match claim(launch, id).await {
            // A service that was set going stays so: doing it again changes nothing.
            Ok(Claim::Ours | Claim::OursBefore) => return self.change(id, service::begin).await,
            // Two services cannot have the name at once, so that other one is gone.
            Ok(Claim::Others(_)) => ExecutorError::BegunBefore,
            Err(error) => ExecutorError::Unavailable(format!("the launch cannot be noted: {error}")),
        };
        // What cannot be removed is found by the next recovery.
        let _ = self.client().await?.delete_service(id).await;
        Err(refused)
    }

    /// Waits until the task runs, has run, or cannot.
    async fn wait_for(self: &Arc<Self>, launch: &Launch, made: &Made) -> Result<Started, LaunchError> {
        let mut watching = self.watching();
        let (mut news, mut no_room) = (Instant::now(), None);
        loop {
            let seen = tokio::time::timeout(NEWS_WITHIN, watching.next()).await;
            let seen = seen.unwrap_or_else(|_| Err("the manager does not answer".to_owned()));
            let view = match &seen {
                Ok(views) => views.get(&launch.name).filter(|view| view.service == made.id),
                Err(_) => None,
            };
            let Some(view) = view else {
                if news.elapsed() > NEWS_WITHIN {
                    return Err(ExecutorError::Unavailable(silence(&seen)).into());
                }
                continue;
            };
            news = Instant::now();
            match &view.phase {
                Phase::Running(at) => return Ok(made.started(launch, *at)),
                Phase::Ended(_, at) => {
                    let at = *at;
                    if let Some(end) = self.end(&launch.name, view).await {
                        self.report(end).await;
                    }
                    return Ok(made.started(launch, at));
                }
                Phase::NotStarted(why) => return Err(self.give_up(launch, made, why, Some(view)).await),
                Phase::Waiting(Some(why)) if view.node.is_none() => {
                    if no_room.get_or_insert_with(Instant::now).elapsed() > ROOM_WITHIN {
                        return Err(self.give_up(launch, made, why, None).await);
                    }
                }
                Phase::Waiting(_) => no_room = None,
            }
        }
    }

    /// Takes back what did not begin, so that the next try begins anew. `view`: the node had it, and refused it.
    async fn give_up(self: &Arc<Self>, launch: &Launch, made: &Made, why: &str, view: Option<&View>) -> LaunchError {
        let deleted = match self.client().await {
            Ok(client) => client.delete_service(&made.id).await,
            Err(error) => return error.into(),
        };
        match deleted {
            Ok(()) => {}
            // Another launch of the same attempt was first, and is at it.
            Err(error) if status_code(&error) == Some(404) => {
                return ExecutorError::Unavailable(format!("it was given up: {why}")).into();
            }
            Err(error) => return of_swarm(error).into(),
        }
        match self.until_gone(&launch.name).await {
            // A node took it at the last moment, and may have begun it: that was the attempt.
            Ok(true) if view.is_none() => return ExecutorError::BegunBefore.into(),
            Ok(_) => {}
            Err(error) => return error.into(),
        }
        // Only now: nothing can begin it any more.
        give_back(launch, &made.id).await;
        reason(launch, why, view.is_some())
    }
}

/// Why a task did not begin, as ours.
fn reason(launch: &Launch, why: &str, its_node_refused: bool) -> LaunchError {
    let port_taken = ["host-mode port already in use", "port is already allocated", "address already in use"];
    if port_taken.iter().any(|taken| why.contains(taken)) {
        return LaunchError::PortTaken;
    }
    let node = &launch.attempt.node;
    // A job directory that is not there is the node's fault: it exists.
    let unshared =
        why.contains("bind source path does not exist") && why.contains(&*launch.directory.to_string_lossy());
    if !its_node_refused || unshared {
        return ExecutorError::Unavailable(format!("the node {node} does not take it: {why}")).into();
    }
    let image = &launch.job.spec.image;
    let sentence = if why.contains("No such image") || why.contains("pull") || why.contains("manifest") {
        format!("The image {image} is not to be had: {why}.")
    } else {
        format!("Docker cannot start it: {why}.")
    };
    ExecutorError::Refused(sentence).into()
}

fn refusal(error: bollard::errors::Error, launch: &Launch) -> ExecutorError {
    // A manager says 500 where it means 400.
    if sentence(&error).contains("InvalidArgument") {
        return ExecutorError::Refused(format!("Docker refuses it ({}): {}.", launch.job.spec.image, sentence(&error)));
    }
    of_swarm(error)
}

fn silence(seen: &Seen) -> String {
    match seen {
        Err(error) => error.clone(),
        Ok(_) => "the swarm says nothing of its task".to_owned(),
    }
}
