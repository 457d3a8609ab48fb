//! The original's fields of a job, for scripts that read its collections: written beside `god` and never read by us.
//!
//! What the store does not know stays away: the job directory (`shared_dir`'s business), and the script of an array's
//! children, which is their parent's.

use mongodb::bson::{Bson, Document, doc};

use super::document::{Counts, JobRecord};
use crate::domain::{
    Dependency, DependencyOn, Ending, JobSpec, JobState, Mount, Outcome, Phase, PortMapping, Rejection, Request,
    Timestamp,
};

/// The whole document of a job, `god` included.
pub fn document(record: &JobRecord, god: Document, spec: &JobSpec) -> Document {
    let mut document = doc! {
        "id": record.id,
        "parent_task_id": record.parent,
        "date": date(record.submitted),
        "user": {
            "id": record.user.as_str(), "uid": record.uid, "gid": record.gid, "sgids": record.groups.clone(),
            "email": record.email.clone(), "project": record.project.as_str(),
        },
        "god": god,
    };
    let all = asked(record, spec).into_iter().chain(changing(record));
    for (path, value) in all {
        put(&mut document, &path, value);
    }
    document
}

/// What follows from the spec, by path.
pub fn asked(record: &JobRecord, spec: &JobSpec) -> Vec<(String, Bson)> {
    let script = if record.parent.is_some() { Bson::Null } else { Bson::from(&spec.script) };
    let values = spec.array.filter(|_| record.parent.is_none()).map(|array| array.to_string());
    let labels: Vec<_> = spec.labels.iter().map(ToString::to_string).collect();
    let tasks: Vec<Bson> = spec.dependencies.iter().map(dependency).collect();
    let volumes: Vec<_> = spec.volumes.iter().map(volume).collect();
    let fields = vec![
        ("meta", doc! { "name": &spec.name, "description": &spec.description, "tags": &spec.tags }.into()),
        ("requirements.cpu", spec.resources.cpu.as_f64().into()),
        ("requirements.ram", spec.resources.ram.as_gb().into()),
        ("requirements.gpus", spec.resources.gpus.into()),
        ("requirements.array.values", values.into()),
        ("requirements.array.task_id", record.task.into()),
        ("requirements.label", labels.into()),
        ("requirements.tasks", tasks.into()),
        ("requirements.ports", spec.ports.iter().copied().map(i32::from).collect::<Vec<_>>().into()),
        ("requirements.failure_policy", spec.retries.into()),
        ("requirements.executor", spec.executor.clone().into()),
        ("requirements.maxlifespan", spec.max_lifespan.map(|span| format!("{}s", span.as_secs())).into()),
        ("container.image", spec.image.as_str().into()),
        ("container.volumes", volumes.into()),
        ("container.network", spec.network.into()),
        ("container.root", spec.root.into()),
        ("command", doc! { "interactive": false, "cmd": script }.into()),
        ("notify", doc! { "email": spec.notify_email }.into()),
    ];
    fields.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
}

/// A volume, of a job or a project.
pub fn volume(volume: &Mount) -> Document {
    doc! {
        "name": &volume.name, "acl": volume.acl.as_str(),
        "path": volume.path.to_string_lossy().as_ref(), "mount": volume.mount.to_string_lossy().as_ref(),
    }
}

/// A number where a number says it.
fn dependency(dependency: &Dependency) -> Bson {
    match (dependency.on, i64::try_from(dependency.job.0)) {
        (DependencyOn::Ok, Ok(id)) => id.into(),
        _ => dependency.to_string().into(),
    }
}

