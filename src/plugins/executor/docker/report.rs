//! What the engine says, as ours.

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerSummary, ContainerSummaryStateEnum};

use super::DockerExecutor;
use crate::domain::{Attempt, AttemptName, Clock, PortMapping, SystemClock, Timestamp};
use crate::plugins::executor::engine::answer::{exit_code, moment};
use crate::plugins::executor::{AttemptEnd, Exit, Sighting, Started};

pub fn started_at(state: &ContainerState) -> Option<Timestamp> {
    moment(state.started_at.as_ref())
}

pub fn end(name: &AttemptName, state: &ContainerState) -> AttemptEnd {
    let started = started_at(state);
    let ended = moment(state.finished_at.as_ref()).unwrap_or_else(|| SystemClock.now());
    AttemptEnd {
        name: name.clone(),
        exit: Exit {
            code: exit_code(state.exit_code),
            // A job that ended well did without what was killed.
            out_of_memory: state.oom_killed.unwrap_or(false) && state.exit_code != Some(0),
        },
        started,
        ended: ended.max(started.unwrap_or(ended)),
    }
}

pub fn name_of(summary: &ContainerSummary) -> Option<AttemptName> {
    summary.names.iter().flatten().find_map(|name| AttemptName::parse(name.trim_start_matches('/')))
}

/// `None` for one that has ended: how, only an inspection tells.
pub fn sighting(name: &AttemptName, summary: &ContainerSummary, node: &str) -> Option<Sighting> {
    use ContainerSummaryStateEnum as State;
    let state = summary.state?;
    let suspended = match state {
        State::CREATED => return Some(Sighting::Created(name.clone())),
        State::RUNNING | State::RESTARTING | State::STOPPING => false,
        State::PAUSED => true,
        State::EXITED | State::DEAD | State::REMOVING | State::EMPTY => return None,
    };
    let ports = summary.ports.iter().flatten();
    let mut ports: Vec<_> =
        ports.filter_map(|port| Some(PortMapping { host: port.public_port?, container: port.private_port })).collect();
    ports.sort_by_key(|port| (port.container, port.host));
    ports.dedup();
    let attempt = Attempt {
        number: name.attempt,
        executor: DockerExecutor::NAME.to_owned(),
        node: node.to_owned(),
        container: Some(name.to_string()),
        digest: None,
        ports,
    };
    let at = summary.created.map_or_else(|| SystemClock.now(), Timestamp::from_secs);
    Some(Sighting::Running { name: name.clone(), started: Started { attempt, at }, suspended })
}

pub fn ports_of(found: &ContainerInspectResponse) -> Vec<PortMapping> {
    let bindings = found.host_config.as_ref().and_then(|config| config.port_bindings.as_ref());
    let mut ports: Vec<_> = bindings
        .into_iter()
        .flatten()
        .filter_map(|(container, hosts)| {
            let container = container.split('/').next()?.parse().ok()?;
            let host = hosts.as_ref()?.first()?.host_port.as_ref()?.parse().ok()?;
            Some(PortMapping { host, container })
        })
        .collect();
    ports.sort_by_key(|port| port.container);
    ports
}
