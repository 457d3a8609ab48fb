//! A row of `jobs`, and the job it stands for.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::corrupt;
use crate::domain::{
    Dependency, EndingKind, Job, JobId, JobSpec, JobState, Label, Owner, Phase, Place, ProjectId, Request, Timestamp,
    UserId,
};
use crate::store::Result;

/// What [`JobReader::read`] expects to be selected, in this order.
pub const COLUMNS: &str = "id, revision, state, request, failed_nodes, parent, task, children, children_over, \
     children_failed, spec, user, project, uid, gid, gids, email, submitted";

/// Turns rows into jobs. Jobs of the same spec, user or project share it.
pub struct JobReader<'c> {
    connection: &'c Connection,
    specs: HashMap<i64, Arc<JobSpec>>,
    pub users: Names<UserId>,
    pub projects: Names<ProjectId>,
}

impl<'c> JobReader<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        JobReader { connection, specs: HashMap::new(), users: Names::default(), projects: Names::default() }
    }

    pub fn read(&mut self, row: &Row<'_>) -> Result<Job> {
        let id = job_id(row.get(0)?);
        let place = format!("job {id}");
        Ok(Job {
            id,
            revision: row.get::<_, i64>(1)?.cast_unsigned(),
            state: from_json(&place, text(row, 2)?)?,
            request: optional_from_json(&place, row.get(3)?)?,
            failed_nodes: optional_from_json(&place, row.get(4)?)?.unwrap_or_default(),
            place: place_of(row)?,
            spec: self.spec(row.get(10)?)?,
            owner: Owner {
                user: self.users.get(text(row, 11)?)?,
                project: self.projects.get(text(row, 12)?)?,
                uid: row.get(13)?,
                gid: row.get(14)?,
                groups: from_json(&place, text(row, 15)?)?,
                email: row.get(16)?,
            },
            submitted: Timestamp(row.get(17)?),
        })
    }

    fn spec(&mut self, id: i64) -> Result<Arc<JobSpec>> {
        if let Some(known) = self.specs.get(&id) {
            return Ok(Arc::clone(known));
        }
        let mut select = self.connection.prepare_cached("SELECT body FROM specs WHERE id = ?1")?;
        let body: Option<String> = select.query_row([id], |row| row.get(0)).optional()?;
        let place = format!("the spec of job {id}");
        let spec = Arc::new(from_json(&place, &body.ok_or_else(|| corrupt(&place, "it is missing"))?)?);
        self.specs.insert(id, Arc::clone(&spec));
        Ok(spec)
    }
}

fn place_of(row: &Row<'_>) -> Result<Place> {
    if let Some(parent) = row.get::<_, Option<i64>>(5)? {
        return Ok(Place::ArrayChild { parent: job_id(parent), index: row.get::<_, i64>(6)?.cast_unsigned() });
    }
    Ok(match row.get::<_, Option<u32>>(7)? {
        Some(children) => Place::ArrayParent { children, over: row.get(8)?, failed: row.get(9)? },
        None => Place::Single,
    })
}

/// Identifiers met before, so that a million rows of ten users hold ten names.
pub struct Names<T>(HashMap<String, T>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Names(HashMap::new())
    }
}

impl<T: FromStr<Err: ToString> + Clone> Names<T> {
    pub fn get(&mut self, text: &str) -> Result<T> {
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let name: T = text.parse().map_err(|error| corrupt("a name", error))?;
        self.0.insert(text.to_owned(), name.clone());
        Ok(name)
    }
}

/// What the scheduler must know of a spec beside resources; kept apart so that it never parses scripts.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
}

impl Needs {
    /// The column `needs`: null for the many jobs that need nothing.
    pub fn column(spec: &JobSpec) -> Result<Option<String>> {
        let needs = Needs {
            labels: spec.labels.clone(),
            dependencies: spec.dependencies.clone(),
            throttle: spec.array.and_then(|array| array.throttle),
            executor: spec.executor.clone(),
        };
        if needs == Needs::default() { Ok(None) } else { to_json("the needs of a job", &needs).map(Some) }
    }
}

pub fn load(connection: &Connection, id: JobId) -> Result<Option<Job>> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))?;
    let mut rows = select.query([key(id)])?;
    rows.next()?.map(|row| JobReader::new(connection).read(row)).transpose()
}

/// Writes a job's next state, with all that is indexed of it. `was` is the phase it had.
pub fn write_state(
    connection: &Connection,
    id: JobId,
    was: i64,
    state: &JobState,
    request: Option<&Request>,
    failed_nodes: &[String],
) -> Result<()> {
    let request = request.map(|request| to_json("a request", request)).transpose()?;
    let failed_nodes = match failed_nodes {
        [] => None,
        some => Some(to_json("a list of nodes", some)?),
    };
    let (phase, ended) = (state.phase() as i64, state.outcome().map(|outcome| outcome.ended.0));
    let ending = state.outcome().map(|outcome| EndingKind::from(outcome.ending) as i64);
    let ran = state.ran();
    let node = state.attempt().map(|attempt| attempt.node.clone());
    let state = to_json("a state", state)?;
    let was_over = was >= Phase::Over as i64;
    let pending = Phase::Pending as i64;
    if was == pending || phase == pending {
        // It gets a node when it leaves the queue, and has none while it waits.
        let mut update = connection.prepare_cached("UPDATE jobs SET node = ?2 WHERE id = ?1 AND node IS NOT ?2")?;
        update.execute(params![key(id), node])?;
    }
    if ended.is_none() && !was_over {
        // Leaving `ended` out while it stays null spares every index that asks for it.
        let mut update = connection.prepare_cached(
            "UPDATE jobs SET revision = revision + 1, phase = ?2, state = ?3, request = ?4, failed_nodes = ?5
             WHERE id = ?1",
        )?;
        update.execute(params![key(id), phase, state, request, failed_nodes])?;
    } else {
        let mut update = connection.prepare_cached(
            "UPDATE jobs SET revision = revision + 1, phase = ?2, state = ?3, request = ?4, failed_nodes = ?5,
                 ended = ?6, ending = ?7, ran = ?8
             WHERE id = ?1",
        )?;
        update.execute(params![key(id), phase, state, request, failed_nodes, ended, ending, ran])?;
    }
    Ok(())
}

pub fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// A row's key; an id that no row can have becomes one that none has.
pub fn key(id: JobId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}

pub fn job_id(key: i64) -> JobId {
    JobId(key.cast_unsigned())
}

/// One bit a phase, to ask `(1 << phase) & set <> 0`.
pub fn phase_set(phases: &[Phase]) -> i64 {
    phases.iter().fold(0, |set, phase| set | 1 << *phase as i64)
}

pub fn to_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}

pub fn from_json<T: DeserializeOwned>(place: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| corrupt(place, error))
}

pub fn optional_from_json<T: DeserializeOwned>(place: &str, text: Option<String>) -> Result<Option<T>> {
    text.map(|text| from_json(place, &text)).transpose()
}
