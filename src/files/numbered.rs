//! Which job numbers have had directories, by thousands: `<shared_dir>/tasks/.numbered/<thousand>`, an empty directory each.
//! It is what a database that was restored from a backup does not know any more.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, statat};
use rustix::io::Errno;

use super::{FileError, prepare};
use crate::domain::JobId;

const THOUSAND: u64 = 1000;
const NONE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Numbered {
    dir: PathBuf,
    /// The thousand that was noted last; most jobs are of the same one.
    last: AtomicU64,
}

impl Numbered {
    pub fn new(shared_dir: &Path) -> Self {
        Numbered { dir: shared_dir.join("tasks/.numbered"), last: AtomicU64::new(NONE) }
    }

    /// Before the job's directory is made.
    pub fn note(&self, id: JobId) -> Result<(), FileError> {
        let thousand = id.0 / THOUSAND;
        if self.last.load(Ordering::Relaxed) != thousand {
            drop(prepare::make_place(&self.dir.join(thousand.to_string()))?);
            self.last.store(thousand, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A number beyond `given` that no directory lies behind, if any does; `place` is where that of a number would be.
    /// Of the last thousand that is partly known each is looked at; one that is not known at all is passed over whole.
    pub fn last_beyond(&self, given: JobId, place: impl Fn(JobId) -> PathBuf) -> Result<Option<JobId>, FileError> {
        let Some(thousand) = self.highest()? else { return Ok(None) };
        let (first, last) = (thousand * THOUSAND, thousand * THOUSAND + THOUSAND - 1);
        if first > given.0 {
            return Ok(Some(JobId(last)));
        }
        for id in (given.0 + 1..=last).rev().map(JobId) {
            match statat(CWD, place(id), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => return Ok(Some(id)),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(None)
    }

    fn highest(&self) -> Result<Option<u64>, FileError> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut highest = None;
        for entry in entries {
            highest = highest.max(entry?.file_name().to_str().and_then(|name| name.parse().ok()));
        }
        Ok(highest)
    }
}
