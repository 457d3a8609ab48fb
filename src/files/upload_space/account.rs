//! What is used of a quota, while it is being used.
//!
//! The truth is the file system. A figure of it is kept while it is young ([`YOUNG`]) and counted on with what this process
//! writes and deletes, so that nothing is written beyond the quota, however many transfers of this process write at
//! once: every piece is admitted before it is written, and measuring waits for pieces on their way. Of another
//! process's transfers is known what they had written at the last measure: two processes together can go beyond by
//! what the other writes within [`YOUNG`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use super::FileError;

/// How old a figure may be that is counted on from.
const YOUNG: Duration = Duration::from_secs(5);
/// Before anything is refused it is measured anew, unless that was just done.
const JUST: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Account {
    used: AtomicU64,
    /// When `used` was last measured.
    measured: Mutex<Option<Instant>>,
    /// Shared by those who write, taken whole by who measures.
    writing: RwLock<()>,
}

impl Account {
    /// Admits `bytes` and writes them, or does neither.
    pub fn write(
        &self,
        quota: u64,
        bytes: u64,
        measure: impl Fn() -> Result<u64, FileError>,
        write: impl FnOnce() -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        self.check(quota, bytes, measure)?;
        let _writing = self.writing.read().expect("no holder of this lock panics");
        let take = |used: u64| used.checked_add(bytes).filter(|sum| quota == 0 || *sum <= quota);
        if let Err(used) = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            return Err(FileError::OverQuota { used, quota });
        }
        write().inspect_err(|_| self.give_back(bytes))
    }

    /// # Errors
    /// [`FileError::OverQuota`] when so many bytes more do not fit.
    pub fn check(&self, quota: u64, bytes: u64, measure: impl Fn() -> Result<u64, FileError>) -> Result<(), FileError> {
        if quota == 0 {
            return Ok(());
        }
        let fits = |used: u64| used.checked_add(bytes).is_some_and(|sum| sum <= quota);
        if fits(self.used(YOUNG, &measure)?) {
            return Ok(());
        }
        let used = self.used(JUST, &measure)?;
        if fits(used) { Ok(()) } else { Err(FileError::OverQuota { used, quota }) }
    }

    /// What is used, by a measure that is not older than `age`.
    pub fn used(&self, age: Duration, measure: impl Fn() -> Result<u64, FileError>) -> Result<u64, FileError> {
        let mut measured = self.measured.lock().expect("no holder of this lock panics");
        if measured.is_none_or(|at| at.elapsed() > age) {
            let _alone = self.writing.write().expect("no holder of this lock panics");
            self.used.store(measure()?, Ordering::SeqCst);
            *measured = Some(Instant::now());
        }
        Ok(self.used.load(Ordering::SeqCst))
    }

    pub fn give_back(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).ok();
    }

    /// The figure is worth nothing any more.
    pub fn forget(&self) {
        *self.measured.lock().expect("no holder of this lock panics") = None;
    }
}
