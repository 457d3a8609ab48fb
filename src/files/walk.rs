//! A whole tree, entry by entry, while its owner may be changing it.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};
use rustix::io::Errno;

use super::FileError;
use super::beneath::each_name;
use super::cursor::{Cursor, Up};

/// The directory the walk is in.
pub(super) struct Here<'a> {
    pub fd: BorrowedFd<'a>,
    /// From the top, which is empty; without a slash at the end.
    pub path: &'a [u8],
}

/// What is done with each entry. Nothing it is told of is opened yet: whoever opens it looks again.
pub(super) trait Visit {
    /// A directory, before what is in it; `here` is itself.
    fn directory(&mut self, here: &Here<'_>, stat: &Stat) -> Result<(), FileError>;

    /// Anything else in `here`.
    fn entry(&mut self, here: &Here<'_>, name: &CStr, stat: &Stat) -> Result<(), FileError>;

    /// A directory of `here` that cannot be gone into: swapped, another file system, closed to us.
    fn passed(&mut self, _here: &Here<'_>, _name: &CStr) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    All,
    /// The tree was moved away under the walk, which ended there.
    Cut,
}

/// Follows no link and stays on the file system of `top`. What vanishes meanwhile is passed over.
pub(super) fn walk(top: OwnedFd, visitor: &mut impl Visit) -> Result<Walked, FileError> {
    let stat = fstat(&top)?;
    let mut cursor = Cursor::at(top)?;
    let mut path = Vec::new();
    look_here(&mut cursor, &path, &stat, visitor)?;
    loop {
        if let Some(name) = cursor.next_pending() {
            match cursor.down(name.clone()) {
                Ok(stat) => {
                    if !path.is_empty() {
                        path.push(b'/');
                    }
                    path.extend_from_slice(name.to_bytes());
                    look_here(&mut cursor, &path, &stat, visitor)?;
                }
                Err(errno) if passes(errno) => visitor.passed(&Here { fd: cursor.here(), path: &path }, &name),
                Err(errno) => return Err(errno.into()),
            }
            continue;
        }
        match cursor.up()? {
            Up::From(_) => path.truncate(path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            Up::Top => return Ok(Walked::All),
            Up::Lost => return Ok(Walked::Cut),
        }
    }
}

/// What is in the cursor's directory, but for its directories: they are left for later.
fn look_here(cursor: &mut Cursor, path: &[u8], stat: &Stat, visitor: &mut impl Visit) -> Result<(), FileError> {
    let mut directories = Vec::new();
    let here = Here { fd: cursor.here(), path };
    visitor.directory(&here, stat)?;
    each_name(cursor.here(), |name| {
        let stat = match statat(cursor.here(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(errno) if passes(errno) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            directories.push(name.to_owned());
            return Ok(());
        }
        visitor.entry(&here, name, &stat)
    })?;
    cursor.visit_later(directories);
    Ok(())
}

/// Gone, or no longer what it was, another file system, or (unprivileged) closed to us.
pub(super) fn passes(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ACCESS)
}
