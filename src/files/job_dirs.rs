//! Where job directories are, and their making, settling and removal.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::numbered::Numbered;
use super::{FileError, JobDirectory, UploadSpaces, prepare, remove, settle};
use crate::domain::{Job, JobId};

pub(super) const TASK: &str = "task";
pub(super) const PRIVATE: &str = ".god";

/// All job directories of a site. Cheap to clone. Its async methods do their work on a blocking thread.
#[derive(Debug, Clone)]
pub struct JobDirs {
    shared_dir: Arc<PathBuf>,
    numbered: Arc<Numbered>,
    uploads: UploadSpaces,
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
        JobDirs {
            uploads: UploadSpaces::new(&shared_dir),
            numbered: Arc::new(Numbered::new(&shared_dir)),
            shared_dir: Arc::new(shared_dir),
        }
    }

    /// With a quota for the uploads of users who have none of their own; 0 is no limit.
    pub fn with_upload_quota(self, bytes: u64) -> Self {
        JobDirs { uploads: self.uploads.with_quota(bytes), ..self }
    }

    /// What users upload lies beside the job directories.
    pub fn uploads(&self) -> &UploadSpaces {
        &self.uploads
    }

    pub fn directory_of(&self, id: JobId) -> PathBuf {
        self.place_of(id).path().join(TASK)
    }

    /// Makes the job directory, writes cmd.sh (0755) and gives both to the job's uid and gid. Idempotent. Keeps what an
    /// earlier attempt left, but for cmd.sh. A new job directory is its owner's alone (0700); one that exists keeps the
    /// mode its owner gave it. One that is another user's is refused: it is not this job's.
    pub async fn prepare(&self, job: &Job) -> Result<Prepared, FileError> {
        let place = self.place_of(job.id);
        let owner = (job.owner.uid, job.owner.gid);
        let (id, spec, numbered) = (job.id, Arc::clone(&job.spec), Arc::clone(&self.numbered));
        blocking(move || {
            numbered.note(id)?;
            prepare::prepare(&place, owner, &spec)
        })
        .await
    }

    /// A number beyond `given` that no job directory lies behind, where there are some beyond it.
    pub async fn last_beyond(&self, given: JobId) -> Result<Option<JobId>, FileError> {
        let dirs = self.clone();
        blocking(move || dirs.numbered.last_beyond(given, |id| dirs.place_of(id).path())).await
    }

    pub async fn open(&self, id: JobId) -> Result<JobDirectory, FileError> {
        let path = self.directory_of(id);
        blocking(move || {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = openat(CWD, &path, flags, Mode::empty())?;
            Ok(JobDirectory { fd: Arc::new(fd) })
        })
        .await
    }

    /// After the end of a job: gives what lies in its directory to its owner (not following links; what is hard linked
    /// elsewhere stays as it is), and answers the bytes it takes: the sizes of its files, each once. A directory that
    /// does not exist takes none.
    pub async fn settle(&self, job: &Job) -> Result<u64, FileError> {
        let path = self.directory_of(job.id);
        let owner = (job.owner.uid, job.owner.gid);
        blocking(move || settle::settle(&path, owner)).await
    }

    /// The bytes that the directory of a running job takes by now; nothing is touched.
    pub async fn measure(&self, id: JobId) -> Result<u64, FileError> {
        let path = self.directory_of(id);
        blocking(move || settle::measure(&path)).await
    }

    /// The exit code that the attempt's wrapper wrote to god.exit as its last; `None` when it did not come so far. Its
    /// user can write there too, and deceives nobody by it but themselves.
    pub async fn exit_said(&self, id: JobId) -> Option<i32> {
        let directory = self.open(id).await.ok()?;
        let read = blocking(move || {
            let mut text = String::new();
            directory.open_file("god.exit")?.file.take(16).read_to_string(&mut text)?;
            Ok(text)
        });
        read.await.ok()?.trim().parse().ok().filter(|code| (0..=255).contains(code))
    }

    /// Deletes the job directory, following no link, and what was kept beside it. Idempotent.
    pub async fn remove(&self, id: JobId) -> Result<(), FileError> {
        let place = self.place_of(id);
        blocking(move || remove::remove(&place)).await
    }

    fn place_of(&self, id: JobId) -> Place {
        Place { root: self.shared_dir.join("tasks/pairtree_root"), pairs: pairs(id) }
    }
}

/// Where a job's directories lie. Root's, with everything above it.
pub(super) struct Place {
    /// `<shared_dir>/tasks/pairtree_root`.
    pub root: PathBuf,
    /// `12/34`.
    pub pairs: String,
}

impl Place {
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.pairs)
    }
}

/// The digits of an id, two by two: `12/34` for 1234, `12/3` for 123.
fn pairs(id: JobId) -> String {
    let digits = id.to_string();
    let mut pairs = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 2 == 0 {
            pairs.push('/');
        }
        pairs.push(digit);
    }
    pairs
}

/// Owners change only when we may change them.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) async fn blocking<T, F>(work: F) -> Result<T, FileError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, FileError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(FileError::Io(std::io::Error::other("the program is ending"))),
        },
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_job_lies_under_the_digits_of_its_id_two_by_two() {
        let dirs = JobDirs::new("/shared".into());
        let at = |id| dirs.directory_of(JobId(id)).display().to_string();
        assert_eq!(at(1234), "/shared/tasks/pairtree_root/12/34/task");
        assert_eq!(at(123), "/shared/tasks/pairtree_root/12/3/task");
        assert_eq!(at(1), "/shared/tasks/pairtree_root/1/task");
    }
}
