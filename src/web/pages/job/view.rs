//! A job as its page shows it.

use crate::domain::{Job, JobState, Phase, Place};
use crate::plugins::executor::Capabilities;

/// A name and a value.
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

impl Fact {
    pub fn new(name: &'static str, value: impl ToString) -> Self {
        Fact { name, value: value.to_string() }
    }
}

/// A button.
pub struct Action {
    pub verb: &'static str,
    pub label: &'static str,
    pub danger: bool,
    /// Asked before it is done, where it cannot be undone.
    pub confirm: &'static str,
}

/// `may_purge`: the reader may delete it with its record.
pub fn actions(job: &Job, executors: &[(String, Capabilities)], may_purge: bool) -> Vec<Action> {
    let action =
        |verb, label, confirm| Action { verb, label, danger: matches!(verb, "kill" | "archive" | "purge"), confirm };
    let kill = || action("kill", "Kill", "Kill this job? It cannot go on afterwards.");
    let pause = job.state.attempt().is_some_and(|attempt| {
        executors.iter().any(|(name, capabilities)| *name == attempt.executor && capabilities.pause)
    });
    let single = !job.is_array_parent();
    match &job.state {
        JobState::Pending { .. } => vec![kill()],
        JobState::Starting { .. } => vec![kill()],
        JobState::Running { suspended, .. } => {
            let mut actions = Vec::new();
            if pause && single {
                actions.push(if *suspended {
                    action("resume", "Resume", "")
                } else {
                    action("suspend", "Suspend", "")
                });
            }
            if single {
                actions.push(action(
                    "reschedule",
                    "Reschedule",
                    "Put this job back in the queue? It will begin again.",
                ));
            }
            actions.push(kill());
            actions
        }
        JobState::Over(_) | JobState::Archived { .. } if job.parent().is_some() => Vec::new(),
        state => {
            let archive = || action("archive", "Archive", "Archive this job? Its files are deleted; its record stays.");
            let purge = || action("purge", "Delete", "Delete this job? Its files and its record go for good.");
            let can_archive = matches!(state, JobState::Over(_));
            can_archive.then(archive).into_iter().chain(may_purge.then(purge)).collect()
        }
    }
}

pub fn facts(job: &Job) -> Vec<Fact> {
    let spec = &job.spec;
    let mut facts = vec![
        Fact::new("Image", &spec.image),
        Fact::new("Resources", spec.resources),
        Fact::new("Owner", &job.owner.user),
        Fact::new("Project", &job.owner.project),
    ];
    if let Some(attempt) = job.state.attempt() {
        facts.push(Fact::new("Node", format!("{} ({})", attempt.node, attempt.executor)));
        if !attempt.ports.is_empty() {
            let ports: Vec<_> =
                attempt.ports.iter().map(|port| format!("{} → {}", port.container, port.host)).collect();
            facts.push(Fact::new("Ports", ports.join(", ")));
        }
    }
    if let Some(outcome) = job.state.outcome() {
        facts.extend(outcome.exit_code.map(|code| Fact::new("Exit code", code)));
        if job.state.phase() == Phase::Over {
            facts.push(Fact::new("Disk", super::super::text::bytes(outcome.disk_bytes)));
        }
    }
    facts.extend(spec.max_lifespan.map(|limit| Fact::new("Time limit", super::super::text::duration(limit))));
    facts.extend(spec.array.map(|array| Fact::new("Array", array)));
    if let Place::ArrayChild { parent, index } = job.place {
        facts.push(Fact::new("Array job", format!("index {index} of {parent}")));
    }
    let list = |name, items: Vec<String>| (!items.is_empty()).then(|| Fact::new(name, items.join(", ")));
    let volumes = spec.volumes.iter().map(|v| format!("{} at {} ({})", v.name, v.mount.display(), v.acl.as_str()));
    facts.extend(list("Volumes", volumes.collect()));
    facts.extend(list("Labels", spec.labels.iter().map(ToString::to_string).collect()));
    facts.extend(list("Tags", spec.tags.clone()));
    if spec.retries > 0 || !job.failed_nodes.is_empty() {
        let failed = job.failed_nodes.len();
        facts.push(Fact::new("Node failures", format!("{failed} (launched again up to {} times)", spec.retries)));
    }
    facts
}
