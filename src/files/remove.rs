//! Deleting job directories.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::beneath::each_name;
use super::cursor::{Cursor, Up};
use super::job_dirs::{PRIVATE, Place, TASK, is_root};
use super::{FileError, PathFault};

/// How often a tree may change under its deletion before that is an error.
const TRIES: u32 = 64;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// First moves the job directory into `.god`, where no path leads its user any more, then deletes that.
pub(super) fn remove(place: &Place) -> Result<(), FileError> {
    let path = place.path();
    match openat(CWD, &path, DIRECTORY, Mode::empty()) {
        Ok(dir) => {
            hide(dir.as_fd())?;
            delete_tree(dir.as_fd(), PRIVATE)?;
        }
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    prune(&place.root, &place.pairs)
}

fn hide(dir: BorrowedFd<'_>) -> Result<(), FileError> {
    make_writable(dir, c"task");
    for _ in 0..TRIES {
        match renameat(dir, TASK, dir, format!("{PRIVATE}/{TASK}")) {
            Ok(()) => return Ok(()),
            // An earlier removal was cut short here.
            Err(Errno::NOTEMPTY | Errno::EXIST) => delete_tree(dir, PRIVATE)?,
            Err(Errno::NOENT) => {
                if !exists(dir, TASK)? {
                    return Ok(());
                }
                match mkdirat(dir, PRIVATE, Mode::from_raw_mode(0o700)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::BUSY.into())
}

fn exists(dir: BorrowedFd<'_>, name: &str) -> Result<bool, FileError> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Takes away the directories of pairs that are empty now: `12/34`, then `12`. Others may be making theirs in them;
/// `prepare` starts over when it finds one gone.
fn prune(root: &Path, pairs: &str) -> Result<(), FileError> {
    let mut pairs = Some(pairs);
    while let Some(path) = pairs {
        match unlinkat(CWD, root.join(path), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
        pairs = path.rsplit_once('/').map(|(above, _)| above);
    }
    Ok(())
}

/// Deletes a directory and all that is in it. Links are deleted, not followed; another file system mounted in it is an
/// error. When somebody changes the tree meanwhile it starts over, a limited number of times.
pub(super) fn delete_tree(parent: BorrowedFd<'_>, name: &str) -> Result<(), FileError> {
    let name = CString::new(name).map_err(|_| FileError::InvalidPath(PathFault::Nul))?;
    let mut last = Errno::BUSY;
    for _ in 0..TRIES {
        match delete_once(parent, &name) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(errno @ (Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::LOOP | Errno::ISDIR)) => last = errno,
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(FileError::Io(last.into()))
}

/// False when the tree was changed so that the way back was lost.
fn delete_once(parent: BorrowedFd<'_>, name: &CStr) -> Result<bool, Errno> {
    let top = match open_for_deletion(parent, name) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(true),
        // A link or file by now.
        Err(Errno::NOTDIR | Errno::LOOP) => return unlink(parent, name, AtFlags::empty()).map(|()| true),
        Err(errno) => return Err(errno),
    };
    let mut cursor = Cursor::at(top)?;
    empty_here(&mut cursor)?;
    loop {
        if let Some(name) = cursor.next_pending() {
            make_writable(cursor.here(), &name);
            match cursor.down(name.clone()) {
                Ok(_) => empty_here(&mut cursor)?,
                Err(Errno::NOENT) => {}
                Err(Errno::NOTDIR | Errno::LOOP) => unlink(cursor.here(), &name, AtFlags::empty())?,
                Err(errno) => return Err(errno),
            }
            continue;
        }
        match cursor.up()? {
            Up::From(name) => unlink(cursor.here(), &name, AtFlags::REMOVEDIR)?,
            Up::Top => break,
            Up::Lost => return Ok(false),
        }
    }
    unlink(parent, name, AtFlags::REMOVEDIR)?;
    Ok(true)
}

/// Unlinks what is in the cursor's directory, but for its directories: they are left for later.
fn empty_here(cursor: &mut Cursor) -> Result<(), Errno> {
    let mut directories = Vec::new();
    each_name(cursor.here(), |name| match unlinkat(cursor.here(), name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => {
            directories.push(name.to_owned());
            Ok(())
        }
        Err(errno) => Err(errno),
    })?;
    cursor.visit_later(directories);
    Ok(())
}

fn open_for_deletion(parent: BorrowedFd<'_>, name: &CStr) -> Result<std::os::fd::OwnedFd, Errno> {
    make_writable(parent, name);
    openat(parent, name, DIRECTORY, Mode::empty())
}

/// Root needs no permission. Anybody else deletes from their own read only directories after making them writable;
/// whether that worked shows when it is used.
fn make_writable(parent: BorrowedFd<'_>, name: &CStr) {
    if !is_root() {
        let _ = chmodat(parent, name, Mode::from_raw_mode(0o700), AtFlags::empty());
    }
}

fn unlink(dir: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> Result<(), Errno> {
    match unlinkat(dir, name, flags) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}
