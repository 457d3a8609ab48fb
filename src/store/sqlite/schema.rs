//! The schema and its versions. A migration, once released, is never changed; the next one is added.

use rusqlite::Connection;

use super::of_sqlite;
use crate::store::{Result, StoreError};

const MIGRATIONS: &[&str] = &[
    // 1: jobs, people, ledger.
    "
    CREATE TABLE jobs (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        revision    INTEGER NOT NULL DEFAULT 1,
        phase       INTEGER NOT NULL,
        user        TEXT NOT NULL,
        project     TEXT NOT NULL,
        owner       TEXT,              -- JSON; NULL for an array's child: its parent's
        spec        TEXT,              -- JSON; NULL for an array's child: its parent's
        needs       TEXT,              -- JSON: what the scheduler asks beyond the columns; NULL for none
        cpu         INTEGER NOT NULL,  -- thousandths of a core
        ram         INTEGER NOT NULL,  -- bytes
        gpus        INTEGER NOT NULL,
        submitted   INTEGER NOT NULL,  -- milliseconds
        ended       INTEGER,           -- milliseconds
        state       TEXT,              -- JSON; NULL: pending since `submitted`, never launched
        request     TEXT,              -- JSON
        failed_nodes TEXT,             -- JSON; NULL for none
        parent      INTEGER,
        task_index  INTEGER,
        children    INTEGER,           -- of a parent; NULL for all others
        children_over   INTEGER NOT NULL DEFAULT 0,
        children_failed INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX jobs_active ON jobs (phase, id) WHERE phase < 3;
    CREATE INDEX jobs_active_user ON jobs (user, id) WHERE phase < 3 AND parent IS NULL;
    CREATE INDEX jobs_over ON jobs (ended DESC, id DESC) WHERE phase >= 3 AND parent IS NULL;
    CREATE INDEX jobs_over_user ON jobs (user, ended DESC, id DESC) WHERE phase >= 3 AND parent IS NULL;
    CREATE INDEX jobs_over_project ON jobs (project, ended DESC, id DESC) WHERE phase >= 3 AND parent IS NULL;
    CREATE INDEX jobs_children ON jobs (parent, id) WHERE parent IS NOT NULL;
    CREATE INDEX jobs_requested ON jobs (id) WHERE request IS NOT NULL;

    CREATE TABLE tags (tag TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (tag, job)) WITHOUT ROWID;
    CREATE INDEX tags_job ON tags (job);

    CREATE TABLE users (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE projects (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE members (user TEXT NOT NULL, project TEXT NOT NULL, PRIMARY KEY (user, project)) WITHOUT ROWID;
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE ledger (
        day INTEGER NOT NULL, user TEXT NOT NULL, project TEXT NOT NULL,
        cpu REAL NOT NULL, ram REAL NOT NULL, time REAL NOT NULL, jobs INTEGER NOT NULL,
        PRIMARY KEY (user, day, project)
    ) WITHOUT ROWID;
    CREATE INDEX ledger_project ON ledger (project, day);
    CREATE INDEX ledger_day ON ledger (day);
    CREATE TABLE images (image TEXT PRIMARY KEY, jobs INTEGER NOT NULL) WITHOUT ROWID;
    ",
];

/// # Errors
/// [`StoreError::TooNew`] when the file has migrations this program does not know.
pub fn migrate(connection: &mut Connection) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(of_sqlite)?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction().map_err(of_sqlite)?;
        transaction.execute_batch(migration).map_err(of_sqlite)?;
        transaction.pragma_update(None, "user_version", version).map_err(of_sqlite)?;
        transaction.commit().map_err(of_sqlite)?;
    }
    Ok(())
}
