//! Changes to accounts: all of a change or none of it, and the audit log with it.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::error::corrupt;
use super::people::{project_body, put_setting};
use super::row::{from_json, to_json};
use crate::domain::project::Project;
use crate::domain::{
    AuditEntry, AuditLine, Credential, CredentialKind, Phase, ProjectId, Scope, Timestamp, User, UserId,
};
use crate::store::{AccountChange, AuditFilter, Changed, Result};

/// Within the writer's savepoint: what was done before a stale step is undone here, as the savepoint of the writer only
/// rolls back on errors.
pub fn change(connection: &Connection, changes: &[AccountChange], audit: &[AuditEntry]) -> Result<Changed> {
    connection.execute_batch("SAVEPOINT accounts")?;
    let done = apply_all(connection, changes, audit)?;
    let end = match done {
        Changed::Done => "RELEASE accounts",
        Changed::Stale => "ROLLBACK TO accounts; RELEASE accounts",
    };
    connection.execute_batch(end)?;
    Ok(done)
}

fn apply_all(connection: &Connection, changes: &[AccountChange], audit: &[AuditEntry]) -> Result<Changed> {
    for change in changes {
        if apply(connection, change)? == Changed::Stale {
            return Ok(Changed::Stale);
        }
    }
    for entry in audit {
        write_audit(connection, entry)?;
    }
    Ok(Changed::Done)
}

fn apply(connection: &Connection, change: &AccountChange) -> Result<Changed> {
    match change {
        AccountChange::PutUser(user) => put_user(connection, user),
        AccountChange::RemoveUser(id) => remove_user(connection, id),
        AccountChange::PutProject(project) => put_project(connection, project),
        AccountChange::RemoveProject(id) => remove_project(connection, id),
        AccountChange::PutSetting { key, value } => put_setting(connection, key, value).map(|()| Changed::Done),
        AccountChange::PutCredential(credential) => put_credential(connection, credential),
        AccountChange::RemoveCredential { user, id } => {
            let mut delete = connection.prepare_cached("DELETE FROM credentials WHERE user = ?1 AND id = ?2")?;
            delete.execute([user.as_str(), id])?;
            Ok(Changed::Done)
        }
        AccountChange::RemoveCredentials { user, kind } => {
            let mut delete = connection.prepare_cached("DELETE FROM credentials WHERE user = ?1 AND kind = ?2")?;
            delete.execute([user.as_str(), kind_text(*kind)])?;
            Ok(Changed::Done)
        }
    }
}

/// The revision of a body; 0 where there is none.
fn revision(connection: &Connection, sql: &str, id: &str) -> Result<u64> {
    let mut select = connection.prepare_cached(sql)?;
    let revision: Option<i64> = select.query_row([id], |row| row.get(0)).optional()?;
    Ok(revision.unwrap_or(0).cast_unsigned())
}

fn put_user(connection: &Connection, user: &User) -> Result<Changed> {
    let stored =
        revision(connection, "SELECT json_extract(body, '$.revision') FROM users WHERE id = ?1", user.id.as_str())?;
    if stored != user.revision {
        return Ok(Changed::Stale);
    }
    if let Some(identity) = &user.identity {
        let mut insert = connection.prepare_cached(
            "INSERT INTO identities (issuer, subject, user) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET user = user
             RETURNING user",
        )?;
        let owner: String =
            insert.query_row([&identity.issuer, &identity.subject, user.id.as_str()], |row| row.get(0))?;
        if owner != user.id.as_str() {
            return Ok(Changed::Stale);
        }
    }
    let body = to_json("a user", &User { revision: stored + 1, ..user.clone() })?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO users (id, body) VALUES (?1, ?2)")?
        .execute([user.id.as_str(), &body])?;
    Ok(Changed::Done)
}

fn remove_user(connection: &Connection, id: &UserId) -> Result<Changed> {
    for sql in [
        "DELETE FROM users WHERE id = ?1",
        "DELETE FROM identities WHERE user = ?1",
        "DELETE FROM credentials WHERE user = ?1",
        "DELETE FROM templates WHERE user = ?1",
        "DELETE FROM project_members WHERE user = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id.as_str()])?;
    }
    Ok(Changed::Done)
}

fn put_project(connection: &Connection, project: &Project) -> Result<Changed> {
    let id = project.id.as_str();
    let stored = revision(connection, "SELECT json_extract(body, '$.revision') FROM projects WHERE id = ?1", id)?;
    if stored != project.revision {
        return Ok(Changed::Stale);
    }
    let body = project_body(&Project { revision: stored + 1, ..project.clone() })?;
    connection.prepare_cached("INSERT OR REPLACE INTO projects (id, body) VALUES (?1, ?2)")?.execute([id, &body])?;
    connection.prepare_cached("DELETE FROM project_members WHERE project = ?1")?.execute([id])?;
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO project_members (user, project) VALUES (?1, ?2)")?;
    for member in &project.members {
        insert.execute([member.as_str(), id])?;
    }
    Ok(Changed::Done)
}

