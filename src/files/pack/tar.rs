//! GNU tar: names and sizes of any length, links as links.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ::tar::{Builder, EntryType, Header};
use rustix::fs::Stat;

use super::{Archive, Put, size_of};
use crate::files::FileError;

pub struct Tar<W: Write> {
    builder: Builder<W>,
}

impl<W: Write> Tar<W> {
    pub fn new(out: W) -> Self {
        Tar { builder: Builder::new(out) }
    }
}

impl<W: Write> Archive for Tar<W> {
    fn directory(&mut self, path: &[u8], stat: &Stat) -> Result<Put, FileError> {
        let path = [path, b"/"].concat();
        put(self.builder.append_data(&mut header(stat, EntryType::Directory, 0), as_path(&path), io::empty()))
    }

    fn file(&mut self, path: &[u8], stat: &Stat, content: &mut dyn Read) -> Result<Put, FileError> {
        put(self.builder.append_data(&mut header(stat, EntryType::Regular, size_of(stat)), as_path(path), content))
    }

    fn link(&mut self, path: &[u8], target: &[u8], stat: &Stat) -> Result<Put, FileError> {
        put(self.builder.append_link(&mut header(stat, EntryType::Symlink, 0), as_path(path), as_path(target)))
    }

    fn text(&mut self, path: &[u8], text: &str) -> Result<(), FileError> {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        Ok(self.builder.append_data(&mut header, as_path(path), text.as_bytes())?)
    }

    fn finish(self) -> Result<(), FileError> {
        Ok(self.builder.into_inner()?.flush()?)
    }
}

fn header(stat: &Stat, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    // Without what lets a program run as somebody else.
    header.set_mode(stat.st_mode & 0o777);
    header.set_uid(stat.st_uid.into());
    header.set_gid(stat.st_gid.into());
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    header
}

/// The builder checks a path before it writes anything; all else are faults of who reads the archive.
fn put(appended: io::Result<()>) -> Result<Put, FileError> {
    match appended {
        Ok(()) => Ok(Put::Done),
        Err(error) if matches!(error.kind(), io::ErrorKind::Other | io::ErrorKind::InvalidInput) => {
            Ok(Put::CannotBe("tar cannot hold such a name"))
        }
        Err(error) => Err(error.into()),
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