/// What changes with the state, by path.
pub fn changing(record: &JobRecord) -> Vec<(String, Bson)> {
    let (state, outcome) = (&record.state, record.state.outcome());
    let attempt = state.attempt();
    let is_ready = record.phase >= Phase::Running as i32;
    let ports = attempt.map_or(&[][..], |attempt| &attempt.ports[..]);
    let counts = record.counts.unwrap_or(Counts { children: 0, over: 0, failed: 0 });
    let fields = vec![
        ("status.primary", primary(state.phase()).into()),
        ("status.secondary", secondary(record).into()),
        ("status.reason", outcome.and_then(|outcome| outcome.reason.as_ref()).map(ToString::to_string).into()),
        ("status.exitcode", outcome.and_then(exit_code).into()),
        ("status.date_running", state.started().map(date).into()),
        ("status.date_over", outcome.map(|outcome| date(outcome.ended)).into()),
        ("status.duration", outcome.and_then(duration).into()),
        ("status.failure.nodes", record.failed_nodes.clone().into()),
        ("container.id", attempt.and_then(|attempt| attempt.container.clone()).into()),
        ("container.meta", meta(state)),
        ("container.status", if is_ready { "ready" } else { "initializing" }.into()),
        ("container.ports", ports.iter().map(|port| port.host.to_string()).collect::<Vec<_>>().into()),
        ("container.port_mapping", ports.iter().map(mapping).collect::<Vec<_>>().into()),
        ("requirements.array.nb_tasks", counts.children.into()),
        ("requirements.array.nb_tasks_over", counts.over.into()),
    ];
    fields.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
}

fn mapping(port: &PortMapping) -> Document {
    doc! { "host": i32::from(port.host), "container": i32::from(port.container) }
}

fn meta(state: &JobState) -> Bson {
    let node = state.attempt().map(|attempt| attempt.node.clone());
    match state {
        JobState::Pending { .. } | JobState::Starting { .. } => Bson::Null,
        JobState::Running { .. } => doc! { "Node": { "Name": node } }.into(),
        JobState::Over(outcome) | JobState::Archived { outcome, .. } => doc! {
            "Node": { "Name": node },
            "State": {
                "ExitCode": exit_code(outcome).unwrap_or(i32::from(!outcome.ending.is_ok())),
                "OOMKilled": outcome.ending == Ending::OutOfMemory,
            },
            "disk_size": outcome.disk_bytes.cast_signed(),
        }
        .into(),
    }
}

fn primary(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending | Phase::Starting => "pending",
        Phase::Running => "running",
        Phase::Over => "over",
        Phase::Archived => "archived",
    }
}

pub fn secondary(record: &JobRecord) -> Option<&'static str> {
    match (&record.state, record.request) {
        (JobState::Over(outcome) | JobState::Archived { outcome, .. }, _) => match outcome.ending {
            Ending::Killed | Ending::TimeLimit => Some("killed"),
            Ending::Rejected(Rejection::Quota) => Some("quota reached"),
            Ending::Rejected(Rejection::Impossible | Rejection::Dependency) => Some("rejected by scheduler"),
            Ending::Done | Ending::Failed | Ending::OutOfMemory | Ending::NodeFailure => None,
        },
        (_, Some(request)) => requested(request),
        (JobState::Running { suspended: true, .. }, None) => Some("suspended"),
        (JobState::Pending { since, .. }, None) if *since > record.submitted => Some("rescheduled"),
        (JobState::Pending { .. } | JobState::Starting { .. } | JobState::Running { .. }, None) => None,
    }
}

/// How the original says that something is asked of a job that is not over.
pub fn requested(request: Request) -> Option<&'static str> {
    match request {
        Request::Kill(_) => Some("kill requested"),
        Request::Suspend => Some("suspend requested"),
        Request::Resume => Some("resume requested"),
        Request::Reschedule => Some("reschedule requested"),
        Request::Archive | Request::Purge => None,
    }
}

fn exit_code(outcome: &Outcome) -> Option<i32> {
    const KILLED: i32 = 137;
    match outcome.ending {
        Ending::Killed | Ending::TimeLimit => Some(KILLED),
        _ => outcome.exit_code,
    }
}

fn duration(outcome: &Outcome) -> Option<Bson> {
    Some(number(outcome.ended.since(outcome.started?).as_millis() as f64 / 1000.0))
}

/// Unix seconds.
fn date(at: Timestamp) -> Bson {
    number(at.as_secs_f64())
}

fn number(value: f64) -> Bson {
    if value.fract() == 0.0 { Bson::Int64(value as i64) } else { Bson::Double(value) }
}

/// `$set`s of `fields`.
pub fn set(fields: Vec<(String, Bson)>) -> Document {
    fields.into_iter().collect()
}

/// Does in a document what `$set` does on the server.
pub fn put(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        None => {
            document.insert(path, value);
        }
        Some((first, rest)) => {
            if !matches!(document.get(first), Some(Bson::Document(_))) {
                document.insert(first, Document::new());
            }
            if let Some(Bson::Document(inner)) = document.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}
