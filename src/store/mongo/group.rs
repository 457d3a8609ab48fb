//! Commits that come while one is on its way go together in the next.
//!
//! A transaction that waits for a majority and its disks takes its time however much is in it; and two of one process
//! would meet at the same rows of the ledger, and begin anew.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::commit::Commit;
use super::sessions::Sessions;
use crate::store::{Applied, Change, Result, StoreError};

/// Changes in one transaction, but for a caller who brings more.
const MOST: usize = 1_000;

struct Waiting {
    changes: Vec<Change>,
    answer: oneshot::Sender<Result<Vec<Applied>>>,
}

pub struct Group {
    sessions: Arc<Sessions>,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Group {
    pub fn new(sessions: Arc<Sessions>) -> Arc<Self> {
        Arc::new(Group { sessions, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    pub async fn commit(self: &Arc<Self>, changes: Vec<Change>) -> Result<Vec<Applied>> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().expect("no holder of this lock panics").push(Waiting { changes, answer });
        // In a task of its own: who leads a group does not take the others' changes along when it is dropped.
        tokio::spawn(Arc::clone(self).commit_those_waiting());
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("a commit was not answered".into())))
    }

    /// For each that came there is one turn, whoever had it committed.
    async fn commit_those_waiting(self: Arc<Self>) {
        let _turn = self.turn.lock().await;
        let group = self.take();
        match self.together(&group).await {
            // One of them may be at fault: each for itself.
            Err(StoreError::Corrupt { .. }) if group.len() > 1 => {
                for one in group {
                    let committed = self.together(std::slice::from_ref(&one)).await;
                    // The caller may have stopped waiting.
                    let _ = one.answer.send(committed);
                }
            }
            committed => tell(group, committed),
        }
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let mut sum = 0;
        let fits = waiting.iter().take_while(|one| {
            sum += one.changes.len();
            sum <= MOST
        });
        let count = fits.count().max(1).min(waiting.len());
        waiting.drain(..count).collect()
    }

    async fn together(&self, group: &[Waiting]) -> Result<Vec<Applied>> {
        let changes: Vec<Change> = group.iter().flat_map(|one| one.changes.iter().cloned()).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let commit = Commit { fence: None, changes };
        Ok(self.sessions.transact(&commit).await?.unwrap_or_default())
    }
}

/// To each its part.
fn tell(group: Vec<Waiting>, committed: Result<Vec<Applied>>) {
    let mut committed = committed.map(Vec::into_iter);
    for one in group {
        let count = one.changes.len();
        let part = committed.as_mut().map(|applied| applied.by_ref().take(count).collect());
        let _ = one.answer.send(part.map_err(|error| error.clone()));
    }
}
