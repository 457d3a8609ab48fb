//! Signs of life.

use rusqlite::{Connection, params};

use super::row::{from_json, to_json};
use crate::domain::ProcessStatus;
use crate::store::Result;

pub fn put(connection: &Connection, process: &ProcessStatus) -> Result<()> {
    let body = to_json("a process", process)?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO processes (id, body) VALUES (?1, ?2)")?
        .execute(params![process.id, body])?;
    Ok(())
}

pub fn all(connection: &Connection) -> Result<Vec<ProcessStatus>> {
    let mut select = connection.prepare_cached("SELECT body FROM processes ORDER BY id")?;
    let bodies = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    bodies.iter().map(|body| from_json("a process", body)).collect()
}

pub fn remove(connection: &Connection, id: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM processes WHERE id = ?1")?.execute([id])?;
    Ok(())
}
