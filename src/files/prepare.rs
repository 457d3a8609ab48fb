//! Making a job directory ready for a launch. On the path of every job: few system calls, and none that waits for the
//! disk, since all of it is made again from the store when a machine dies.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, fchown, fstat, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::job_dirs::{PRIVATE, Place, Prepared, TASK, is_root};
use super::{FileError, remove};
use crate::domain::JobSpec;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const TRAVERSABLE: Mode = Mode::from_raw_mode(0o755);
const OURS_ALONE: Mode = Mode::from_raw_mode(0o700);
const SCRIPT: &str = "cmd.sh";

/// How often somebody may get in between before that is an error.
const TRIES: u32 = 16;

/// Two that prepare the same job do not write into each other's draft.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

pub(super) fn prepare(place: &Place, owner: (u32, u32), spec: &JobSpec) -> Result<Prepared, FileError> {
    for _ in 1..TRIES {
        match prepare_once(place, owner, spec) {
            // The removal of another job took a directory that was empty just then.
            Err(FileError::NotFound) => {}
            answer => return answer,
        }
    }
    prepare_once(place, owner, spec)
}

fn prepare_once(place: &Place, owner: (u32, u32), spec: &JobSpec) -> Result<Prepared, FileError> {
    let path = place.path();
    let place = make_place(&path)?;
    make(place.as_fd(), PRIVATE, OURS_ALONE)?;
    let task = make_task(place.as_fd(), owner, spec.root)?;
    write_script(place.as_fd(), task.as_fd(), owner, spec.script.as_bytes())?;
    Ok(Prepared { directory: path.join(TASK), private_directory: path.join(PRIVATE) })
}

/// The directory that holds `task` and `.god`. Above it all is root's, so its path can be trusted.
pub(super) fn make_place(path: &Path) -> Result<OwnedFd, FileError> {
    let made = match mkdirat(CWD, path, TRAVERSABLE) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(Errno::NOENT) => {
            let above = path.parent().ok_or(FileError::NotFound)?;
            make_place(above)?;
            make(CWD, path, TRAVERSABLE)?
        }
        Err(errno) => return Err(errno.into()),
    };
    let fd = openat(CWD, path, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?;
    if made {
        // Whatever the umask said.
        fchmod(&fd, TRAVERSABLE)?;
    }
    Ok(fd)
}

/// The job directory, its owner's. It lies in a directory of root's: nobody else can have put something in its place.
/// `may_give`: the job is root in its container, and may have given its directory to anybody.
fn make_task(place: BorrowedFd<'_>, owner: (u32, u32), may_give: bool) -> Result<OwnedFd, FileError> {
    let made = make(place, TASK, OURS_ALONE)?;
    let task = openat(place, TASK, DIRECTORY, Mode::empty())?;
    let uid = fstat(&task)?.st_uid;
    if !made && is_root() && !may_give && ![0, owner.0].contains(&uid) {
        return Err(FileError::AnothersDirectory { uid });
    }
    if made || uid != owner.0 {
        give(task.as_fd(), owner)?;
    }
    Ok(task)
}

/// Puts the script in place in one step. It is written in `.god`, where the user cannot interfere, and renamed over
/// whatever the user left under its name: a link or FIFO is replaced, never opened.
fn write_script(
    place: BorrowedFd<'_>,
    task: BorrowedFd<'_>,
    owner: (u32, u32),
    script: &[u8],
) -> Result<(), FileError> {
    let draft = format!("{PRIVATE}/{SCRIPT}.{}.{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written = openat(place, &draft, flags, OURS_ALONE).map_err(FileError::from).and_then(|fd| {
        let mut file = File::from(fd);
        file.write_all(script)?;
        give(file.as_fd(), owner)?;
        fchmod(&file, TRAVERSABLE)?;
        drop(file);
        move_over(place, &draft, task)
    });
    if written.is_err() {
        // Best effort: what is left goes with the job.
        let _ = unlinkat(place, &draft, AtFlags::empty());
    }
    written
}

fn move_over(place: BorrowedFd<'_>, draft: &str, task: BorrowedFd<'_>) -> Result<(), FileError> {
    for _ in 1..TRIES {
        match renameat(place, draft, task, SCRIPT) {
            // A directory of that name: the user's doing, and in the way.
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => remove::delete_tree(task, SCRIPT)?,
            answer => return Ok(answer?),
        }
    }
    Ok(renameat(place, draft, task, SCRIPT)?)
}

/// True when it was not there before.
fn make(parent: impl AsFd, name: impl rustix::path::Arg, mode: Mode) -> Result<bool, FileError> {
    match mkdirat(parent, name, mode) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn give(fd: BorrowedFd<'_>, (uid, gid): (u32, u32)) -> Result<(), FileError> {
    if is_root() {
        fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    Ok(())
}
