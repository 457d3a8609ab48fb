//! The one thread that writes.
//!
//! Whatever has queued up is committed as one transaction (one sync of the disk for all of it), each request within
//! its own savepoint, so that one that fails takes nothing of the others with it. Nobody hears of success before the
//! commit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::store::{Result, StoreError};

/// Writers beyond this wait for their turn to queue.
const QUEUE: usize = 4_096;
/// Requests in one transaction; more would make the first of them wait for long.
const GROUP: usize = 512;
/// Rows changed between checkpoints, some thousand pages of log.
const CHECKPOINT_AFTER: u64 = 1_000;

pub struct Writer {
    /// `None` once closing.
    queue: Option<mpsc::Sender<Box<dyn Queued>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection, path: &Path) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writing = Writing { checkpointed: 0, connection, path: path.to_owned() };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writing.run(receiver))
            .map_err(|error| StoreError::Unavailable(format!("its writing thread does not start: {error}")))?;
        Ok(Writer { queue: Some(sender), thread: Some(thread) })
    }

    /// Runs `work` inside a transaction and answers once that is durable. Dropping the future does not undo the work.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work: Some(work), value: None, reply });
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(task).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Finishes what has queued up, then closes the file.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked, and said so on stderr.
            let _ = thread.join();
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("its writing thread has ended".into())
}

/// A write of any type of answer.
trait Queued: Send {
    fn run(&mut self, connection: &Connection) -> Result<()>;
    /// Tells the caller: what `run` made, if all came out well.
    fn reply(self: Box<Self>, outcome: Result<()>);
}

struct Task<T, F> {
    work: Option<F>,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Queued for Task<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<()> {
        let work = self.work.take().expect("a task runs once");
        self.value = Some(work(connection)?);
        Ok(())
    }

    fn reply(self: Box<Self>, outcome: Result<()>) {
        let Task { value, reply, .. } = *self;
        // The caller may have stopped waiting.
        let _ = reply.send(outcome.and_then(|()| value.ok_or_else(gone)));
    }
}

struct Writing {
    connection: Connection,
    path: PathBuf,
    /// SQLite's count of changed rows at the last checkpoint.
    checkpointed: u64,
}

impl Writing {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Queued>>) {
        while let Some(first) = queue.blocking_recv() {
            let mut group = VecDeque::from([first]);
            while group.len() < GROUP
                && let Ok(next) = queue.try_recv()
            {
                group.push_back(next);
            }
            self.commit_group(group);
            self.checkpoint();
        }
    }

    fn commit_group(&self, mut group: VecDeque<Box<dyn Queued>>) {
        while !group.is_empty() {
            if let Err(error) = self.execute("BEGIN IMMEDIATE") {
                group.drain(..).for_each(|task| task.reply(Err(error.clone())));
                return;
            }
            let mut ran = Vec::with_capacity(group.len());
            let mut fate = Ok(());
            while let Some(mut task) = group.pop_front() {
                let outcome = self.run_in_savepoint(task.as_mut());
                if self.connection.is_autocommit() {
                    // SQLite gave up the whole transaction (a full disk may do that); the rest gets a new one.
                    fate = outcome.clone().and(Err(gone()));
                }
                ran.push((task, outcome));
                if fate.is_err() {
                    break;
                }
            }
            let fate = fate.and_then(|()| self.commit());
            ran.into_iter().for_each(|(task, outcome)| task.reply(outcome.and(fate.clone())));
        }
    }

    fn run_in_savepoint(&self, task: &mut dyn Queued) -> Result<()> {
        self.execute("SAVEPOINT task")?;
        let ran = catch_unwind(AssertUnwindSafe(|| task.run(&self.connection)))
            .unwrap_or_else(|_| Err(StoreError::Unavailable("a write panicked; it was undone".into())))
            .map_err(|error| self.explain(error));
        let closed = match &ran {
            Ok(()) => self.execute("RELEASE task"),
            Err(_) if self.connection.is_autocommit() => Ok(()),
            Err(_) => self.execute("ROLLBACK TO task").and_then(|()| self.execute("RELEASE task")),
        };
        if closed.is_err() {
            self.roll_back();
        }
        ran.and(closed)
    }

    fn commit(&self) -> Result<()> {
        self.execute("COMMIT").inspect_err(|_| self.roll_back())
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "the database did not roll back");
        }
    }

    fn execute(&self, sql: &str) -> Result<()> {
        let run = || self.connection.prepare_cached(sql)?.execute([]);
        run().map(drop).map_err(|error| self.explain(error.into()))
    }

    /// SQLite reports some failures on a full disk as mere input/output errors.
    fn explain(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unavailable(_) if self.disk_is_full() => StoreError::DiskFull,
            other => other,
        }
    }

    fn disk_is_full(&self) -> bool {
        const LITTLE: u64 = 256 * 1024;
        rustix::fs::statvfs(&self.path).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LITTLE)
    }

    /// Moves the log into the database now and then: here rather than within a commit, whose caller would wait for it.
    fn checkpoint(&mut self) {
        let changed = self.connection.total_changes();
        if changed - self.checkpointed < CHECKPOINT_AFTER {
            return;
        }
        self.checkpointed = changed;
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the database's log could not be checkpointed; it grows until it can");
        }
    }
}
