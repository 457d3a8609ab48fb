//! The store of the embedded shape: SQLite in a file.
//!
//! One thread writes: it takes what has queued up, runs each piece in a savepoint of one transaction, commits once
//! ([`writer`]). Readers are a few connections of their own, which a writer never blocks (WAL). Here: how rows become
//! jobs ([`rows`]), what each method asks ([`jobs`], [`people`]), the schema ([`schema`]).

mod commit;
mod jobs;
mod people;
mod rows;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Result, StoreError};
use writer::Writer;

pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    /// Idle readers; more are opened when all are busy.
    readers: Mutex<Vec<Connection>>,
}

/// Idle readers that are kept.
const READERS: usize = 8;
const STATEMENTS: usize = 64;

impl SqliteStore {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for a later schema, [`StoreError::Unavailable`] when the file cannot be used.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        make_private(path)?;
        let mut connection = Connection::open(path).map_err(of_sqlite)?;
        prepare(&connection)?;
        schema::migrate(&mut connection)?;
        Ok(Arc::new(SqliteStore {
            path: path.to_owned(),
            writer: Writer::start(connection),
            readers: Mutex::default(),
        }))
    }

    /// Runs `work` in the next transaction; the answer comes after it is durable.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(work).await
    }

    /// Runs `work` on a reader, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let idle = self.readers.lock().expect("no holder of this lock panics").pop();
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || {
            let connection = match idle {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            let answer = work(&connection);
            Ok((connection, answer))
        });
        let (connection, answer) = done.await.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        let mut readers = self.readers.lock().expect("no holder of this lock panics");
        if readers.len() < READERS {
            readers.push(connection);
        }
        answer
    }
}

/// The file holds hashes of keys: nobody else may read it. WAL files take its mode.
fn make_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::DiskFull,
            _ => StoreError::Unavailable(format!("{}: {error}", path.display())),
        })
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(of_sqlite)?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(of_sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(of_sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; \
             PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;",
        )
        .map_err(of_sqlite)
}

fn of_sqlite(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { place: "the database file".into(), message: error.to_string() }
        }
        // A full disk may show as a failed write of the log.
        Some(ErrorCode::SystemIoFailure) if last_os_error_is_full() => StoreError::DiskFull,
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn last_os_error_is_full() -> bool {
    std::io::Error::last_os_error().kind() == std::io::ErrorKind::StorageFull
}
