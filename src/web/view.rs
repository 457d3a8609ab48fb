//! A job as API.md shows it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::submission::lifespan_text;
use crate::domain::{
    Dependency, DependencyOn, Ending, Job, JobState, Outcome, Phase, Place, Rejection, Request, Timestamp, WaitingJob,
};

/// What the exit code of a killed job is, whatever the signal was.
const KILLED: i32 = 137;

/// The task document. `waiting` is what the scheduler says of it, for a pending job; `directory` the job directory.
pub fn task(job: &Job, directory: &Path, waiting: Option<&WaitingJob>) -> Value {
    let (owner, spec) = (&job.owner, &job.spec);
    json!({
        "id": job.id,
        "parent_task_id": job.parent(),
        "date": date(job.submitted),
        "user": {
            "id": owner.user, "uid": owner.uid, "gid": owner.gid, "sgids": owner.groups,
            "email": owner.email, "project": owner.project,
        },
        "meta": { "name": spec.name, "description": spec.description, "tags": spec.tags },
        "requirements": requirements(job),
        "container": container(job, directory),
        "command": { "interactive": false, "cmd": spec.script },
        "notify": { "email": spec.notify_email },
        "status": status(job, waiting),
    })
}

fn requirements(job: &Job) -> Value {
    let spec = &job.spec;
    json!({
        "cpu": spec.resources.cpu,
        "ram": spec.resources.ram,
        "gpus": spec.resources.gpus,
        "array": array(job),
        "label": spec.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "tasks": spec.dependencies.iter().map(dependency).collect::<Vec<_>>(),
        "ports": spec.ports,
        "tmpstorage": spec.tmp_storage.as_ref().map(|tmp| json!({ "size": tmp.bytes.to_string(), "path": tmp.path })),
        "failure_policy": spec.retries,
        "executor": spec.executor,
        "maxlifespan": spec.max_lifespan.map(lifespan_text),
        "uris": [],
        "ticket_share": 0,
        "user_quota_time": 0, "user_quota_cpu": 0, "user_quota_ram": 0,
        "project_quota_time": 0, "project_quota_cpu": 0, "project_quota_ram": 0,
    })
}

fn array(job: &Job) -> Value {
    match job.place {
        Place::Single => {
            json!({ "values": null, "task_id": null, "nb_tasks": 0, "nb_tasks_over": 0, "tasks": [] })
        }
        Place::ArrayParent { children, over, .. } => json!({
            "values": job.spec.array.map(|array| array.to_string()),
            "task_id": null,
            "nb_tasks": children,
            "nb_tasks_over": over,
            // Children follow their parent without gaps.
            "tasks": (1..=u64::from(children)).map(|n| job.id.0 + n).collect::<Vec<_>>(),
        }),
        Place::ArrayChild { index, .. } => {
            json!({ "values": null, "task_id": index, "nb_tasks": 0, "nb_tasks_over": 0, "tasks": [] })
        }
    }
}

/// A number where a number says it, as old clients send it.
fn dependency(dependency: &Dependency) -> Value {
    match dependency.on {
        DependencyOn::Ok => json!(dependency.job),
        DependencyOn::Failed | DependencyOn::Any => json!(dependency.to_string()),
    }
}

fn container(job: &Job, directory: &Path) -> Value {
    let mut volumes = vec![json!({
        "name": "go-docker", "acl": "rw", "path": directory.to_string_lossy(), "mount": "/mnt/go-docker",
    })];
    volumes.extend(job.spec.volumes.iter().map(|volume| {
        json!({
            "name": volume.name, "acl": volume.acl,
            "path": volume.path.to_string_lossy(), "mount": volume.mount.to_string_lossy(),
        })
    }));
    let attempt = job.state.attempt();
    let ports = attempt.map_or(&[][..], |attempt| &attempt.ports[..]);
    let is_ready = !matches!(job.state, JobState::Pending { .. } | JobState::Starting { .. });
    json!({
        "image": job.spec.image,
        "volumes": volumes,
        "network": job.spec.network,
        "root": job.spec.root,
        "id": attempt.and_then(|attempt| attempt.container.as_deref()),
        "digest": attempt.and_then(|attempt| attempt.digest.as_deref()),
        "meta": meta(job),
        "stats": null,
        "ip_address": null,
        "ports": ports.iter().map(|port| port.host.to_string()).collect::<Vec<_>>(),
        "port_mapping": ports,
        "status": if is_ready { "ready" } else { "initializing" },
    })
}

/// Null until the job has started. Old clients take a `State` without exit code for a fault, so it comes with the end.
fn meta(job: &Job) -> Value {
    let node = job.state.attempt().map(|attempt| attempt.node.as_str());
    match &job.state {
        JobState::Pending { .. } | JobState::Starting { .. } => Value::Null,
        JobState::Running { .. } => json!({ "Node": { "Name": node }, "disk_size": null }),
        JobState::Over(outcome) | JobState::Archived { outcome, .. } => json!({
            "Node": { "Name": node },
            "State": {
                "ExitCode": exit_code(outcome).unwrap_or(i32::from(!outcome.ending.is_ok())),
                "OOMKilled": outcome.ending == Ending::OutOfMemory,
                "Running": false,
                "StartedAt": outcome.started.map(date),
                "FinishedAt": date(outcome.ended),
            },
            "disk_size": outcome.disk_bytes,
        }),
    }
}

