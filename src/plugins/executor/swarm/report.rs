//! What a swarm says of its tasks, as ours.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bollard::models::{Service, Task, TaskState};

use super::service::{ATTEMPT, MEMORY_NOTE, is_nowhere, ports};
use super::{Inner, SwarmExecutor};
use crate::domain::{Attempt, AttemptName, Clock, PortMapping, SystemClock, Timestamp};
use crate::plugins::executor::engine::answer::{exit_code, moment};
use crate::plugins::executor::engine::inside::DIRECTORY;
use crate::plugins::executor::{AttemptEnd, Exit, Started};

/// SIGKILL and SIGTERM, as a shell says them.
const BY_SIGNAL: [i32; 2] = [128 + 9, 128 + 15];

/// What the task of one attempt is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub service: String,
    pub node: Option<String>,
    /// On that node.
    pub container: Option<String>,
    pub phase: Phase,
    /// Swarm wants it to end, and none of ours asked: its node is drained, or was out of reach.
    pub doomed: bool,
    /// The job directory on the host.
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// On its way; what keeps it, if Swarm says so.
    Waiting(Option<String>),
    /// It could not be begun: nothing of the job has run.
    NotStarted(String),
    Running(Timestamp),
    /// `None`: nobody knows how.
    Ended(Option<i32>, Timestamp),
}

impl View {
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(..))
    }
}

/// By attempt. What was removed already does not count.
pub fn views(tasks: &[Task]) -> HashMap<AttemptName, View> {
    let mut of_attempt: HashMap<AttemptName, Vec<&Task>> = HashMap::new();
    for task in tasks.iter().filter(|task| task.desired_state != Some(TaskState::REMOVE)) {
        if let Some(name) = name_of(task) {
            of_attempt.entry(name).or_default().push(task);
        }
    }
    of_attempt.into_iter().filter_map(|(name, tasks)| Some((name, view(&tasks)?))).collect()
}

fn name_of(task: &Task) -> Option<AttemptName> {
    let labels = task.spec.as_ref()?.container_spec.as_ref()?.labels.as_ref()?;
    AttemptName::parse(labels.get(ATTEMPT)?)
}

/// Of the tasks that an attempt's service has: its own, and where it was stopped one that never runs.
fn view(tasks: &[&Task]) -> Option<View> {
    let stands_in = |task: &&&Task| task.spec.as_ref().is_some_and(is_nowhere);
    let stand_in = tasks.iter().find(stands_in);
    let own = tasks.iter().filter(|task| !stands_in(task)).min_by_key(|task| task.created_at.as_ref());
    let task = own.or(stand_in)?;
    let stopped = stand_in.is_some();
    let phase = if own.is_some() { phase(task, stopped) } else { Phase::Ended(None, changed_at(task)) };
    let mounts = task.spec.as_ref()?.container_spec.as_ref()?.mounts.iter().flatten();
    let directory = mounts.filter(|mount| mount.target.as_deref() == Some(DIRECTORY)).find_map(|m| m.source.clone());
    Some(View {
        service: task.service_id.clone().unwrap_or_default(),
        node: task.node_id.clone().filter(|node| !node.is_empty()),
        container: container_of(task),
        doomed: matches!(phase, Phase::Running(_)) && !stopped && task.desired_state == Some(TaskState::SHUTDOWN),
        phase,
        directory: directory.map(PathBuf::from),
    })
}

fn container_of(task: &Task) -> Option<String> {
    let container = task.status.as_ref()?.container_status.as_ref()?.container_id.clone();
    container.filter(|id| !id.is_empty())
}

fn phase(task: &Task, stopped: bool) -> Phase {
    use TaskState as State;
    let status = task.status.clone().unwrap_or_default();
    let at = changed_at(task);
    let said = status.err.clone().filter(|said| !said.is_empty());
    let container = status.container_status.unwrap_or_default();
    let was_made = container.container_id.is_some_and(|id| !id.is_empty());
    // It is -1 while it is being stopped.
    let code = exit_code(container.exit_code).filter(|code| *code >= 0);
    match status.state.unwrap_or(State::NEW) {
        State::RUNNING => Phase::Running(at),
        State::COMPLETE => Phase::Ended(Some(code.unwrap_or(0)), at),
        State::FAILED if status.message.as_deref() == Some("starting") && !stopped => {
            Phase::NotStarted(said.unwrap_or_else(|| "it cannot be started".to_owned()))
        }
        State::FAILED => Phase::Ended(code, at),
        State::REJECTED if !was_made && !stopped => {
            Phase::NotStarted(said.unwrap_or_else(|| "its node refuses it".to_owned()))
        }
        // Asked by us it ended as it did; asked by nobody of ours its node went away from under it.
        State::SHUTDOWN if stopped && was_made => Phase::Ended(code, at),
        State::SHUTDOWN | State::REJECTED | State::ORPHANED | State::REMOVE => Phase::Ended(None, at),
        // No node has it, and none will.
        _ if stopped && task.node_id.as_ref().is_none_or(String::is_empty) => Phase::Ended(None, at),
        State::NEW
        | State::ALLOCATED
        | State::PENDING
        | State::ASSIGNED
        | State::ACCEPTED
        | State::PREPARING
        | State::READY
        | State::STARTING => Phase::Waiting(said),
    }
}

