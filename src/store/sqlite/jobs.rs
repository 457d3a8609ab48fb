//! Jobs in SQLite.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::rows::{self, Needs, Reader, get, request_column, to_json};
use super::{SqliteStore, commit, of_sqlite};
use crate::domain::{Ending, Job, JobId, JobSpec, JobState, Phase, Request};
use crate::store::{
    Applied, Change, DependencyOutcome, JobFilter, JobOrder, JobStore, NewJob, Page, PendingRow, Result, Submitted,
};

#[async_trait]
impl JobStore for SqliteStore {
    async fn submit(&self, job: NewJob) -> Result<Submitted> {
        self.write(move |connection| insert(connection, &job)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        self.read(move |connection| commit::read(connection, id)).await
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>> {
        let ids = id_list(ids);
        self.read(move |connection| {
            let sql = format!(
                "SELECT {} FROM {} WHERE j.id IN (SELECT value FROM json_each(?1)) ORDER BY j.id",
                rows::JOB,
                rows::FROM
            );
            read_jobs(connection, &sql, vec![ids.into()])
        })
        .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Applied>> {
        self.write(move |connection| commit::apply(connection, &changes)).await
    }

    async fn request(&self, ids: &[JobId], request: Request, phases: &[Phase]) -> Result<Vec<JobId>> {
        let (ids, phases) = (id_list(ids), to_json(&phases.iter().map(|p| *p as i64).collect::<Vec<_>>()));
        self.write(move |connection| write_request(connection, &ids, request, &phases)).await
    }

    async fn replace_spec(&self, id: JobId, expect: u64, spec: JobSpec) -> Result<bool> {
        self.write(move |connection| {
            let needs = Needs::of(&spec).to_column();
            let changed = connection
                .prepare_cached(
                    "UPDATE jobs SET revision = revision + 1, spec = ?3, needs = ?4, \
                     owner = coalesce(owner, (SELECT p.owner FROM jobs p WHERE p.id = jobs.parent)) \
                     WHERE id = ?1 AND revision = ?2 AND phase < 3",
                )
                .and_then(|mut statement| statement.execute(params![id.0, expect, to_json(&spec), needs]))
                .map_err(of_sqlite)?;
            Ok(changed == 1)
        })
        .await
    }

    async fn list(&self, filter: &JobFilter, page: Page) -> Result<Vec<Job>> {
        let (condition, mut values) = condition(filter);
        let order = match filter.order {
            JobOrder::IdAscending => "j.id",
            JobOrder::IdDescending => "j.id DESC",
            JobOrder::EndedDescending => "j.ended DESC, j.id DESC",
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?",
            rows::JOB,
            rows::FROM
        );
        values.push(limit(page).into());
        values.push((page.skip as i64).into());
        self.read(move |connection| read_jobs(connection, &sql, values)).await
    }

    async fn count(&self, filter: &JobFilter) -> Result<u64> {
        let (condition, values) = condition(filter);
        let sql = format!("SELECT count(*) FROM jobs j WHERE {condition}");
        self.read(move |connection| {
            connection
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.query_row(params_from_iter(values), |row| row.get(0)))
                .map_err(of_sqlite)
        })
        .await
    }

    async fn children(&self, parent: JobId, page: Page) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {} FROM {} WHERE j.parent = ? ORDER BY j.id LIMIT ? OFFSET ?",
            rows::JOB,
            rows::FROM
        );
        let values = vec![(parent.0 as i64).into(), limit(page).into(), (page.skip as i64).into()];
        self.read(move |connection| read_jobs(connection, &sql, values)).await
    }

    async fn pending(&self, after: JobId, limit: usize) -> Result<Vec<PendingRow>> {
        let sql = format!(
            "SELECT {} FROM {} WHERE j.phase = 0 AND j.id > ?1 AND j.children IS NULL ORDER BY j.id LIMIT ?2",
            rows::PENDING,
            rows::FROM
        );
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql).map_err(of_sqlite)?;
            let mut found = statement.query(params![after.0, limit as i64]).map_err(of_sqlite)?;
            let mut pending = Vec::new();
            while let Some(row) = found.next().map_err(of_sqlite)? {
                pending.push(rows::pending(row)?);
            }
            Ok(pending)
        })
        .await
    }

    async fn outcomes(&self, ids: &[JobId]) -> Result<Vec<DependencyOutcome>> {
        let ids = id_list(ids);
        self.read(move |connection| {
            let sql = "SELECT id, CASE WHEN phase >= 3 THEN state END FROM jobs \
                       WHERE id IN (SELECT value FROM json_each(?1))";
            let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
            let mut found = statement.query(params![ids]).map_err(of_sqlite)?;
            let mut outcomes = Vec::new();
            while let Some(row) = found.next().map_err(of_sqlite)? {
                outcomes.push(DependencyOutcome { id: JobId(get(row, 0)?), ending: ending(get(row, 1)?) });
            }
            Ok(outcomes)
        })
        .await
    }

    async fn remove(&self, id: JobId) -> Result<bool> {
        self.write(move |connection| remove(connection, id)).await
    }

    async fn images(&self, limit: usize) -> Result<Vec<String>> {
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT image FROM images ORDER BY jobs DESC, image LIMIT ?1")
                .map_err(of_sqlite)?;
            let images = statement.query_map(params![limit as i64], |row| row.get(0)).map_err(of_sqlite)?;
            images.collect::<std::result::Result<_, _>>().map_err(of_sqlite)
        })
        .await
    }
}

