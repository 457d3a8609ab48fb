//! A handle on a job directory that cannot be left.

use std::sync::Arc;

use super::FileError;
use crate::domain::Timestamp;

/// An open job directory. Cheap to clone. Its methods block; call them where blocking is fine.
#[derive(Debug, Clone)]
pub struct JobDirectory {
    pub(super) fd: Arc<std::os::fd::OwnedFd>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Dir,
    File,
    Link,
    Other,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub kind: EntryKind,
    pub size: u64,
    pub modified: Timestamp,
}

/// A regular file, opened for reading.
#[derive(Debug)]
pub struct OpenedFile {
    pub file: std::fs::File,
    pub size: u64,
    pub modified: Timestamp,
}

impl JobDirectory {
    /// The entries of a directory beneath, by name. `path` is relative, `""` is the job directory.
    pub fn list(&self, _path: &str) -> Result<Vec<Entry>, FileError> {
        Err(FileError::NotFound)
    }

    /// Opens a regular file beneath. Never blocks on a FIFO, never follows a link out.
    pub fn open_file(&self, _path: &str) -> Result<OpenedFile, FileError> {
        Err(FileError::NotFound)
    }
}
