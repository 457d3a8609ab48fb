//! The one thread that writes: what has queued up becomes one transaction.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::of_sqlite;
use crate::store::{Result, StoreError};

/// A piece of work in two steps: what it does inside the transaction, and its answer once that is durable (or not).
trait Piece: Send {
    /// Whether what it did stays.
    fn run(&mut self, connection: &Connection) -> bool;
    fn settle(self: Box<Self>, committed: Result<()>);
}

struct Work<T, F> {
    work: Option<F>,
    done: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Piece for Work<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        self.done = self.work.take().map(|work| work(connection));
        matches!(self.done, Some(Ok(_)))
    }

    fn settle(self: Box<Self>, committed: Result<()>) {
        let never_ran = || Err(StoreError::Unavailable("the transaction ended before this was written".into()));
        // Whoever asked may have gone away; the work is done all the same.
        let Work { done, answer, .. } = *self;
        let _ = answer.send(committed.and_then(|()| done.unwrap_or_else(never_ran)));
    }
}

pub struct Writer {
    pieces: SyncSender<Box<dyn Piece>>,
}

/// Pieces that may wait; a sender beyond that waits itself.
const QUEUE: usize = 4096;
/// Pieces of one transaction.
const GROUP: usize = 512;

impl Writer {
    pub fn start(connection: Connection) -> Self {
        let (pieces, queue) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(&connection, &queue))
            .expect("a process can start a thread");
        Writer { pieces }
    }

    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let mut piece: Box<dyn Piece> = Box::new(Work { work: Some(work), done: None, answer });
        let gone = || StoreError::Unavailable("its writer has stopped".into());
        loop {
            match self.pieces.try_send(piece) {
                Ok(()) => break,
                Err(std::sync::mpsc::TrySendError::Full(back)) => {
                    piece = back;
                    tokio::task::yield_now().await;
                }
                Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(gone()),
            }
        }
        answered.await.map_err(|_| gone())?
    }
}

fn write_all(connection: &Connection, queue: &Receiver<Box<dyn Piece>>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match queue.try_recv() {
                Ok(piece) => group.push(piece),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let outcome = write_group(connection, &mut group);
        for piece in group {
            piece.settle(outcome.clone());
        }
    }
}

fn write_group(connection: &Connection, group: &mut [Box<dyn Piece>]) -> Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(of_sqlite)?;
    let written = group
        .iter_mut()
        .try_for_each(|piece| write_piece(connection, piece.as_mut()))
        .and_then(|()| connection.execute_batch("COMMIT").map_err(of_sqlite));
    if written.is_err() && !connection.is_autocommit() {
        // A transaction that cannot be committed can always be rolled back.
        let _ = connection.execute_batch("ROLLBACK");
    }
    written
}

/// Runs a piece in its savepoint. SQLite ends the whole transaction by itself when the disk is full.
fn write_piece(connection: &Connection, piece: &mut dyn Piece) -> Result<()> {
    let execute = |sql: &str| connection.prepare_cached(sql).and_then(|mut s| s.execute([])).map_err(of_sqlite);
    execute("SAVEPOINT piece")?;
    let keep = piece.run(connection);
    if connection.is_autocommit() {
        return Err(StoreError::DiskFull);
    }
    if !keep {
        execute("ROLLBACK TO piece")?;
    }
    execute("RELEASE piece").map(drop)
}