fn remove_project(connection: &Connection, id: &ProjectId) -> Result<Changed> {
    let mut select =
        connection.prepare_cached("SELECT coalesce(sum(jobs), 0) FROM tallies WHERE project = ?1 AND phase < ?2")?;
    let active: i64 = select.query_row(params![id.as_str(), Phase::Over as i64], |row| row.get(0))?;
    if active > 0 {
        return Ok(Changed::Stale);
    }
    for sql in ["DELETE FROM projects WHERE id = ?1", "DELETE FROM project_members WHERE project = ?1"] {
        connection.prepare_cached(sql)?.execute([id.as_str()])?;
    }
    Ok(Changed::Done)
}

fn put_credential(connection: &Connection, credential: &Credential) -> Result<Changed> {
    connection
        .prepare_cached("DELETE FROM credentials WHERE expires IS NOT NULL AND expires <= ?1")?
        .execute([credential.created.0])?;
    connection
        .prepare_cached(
            "INSERT INTO credentials (hash, id, user, kind, name, scope, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            credential.hash,
            credential.id,
            credential.user.as_str(),
            kind_text(credential.kind),
            credential.name,
            credential.scope.as_str(),
            credential.created.0,
            credential.expires.map(|expires| expires.0),
        ])?;
    Ok(Changed::Done)
}

fn kind_text(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Session => "session",
        CredentialKind::Token => "token",
    }
}

const CREDENTIAL: &str = "SELECT hash, id, user, kind, name, scope, created, expires FROM credentials";

pub fn credential(connection: &Connection, hash: &str) -> Result<Option<Credential>> {
    let mut select = connection.prepare_cached(&format!("{CREDENTIAL} WHERE hash = ?1"))?;
    let mut rows = select.query([hash])?;
    rows.next()?.map(read_credential).transpose()
}

pub fn credentials_of(connection: &Connection, user: &UserId, kind: CredentialKind) -> Result<Vec<Credential>> {
    let sql = format!("{CREDENTIAL} WHERE user = ?1 AND kind = ?2 ORDER BY created DESC, id");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([user.as_str(), kind_text(kind)])?;
    let mut credentials = Vec::new();
    while let Some(row) = rows.next()? {
        credentials.push(read_credential(row)?);
    }
    Ok(credentials)
}

fn read_credential(row: &Row<'_>) -> Result<Credential> {
    let (kind, scope): (String, String) = (row.get(3)?, row.get(5)?);
    let user: String = row.get(2)?;
    Ok(Credential {
        hash: row.get(0)?,
        id: row.get(1)?,
        user: user.parse().map_err(|error| corrupt("a credential", error))?,
        kind: if kind == "session" { CredentialKind::Session } else { CredentialKind::Token },
        name: row.get(4)?,
        scope: Scope::named(&scope).ok_or_else(|| corrupt("a credential", format!("scope {scope}")))?,
        created: Timestamp(row.get(6)?),
        expires: row.get::<_, Option<i64>>(7)?.map(Timestamp),
    })
}

fn write_audit(connection: &Connection, entry: &AuditEntry) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, actor, action, subject, address, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            entry.at.0,
            entry.actor,
            entry.action,
            entry.subject,
            entry.address,
            to_json("an audit line", &entry.details)?
        ])?;
    Ok(())
}

pub fn audit(connection: &Connection, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditLine>> {
    let mut sql =
        String::from("SELECT number, at, actor, action, subject, address, details FROM audit WHERE number < ?1");
    let mut values = vec![filter.before.map_or(i64::MAX, |before| before.cast_signed()).to_string()];
    let mut narrow = |condition: &str, value: &Option<String>| {
        if let Some(value) = value {
            values.push(value.clone());
            sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
        }
    };
    narrow(" AND actor = ?", &filter.actor);
    narrow(" AND subject = ?", &filter.subject);
    narrow(" AND (action = ? OR action >= ? || '.' AND action < ? || '/')", &filter.action);
    sql.push_str(&format!(" ORDER BY number DESC LIMIT {limit}"));
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let details: String = row.get(6)?;
        lines.push(AuditLine {
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            entry: AuditEntry {
                at: Timestamp(row.get(1)?),
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                address: row.get(5)?,
                details: from_json("an audit line", &details)?,
            },
        });
    }
    Ok(lines)
}
