//! A job's document: `god`, which is ours and the truth, beside the original's fields (`face`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mongodb::bson::{self, Bson, Document, doc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::corrupt;
use super::outbox::Outbox;
use crate::domain::{
    Dependency, EndingKind, Job, JobId, JobSpec, JobState, Label, Owner, Phase, Place, ProjectId, Request, Timestamp,
    UserId,
};
use crate::store::search::terms_of;
use crate::store::{NewJob, Result};

/// Pending, starting and running jobs.
pub const JOBS: &str = "jobs";
/// Over and archived ones.
pub const OVER: &str = "jobsover";
/// Scripts and all that was asked for, once a submitted job: `{_id, body}`.
pub const SPECS: &str = "god_specs";

/// The sub-document `god`. A change of any of it raises `rev`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobRecord {
    pub id: i64,
    pub rev: i64,
    pub phase: i32,
    /// Exactly when the job is over or archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// How it ended (`EndingKind`) and for how long it ran, where `ended` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran: Option<i64>,
    /// Where it is, or was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    pub state: JobState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_nodes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<i64>,
    /// Without a parent. An index tells this without the document; a field that is null it does not tell from none.
    pub top: bool,
    /// A child's index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The key of its spec: its own id, or its parent's.
    pub spec: i64,
    pub user: UserId,
    pub project: ProjectId,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub submitted: Timestamp,
    #[serde(flatten)]
    pub asked: Asked,
    /// What it is found by (`store::search`); children have their parent's.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub terms: BTreeSet<String>,
    /// What is still to be done of the last change; only ever on a standalone server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox: Option<Outbox>,
    /// The children that were counted last, on a standalone server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<String>,
}

/// Of an array's parent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Counts {
    pub children: u32,
    pub over: u32,
    pub failed: u32,
}

/// What lists and the scheduler ask of a spec, so that they need not read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub cpu_millis: u32,
    pub ram_bytes: i64,
    pub gpus: u32,
    /// [`Needs`] as JSON; absent for the many jobs that need nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
}

impl Asked {
    pub fn of(spec: &JobSpec) -> Result<Self> {
        let needs = Needs {
            labels: spec.labels.clone(),
            dependencies: spec.dependencies.clone(),
            throttle: spec.array.and_then(|array| array.throttle),
            executor: spec.executor.clone(),
        };
        let mut tags = spec.tags.clone();
        tags.sort_unstable();
        tags.dedup();
        Ok(Asked {
            tags,
            cpu_millis: spec.resources.cpu.millis(),
            ram_bytes: spec.resources.ram.bytes().cast_signed(),
            gpus: spec.resources.gpus,
            needs: if needs == Needs::default() { None } else { Some(to_json("the needs of a job", &needs)?) },
        })
    }
}

impl JobRecord {
    pub fn pending(id: JobId, job: &NewJob, children: Option<u32>) -> Result<Self> {
        let owner = &job.owner;
        let state = JobState::Pending { since: job.submitted, attempts: 0 };
        Ok(JobRecord {
            id: key(id),
            rev: 1,
            phase: state.phase() as i32,
            ended: None,
            ending: None,
            ran: None,
            node: None,
            state,
            request: None,
            failed_nodes: Vec::new(),
            parent: None,
            top: true,
            task: None,
            counts: children.map(|children| Counts { children, over: 0, failed: 0 }),
            spec: key(id),
            user: owner.user.clone(),
            project: owner.project.clone(),
            uid: owner.uid,
            gid: owner.gid,
            groups: owner.groups.clone(),
            email: owner.email.clone(),
            submitted: job.submitted,
            asked: Asked::of(&job.spec)?,
            terms: terms_of(&job.spec),
            outbox: None,
            applied: Vec::new(),
        })
    }

    /// The `n`th child of this parent, from 1.
    pub fn child(&self, n: u32, index: u64) -> Self {
        JobRecord {
            id: self.id + i64::from(n),
            parent: Some(self.id),
            top: false,
            task: Some(index.cast_signed()),
            counts: None,
            terms: BTreeSet::new(),
            ..self.clone()
        }
    }

    /// The only way to a new state, with all that is indexed of it.
    pub fn set_state(&mut self, state: JobState) {
        self.phase = state.phase() as i32;
        self.ended = state.outcome().map(|outcome| outcome.ended.0);
        self.ending = state.outcome().map(|outcome| EndingKind::from(outcome.ending) as i32);
        self.ran = state.ran();
        self.node = state.attempt().map(|attempt| attempt.node.clone());
        self.state = state;
        self.rev += 1;
    }

    pub fn is_over(&self) -> bool {
        self.phase >= Phase::Over as i32
    }

    pub fn place(&self) -> Place {
        match (self.parent, self.counts) {
            (Some(parent), _) => {
                Place::ArrayChild { parent: job_id(parent), index: self.task.unwrap_or(0).cast_unsigned() }
            }
            (None, Some(Counts { children, over, failed })) => Place::ArrayParent { children, over, failed },
            (None, None) => Place::Single,
        }
    }

    pub fn job(self, spec: Arc<JobSpec>) -> Job {
        Job {
            id: job_id(self.id),
            revision: self.rev.cast_unsigned(),
            place: self.place(),
            owner: Owner {
                user: self.user,
                project: self.project,
                uid: self.uid,
                gid: self.gid,
                groups: self.groups,
                email: self.email,
            },
            spec,
            submitted: self.submitted,
            state: self.state,
            request: self.request,
            failed_nodes: self.failed_nodes,
        }
    }

    pub fn read(document: &Document) -> Result<Self> {
        let god = document.get_document("god").map_err(|error| corrupt("a job", error))?;
        let place = || format!("job {}", god.get("id").unwrap_or(&Bson::Null));
        bson::deserialize_from_document(god.clone()).map_err(|error| corrupt(place(), error))
    }

    pub fn write(&self) -> Result<Document> {
        bson::serialize_to_document(self).map_err(|error| corrupt(format!("job {}", self.id), error))
    }
}

/// Identifiers met before, so that a million rows of ten users hold ten names.
pub struct Names<T>(HashMap<T, T>);

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    pub fn new() -> Self {
        Names(HashMap::new())
    }

    pub fn shared(&mut self, name: T) -> T {
        self.0.entry(name.clone()).or_insert(name).clone()
    }
}

/// A job's key; an id that no job can have becomes one that none has.
pub fn key(id: JobId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}

pub fn keys(ids: &[JobId]) -> Vec<i64> {
    let mut keys: Vec<_> = ids.iter().copied().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

pub fn job_id(key: i64) -> JobId {
    JobId(key.cast_unsigned())
}

pub fn to_bson<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<Bson> {
    bson::serialize_to_bson(value).map_err(|error| corrupt(what, error))
}

pub fn to_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}

pub fn from_json<T: DeserializeOwned>(place: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| corrupt(place, error))
}

/// The text under `key`, read as JSON: what may hold numbers that BSON has no room for, or keys it does not like.
pub fn body<T: DeserializeOwned>(place: &str, document: &Document, key: &str) -> Result<T> {
    from_json(place, document.get_str(key).map_err(|error| corrupt(place, error))?)
}

pub fn spec_document(id: i64, spec: &JobSpec) -> Result<Document> {
    Ok(doc! { "_id": id, "body": to_json("a spec", spec)? })
}
