//! Where job directories are, and their making, settling and removal.

use std::path::PathBuf;

use super::{FileError, JobDirectory};
use crate::domain::{Job, JobId};

/// All job directories of a site. Cheap to clone. Its async methods do their work on a blocking thread.
#[derive(Debug, Clone)]
pub struct JobDirs {
    shared_dir: PathBuf,
}

/// A job directory made ready for a launch.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// `<shared_dir>/tasks/pairtree_root/<pairs>/task`, the user's.
    pub directory: PathBuf,
    /// `<shared_dir>/tasks/pairtree_root/<pairs>/.god`, root's.
    pub private_directory: PathBuf,
}

impl JobDirs {
    pub fn new(shared_dir: PathBuf) -> Self {
        JobDirs { shared_dir }
    }

    pub fn directory_of(&self, _id: JobId) -> PathBuf {
        self.shared_dir.clone()
    }

    /// Makes the job directory, writes cmd.sh (0755) and gives both to the job's uid and gid. Idempotent. Keeps what an
    /// earlier attempt left, but for cmd.sh.
    pub async fn prepare(&self, _job: &Job) -> Result<Prepared, FileError> {
        Err(FileError::NotFound)
    }

    pub async fn open(&self, _id: JobId) -> Result<JobDirectory, FileError> {
        Err(FileError::NotFound)
    }

    /// After the end of a job: gives what lies in its directory to its owner (not following links; what is hard linked
    /// elsewhere stays as it is), and answers the bytes it takes.
    pub async fn settle(&self, _job: &Job) -> Result<u64, FileError> {
        Err(FileError::NotFound)
    }

    /// Deletes the job directory, following no link. Idempotent.
    pub async fn remove(&self, _id: JobId) -> Result<(), FileError> {
        Err(FileError::NotFound)
    }
}
