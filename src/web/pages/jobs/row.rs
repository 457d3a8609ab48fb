//! A job as a row.

use crate::domain::{Job, JobId, Phase, Place, Timestamp, WaitingJob};
use crate::web::pages::chrome::Chrome;
use crate::web::words::Date;

pub struct Row {
    pub id: JobId,
    pub name: String,
    pub tags: Vec<String>,
    pub owner: String,
    pub project: String,
    pub state: String,
    pub tone: &'static str,
    /// Why it waits, or how far an array is.
    pub note: String,
    pub image: String,
    pub cores: String,
    pub ram: String,
    pub submitted: Date,
    pub ended: Option<Date>,
    pub duration: String,
    /// What can be asked of it among others: `kill`, `archive`.
    pub can: &'static str,
    pub array: Option<Array>,
}

/// An array's row opens.
pub struct Array {
    /// The page with it open, or closed again.
    pub toggle: String,
    pub open: bool,
    pub children: u32,
    pub over: u32,
    pub rows: Vec<ChildRow>,
    /// There are more children than are shown here.
    pub more: bool,
}

pub struct ChildRow {
    pub id: JobId,
    pub index: u64,
    pub state: String,
    pub tone: &'static str,
    pub note: String,
    pub ended: Option<Date>,
    pub duration: String,
}

pub fn row(chrome: &Chrome, job: &Job, waiting: Option<&WaitingJob>, now: Timestamp, array: Option<Array>) -> Row {
    let words = &chrome.words;
    let (state, tone) = words.state(job);
    let resources = job.spec.resources;
    Row {
        id: job.id,
        name: job.spec.name.clone(),
        tags: job.spec.tags.clone(),
        owner: job.owner.user.to_string(),
        project: job.owner.project.to_string(),
        state,
        tone,
        note: note(chrome, job, waiting),
        image: job.spec.image.clone(),
        cores: words.number(resources.cpu.as_f64(), 3),
        ram: words.number(resources.ram.as_gb(), 3),
        submitted: words.date(job.submitted),
        ended: job.state.outcome().map(|outcome| words.date(outcome.ended)),
        duration: words.run_time(job, now),
        can: match job.state.phase() {
            Phase::Pending | Phase::Starting | Phase::Running => "kill",
            Phase::Over => "archive",
            Phase::Archived => "",
        },
        array,
    }
}

pub fn child_row(chrome: &Chrome, job: &Job, now: Timestamp) -> ChildRow {
    let (state, tone) = chrome.words.state(job);
    ChildRow {
        id: job.id,
        index: match job.place {
            Place::ArrayChild { index, .. } => index,
            Place::Single | Place::ArrayParent { .. } => 0,
        },
        state,
        tone,
        note: note(chrome, job, None),
        ended: job.state.outcome().map(|outcome| chrome.words.date(outcome.ended)),
        duration: chrome.words.run_time(job, now),
    }
}

fn note(chrome: &Chrome, job: &Job, waiting: Option<&WaitingJob>) -> String {
    match (&job.place, waiting) {
        (Place::ArrayParent { children, over, failed: 0 }, _) => {
            chrome.with("jobs-array").set("over", over).set("children", children).to_string()
        }
        (Place::ArrayParent { children, over, failed }, _) => {
            let note = chrome.with("jobs-array-failed").set("over", over).set("children", children);
            note.set("failed", failed).to_string()
        }
        (_, Some(waiting)) => chrome.words.reason(&waiting.reason),
        _ => {
            let code = job.state.outcome().and_then(|outcome| outcome.exit_code).filter(|code| *code != 0);
            code.map_or_else(String::new, |code| chrome.with("jobs-exit").set("code", code.to_string()).to_string())
        }
    }
}