fn status(job: &Job, waiting: Option<&WaitingJob>) -> Value {
    let outcome = job.state.outcome();
    let mut status = Map::new();
    let mut put = |key: &str, value: Value| status.insert(key.to_owned(), value);
    put("primary", json!(primary(job.state.phase())));
    put("secondary", json!(secondary(job)));
    put("phase", json!(job.state.phase()));
    put("ending", json!(outcome.map(|outcome| outcome.ending.as_str())));
    put("reason", json!(reason(job, waiting)));
    put("exitcode", json!(outcome.and_then(exit_code)));
    put("date_over", json!(outcome.map(|outcome| date(outcome.ended))));
    put("duration", json!(outcome.and_then(duration)));
    put("failure", failure(job));
    put("pending", pending(job, waiting));
    // Clients test whether this key is there.
    if let Some(started) = job.state.started() {
        put("date_running", date(started));
    }
    Value::Object(status)
}

fn primary(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending | Phase::Starting => "pending",
        Phase::Running => "running",
        Phase::Over => "over",
        Phase::Archived => "archived",
    }
}

fn secondary(job: &Job) -> Option<&'static str> {
    match (&job.state, job.request) {
        (JobState::Over(outcome) | JobState::Archived { outcome, .. }, _) => match outcome.ending {
            Ending::Killed | Ending::TimeLimit => Some("killed"),
            Ending::Rejected(Rejection::Quota) => Some("quota reached"),
            Ending::Rejected(Rejection::Impossible | Rejection::Dependency) => Some("rejected by scheduler"),
            Ending::Done | Ending::Failed | Ending::OutOfMemory | Ending::NodeFailure => None,
        },
        (_, Some(Request::Kill(_))) => Some("kill requested"),
        (_, Some(Request::Suspend)) => Some("suspend requested"),
        (_, Some(Request::Resume)) => Some("resume requested"),
        (_, Some(Request::Reschedule)) => Some("reschedule requested"),
        (JobState::Running { suspended: true, .. }, _) => Some("suspended"),
        // In the queue for a second time.
        (JobState::Pending { since, .. }, _) if *since > job.submitted => Some("rescheduled"),
        (JobState::Pending { .. } | JobState::Starting { .. } | JobState::Running { .. }, _) => None,
    }
}

fn exit_code(outcome: &Outcome) -> Option<i32> {
    match outcome.ending {
        Ending::Killed | Ending::TimeLimit => Some(KILLED),
        _ => outcome.exit_code,
    }
}

fn duration(outcome: &Outcome) -> Option<Value> {
    Some(number(outcome.ended.since(outcome.started?).as_millis() as f64 / 1000.0))
}

/// A sentence on why the job waits, or how it ended; none while it runs, and none for a good end.
fn reason(job: &Job, waiting: Option<&WaitingJob>) -> Option<String> {
    match &job.state {
        JobState::Pending { .. } => waiting.map(|waiting| waiting.reason.to_string()),
        JobState::Starting { .. } | JobState::Running { .. } => None,
        JobState::Over(outcome) | JobState::Archived { outcome, .. } => {
            outcome.reason.as_ref().map(ToString::to_string).or_else(|| ending_sentence(outcome))
        }
    }
}

fn ending_sentence(outcome: &Outcome) -> Option<String> {
    let sentence = match outcome.ending {
        Ending::Done => return None,
        Ending::Failed => match outcome.exit_code {
            Some(code) => return Some(format!("Its script ended with exit code {code}.")),
            None => "It failed, and how is not known.",
        },
        Ending::Killed => "It was killed on request.",
        Ending::OutOfMemory => "It needed more memory than it had asked for.",
        Ending::TimeLimit => "It ran longer than its time limit allows.",
        Ending::NodeFailure => "Its node failed, and it had no launches left.",
        Ending::Rejected(Rejection::Quota) => "A quota does not allow it.",
        Ending::Rejected(Rejection::Impossible) => "No node could ever run it.",
        Ending::Rejected(Rejection::Dependency) => "A job it waited for did not end as it had to.",
    };
    Some(sentence.to_owned())
}

fn failure(job: &Job) -> Value {
    let nodes = &job.failed_nodes;
    let reason = (!nodes.is_empty()).then_some("A node failed under it.");
    json!({ "reason": reason, "nodes": nodes, "count": nodes.len() })
}

/// Why a job waits, as data: the reason's code and details, its place, and when it may start.
fn pending(job: &Job, waiting: Option<&WaitingJob>) -> Value {
    let Some(waiting) = waiting.filter(|_| job.state.phase() == Phase::Pending) else { return Value::Null };
    let mut document = json!(waiting.reason);
    document["position"] = json!(waiting.position);
    document["estimate_secs"] = json!(waiting.estimate_secs);
    document
}

/// Unix seconds.
pub fn date(at: Timestamp) -> Value {
    number(at.as_secs_f64())
}

/// A whole number where it is one: old clients print what they get.
pub fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests;
