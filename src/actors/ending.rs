//! From an attempt's end to a job's: what it becomes, and what it is charged.

use crate::domain::{
    EndReason, Ending, InvalidTransition, Job, JobState, KnownEnd, Outcome, Place, Request, Timestamp, Transition,
};
use crate::plugins::executor::{AttemptEnd, Exit};
use crate::store::{Change, Charge};

/// The exit code of a killed job, as the original said it.
const KILLED: i32 = 137;

/// What becomes of `job` now that its attempt has ended.
///
/// # Errors
/// [`InvalidTransition`] when the job is past this already; the report is then dropped.
pub fn after_attempt(
    job: &Job,
    end: &AttemptEnd,
    disk_bytes: u64,
    now: Timestamp,
) -> Result<Change, InvalidTransition> {
    let rescheduled = job.request == Some(Request::Reschedule);
    let mut failed_nodes = job.failed_nodes.clone();
    let lost = end.exit.code.is_none() && !end.exit.out_of_memory && !matches!(job.request, Some(Request::Kill(_)));
    if lost && !rescheduled {
        failed_nodes.extend(job.state.attempt().map(|attempt| attempt.node.clone()));
    }
    let retried = lost && failed_nodes.len() <= job.spec.retries as usize;
    if rescheduled || retried {
        let state = job.state.next(Transition::Requeue { at: now, launched: true })?;
        return Ok(change(job, state, failed_nodes, None));
    }
    let outcome = outcome_of(job, end, disk_bytes);
    let charge = charge(job, &outcome);
    let state = job.state.next(Transition::End(outcome))?;
    Ok(change(job, state, failed_nodes, charge))
}

fn change(job: &Job, state: JobState, failed_nodes: Vec<String>, charge: Option<Charge>) -> Change {
    Change { id: job.id, expect: job.revision, state, request: None, failed_nodes, charge }
}

fn outcome_of(job: &Job, end: &AttemptEnd, disk_bytes: u64) -> Outcome {
    let (ending, exit_code) = ending_of(job.request, &end.exit);
    let reason = match ending {
        Ending::OutOfMemory => Some(KnownEnd::OutOfMemory { asked: job.spec.resources.ram }),
        Ending::TimeLimit => Some(KnownEnd::TimeLimit),
        Ending::NodeFailure => Some(KnownEnd::NodeFailed),
        Ending::Done | Ending::Failed | Ending::Killed | Ending::Rejected(_) => None,
    };
    Outcome {
        ending,
        exit_code,
        started: job.state.started().or(end.started).or(Some(end.ended)),
        ended: end.ended,
        attempt: job.state.attempt().cloned(),
        disk_bytes,
        reason: reason.map(EndReason::from),
    }
}

fn ending_of(request: Option<Request>, exit: &Exit) -> (Ending, Option<i32>) {
    if let Some(Request::Kill(cause)) = request {
        return (cause.ending(), Some(KILLED));
    }
    match exit {
        Exit { out_of_memory: true, code } => (Ending::OutOfMemory, code.or(Some(KILLED))),
        Exit { code: Some(0), .. } => (Ending::Done, Some(0)),
        Exit { code: Some(code), .. } => (Ending::Failed, Some(*code)),
        Exit { code: None, .. } => (Ending::NodeFailure, None),
    }
}

/// What the ledger is told of an ended job; nothing for one that never ran, and for an array's parent.
fn charge(job: &Job, outcome: &Outcome) -> Option<Charge> {
    if matches!(job.place, Place::ArrayParent { .. }) {
        return None;
    }
    let started = outcome.started?;
    Some(Charge {
        user: job.owner.user.clone(),
        project: job.owner.project.clone(),
        image: job.spec.image.clone(),
        day: outcome.ended.day(),
        cpu: job.spec.resources.cpu.as_f64(),
        ram: job.spec.resources.ram.as_gb(),
        gpus: f64::from(job.spec.resources.gpus),
        seconds: outcome.ended.since(started).as_secs_f64(),
    })
}

/// The end of a job that holds nothing on any node: killed while pending, refused by a backend, never to be met.
///
/// # Errors
/// [`InvalidTransition`] when the job is over already.
pub fn without_running(
    job: &Job,
    ending: Ending,
    reason: Option<EndReason>,
    now: Timestamp,
) -> Result<Change, InvalidTransition> {
    let outcome = Outcome {
        ending,
        exit_code: matches!(ending, Ending::Killed | Ending::TimeLimit).then_some(KILLED),
        started: None,
        ended: now,
        attempt: job.state.attempt().cloned(),
        disk_bytes: 0,
        reason,
    };
    let state = job.state.next(Transition::End(outcome))?;
    Ok(change(job, state, job.failed_nodes.clone(), None))
}
