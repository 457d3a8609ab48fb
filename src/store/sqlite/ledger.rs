//! What finished jobs used, by day, and the images that they ran.

use rusqlite::{Connection, Params, Row, params};

use super::row::Names;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{ProjectId, UserId};
use crate::store::{Charge, Result, UsageRow};

pub fn add(connection: &Connection, charge: &Charge) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO ledger (day, user, project, cpu, ram, gpus, seconds, jobs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)
             ON CONFLICT DO UPDATE SET cpu = cpu + excluded.cpu, ram = ram + excluded.ram,
                 gpus = gpus + excluded.gpus, seconds = seconds + excluded.seconds, jobs = jobs + 1",
        )?
        .execute(params![
            charge.day,
            charge.user.as_str(),
            charge.project.as_str(),
            charge.cpu,
            charge.ram,
            charge.gpus,
            charge.seconds
        ])?;
    connection
        .prepare_cached("INSERT INTO images (image, uses) VALUES (?1, 1) ON CONFLICT DO UPDATE SET uses = uses + 1")?
        .execute([&charge.image])?;
    Ok(())
}

pub fn images(connection: &Connection, limit: usize) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached("SELECT image FROM images ORDER BY uses DESC, image LIMIT ?1")?;
    let images = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
    Ok(images.collect::<rusqlite::Result<_>>()?)
}

pub const OF_USER: &str = "SELECT day, sum(cpu), sum(ram), sum(gpus), sum(seconds), sum(jobs) FROM ledger \
     WHERE user = ?1 AND day >= ?2 GROUP BY day ORDER BY day";
pub const OF_PROJECT: &str = "SELECT day, sum(cpu), sum(ram), sum(gpus), sum(seconds), sum(jobs) FROM ledger \
     WHERE project = ?1 AND day >= ?2 GROUP BY day ORDER BY day";
pub const BY_PAIR: &str = "SELECT user, project, sum(cpu), sum(ram), sum(gpus), sum(seconds), sum(jobs) FROM ledger \
     WHERE day >= ?1 GROUP BY user, project ORDER BY user, project";

pub fn of_user(connection: &Connection, user: &UserId, from_day: i64) -> Result<Vec<DailyUsage>> {
    days(connection, OF_USER, params![user.as_str(), from_day])
}

pub fn of_project(connection: &Connection, project: &ProjectId, from_day: i64) -> Result<Vec<DailyUsage>> {
    days(connection, OF_PROJECT, params![project.as_str(), from_day])
}

fn days(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<DailyUsage>> {
    let mut select = connection.prepare_cached(sql)?;
    let days = select.query_map(values, |row| Ok(DailyUsage { day: row.get(0)?, usage: usage(row, 1)? }))?;
    Ok(days.collect::<rusqlite::Result<_>>()?)
}

pub fn by_pair(connection: &Connection, from_day: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
    let (mut users, mut projects) = (Names::default(), Names::default());
    let mut select = connection.prepare_cached(BY_PAIR)?;
    let mut rows = select.query([from_day])?;
    let mut pairs = Vec::new();
    while let Some(row) = rows.next()? {
        let user = users.get(super::row::text(row, 0)?)?;
        pairs.push((user, projects.get(super::row::text(row, 1)?)?, usage(row, 2)?));
    }
    Ok(pairs)
}

/// Days ascending; `of` narrows.
pub fn rows_query(user: bool, project: bool) -> String {
    let (index, of) = match (user, project) {
        (true, _) => ("INDEXED BY ledger_user", "user = ?1 AND (?2 IS NULL OR project = ?2)"),
        (false, true) => ("INDEXED BY ledger_project", "project = ?2 AND ?1 IS NULL"),
        (false, false) => ("NOT INDEXED", "?1 IS NULL AND ?2 IS NULL"),
    };
    format!(
        "SELECT day, user, project, cpu, ram, gpus, seconds, jobs FROM ledger {index}
         WHERE {of} AND day BETWEEN ?3 AND ?4 ORDER BY day, user, project"
    )
}

pub fn rows(
    connection: &Connection,
    user: Option<&UserId>,
    project: Option<&ProjectId>,
    from_day: i64,
    to_day: i64,
) -> Result<Vec<UsageRow>> {
    let (mut users, mut projects) = (Names::default(), Names::default());
    let mut select = connection.prepare_cached(&rows_query(user.is_some(), project.is_some()))?;
    let values = params![user.map(UserId::as_str), project.map(ProjectId::as_str), from_day, to_day];
    let mut rows = select.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(UsageRow {
            day: row.get(0)?,
            user: users.get(super::row::text(row, 1)?)?,
            project: projects.get(super::row::text(row, 2)?)?,
            usage: usage(row, 3)?,
        });
    }
    Ok(found)
}

fn usage(row: &Row<'_>, first: usize) -> rusqlite::Result<Usage> {
    Ok(Usage {
        cpu: row.get(first)?,
        ram: row.get(first + 1)?,
        gpu: row.get(first + 2)?,
        time: row.get(first + 3)?,
        jobs: row.get::<_, i64>(first + 4)?.cast_unsigned(),
    })
}
