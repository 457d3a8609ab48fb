//! From rows to jobs and back.

use std::sync::Arc;

use rusqlite::Row;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Dependency, Job, JobId, JobSpec, JobState, Label, Owner, Phase, Place, Request, Resources, Timestamp,
};
use crate::domain::{Cores, Memory};
use crate::store::{PendingRow, Result, StoreError};

/// The columns that [`job`] reads, of `jobs j` with its array's parent `p` (if it has one).
pub const JOB: &str = "j.id, j.revision, coalesce(j.owner, p.owner), coalesce(j.spec, p.spec), j.submitted, j.parent, \
     j.task_index, j.children, j.children_over, j.children_failed, j.state, j.request, j.failed_nodes, j.spec IS NULL";
pub const FROM: &str = "jobs j LEFT JOIN jobs p ON p.id = j.parent";

/// Reads jobs; the spec and owner that an array's children share are parsed once.
#[derive(Default)]
pub struct Reader {
    last: Option<(JobId, Arc<JobSpec>, Owner)>,
}

impl Reader {
    pub fn job(&mut self, row: &Row<'_>) -> Result<Job> {
        let id = JobId(get(row, 0)?);
        let parent: Option<u64> = get(row, 5)?;
        let parent = parent.map(JobId);
        // A child whose own fields were changed has its own spec.
        let shared = parent.filter(|_| get(row, 13).unwrap_or(false));
        let (spec, owner) = match (&self.last, shared) {
            (Some((of, spec, owner)), Some(parent)) if *of == parent => (spec.clone(), owner.clone()),
            _ => {
                let spec = Arc::new(json::<JobSpec>(row, 3, id)?);
                let owner: Owner = json(row, 2, id)?;
                if let Some(parent) = shared {
                    self.last = Some((parent, spec.clone(), owner.clone()));
                }
                (spec, owner)
            }
        };
        let submitted = Timestamp(get(row, 4)?);
        Ok(Job {
            id,
            revision: get(row, 1)?,
            owner,
            spec,
            submitted,
            place: place(row, parent)?,
            state: optional_json(row, 10, id)?.unwrap_or(JobState::Pending { since: submitted, attempts: 0 }),
            request: optional_json(row, 11, id)?,
            failed_nodes: optional_json(row, 12, id)?.unwrap_or_default(),
        })
    }
}

fn place(row: &Row<'_>, parent: Option<JobId>) -> Result<Place> {
    let children: Option<u32> = get(row, 7)?;
    Ok(match (parent, children) {
        (Some(parent), _) => Place::ArrayChild { parent, index: get::<Option<u64>>(row, 6)?.unwrap_or(0) },
        (None, Some(children)) => Place::ArrayParent { children, over: get(row, 8)?, failed: get(row, 9)? },
        (None, None) => Place::Single,
    })
}

/// What the scheduler needs beyond numbers; most jobs have none of it.
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

impl Needs {
    pub fn of(spec: &JobSpec) -> Self {
        Needs {
            labels: spec.labels.clone(),
            dependencies: spec.dependencies.clone(),
            throttle: spec.array.and_then(|array| array.throttle),
            executor: spec.executor.clone(),
        }
    }

    pub fn to_column(&self) -> Option<String> {
        (*self != Needs::default()).then(|| to_json(self))
    }
}

pub const PENDING: &str = "j.id, j.revision, j.user, j.project, j.submitted, j.cpu, j.ram, j.gpus, j.parent, \
     coalesce(j.needs, p.needs), j.state, j.failed_nodes, j.request";

pub fn pending(row: &Row<'_>) -> Result<PendingRow> {
    let id = JobId(get(row, 0)?);
    let needs: Needs = optional_json(row, 9, id)?.unwrap_or_default();
    let attempts = match optional_json(row, 10, id)? {
        Some(JobState::Pending { attempts, .. }) => attempts,
        _ => 0,
    };
    Ok(PendingRow {
        id,
        revision: get(row, 1)?,
        user: parsed(row, 2, id)?,
        project: parsed(row, 3, id)?,
        submitted: Timestamp(get(row, 4)?),
        resources: Resources {
            cpu: Cores::from_millis(get(row, 5)?),
            ram: Memory::from_bytes(get(row, 6)?),
            gpus: get(row, 7)?,
        },
        parent: get::<Option<u64>>(row, 8)?.map(JobId),
        throttle: needs.throttle,
        labels: needs.labels,
        dependencies: needs.dependencies,
        executor: needs.executor,
        attempts,
        failed_nodes: optional_json(row, 11, id)?.unwrap_or_default(),
        request: optional_json(row, 12, id)?,
    })
}

pub fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("domain types have no keys that JSON lacks")
}

pub fn request_column(request: Option<Request>) -> Option<String> {
    request.map(|request| to_json(&request))
}

pub fn failed_nodes_column(nodes: &[String]) -> Option<String> {
    (!nodes.is_empty()).then(|| to_json(&nodes))
}

pub fn phase(number: i64) -> Result<Phase> {
    [Phase::Pending, Phase::Starting, Phase::Running, Phase::Over, Phase::Archived]
        .into_iter()
        .find(|phase| *phase as i64 == number)
        .ok_or_else(|| StoreError::Corrupt { place: "jobs.phase".into(), message: number.to_string() })
}

pub fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get(column).map_err(super::of_sqlite)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(row: &Row<'_>, column: usize, id: JobId) -> Result<T> {
    get::<String>(row, column)?.parse().map_err(|error: T::Err| corrupt(id, &error.to_string()))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize, id: JobId) -> Result<T> {
    optional_json(row, column, id)?.ok_or_else(|| corrupt(id, "a column is empty that must not be"))
}

fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: usize, id: JobId) -> Result<Option<T>> {
    let text: Option<String> = get(row, column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| corrupt(id, &error.to_string()))).transpose()
}

fn corrupt(id: JobId, message: &str) -> StoreError {
    StoreError::Corrupt { place: format!("job {id}"), message: message.to_owned() }
}
