//! Users, projects, the ledger and settings in SQLite.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::de::DeserializeOwned;

use super::rows::to_json;
use super::{SqliteStore, of_sqlite};
use crate::domain::project::Project;
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{ProjectId, User, UserId};
use crate::store::{LedgerStore, Result, SettingStore, StoreError, UserStore};

#[async_trait]
impl UserStore for SqliteStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        let id = id.to_string();
        self.read(move |connection| document(connection, "SELECT document FROM users WHERE id = ?1", &id)).await
    }

    async fn users(&self) -> Result<Vec<User>> {
        self.read(|connection| documents(connection, "SELECT document FROM users ORDER BY id", vec![])).await
    }

    async fn put_user(&self, user: User) -> Result<()> {
        self.write(move |connection| {
            let sql = "INSERT INTO users (id, document) VALUES (?1, ?2) \
                       ON CONFLICT (id) DO UPDATE SET document = excluded.document";
            connection.execute(sql, params![user.id.as_str(), to_json(&user)]).map_err(of_sqlite)?;
            Ok(())
        })
        .await
    }

    async fn projects_of(&self, user: &UserId) -> Result<Vec<Project>> {
        let user = user.to_string();
        self.read(move |connection| {
            let sql = "SELECT document FROM projects WHERE id IN (SELECT project FROM members WHERE user = ?1) \
                       AND id <> 'default' ORDER BY id";
            let mut projects = vec![default_project(connection)?];
            projects.extend(documents::<Project>(connection, sql, vec![user.into()])?);
            Ok(projects)
        })
        .await
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>> {
        let id = id.clone();
        self.read(move |connection| {
            if id.is_default() {
                return default_project(connection).map(Some);
            }
            document(connection, "SELECT document FROM projects WHERE id = ?1", id.as_str())
        })
        .await
    }
}

fn default_project(connection: &Connection) -> Result<Project> {
    let stored = document(connection, "SELECT document FROM projects WHERE id = ?1", ProjectId::DEFAULT)?;
    Ok(stored.unwrap_or_else(Project::default_project))
}

fn document<T: DeserializeOwned>(connection: &Connection, sql: &str, id: &str) -> Result<Option<T>> {
    let text: Option<String> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(params![id], |row| row.get(0)).optional())
        .map_err(of_sqlite)?;
    text.map(|text| parse(&text)).transpose()
}

fn documents<T: DeserializeOwned>(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
    let texts = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0)).map_err(of_sqlite)?;
    texts.map(|text| parse(&text.map_err(of_sqlite)?)).collect()
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt { place: "users or projects".into(), message: error.to_string() })
}

#[async_trait]
impl LedgerStore for SqliteStore {
    async fn user_usage(&self, user: &UserId, from_day: i64) -> Result<Vec<DailyUsage>> {
        daily(self, "user", user.to_string(), from_day).await
    }

    async fn project_usage(&self, project: &ProjectId, from_day: i64) -> Result<Vec<DailyUsage>> {
        daily(self, "project", project.to_string(), from_day).await
    }

    async fn usage_by_pair(&self, from_day: i64) -> Result<Vec<(UserId, ProjectId, Usage)>> {
        self.read(move |connection| {
            let sql = "SELECT sum(cpu), sum(ram), sum(time), sum(jobs), user, project FROM ledger WHERE day >= ?1 \
                       GROUP BY user, project";
            let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
            let rows = statement
                .query_map(params![from_day], |row| {
                    Ok((usage(row)?, row.get::<_, String>(4)?, row.get::<_, String>(5)?))
                })
                .map_err(of_sqlite)?;
            rows.map(|row| {
                let (usage, user, project) = row.map_err(of_sqlite)?;
                Ok((id(&user)?, id(&project)?, usage))
            })
            .collect()
        })
        .await
    }
}

/// `column` is one of ours, never a caller's.
async fn daily(store: &SqliteStore, column: &'static str, id: String, from_day: i64) -> Result<Vec<DailyUsage>> {
    store
        .read(move |connection| {
            let sql = format!(
                "SELECT sum(cpu), sum(ram), sum(time), sum(jobs), day FROM ledger WHERE {column} = ?1 AND day >= ?2 \
                 GROUP BY day ORDER BY day"
            );
            let mut statement = connection.prepare_cached(&sql).map_err(of_sqlite)?;
            let days = statement
                .query_map(params![id, from_day], |row| Ok(DailyUsage { usage: usage(row)?, day: row.get(4)? }))
                .map_err(of_sqlite)?;
            days.collect::<std::result::Result<_, _>>().map_err(of_sqlite)
        })
        .await
}

fn usage(row: &rusqlite::Row<'_>) -> rusqlite::Result<Usage> {
    Ok(Usage { cpu: row.get(0)?, ram: row.get(1)?, time: row.get(2)?, jobs: row.get(3)? })
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|error: T::Err| StoreError::Corrupt { place: "ledger".into(), message: error.to_string() })
}

#[async_trait]
impl SettingStore for SqliteStore {
    async fn setting(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.read(move |connection| {
            connection
                .query_row("SELECT value FROM settings WHERE key = ?1", params![key], |row| row.get(0))
                .optional()
                .map_err(of_sqlite)
        })
        .await
    }

    async fn put_setting(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |connection| {
            let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2) \
                       ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            connection.execute(sql, params![key, value]).map_err(of_sqlite)?;
            Ok(())
        })
        .await
    }
}