fn changed_at(task: &Task) -> Timestamp {
    let status = task.status.as_ref().and_then(|status| moment(status.timestamp.as_ref()));
    status.unwrap_or_else(|| SystemClock.now())
}

pub fn is_on_a_node(task: &Task) -> bool {
    task.node_id.as_ref().is_some_and(|node| !node.is_empty())
}

/// Whether its node may have something of it running.
pub fn may_still_run(task: &Task) -> bool {
    use TaskState as State;
    let ended = [State::COMPLETE, State::SHUTDOWN, State::FAILED, State::REJECTED, State::ORPHANED];
    let state = task.status.as_ref().and_then(|status| status.state);
    is_on_a_node(task) && !state.is_some_and(|state| ended.contains(&state))
}

pub fn started(
    name: &AttemptName,
    node: &str,
    at: Timestamp,
    ports: Vec<PortMapping>,
    digest: Option<String>,
) -> Started {
    let attempt = Attempt {
        number: name.attempt,
        executor: SwarmExecutor::NAME.to_owned(),
        node: node.to_owned(),
        container: Some(name.to_string()),
        digest,
        ports,
    };
    Started { attempt, at }
}

/// The attempt that a service is, if it is ours.
pub fn attempt_of(inner: &Inner, service: &Service) -> Option<AttemptName> {
    let name = AttemptName::parse(service.spec.as_ref()?.name.as_ref()?)?;
    (name.instance == inner.instance).then_some(name)
}

pub fn ports_of(service: &Service) -> Vec<PortMapping> {
    ports(service)
}

/// How an attempt ended, when it did. `doomed`: it was seen to run on against Swarm's will.
pub async fn end(name: &AttemptName, view: &View, doomed: bool) -> Option<AttemptEnd> {
    let Phase::Ended(code, ended) = view.phase else { return None };
    // The signal was the engine's that came back, and not the job's.
    let code = code.filter(|code| !(doomed && BY_SIGNAL.contains(code)));
    let mut out_of_memory = false;
    if let (None | Some(1..), Some(directory)) = (code, view.directory.clone()) {
        let attempt = name.attempt;
        let noted = tokio::task::spawn_blocking(move || ran_out_of_memory(&directory, attempt)).await;
        out_of_memory = noted.unwrap_or(false);
    }
    Some(AttemptEnd { name: name.clone(), exit: Exit { code, out_of_memory }, started: None, ended })
}

