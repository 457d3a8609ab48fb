//! After a job: whose its files are, and how much they take.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, chownat, fchown, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::FileError;
use super::beneath::{each_name, size_of};
use super::cursor::{Cursor, Up};
use super::job_dirs::is_root;

/// Walks the job directory. Files that vanish or are swapped meanwhile are passed over; a tree that is moved away under
/// the walk ends it early, which costs its owner the count of the rest and nobody anything else.
pub(super) fn settle(task: &Path, (uid, gid): (u32, u32)) -> Result<u64, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = match openat(CWD, task, flags, Mode::empty()) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(errno.into()),
    };
    let owner = Owner { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), may_give: is_root() };
    owner.take_directory(&top, &fstat(&top)?)?;
    let mut cursor = Cursor::at(top)?;
    let mut count = Count::default();
    settle_here(&mut cursor, &owner, &mut count)?;
    loop {
        if let Some(name) = cursor.next_pending() {
            match cursor.down(name) {
                Ok(stat) => {
                    owner.take_directory(cursor.here(), &stat)?;
                    settle_here(&mut cursor, &owner, &mut count)?;
                }
                Err(errno) if passes(errno) => {}
                Err(errno) => return Err(errno.into()),
            }
        } else if let Up::Top | Up::Lost = cursor.up()? {
            return Ok(count.bytes);
        }
    }
}

/// What is in the cursor's directory, but for its directories: they are left for later.
fn settle_here(cursor: &mut Cursor, owner: &Owner, count: &mut Count) -> Result<(), FileError> {
    let mut directories = Vec::new();
    each_name(cursor.here(), |name| {
        let stat = match statat(cursor.here(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(errno) if passes(errno) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            directories.push(name.to_owned());
            return Ok(());
        }
        count.add(&stat);
        owner.take_file(cursor.here(), name, &stat)
    })?;
    cursor.visit_later(directories);
    Ok(())
}

/// Gone, or no longer a directory, another file system, or (unprivileged) closed to us.
fn passes(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ACCESS)
}

#[derive(Default)]
struct Count {
    bytes: u64,
    /// Files seen that have several names.
    linked: HashSet<(u64, u64)>,
}

impl Count {
    fn add(&mut self, stat: &Stat) {
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_file && (stat.st_nlink == 1 || self.linked.insert((stat.st_dev, stat.st_ino))) {
            self.bytes = self.bytes.saturating_add(size_of(stat));
        }
    }
}

struct Owner {
    uid: Uid,
    gid: Gid,
    may_give: bool,
}

impl Owner {
    fn take_directory(&self, fd: impl std::os::fd::AsFd, stat: &Stat) -> Result<(), Errno> {
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
