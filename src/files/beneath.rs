//! A handle on a job directory that cannot be left.

use std::ffi::CStr;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat, fstat, openat, openat2, statat};
use rustix::io::Errno;

use super::pack::Tree;
use super::{FileError, PathFault};
use crate::domain::Timestamp;

/// openat2 gives up (EAGAIN) when something is renamed meanwhile; somebody who renames without end gets the error.
const TRIES: u32 = 16;

/// An open job directory. Cheap to clone. Its methods block; call them where blocking is fine.
#[derive(Debug, Clone)]
pub struct JobDirectory {
    pub(super) fd: Arc<OwnedFd>,
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
    /// As text: what is not UTF-8 in it is replaced.
    pub name: String,
    pub kind: EntryKind,
    pub size: u64,
    pub modified: Timestamp,
}

/// A regular file, opened for reading.
#[derive(Debug)]
pub struct OpenedFile {
    pub file: File,
    pub size: u64,
    pub modified: Timestamp,
}

impl JobDirectory {
    /// The entries of a directory beneath, by name. `path` is relative, `""` is the job directory. A path to something
    /// else than a directory is [`FileError::NotFound`].
    pub fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        entries(open_beneath(&*self.fd, checked(path)?, OFlags::RDONLY | OFlags::DIRECTORY)?.as_fd())
    }

    /// A directory beneath with all that is in it, to be packed. [`FileError::NotFound`] for anything else.
    pub fn tree(&self, path: &str) -> Result<Tree, FileError> {
        let top = open_beneath(&*self.fd, checked(path)?, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Tree { top, owner: fstat(&*self.fd)?.st_uid })
    }

    /// Opens a regular file beneath. Never blocks on a FIFO, never follows a link out. A hard link to somebody else's
    /// file is [`FileError::Outside`] too: the user may not be able to read what we can.
    pub fn open_file(&self, path: &str) -> Result<OpenedFile, FileError> {
        let path = checked(path)?;
        // Looked at before it is opened: opening a device can be a deed.
        regular(&open_beneath(&*self.fd, path, OFlags::PATH)?)?;
        let fd = open_beneath(&*self.fd, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        opened(fd, fstat(&*self.fd)?.st_uid)
    }
}

/// What is in an open directory, by name.
pub(super) fn entries(dir: BorrowedFd<'_>) -> Result<Vec<Entry>, FileError> {
    let mut entries = Vec::new();
    each_name(dir, |name| {
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => entries.push(entry(name, &stat)),
            // Deleted since it was read.
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        Ok(())
    })?;
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// A regular file as it was opened in the directory of `owner`.
pub(super) fn opened(fd: OwnedFd, owner: u32) -> Result<OpenedFile, FileError> {
    let stat = regular(&fd)?;
    if stat.st_nlink > 1 && stat.st_uid != owner {
        return Err(FileError::Outside);
    }
    Ok(OpenedFile { file: File::from(fd), size: size_of(&stat), modified: modified(&stat) })
}

fn regular(fd: &OwnedFd) -> Result<Stat, FileError> {
    let stat = fstat(fd)?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if is_file { Ok(stat) } else { Err(FileError::NotAFile) }
}

/// A path as it may be given to [`open_beneath`]: relative, without `..`, `.` for nothing.
pub(super) fn checked(path: &str) -> Result<&str, FileError> {
    if path.contains('\0') {
        return Err(FileError::InvalidPath(PathFault::Nul));
    }
    if path.starts_with('/') {
        return Err(FileError::InvalidPath(PathFault::Absolute));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(".");
    }
    for component in path.split('/') {
        match component {
            "" => return Err(FileError::InvalidPath(PathFault::EmptyName)),
            // Refused even where it would stay inside: nobody needs it.
            ".." => return Err(FileError::Outside),
            _ => {}
        }
    }
    Ok(path)
}

/// Opens what lies beneath `dir`. Links that stay beneath it are followed where the kernel has openat2, else none are.
pub(super) fn open_beneath(dir: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, FileError> {
    open_resolving(dir, path, flags, ResolveFlags::NO_MAGICLINKS)
}

/// The same, and no link is followed, wherever it leads.
pub(super) fn open_linkless(dir: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, FileError> {
    open_resolving(dir, path, flags | OFlags::NOFOLLOW, ResolveFlags::NO_SYMLINKS)
}

fn open_resolving(dir: impl AsFd, path: &str, flags: OFlags, links: ResolveFlags) -> Result<OwnedFd, FileError> {
    let flags = flags | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | links;
    for _ in 0..TRIES {
        match openat2(&dir, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) if lacks_openat2(errno) => return open_by_steps(dir.as_fd(), path, flags),
            answer => return Ok(answer?),
        }
    }
    Err(Errno::AGAIN.into())
}

/// A kernel before 5.6 says NOSYS, an old seccomp profile PERM; opening for reading has no other reason to say either.
pub(super) fn lacks_openat2(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::PERM)
}

/// What openat2 does, one component at a time and without following any link.
pub(super) fn open_by_steps(dir: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, FileError> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut reached: Option<OwnedFd> = None;
    for component in folder.split('/').filter(|component| !component.is_empty()) {
        let from = reached.as_ref().map_or(dir, AsFd::as_fd);
        reached = Some(openat(from, component, step, Mode::empty())?);
    }
    let from = reached.as_ref().map_or(dir, AsFd::as_fd);
    Ok(openat(from, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

/// Calls `visit` with every name in an open directory, but `.` and `..`. Moves the handle's position.
pub(super) fn each_name<E: From<Errno>>(
    dir: BorrowedFd<'_>,
    mut visit: impl FnMut(&CStr) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = [const { MaybeUninit::uninit() }; 8192];
    let mut names = RawDir::new(dir, &mut buffer);
    while let Some(read) = names.next() {
        let read = read?;
        let name = read.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            visit(name)?;
        }
    }
    Ok(())
}

pub(super) fn entry(name: &CStr, stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => EntryKind::Dir,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    };
    Entry { name: name.to_string_lossy().into_owned(), kind, size: size_of(stat), modified: modified(stat) }
}

pub(super) fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// Users set this time to anything.
fn modified(stat: &Stat) -> Timestamp {
    let millis = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
    Timestamp(stat.st_mtime.saturating_mul(1000).saturating_add(millis))
}