/// The directory is its user's: nothing is followed, waited for or read at length.
fn ran_out_of_memory(directory: &Path, attempt: u32) -> bool {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let Ok(note) = OpenOptions::new().read(true).custom_flags(flags).open(directory.join(MEMORY_NOTE)) else {
        return false;
    };
    let mut text = String::new();
    note.take(16).read_to_string(&mut text).is_ok() && text.trim().parse() == Ok(attempt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A task as the engine's API writes it.
    fn task(desired: &str, state: &str, more: serde_json::Value) -> Task {
        let mut task = json!({
            "ID": "t1", "ServiceID": "s1", "NodeID": "n1", "CreatedAt": "2026-01-01T00:00:00Z", "DesiredState": desired,
            "Spec": { "ContainerSpec": {
                "Labels": { ATTEMPT: "god-lab-7-1" },
                "Mounts": [{ "Source": "/shared/7", "Target": DIRECTORY, "Type": "bind" }],
            } },
            "Status": { "Timestamp": "2026-01-01T00:00:01Z", "State": state },
        });
        merge(&mut task, more);
        serde_json::from_value(task).unwrap()
    }

    fn merge(into: &mut serde_json::Value, from: serde_json::Value) {
        match (into, from) {
            (serde_json::Value::Object(into), serde_json::Value::Object(from)) => {
                from.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(json!(null)), value));
            }
            (into, from) => *into = from,
        }
    }

    fn container(code: i64) -> serde_json::Value {
        json!({ "Status": { "ContainerStatus": { "ContainerID": "c1", "ExitCode": code } } })
    }

    fn stand_in() -> Task {
        let nowhere =
            json!({ "NodeID": "", "Spec": { "Placement": { "Constraints": ["node.id==godocker-stopped"] } } });
        task("running", "pending", nowhere)
    }

    fn phase_of(tasks: &[Task]) -> Option<Phase> {
        views(tasks).into_values().next().map(|view| view.phase)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp(1_767_225_600_000 + second * 1000)
    }

    #[test]
    fn a_task_that_ends_by_itself_has_its_exit_code() {
        let ended = |state, code| phase_of(&[task("shutdown", state, container(code))]);
        assert_eq!(ended("complete", 0), Some(Phase::Ended(Some(0), at(1))));
        assert_eq!(ended("failed", 7), Some(Phase::Ended(Some(7), at(1))));
        assert_eq!(ended("failed", 255), Some(Phase::Ended(None, at(1))), "its engine has lost it");
    }

    #[test]
    fn what_we_stopped_ended_as_it_did_and_what_a_drain_stopped_is_a_failure_of_its_node() {
        let stopped = task("shutdown", "shutdown", container(9));
        assert_eq!(phase_of(&[stopped.clone(), stand_in()]), Some(Phase::Ended(Some(9), at(1))));
        assert_eq!(phase_of(&[stopped]), Some(Phase::Ended(None, at(1))));
    }

    #[test]
    fn a_stop_before_anything_began_is_an_end() {
        assert_eq!(phase_of(&[stand_in()]), Some(Phase::Ended(None, at(1))));
        let nowhere = task("shutdown", "pending", json!({ "NodeID": "" }));
        assert_eq!(phase_of(&[nowhere, stand_in()]), Some(Phase::Ended(None, at(1))));
    }

    #[test]
    fn while_it_is_being_stopped_it_runs_and_has_no_exit_code() {
        let stopping = task("shutdown", "running", container(-1));
        let views = views(&[stopping.clone(), stand_in()]);
        let view = views.values().next().unwrap();
        assert_eq!((&view.phase, view.doomed), (&Phase::Running(at(1)), false));
        let views = super::views(&[stopping]);
        assert!(views.values().next().unwrap().doomed, "by Swarm and none of ours");
    }

    #[test]
    fn what_never_began_says_why() {
        let rejected = task("shutdown", "rejected", json!({ "Status": { "Err": "No such image: x" } }));
        assert_eq!(phase_of(&[rejected]), Some(Phase::NotStarted("No such image: x".into())));
        let mut failed = container(127);
        merge(&mut failed, json!({ "Status": { "Message": "starting", "Err": "no sh" } }));
        assert_eq!(phase_of(&[task("shutdown", "failed", failed)]), Some(Phase::NotStarted("no sh".into())));
    }

    #[test]
    fn what_is_removed_is_not_there() {
        assert_eq!(phase_of(&[task("remove", "running", json!({}))]), None);
    }

    #[tokio::test]
    async fn a_node_that_comes_back_kills_by_its_own_signal() {
        let name = AttemptName::parse("god-lab-7-1").unwrap();
        let view = |code| views(&[task("shutdown", "failed", container(code))]).into_values().next().unwrap();
        assert_eq!(end(&name, &view(143), true).await.unwrap().exit.code, None);
        assert_eq!(end(&name, &view(5), true).await.unwrap().exit.code, Some(5));
        assert_eq!(end(&name, &view(143), false).await.unwrap().exit.code, Some(143));
    }

    #[tokio::test]
    async fn a_note_of_memory_counts_where_the_exit_code_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(MEMORY_NOTE), "1\n").unwrap();
        let name = AttemptName::parse("god-lab-7-1").unwrap();
        let mut view = views(&[task("shutdown", "failed", container(255))]).into_values().next().unwrap();
        view.directory = Some(dir.path().to_owned());
        assert_eq!(end(&name, &view, false).await.unwrap().exit, Exit { code: None, out_of_memory: true });
    }

    #[test]
    fn a_note_of_memory_is_not_followed_and_counts_for_its_attempt() {
        let dir = tempfile::tempdir().unwrap();
        let note = dir.path().join(MEMORY_NOTE);
        assert!(!ran_out_of_memory(dir.path(), 2));
        std::fs::write(&note, "2\n").unwrap();
        assert!(ran_out_of_memory(dir.path(), 2) && !ran_out_of_memory(dir.path(), 3));
        std::fs::rename(&note, dir.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &note).unwrap();
        assert!(!ran_out_of_memory(dir.path(), 2));
    }
}
