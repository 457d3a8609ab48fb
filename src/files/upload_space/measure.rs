//! How many bytes a space takes.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::{DIRECTORY, FileError};
use crate::files::beneath::{each_name, size_of};
use crate::files::cursor::{Cursor, Up};

/// A part that nothing was added to for so long is nobody's.
const DEAD_AFTER: Duration = Duration::from_secs(86_400);

/// The sizes of the files beneath, each file once. What vanishes meanwhile is passed over.
pub(super) fn tree(top: &OwnedFd) -> Result<u64, FileError> {
    let mut cursor = Cursor::at(openat(top, c".", DIRECTORY, Mode::empty())?)?;
    let mut linked = HashSet::new();
    let mut bytes = here(&mut cursor, &mut linked)?;
    loop {
        if let Some(name) = cursor.next_pending() {
            match cursor.down(name) {
                Ok(_) => bytes += here(&mut cursor, &mut linked)?,
                Err(errno) if passes(errno) => {}
                Err(errno) => return Err(errno.into()),
            }
        } else if let Up::Top | Up::Lost = cursor.up()? {
            return Ok(bytes);
        }
    }
}

fn here(cursor: &mut Cursor, linked: &mut HashSet<(u64, u64)>) -> Result<u64, FileError> {
    let (mut bytes, mut directories) = (0_u64, Vec::new());
    each_name(cursor.here(), |name| {
        match statat(cursor.here(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => directories.push(name.to_owned()),
                FileType::RegularFile if stat.st_nlink == 1 || linked.insert((stat.st_dev, stat.st_ino)) => {
                    bytes = bytes.saturating_add(size_of(&stat));
                }
                _ => {}
            },
            Err(errno) if passes(errno) => {}
            Err(errno) => return Err(errno),
        }
        Ok(())
    })?;
    cursor.visit_later(directories);
    Ok(bytes)
}

/// Gone, or no longer a directory, another file system, or (unprivileged) closed to us.
fn passes(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ACCESS)
}

/// The sizes of what is being received, by whatever process. What a process that died has left is deleted.
pub(super) fn parts(parts: &OwnedFd) -> Result<u64, FileError> {
    // By a handle of its own, as reading moves its position.
    let dir = match openat(parts, c".", DIRECTORY, Mode::empty()) {
        Ok(dir) => dir,
        Err(Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(errno.into()),
    };
    let mut bytes = 0_u64;
    each_name(dir.as_fd(), |name| {
        let Ok(stat) = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) else { return Ok(()) };
        if is_dead(&name.to_string_lossy(), &stat) {
            let _ = unlinkat(&dir, name, AtFlags::empty());
        } else {
            bytes = bytes.saturating_add(size_of(&stat));
        }
        Ok::<(), Errno>(())
    })?;
    Ok(bytes)
}

/// What a part of this process is called.
pub(super) fn part_name(number: u64) -> String {
    format!("{}:{}:{number}", host(), std::process::id())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().replace([':', '/'], "-")
}

/// Of this host the processes are known; of others the age must tell.
fn is_dead(name: &str, stat: &Stat) -> bool {
    let mut parts = name.split(':');
    let (of, pid) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if of == host() && !std::path::Path::new("/proc").join(pid).exists() {
        return true;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    now.saturating_sub(u64::try_from(stat.st_mtime).unwrap_or(0)) > DEAD_AFTER.as_secs()
}
