//! Writing new jobs, deleting records, and changing what was asked of an active one.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::corrupt;
use super::row::{Needs, job_id, key, to_json};
use super::tally::{Sort, Tally};
use super::{disk, terms};
use crate::domain::{ArraySpec, JobId, JobSpec, JobState, Phase};
use crate::store::{NewJob, Result, Submitted};

pub fn submit(connection: &Connection, job: &NewJob) -> Result<Submitted> {
    let children = job.spec.array.as_ref().map(number_of_children).transpose()?;
    let id = allocate(connection, 1 + u64::from(children.unwrap_or(0)))?;
    write_spec(connection, id, &job.spec)?;
    terms::write(connection, job.owner.user.as_str(), id, &job.spec)?;
    insert_job(connection, id, job, children)?;
    let (user, project) = (job.owner.user.to_string(), job.owner.project.to_string());
    let mut tally = Tally::default();
    tally.came(Sort { user: user.clone(), project: project.clone(), child: false }, Phase::Pending, 1);
    if let (Some(array), Some(count)) = (&job.spec.array, children) {
        insert_children(connection, id, array, count)?;
        tally.came(Sort { user, project, child: true }, Phase::Pending, count);
    }
    tally.write(connection)?;
    Ok(Submitted { id, children: children.unwrap_or(0) })
}

#[cfg(test)]
pub fn insert_with_id(connection: &Connection, id: JobId, job: &NewJob, children: Option<u32>) -> Result<()> {
    write_spec(connection, id, &job.spec)?;
    insert_job(connection, id, job, children)
}

fn number_of_children(array: &ArraySpec) -> Result<u32> {
    u32::try_from(array.len()).map_err(|_| corrupt("an array", format!("{} jobs are too many", array.len())))
}

/// The first of `count` ids in a row.
fn allocate(connection: &Connection, count: u64) -> Result<JobId> {
    let mut update = connection.prepare_cached("UPDATE job_counter SET next = next + ?1 RETURNING next - ?1")?;
    Ok(job_id(update.query_row([count.cast_signed()], |row| row.get(0))?))
}

pub fn last_id(connection: &Connection) -> Result<JobId> {
    Ok(job_id(connection.query_row("SELECT next - 1 FROM job_counter", [], |row| row.get(0))?))
}

pub fn pass_over(connection: &Connection, last: JobId) -> Result<()> {
    connection.execute("UPDATE job_counter SET next = max(next, ?1 + 1)", [key(last)])?;
    Ok(())
}

fn insert_job(connection: &Connection, id: JobId, job: &NewJob, children: Option<u32>) -> Result<()> {
    let (owner, resources) = (&job.owner, &job.spec.resources);
    let state = JobState::Pending { since: job.submitted, attempts: 0 };
    let counted = children.map(|_| 0);
    connection
        .prepare_cached(
            "INSERT INTO jobs (id, spec, revision, phase, state, children, children_over, children_failed,
                 user, project, uid, gid, gids, email, submitted, cpu_millis, ram_bytes, gpus, needs)
             VALUES (?1, ?1, 1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            key(id),
            state.phase() as i64,
            to_json("a state", &state)?,
            children,
            counted,
            owner.user.as_str(),
            owner.project.as_str(),
            owner.uid,
            owner.gid,
            to_json("groups", &owner.groups)?,
            owner.email,
            job.submitted.0,
            resources.cpu.millis(),
            resources.ram.bytes().cast_signed(),
            resources.gpus,
            Needs::column(&job.spec)?,
        ])?;
    Ok(())
}

/// All children in one statement, as copies of their parent: a hundred thousand take a moment.
fn insert_children(connection: &Connection, parent: JobId, array: &ArraySpec, count: u32) -> Result<()> {
    connection
        .prepare_cached(
            "WITH RECURSIVE child(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM child WHERE n + 1 < ?2)
             INSERT INTO jobs (id, parent, task, spec, revision, phase, state, user, project, uid, gid, gids, email,
                 submitted, cpu_millis, ram_bytes, gpus, needs)
             SELECT p.id + 1 + n, p.id, ?3 + n * ?4, p.spec, 1, p.phase, p.state, p.user, p.project, p.uid, p.gid,
                 p.gids, p.email, p.submitted, p.cpu_millis, p.ram_bytes, p.gpus, p.needs
             FROM child CROSS JOIN (SELECT * FROM jobs WHERE id = ?1) p",
        )?
        .execute(params![key(parent), count, array.first.cast_signed(), array.step.cast_signed()])?;
    Ok(())
}

