//! Jobs in words and numbers, as pages show them.

use std::time::Duration;

use crate::domain::{Ending, Job, JobState, Place, Request, Timestamp, WaitingJob};

/// A moment: for programs, and in words (UTC; the script puts the reader's own zone).
pub struct Date {
    pub iso: String,
    pub text: String,
}

impl Date {
    pub fn of(moment: Timestamp) -> Self {
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
        Date {
            iso: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.as_millis() >= 10 => format!("{:.2} s", span.as_secs_f64()),
        0 if !span.is_zero() => "under 0.01 s".to_owned(),
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

pub use crate::domain::readable_bytes as bytes;

/// How long it ran, or has run.
pub fn run_time(job: &Job, now: Timestamp) -> Option<Duration> {
    let started = job.state.started()?;
    Some(job.state.outcome().map_or(now, |outcome| outcome.ended).since(started))
}

/// The state in a word, and its colour.
pub fn state(job: &Job) -> (&'static str, &'static str) {
    match &job.state {
        JobState::Pending { .. } => ("pending", "wait"),
        JobState::Starting { .. } => ("starting", "run"),
        JobState::Running { suspended: true, .. } => ("suspended", "wait"),
        JobState::Running { .. } => ("running", "run"),
        JobState::Over(outcome) | JobState::Archived { outcome, .. } => match outcome.ending {
            Ending::Done => ("done", "good"),
            Ending::Killed => ("killed", "rest"),
            ending @ (Ending::Failed
            | Ending::OutOfMemory
            | Ending::TimeLimit
            | Ending::NodeFailure
            | Ending::Rejected(_)) => (ending.as_str(), "bad"),
        },
    }
}

/// What happens now, in a sentence.
pub fn sentence(job: &Job, waiting: Option<&WaitingJob>) -> String {
    if let Some(asked) = asked(job) {
        return asked.to_owned();
    }
    match &job.state {
        JobState::Pending { .. } => waiting.map_or_else(
            || {
                if job.is_array_parent() { "Its jobs have not started yet." } else { "It waits for its turn." }
                    .to_owned()
            },
            waiting_sentence,
        ),
        JobState::Starting { attempt, .. } => format!("It is being started on {}.", attempt.node),
        JobState::Running { suspended: true, attempt, .. } => format!("It stands still on {}.", attempt.node),
        JobState::Running { attempt, .. } => match job.place {
            Place::ArrayParent { children, over, .. } => format!("{over} of its {children} jobs are over."),
            Place::Single | Place::ArrayChild { .. } => format!("It runs on {}.", attempt.node),
        },
        JobState::Archived { .. } => "Its files were deleted; this is its record.".to_owned(),
        JobState::Over(outcome) => {
            outcome.reason.clone().unwrap_or_else(|| match (outcome.ending, outcome.exit_code) {
                (Ending::Failed, Some(code)) => format!("Its script ended with exit code {code}."),
                (Ending::Done, _) => "It ended well.".to_owned(),
                (Ending::Killed, _) => "It was killed.".to_owned(),
                (ending, _) => format!("It ended: {}.", ending.as_str()),
            })
        }
    }
}

fn waiting_sentence(waiting: &WaitingJob) -> String {
    let mut sentence = waiting.reason.to_string();
    if let Some(position) = waiting.position {
        sentence.push_str(&format!(" It is number {position} in the queue"));
        match waiting.estimate_secs {
            Some(seconds) => sentence
                .push_str(&format!(", and may start in about {}.", duration(Duration::from_secs(seconds.max(1))))),
            None => sentence.push('.'),
        }
    }
    sentence
}

fn asked(job: &Job) -> Option<&'static str> {
    match job.request? {
        Request::Kill(_) => Some("It was asked to end."),
        Request::Suspend => Some("It was asked to stand still."),
        Request::Resume => Some("It was asked to go on."),
        Request::Reschedule => Some("It is being put back in the queue."),
        Request::Archive => Some("Its files are being deleted."),
        Request::Purge => Some("It is being deleted."),
    }
}
