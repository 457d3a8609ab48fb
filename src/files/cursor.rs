//! Walking a tree that somebody else is changing.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2};
use rustix::io::Errno;

use super::beneath::lacks_openat2;

/// A place in a directory tree, with one handle open however deep it is: neither the limit of open files nor that of a
/// path's length matters, and nothing recurses.
///
/// It goes down by names that are not links and on the same mount, and up by `..`, which is believed only when it leads
/// to the very directory it came down from: one moved elsewhere meanwhile would lead out.
pub(super) struct Cursor {
    here: OwnedFd,
    /// From the top to `here`; never empty.
    levels: Vec<Level>,
}

struct Level {
    identity: (u64, u64),
    /// Its name in the level above. Empty at the top.
    name: CString,
    /// Directories in it that are still to be visited.
    pending: Vec<CString>,
}

/// Where [`Cursor::up`] came to.
pub(super) enum Up {
    /// In the directory above the one with this name.
    From(CString),
    /// At the top already.
    Top,
    /// The tree was changed under us: where `..` leads is not where we came from.
    Lost,
}

impl Cursor {
    pub fn at(top: OwnedFd) -> Result<Self, Errno> {
        let identity = identity(&fstat(&top)?);
        Ok(Cursor { here: top, levels: vec![Level { identity, name: CString::default(), pending: Vec::new() }] })
    }

    pub fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    pub fn visit_later(&mut self, names: Vec<CString>) {
        self.level().pending = names;
    }

    pub fn next_pending(&mut self) -> Option<CString> {
        self.level().pending.pop()
    }

    /// Goes into a directory, and answers what it is. Fails with `LOOP` or `NOTDIR` where there is none (any more), and
    /// with `XDEV` where another file system is mounted.
    pub fn down(&mut self, name: CString) -> Result<Stat, Errno> {
        let below = open_directory(self.here(), &name)?;
        let stat = fstat(&below)?;
        if identity(&stat).0 != self.level().identity.0 {
            return Err(Errno::XDEV);
        }
        self.levels.push(Level { identity: identity(&stat), name, pending: Vec::new() });
        self.here = below;
        Ok(stat)
    }

    pub fn up(&mut self) -> Result<Up, Errno> {
        let [.., above, _] = self.levels.as_slice() else { return Ok(Up::Top) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = openat(&self.here, c"..", flags, Mode::empty())?;
        if identity(&fstat(&parent)?) != above.identity {
            return Ok(Up::Lost);
        }
        self.here = parent;
        let left = self.levels.pop().expect("the slice above has two levels");
        Ok(Up::From(left.name))
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the top is never left")
    }
}

fn open_directory(from: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // NO_XDEV sees bind mounts too, which have their origin's device number.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    match openat2(from, name, flags, Mode::empty(), resolve) {
        Err(errno) if lacks_openat2(errno) => openat(from, name, flags, Mode::empty()),
        answer => answer,
    }
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
