//! A directory as one stream: tar or zip, in memory that does not grow with its files.
//!
//! Its owner may change it meanwhile. A file has in the archive the size it had when it was opened: what grew is cut,
//! what shrank is filled with zeros. Whatever is left out or came short is said in a note at the archive's end.

mod note;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat};

use self::note::Note;
use super::FileError;
use super::beneath::{lacks_openat2, size_of};
use super::settle::measure_tree;
use super::walk::{Here, Visit, Walked, passes, walk};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tar,
    Zip,
}

impl Format {
    pub fn extension(self) -> &'static str {
        match self {
            Format::Tar => "tar",
            Format::Zip => "zip",
        }
    }
}

/// An open directory of a job. Its methods block.
#[derive(Debug)]
pub struct Tree {
    pub(super) top: OwnedFd,
    /// Whose the job directory is.
    pub(super) owner: u32,
}

impl Tree {
    /// The bytes of the files in it.
    pub fn measure(&self) -> Result<u64, FileError> {
        // A handle of its own: a walk moves it.
        measure_tree(openat(&self.top, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Writes it to `out` as an archive in which everything is below `name`.
    ///
    /// `most`: files that would go beyond so many bytes in all are left out.
    ///
    /// # Errors
    /// Those of `out`, whose reader must not take what came for the whole.
    pub fn pack(self, format: Format, name: &str, most: Option<u64>, out: impl Write) -> Result<(), FileError> {
        match format {
            Format::Tar => self.pack_into(tar::Tar::new(out), name, most),
            Format::Zip => self.pack_into(zip::Zip::new(out), name, most),
        }
    }

    fn pack_into(self, archive: impl Archive, name: &str, most: Option<u64>) -> Result<(), FileError> {
        let left = most.unwrap_or(u64::MAX);
        let mut packing = Packing { archive, root: name.as_bytes(), owner: self.owner, left, note: Note::default() };
        if walk(self.top, &mut packing)? == Walked::Cut {
            packing.note.add(b"", "the directory was moved meanwhile: all that came after this is missing");
        }
        packing.finish()
    }
}

/// A way of writing archives. Paths are relative and hold no `..`.
trait Archive {
    fn directory(&mut self, path: &[u8], stat: &Stat) -> Result<Put, FileError>;

    /// `content` has as many bytes as `stat` says.
    fn file(&mut self, path: &[u8], stat: &Stat, content: &mut dyn Read) -> Result<Put, FileError>;

    fn link(&mut self, path: &[u8], target: &[u8], stat: &Stat) -> Result<Put, FileError>;

    /// A file of our own.
    fn text(&mut self, path: &[u8], text: &str) -> Result<(), FileError>;

    fn finish(self) -> Result<(), FileError>;
}

/// Whether an archive of this format can hold an entry; if not, nothing of it was written.
enum Put {
    Done,
    CannotBe(&'static str),
}

struct Packing<'a, A> {
    archive: A,
    root: &'a [u8],
    owner: u32,
    /// Bytes that may still be packed.
    left: u64,
    note: Note,
}

impl<A: Archive> Packing<'_, A> {
    fn path(&self, here: &Here<'_>, name: &[u8]) -> Vec<u8> {
        let parts = [self.root, here.path, name];
        let parts: Vec<&[u8]> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(&b'/')
    }

    fn file(&mut self, here: &Here<'_>, name: &CStr, path: &[u8]) -> Result<(), FileError> {
        let (file, stat) = match open(here.fd, name, self.owner) {
            Ok(opened) => opened,
            Err(why) => {
                self.note.add(path, why);
                return Ok(());
            }
        };
        let size = size_of(&stat);
        let Some(left) = self.left.checked_sub(size) else {
            self.note.add(path, "the archive would become larger than may be downloaded");
            return Ok(());
        };
        let mut content = Fixed { file, left: size, short: false };
        match self.archive.file(path, &stat, &mut content)? {
            Put::Done => self.left = left,
            Put::CannotBe(why) => self.note.add(path, why),
        }
        if content.short {
            self.note.add(path, "it became shorter, or could not be read to its end: zeros stand for the rest");
        }
        Ok(())
    }

    fn link(&mut self, here: &Here<'_>, name: &CStr, path: &[u8], stat: &Stat) -> Result<(), FileError> {
        // Gone, or no link any more.
        let Ok(target) = readlinkat(here.fd, name, Vec::new()) else { return Ok(()) };
        if let Put::CannotBe(why) = self.archive.link(path, target.to_bytes(), stat)? {
            self.note.add(path, why);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), FileError> {
        if let Some(text) = self.note.text() {
            let path = [self.root, b".left-out.txt"].concat();
            self.archive.text(&path, &text)?;
        }
        self.archive.finish()
    }
}

impl<A: Archive> Visit for Packing<'_, A> {
    fn directory(&mut self, here: &Here<'_>, stat: &Stat) -> Result<(), FileError> {
        let path = self.path(here, b"");
        if let Put::CannotBe(why) = self.archive.directory(&path, stat)? {
            self.note.add(&path, why);
        }
        Ok(())
    }

    fn entry(&mut self, here: &Here<'_>, name: &CStr, stat: &Stat) -> Result<(), FileError> {
        let path = self.path(here, name.to_bytes());
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(here, name, &path),
            FileType::Symlink => self.link(here, name, &path, stat),
            _ => {
                self.note.add(&path, "neither a file, a directory nor a link");
                Ok(())
            }
        }
    }

    fn passed(&mut self, here: &Here<'_>, name: &CStr) {
        let path = self.path(here, name.to_bytes());
        self.note.add(&path, "it is no directory of this job's (any more)");
    }
}

/// Opens a regular file of the walk's directory, or says why not. What was seen there may have been swapped since.
fn open(dir: BorrowedFd<'_>, name: &CStr, owner: u32) -> Result<(File, Stat), &'static str> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let opened = match openat2(dir, name, flags, Mode::empty(), resolve) {
        Err(errno) if lacks_openat2(errno) => openat(dir, name, flags, Mode::empty()),
        answer => answer,
    };
    let fd =
        opened.map_err(|errno| if passes(errno) { "gone meanwhile, or not ours" } else { "it cannot be opened" })?;
    let (stat, around) = fstat(&fd).and_then(|stat| Ok((stat, fstat(dir)?))).map_err(|_| "it cannot be read")?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_dev != around.st_dev {
        return Err("no file of this job's any more");
    }
    if stat.st_nlink > 1 && stat.st_uid != owner {
        return Err("a hard link to somebody else's file");
    }
    Ok((File::from(fd), stat))
}

/// Exactly as many bytes as the file had, whatever becomes of it.
struct Fixed {
    file: File,
    left: u64,
    /// Zeros stand for what was not there.
    short: bool,
}

impl Read for Fixed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = if self.short { 0 } else { read_some(&mut self.file, &mut buffer[..most]) };
        let read = if read == 0 {
            self.short = true;
            buffer[..most].fill(0);
            most
        } else {
            read
        };
        self.left -= read as u64;
        Ok(read)
    }
}

/// Nothing where it cannot be read.
fn read_some(file: &mut File, buffer: &mut [u8]) -> usize {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer.unwrap_or(0),
        }
    }
}

/// Between a file and an archive.
fn copy(content: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(()),
            read => out.write_all(&buffer[..read])?,
        }
    }
}
