//! Opening the file: its mode, what SQLite is told, and the schema's migrations.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::terms;
use crate::store::{Result, StoreError};

/// Each brings the schema from the version of its place to the next. What was released is never edited.
const MIGRATIONS: [&str; 7] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];

/// Only another process (a command line tool) ever holds the write lock against us, and not for long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection that writes. Creates the file, readable by its owner alone, and brings its schema up to date.
pub fn open_writer(path: &Path) -> Result<Connection> {
    make_private(path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | common_flags())?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    refuse_newer(&connection)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -65536;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    migrate(&mut connection)?;
    sync_directory(path);
    Ok(connection)
}

pub fn open_reader(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | common_flags())?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// A connection stays with one thread at a time, so SQLite's own locking would only cost.
fn common_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// SQLite gives its log and shared memory files the mode of the database.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// A database whose directory entry was lost with the power is lost as a whole. A directory that cannot be synced (some
/// network file systems) is none the worse for having been tried.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

fn schema_version(connection: &Connection) -> Result<usize> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(found)
        .ok()
        .filter(|version| *version <= MIGRATIONS.len())
        .ok_or(StoreError::TooNew { found, known: MIGRATIONS.len() as i64 })
}

fn refuse_newer(connection: &Connection) -> Result<()> {
    schema_version(connection).map(drop)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    terms::teach(connection)?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Asked again under the lock: another process may have migrated meanwhile.
    for (version, migration) in MIGRATIONS.iter().enumerate().skip(schema_version(&transaction)?) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version as i64 + 1)?;
    }
    Ok(transaction.commit()?)
}