pub fn write_spec(connection: &Connection, id: JobId, spec: &JobSpec) -> Result<()> {
    let body = to_json("a spec", spec)?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO specs (id, body) VALUES (?1, ?2)")?
        .execute(params![key(id), body])?;
    Ok(())
}

/// A parent's new spec is its children's too, but for those that were given their own.
pub fn replace_spec(connection: &Connection, id: JobId, expect: u64, spec: &JobSpec) -> Result<bool> {
    let mut select =
        connection.prepare_cached("SELECT parent FROM jobs WHERE id = ?1 AND revision = ?2 AND ended IS NULL")?;
    let found = select.query_row([key(id), expect.cast_signed()], |row| row.get::<_, Option<i64>>(0)).optional()?;
    let Some(parent) = found else { return Ok(false) };
    if parent.is_none() {
        terms::replace(connection, id, spec)?;
    }
    write_spec(connection, id, spec)?;
    let resources = &spec.resources;
    let values = params![
        key(id),
        resources.cpu.millis(),
        resources.ram.bytes().cast_signed(),
        resources.gpus,
        Needs::column(spec)?
    ];
    for sql in replace_queries() {
        connection.prepare_cached(&sql)?.execute(values)?;
    }
    Ok(true)
}

/// For a job itself, and for its children.
pub fn replace_queries() -> [String; 2] {
    ["id = ?1", "parent = ?1 AND spec = ?1 AND ended IS NULL"].map(|of| {
        format!(
            "UPDATE jobs SET revision = revision + 1, spec = ?1, cpu_millis = ?2, ram_bytes = ?3, gpus = ?4, needs = ?5
             WHERE {of}"
        )
    })
}

pub fn remove(connection: &Connection, id: JobId) -> Result<bool> {
    let key = key(id);
    let over: Option<bool> = connection
        .prepare_cached("SELECT ended IS NOT NULL FROM jobs WHERE id = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    if over != Some(true) {
        return Ok(false);
    }
    untally(connection, key)?;
    disk::removed(connection, key)?;
    terms::forget(connection, id)?;
    for sql in REMOVE {
        connection.prepare_cached(sql)?.execute([key])?;
    }
    Ok(true)
}

/// `spec` is the parent's for most children, and that goes with the parent.
pub const REMOVE: [&str; 6] = [
    "DELETE FROM specs WHERE id IN (SELECT spec FROM jobs WHERE parent = ?1)",
    "DELETE FROM specs WHERE id = ?1",
    "DELETE FROM samples WHERE job IN (SELECT id FROM jobs WHERE parent = ?1)",
    "DELETE FROM samples WHERE job = ?1",
    "DELETE FROM jobs WHERE parent = ?1",
    "DELETE FROM jobs WHERE id = ?1",
];

fn untally(connection: &Connection, key: i64) -> Result<()> {
    let mut tally = Tally::default();
    for of in JOB_AND_CHILDREN {
        let mut select = connection.prepare_cached(&untally_query(of))?;
        let mut rows = select.query([key])?;
        while let Some(row) = rows.next()? {
            let sort = Sort { user: row.get(0)?, project: row.get(1)?, child: row.get(2)? };
            tally.went(sort, row.get(3)?, row.get(4)?);
        }
    }
    tally.write(connection)
}

pub const JOB_AND_CHILDREN: [&str; 2] = ["id = ?1", "parent = ?1"];

pub fn untally_query(of: &str) -> String {
    format!("SELECT user, project, parent IS NOT NULL, phase, count(*) FROM jobs WHERE {of} GROUP BY 1, 2, 3, 4")
}