fn limit(page: Page) -> i64 {
    page.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

fn id_list(ids: &[JobId]) -> String {
    to_json(&ids)
}

fn ending(state: Option<String>) -> Option<Ending> {
    let state: JobState = serde_json::from_str(&state?).ok()?;
    state.outcome().map(|outcome| outcome.ending)
}

fn read_jobs(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<Job>> {
    let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
    let mut found = statement.query(params_from_iter(values)).map_err(of_sqlite)?;
    let mut reader = Reader::default();
    let mut jobs = Vec::new();
    while let Some(row) = found.next().map_err(of_sqlite)? {
        jobs.push(reader.job(row)?);
    }
    Ok(jobs)
}

fn insert(connection: &Connection, job: &NewJob) -> Result<Submitted> {
    let spec = &job.spec;
    let children = spec.array.map(|array| array.len());
    connection
        .prepare_cached(
            "INSERT INTO jobs (phase, user, project, owner, spec, needs, cpu, ram, gpus, submitted, children) \
             VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                job.owner.user.as_str(),
                job.owner.project.as_str(),
                to_json(&job.owner),
                to_json(spec),
                Needs::of(spec).to_column(),
                spec.resources.cpu.millis(),
                spec.resources.ram.bytes() as i64,
                spec.resources.gpus,
                job.submitted.0,
                children.map(|n| n as i64),
            ])
        })
        .map_err(of_sqlite)?;
    let id = JobId(connection.last_insert_rowid() as u64);
    insert_tags(connection, id, &spec.tags)?;
    if spec.array.is_some() {
        insert_children(connection, id, job)?;
    }
    Ok(Submitted { id, children: children.unwrap_or(0) as u32 })
}

fn insert_tags(connection: &Connection, id: JobId, tags: &[String]) -> Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO tags (tag, job) VALUES (?1, ?2)").map_err(of_sqlite)?;
    for tag in tags {
        statement.execute(params![tag, id.0]).map_err(of_sqlite)?;
    }
    Ok(())
}

fn insert_children(connection: &Connection, parent: JobId, job: &NewJob) -> Result<()> {
    let Some(array) = job.spec.array else { return Ok(()) };
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO jobs (phase, user, project, cpu, ram, gpus, submitted, parent, task_index) \
             VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .map_err(of_sqlite)?;
    for index in array.indices() {
        statement
            .execute(params![
                job.owner.user.as_str(),
                job.owner.project.as_str(),
                job.spec.resources.cpu.millis(),
                job.spec.resources.ram.bytes() as i64,
                job.spec.resources.gpus,
                job.submitted.0,
                parent.0,
                index as i64,
            ])
            .map_err(of_sqlite)?;
    }
    Ok(())
}

fn write_request(connection: &Connection, ids: &str, request: Request, phases: &str) -> Result<Vec<JobId>> {
    // What may be replaced: a kill replaces anything but a kill; all else replaces anything but a kill.
    let mut statement = connection
        .prepare_cached(
            "UPDATE jobs SET request = ?2, revision = revision + 1 \
             WHERE id IN (SELECT value FROM json_each(?1) \
                          UNION SELECT c.id FROM jobs c WHERE c.parent IN (SELECT value FROM json_each(?1))) \
               AND phase IN (SELECT value FROM json_each(?3)) \
               AND (request IS NULL OR request NOT LIKE '{\"kill\"%') RETURNING id",
        )
        .map_err(of_sqlite)?;
    let asked = statement
        .query_map(params![ids, request_column(Some(request)), phases], |row| row.get(0).map(JobId))
        .map_err(of_sqlite)?;
    asked.collect::<std::result::Result<_, _>>().map_err(of_sqlite)
}

fn remove(connection: &Connection, id: JobId) -> Result<bool> {
    let execute = |sql: &str| {
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params![id.0])).map_err(of_sqlite)
    };
    let removed = execute("DELETE FROM jobs WHERE id = ?1 AND phase >= 3")?;
    if removed == 1 {
        execute("DELETE FROM jobs WHERE parent = ?1")?;
        execute("DELETE FROM tags WHERE job = ?1")?;
    }
    Ok(removed == 1)
}

/// A filter as SQL over `jobs j`. Phases are spelled so that the partial indices fit.
fn condition(filter: &JobFilter) -> (String, Vec<Value>) {
    let mut all: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |sql: &str, value: Value| {
        all.push(sql.to_owned());
        values.push(value);
    };
    if let Some(owner) = &filter.owner {
        add("j.user = ?", owner.as_str().to_owned().into());
    }
    if let Some(project) = &filter.project {
        add("j.project = ?", project.as_str().to_owned().into());
    }
    if let Some(tag) = &filter.tag {
        add("j.id IN (SELECT job FROM tags WHERE tag = ?)", tag.clone().into());
    }
    if let Some(before) = filter.ended_before {
        add("j.ended < ?", before.0.into());
    }
    if let Some(after) = filter.after {
        add("j.id > ?", (after.0 as i64).into());
    }
    if !filter.phases.is_empty() {
        let numbers: Vec<_> = filter.phases.iter().map(|phase| (*phase as i64).to_string()).collect();
        all.push(format!("j.phase IN ({})", numbers.join(", ")));
        if filter.phases.iter().all(|phase| *phase < Phase::Over) {
            all.push("j.phase < 3".to_owned());
        } else if filter.phases.iter().all(|phase| *phase >= Phase::Over) {
            all.push("j.phase >= 3".to_owned());
        }
    }
    if filter.requested {
        all.push("j.request IS NOT NULL".to_owned());
    }
    if !filter.with_children {
        all.push("j.parent IS NULL".to_owned());
    }
    if all.is_empty() {
        all.push("1".to_owned());
    }
    (all.join(" AND "), values)
}
