//! Users, projects and settings, as they are read.

use rusqlite::{Connection, OptionalExtension, params};

use super::row::{from_json, to_json};
use crate::domain::project::Project;
use crate::domain::{Identity, ProjectId, User, UserId};
use crate::store::Result;

pub fn user(connection: &Connection, id: &UserId) -> Result<Option<User>> {
    let mut select = connection.prepare_cached("SELECT body FROM users WHERE id = ?1")?;
    let body: Option<String> = select.query_row([id.as_str()], |row| row.get(0)).optional()?;
    body.map(|body| from_json(&format!("user {id}"), &body)).transpose()
}

pub fn users(connection: &Connection) -> Result<Vec<User>> {
    let mut select = connection.prepare_cached("SELECT body FROM users ORDER BY id")?;
    let bodies = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    bodies.iter().map(|body| from_json("a user", body)).collect()
}

pub fn user_by_identity(connection: &Connection, identity: &Identity) -> Result<Option<User>> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM identities JOIN users ON users.id = identities.user WHERE issuer = ?1 AND subject = ?2",
    )?;
    let body: Option<String> = select.query_row([&identity.issuer, &identity.subject], |row| row.get(0)).optional()?;
    body.map(|body| from_json("a guest", &body)).transpose()
}

/// The default project is everyone's, also when it was never written.
pub fn project(connection: &Connection, id: &ProjectId) -> Result<Option<Project>> {
    let mut select = connection.prepare_cached("SELECT body FROM projects WHERE id = ?1")?;
    let body: Option<String> = select.query_row([id.as_str()], |row| row.get(0)).optional()?;
    let Some(body) = body else { return Ok(id.is_default().then(Project::default_project)) };
    let mut project: Project = from_json(&format!("project {id}"), &body)?;
    let mut select = connection.prepare_cached("SELECT user FROM project_members WHERE project = ?1 ORDER BY user")?;
    let members = select.query_map([id.as_str()], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    project.members = parse_all(&members)?;
    Ok(Some(project))
}

pub fn projects(connection: &Connection) -> Result<Vec<Project>> {
    let mut select = connection.prepare_cached("SELECT id FROM projects ORDER BY id")?;
    let named = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    with_default(connection, &named)
}

pub fn projects_of(connection: &Connection, user: &UserId) -> Result<Vec<Project>> {
    let mut select =
        connection.prepare_cached("SELECT project FROM project_members WHERE user = ?1 ORDER BY project")?;
    let named = select.query_map([user.as_str()], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    with_default(connection, &named)
}

fn with_default(connection: &Connection, named: &[String]) -> Result<Vec<Project>> {
    let mut ids = vec![ProjectId::default_project()];
    ids.extend(parse_all(named)?.into_iter().filter(|id: &ProjectId| !id.is_default()));
    let projects = ids.iter().map(|id| project(connection, id)).collect::<Result<Vec<_>>>()?;
    Ok(projects.into_iter().flatten().collect())
}

fn parse_all<T: std::str::FromStr<Err: ToString>>(names: &[String]) -> Result<Vec<T>> {
    names.iter().map(|name| name.parse().map_err(|error| super::error::corrupt("a project's members", error))).collect()
}

/// The body of a project, without its members: they have a table of their own.
pub fn project_body(project: &Project) -> Result<String> {
    to_json("a project", &Project { members: Vec::new(), ..project.clone() })
}

pub fn setting(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
    Ok(select.query_row([key], |row| row.get(0)).optional()?)
}

pub fn put_setting(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value])?;
    Ok(())
}

pub fn init_setting(connection: &Connection, key: &str, value: &str) -> Result<String> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value RETURNING value",
    )?;
    Ok(insert.query_row([key, value], |row| row.get(0))?)
}
