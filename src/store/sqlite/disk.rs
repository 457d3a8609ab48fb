//! Bytes that directories of over jobs hold, by user: kept with every change, as summing them up would read every job.

use rusqlite::{Connection, OptionalExtension, params};

use super::row::Names;
use crate::domain::{JobState, Phase, UserId};
use crate::store::Result;

/// A job that ends brings what its directory holds; one that is archived gives it back.
pub fn moved(connection: &Connection, user: &str, was: i64, now: &JobState) -> Result<()> {
    let was_over = was == Phase::Over as i64;
    match now {
        JobState::Over(outcome) if !was_over => add(connection, user, outcome.disk_bytes.cast_signed()),
        JobState::Archived { outcome, .. } if was_over => add(connection, user, -outcome.disk_bytes.cast_signed()),
        JobState::Pending { .. }
        | JobState::Starting { .. }
        | JobState::Running { .. }
        | JobState::Over(_)
        | JobState::Archived { .. } => Ok(()),
    }
}

/// Before the records of a job and of its children are deleted.
pub fn removed(connection: &Connection, job: i64) -> Result<()> {
    for sql in removed_queries() {
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query(params![job, Phase::Over as i64])?;
        while let Some(row) = rows.next()? {
            let (user, bytes): (String, i64) = (row.get(0)?, row.get(1)?);
            add(connection, &user, -bytes)?;
        }
    }
    Ok(())
}

/// For a job itself, and for its children.
pub fn removed_queries() -> [String; 2] {
    ["id = ?1", "parent = ?1"].map(|of| {
        format!(
            "SELECT user, sum(json_extract(state, '$.disk_bytes')) FROM jobs WHERE {of} AND phase = ?2 GROUP BY user"
        )
    })
}

fn add(connection: &Connection, user: &str, bytes: i64) -> Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO disk_use (user, bytes) VALUES (?1, max(0, ?2))
             ON CONFLICT DO UPDATE SET bytes = max(0, bytes + ?2)",
        )?
        .execute(params![user, bytes])?;
    Ok(())
}

/// From the records, as the migration that made the table did.
pub fn recount(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM disk_use", [])?;
    connection.execute(
        "INSERT INTO disk_use
             SELECT user, sum(json_extract(state, '$.disk_bytes')) FROM jobs WHERE phase = ?1 GROUP BY user",
        [Phase::Over as i64],
    )?;
    Ok(())
}

pub fn all(connection: &Connection) -> Result<Vec<(UserId, u64)>> {
    let mut users = Names::default();
    let mut select = connection.prepare_cached("SELECT user, bytes FROM disk_use WHERE bytes > 0")?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((users.get(super::row::text(row, 0)?)?, row.get::<_, i64>(1)?.cast_unsigned()));
    }
    Ok(all)
}

pub fn of(connection: &Connection, user: &UserId) -> Result<u64> {
    let mut select = connection.prepare_cached("SELECT bytes FROM disk_use WHERE user = ?1")?;
    let bytes: Option<i64> = select.query_row([user.to_string()], |row| row.get(0)).optional()?;
    Ok(bytes.unwrap_or(0).cast_unsigned())
}
