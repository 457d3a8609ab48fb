//! When what happened to a job, and how long it waited and ran.

use std::time::Duration;

use crate::domain::{Job, JobState, Timestamp};
use crate::web::pages::chrome::Chrome;
use crate::web::words::Date;

pub struct Step {
    pub title: String,
    pub date: Option<Date>,
    pub note: String,
    pub tone: &'static str,
}

/// How the time from submission was spent, in thousandths of it.
pub struct Spent {
    pub waited: u32,
    pub ran: u32,
    pub tone: &'static str,
    /// The same in words.
    pub said: String,
}

pub struct Timeline {
    pub steps: Vec<Step>,
    pub spent: Option<Spent>,
}

impl Timeline {
    pub fn of(chrome: &Chrome, job: &Job, now: Timestamp) -> Timeline {
        let words = &chrome.words;
        let (_, tone) = words.state(job);
        let started = job.state.started();
        let step = |id: &str, at: Option<Timestamp>, note: String, tone| Step {
            title: chrome.t(id),
            date: at.map(|at| words.date(at)),
            note,
            tone,
        };
        let mut steps = vec![step("job-submitted", Some(job.submitted), String::new(), "rest")];
        for node in &job.failed_nodes {
            let note = chrome.with("job-on-node").set("node", node).to_string();
            steps.push(step("job-launch-failed", None, note, "bad"));
        }
        if let Some(at) = started {
            let waited = words.duration(at.since(job.submitted));
            steps.push(step("job-started", Some(at), chrome.with("job-waited").set("time", waited).to_string(), "run"));
        }
        match &job.state {
            JobState::Pending { .. } => {
                steps.push(step("job-waits", None, said_so_far(chrome, job.submitted, now), tone))
            }
            JobState::Starting { attempt, .. } => {
                let note = chrome.with("job-on-node").set("node", &attempt.node).to_string();
                steps.push(step("job-starts", None, note, tone));
            }
            JobState::Running { started, .. } => {
                steps.push(step("job-runs", None, said_so_far(chrome, *started, now), tone));
            }
            JobState::Over(outcome) | JobState::Archived { outcome, .. } => {
                let note = started.map_or_else(
                    || chrome.t("job-never-ran"),
                    |at| chrome.with("job-ran").set("time", words.duration(outcome.ended.since(at))).to_string(),
                );
                steps.push(step("job-ended", Some(outcome.ended), note, tone));
            }
        }
        if let JobState::Archived { at, .. } = &job.state {
            steps.push(step("job-archived", Some(*at), chrome.t("job-files-gone"), "rest"));
        }
        Timeline { steps, spent: spent(chrome, job, now, tone) }
    }
}

fn said_so_far(chrome: &Chrome, since: Timestamp, now: Timestamp) -> String {
    chrome.with("job-so-far").set("time", chrome.words.duration(now.since(since))).to_string()
}

fn spent(chrome: &Chrome, job: &Job, now: Timestamp, tone: &'static str) -> Option<Spent> {
    let end = job.state.outcome().map_or(now, |outcome| outcome.ended);
    let started = job.state.started();
    let waited = started.unwrap_or(end).since(job.submitted);
    let ran = started.map_or(Duration::ZERO, |at| end.since(at));
    let all = waited + ran;
    if all.is_zero() {
        return None;
    }
    let part = |span: Duration| (span.as_secs_f64() / all.as_secs_f64() * 1_000.0).round() as u32;
    let said = chrome.with("job-spent").set("waited", chrome.words.duration(waited));
    let said = said.set("ran", chrome.words.duration(ran)).to_string();
    Some(Spent { waited: part(waited), ran: part(ran), tone, said })
}
