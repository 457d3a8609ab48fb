//! Whose the files of a job are, and how much they take.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, chownat, fchown, fstat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::FileError;
use super::beneath::size_of;
use super::job_dirs::is_root;
use super::walk::{Here, Visit, passes, walk};

/// Gives all of it to its owner, and answers its size. Files that vanish or are swapped meanwhile are passed over; a
/// tree that is moved away under the walk ends it early, which costs its owner the count of the rest and nobody
/// anything else.
pub(super) fn settle(task: &Path, (uid, gid): (u32, u32)) -> Result<u64, FileError> {
    let owner = Owner { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), may_give: is_root() };
    let mut settling = Settling { owner, count: Count::default() };
    if let Some(top) = top(task)? {
        walk(top, &mut settling)?;
    }
    Ok(settling.count.bytes)
}

/// The size alone: of a job that runs, whose files are not ours to touch.
pub(super) fn measure(task: &Path) -> Result<u64, FileError> {
    top(task)?.map_or(Ok(0), measure_tree)
}

pub(super) fn measure_tree(top: OwnedFd) -> Result<u64, FileError> {
    let mut count = Count::default();
    walk(top, &mut count)?;
    Ok(count.bytes)
}

fn top(task: &Path) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, task, flags, Mode::empty()) {
        Ok(top) => Ok(Some(top)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Sizes of files, each once.
#[derive(Default)]
struct Count {
    bytes: u64,
    /// Files seen that have several names.
    linked: HashSet<(u64, u64)>,
}

impl Visit for Count {
    fn directory(&mut self, _: &Here<'_>, _: &Stat) -> Result<(), FileError> {
        Ok(())
    }

    fn entry(&mut self, _: &Here<'_>, _: &CStr, stat: &Stat) -> Result<(), FileError> {
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_file && (stat.st_nlink == 1 || self.linked.insert((stat.st_dev, stat.st_ino))) {
            self.bytes = self.bytes.saturating_add(size_of(stat));
        }
        Ok(())
    }
}

struct Settling {
    owner: Owner,
    count: Count,
}

impl Visit for Settling {
    fn directory(&mut self, here: &Here<'_>, stat: &Stat) -> Result<(), FileError> {
        Ok(self.owner.take_directory(here.fd, stat)?)
    }

    fn entry(&mut self, here: &Here<'_>, name: &CStr, stat: &Stat) -> Result<(), FileError> {
        self.count.entry(here, name, stat)?;
        Ok(self.owner.take_file(here.fd, name, stat)?)
    }
}

struct Owner {
    uid: Uid,
    gid: Gid,
    may_give: bool,
}

impl Owner {
    fn take_directory(&self, fd: impl AsFd, stat: &Stat) -> Result<(), Errno> {
        if self.may_give && stat.st_uid != self.uid.as_raw() {
            fchown(fd, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }

    /// Gives a file to its owner, by a handle on the very file that was looked at.
    ///
    /// Not one with several names: a hard link to somebody's file (root's /etc/shadow) would give that away. Nor a
    /// device, which is more than a file.
    fn take_file(&self, dir: BorrowedFd<'_>, name: &CStr, seen: &Stat) -> Result<(), Errno> {
        if !self.may_give || seen.st_uid == self.uid.as_raw() {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match openat(dir, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(errno) if passes(errno) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        let stat = fstat(&fd)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let refused = matches!(kind, FileType::Directory | FileType::BlockDevice | FileType::CharacterDevice);
        if refused || stat.st_nlink > 1 || stat.st_dev != seen.st_dev {
            return Ok(());
        }
        chownat(&fd, c"", Some(self.uid), Some(self.gid), AtFlags::EMPTY_PATH)
    }
}
