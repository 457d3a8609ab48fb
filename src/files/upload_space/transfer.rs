//! A file on its way into a space.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, statat, unlinkat};

use super::{FileError, UploadSpace, is_directory, measure, sole_size};

/// Only the owner reads what nobody has said more of.
const OWNERS: Mode = Mode::from_raw_mode(0o600);

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file being received. One that is dropped before it is finished leaves everything as it was before.
#[derive(Debug)]
pub struct Upload {
    space: UploadSpace,
    file: File,
    place: Place,
    /// Bytes that came with this upload.
    written: u64,
    is_finished: bool,
}

#[derive(Debug)]
enum Place {
    /// Written beside the space, under the name `part`.
    New { part: String, parent: OwnedFd, name: String },
    /// Written to the file itself, after its first `from` bytes.
    Grown { from: u64 },
}

impl Upload {
    pub(super) fn create(space: UploadSpace, parent: OwnedFd, name: &str) -> Result<Self, FileError> {
        let part = measure::part_name(NUMBER.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&*space.parts, &part, flags, OWNERS)?);
        let place = Place::New { part, parent, name: name.to_owned() };
        let upload = Upload { space, file, place, written: 0, is_finished: false };
        upload.space.give(upload.file.as_fd())?;
        Ok(upload)
    }

    pub(super) fn go_on(space: UploadSpace, fd: OwnedFd, at: u64, size: u64) -> Result<Self, FileError> {
        let mut file = File::from(fd);
        if at < size {
            file.set_len(at)?;
            space.account.give_back(size - at);
        }
        file.seek(SeekFrom::Start(at))?;
        Ok(Upload { space, file, place: Place::Grown { from: at }, written: 0, is_finished: false })
    }

    /// # Errors
    /// [`FileError::OverQuota`] for a piece that does not fit; the rest is the file system's.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let Upload { space, file, .. } = self;
        let count = bytes.len() as u64;
        let write = || file.write_all(bytes).map_err(FileError::from);
        space.account.write(space.quota, count, || space.measure(), write)?;
        self.written += count;
        Ok(())
    }

    /// Whether there is something that a new file would replace.
    pub fn replaces(&self) -> bool {
        match &self.place {
            Place::New { parent, name, .. } => statat(parent, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).is_ok(),
            Place::Grown { .. } => false,
        }
    }

    /// What has come is the file now. Answers its size.
    pub fn finish(mut self) -> Result<u64, FileError> {
        let size = match &self.place {
            Place::New { part, parent, name } => {
                if matches!(statat(parent, name.as_str(), AtFlags::SYMLINK_NOFOLLOW), Ok(s) if is_directory(s.st_mode))
                {
                    return Err(FileError::IsDirectory);
                }
                let freed = sole_size(parent.as_fd(), name);
                renameat(&*self.space.parts, part.as_str(), parent, name.as_str())?;
                self.space.account.give_back(freed);
                self.written
            }
            Place::Grown { from } => from + self.written,
        };
        self.is_finished = true;
        Ok(size)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // What cannot be taken away now is found by the next measure.
        let undone = match &self.place {
            Place::New { part, .. } => unlinkat(&*self.space.parts, part.as_str(), AtFlags::empty()).is_ok(),
            Place::Grown { from } => self.file.set_len(*from).is_ok(),
        };
        if undone {
            self.space.account.give_back(self.written);
        }
    }
}
