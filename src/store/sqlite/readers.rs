//! Read-only connections: each read has one to itself and sees one moment of the database throughout.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_reader;
use crate::store::{Result, StoreError};

/// Reads at once; more would only wait for the processor.
const READERS: usize = 4;

pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub fn new(path: &Path) -> Result<Arc<Self>> {
        let first = open_reader(path)?;
        Ok(Arc::new(Readers {
            path: path.to_owned(),
            idle: Mutex::new(vec![first]),
            permits: Arc::new(Semaphore::new(READERS)),
        }))
    }

    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let readers = Arc::clone(self);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            // Held by the read itself: whoever asked may stop waiting before it is done.
            let _permit = permit;
            let connection = readers.take()?;
            let transaction = connection.unchecked_transaction()?;
            let answer = work(&transaction);
            // Nothing was written: there is nothing in a failed end of it.
            let _ = transaction.finish();
            readers.give_back(connection);
            answer
        })
        .await
        .map_err(|error| StoreError::Unavailable(format!("a read stopped: {error}")))?
    }

    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().expect("no holder of this lock panics").pop();
        idle.map_or_else(|| open_reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().expect("no holder of this lock panics").push(connection);
    }
}
