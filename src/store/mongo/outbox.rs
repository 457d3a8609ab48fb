//! What a job's change means to other documents.
//!
//! Within a transaction it is done at once. On a standalone server it is written down in the job's own document, with
//! the change, and crossed off when it is done: whoever finds it there goes on with it.

use serde::{Deserialize, Serialize};

use super::document::JobRecord;
use crate::domain::array::parent_after_child_end;
use crate::domain::{Attempt, Job, JobSpec, JobState, Phase, ProjectId, Resources, Timestamp, Transition, UserId};
use crate::store::{Change, Charge};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    /// Names this change of this job: what was done under it is not done again.
    pub key: String,
    /// When, by the clock of who wrote it.
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Use>,
    /// Bytes that the user's over jobs hold more, or less.
    #[serde(default)]
    pub disk: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentNews>,
}

/// A [`Charge`] as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Use {
    pub user: UserId,
    pub project: ProjectId,
    pub image: String,
    pub day: i64,
    pub cpu: f64,
    pub ram: f64,
    pub gpus: f64,
    pub seconds: f64,
}

impl From<&Charge> for Use {
    fn from(charge: &Charge) -> Self {
        Use {
            user: charge.user.clone(),
            project: charge.project.clone(),
            image: charge.image.clone(),
            day: charge.day,
            cpu: charge.cpu,
            ram: charge.ram,
            gpus: charge.gpus,
            seconds: charge.seconds,
        }
    }
}

/// What a parent learns of its child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParentNews {
    Started { attempt: Attempt, at: Timestamp },
    Ended { ok: bool, at: Timestamp },
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.charge.is_none() && self.disk == 0 && self.parent.is_none()
    }
}

/// Makes the change in `record`, and answers what else it means. The caller has compared the revisions.
pub fn apply(record: &mut JobRecord, change: &Change, now: Timestamp) -> Outbox {
    let outbox = Outbox {
        key: format!("{}:{}", record.id, record.rev),
        at: now,
        charge: change.charge.as_ref().map(Use::from),
        disk: disk_change(record.phase, &change.state),
        parent: record.parent.and_then(|_| news(record, &change.state)),
    };
    record.request = change.request;
    record.failed_nodes.clone_from(&change.failed_nodes);
    record.set_state(change.state.clone());
    outbox
}

/// A job that ends brings what its directory holds; one that is archived gives it back.
fn disk_change(was: i32, now: &JobState) -> i64 {
    let was_over = was == Phase::Over as i32;
    match now {
        JobState::Over(outcome) if !was_over => outcome.disk_bytes.cast_signed(),
        JobState::Archived { outcome, .. } if was_over => -outcome.disk_bytes.cast_signed(),
        JobState::Pending { .. }
        | JobState::Starting { .. }
        | JobState::Running { .. }
        | JobState::Over(_)
        | JobState::Archived { .. } => 0,
    }
}

fn news(child: &JobRecord, now: &JobState) -> Option<ParentNews> {
    match now {
        JobState::Starting { attempt, since: at } | JobState::Running { attempt, started: at, .. } => {
            Some(ParentNews::Started { attempt: attempt.clone(), at: *at })
        }
        JobState::Over(outcome) | JobState::Archived { outcome, .. } if !child.is_over() => {
            Some(ParentNews::Ended { ok: outcome.ending.is_ok(), at: outcome.ended })
        }
        JobState::Pending { .. } | JobState::Over(_) | JobState::Archived { .. } => None,
    }
}

/// Moves a pending parent to running with its first child. False where there is nothing to move.
pub fn start_parent(parent: &mut JobRecord, child: &Attempt, at: Timestamp) -> bool {
    if parent.phase != Phase::Pending as i32 {
        return false;
    }
    let attempt = Attempt { number: 1, container: None, digest: None, ports: Vec::new(), ..child.clone() };
    let launched = parent
        .state
        .next(Transition::Start { attempt: attempt.clone(), at })
        .and_then(|starting| starting.next(Transition::Launched { attempt, at }));
    // A pending job can always start and then run; if that ever changes, its parent just stays as it is.
    launched.map(|running| parent.set_state(running)).is_ok()
}

pub fn count_child(parent: &mut JobRecord, ok: bool) {
    if let Some(counts) = &mut parent.counts {
        counts.over += 1;
        counts.failed += u32::from(!ok);
        parent.rev += 1;
    }
}

/// Ends a parent whose children are all over. What was asked of it is done by that.
pub fn end_parent(parent: &mut JobRecord, at: Timestamp) -> bool {
    let Some(over) = parent_after_child_end(&as_job(parent), at) else { return false };
    parent.request = None;
    parent.set_state(over);
    true
}

/// As the domain sees it. No spec is read for this: an array's end does not ask for it.
fn as_job(parent: &JobRecord) -> Job {
    let spec = JobSpec {
        name: String::new(),
        description: String::new(),
        tags: Vec::new(),
        image: String::new(),
        script: String::new(),
        resources: Resources::default(),
        array: None,
        dependencies: Vec::new(),
        labels: Vec::new(),
        ports: Vec::new(),
        retries: 0,
        executor: None,
        max_lifespan: None,
        volumes: Vec::new(),
        network: false,
        root: false,
        notify_email: false,
        tmp_storage: None,
    };
    parent.clone().job(spec.into())
}
