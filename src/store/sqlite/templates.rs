//! Templates of jobs that users keep.

use rusqlite::{Connection, params};

use super::row::{from_json, to_json};
use crate::domain::UserId;
use crate::store::{Result, Template};

pub const OF: &str = "SELECT body FROM templates WHERE user = ?1 ORDER BY name";

pub fn of(connection: &Connection, user: &UserId) -> Result<Vec<Template>> {
    let mut select = connection.prepare_cached(OF)?;
    let mut rows = select.query([user.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_json("a template", super::row::text(row, 0)?)?);
    }
    Ok(found)
}

pub const OTHERS: &str = "SELECT count(*), coalesce(sum(name = ?3), 0) FROM templates WHERE user = ?1 AND id <> ?2";

pub fn put(connection: &Connection, template: &Template, most: usize) -> Result<bool> {
    let (user, id, name) = (template.user.as_str(), &template.id, &template.name);
    let (others, of_this_name): (i64, i64) =
        connection.prepare_cached(OTHERS)?.query_row(params![user, id, name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if of_this_name > 0 || others >= i64::try_from(most).unwrap_or(i64::MAX) {
        return Ok(false);
    }
    let body = to_json("a template", template)?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO templates (user, id, name, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![user, id, name, body])?;
    Ok(true)
}

pub fn remove(connection: &Connection, user: &UserId, id: &str) -> Result<bool> {
    let mut delete = connection.prepare_cached("DELETE FROM templates WHERE user = ?1 AND id = ?2")?;
    Ok(delete.execute(params![user.as_str(), id])? > 0)
}
