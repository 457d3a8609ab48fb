//! Zip, for those who have no tar: names as UTF-8, no links. Beyond 4 GiB it becomes Zip64 by itself.

use std::io::{self, Read, Write};

use ::zip::result::ZipError;
use ::zip::write::{SimpleFileOptions, StreamWriter};
use ::zip::{CompressionMethod, DateTime, ZipWriter};
use rustix::fs::Stat;

use super::{Archive, Put, copy, size_of};
use crate::files::FileError;

/// Files from here on are written as Zip64: what is compressed may come out a little larger.
const LARGE: u64 = 0xF000_0000;

pub struct Zip<W: Write> {
    writer: ZipWriter<StreamWriter<Once<W>>>,
}

impl<W: Write> Zip<W> {
    pub fn new(out: W) -> Self {
        Zip { writer: ZipWriter::new_stream(Once { out, failed: false }) }
    }
}

impl<W: Write> Archive for Zip<W> {
    fn directory(&mut self, path: &[u8], stat: &Stat) -> Result<Put, FileError> {
        begun(self.writer.add_directory(name(path), options(stat)))
    }

    fn file(&mut self, path: &[u8], stat: &Stat, content: &mut dyn Read) -> Result<Put, FileError> {
        let options = options(stat).large_file(size_of(stat) >= LARGE);
        let begun = begun(self.writer.start_file(name(path), options))?;
        if let Put::Done = begun {
            copy(content, &mut self.writer)?;
        }
        Ok(begun)
    }

    fn link(&mut self, _: &[u8], _: &[u8], _: &Stat) -> Result<Put, FileError> {
        Ok(Put::CannotBe("a link, which zip has no place for: take the tar"))
    }

    fn text(&mut self, path: &[u8], text: &str) -> Result<(), FileError> {
        self.writer.start_file(name(path), plain()).map_err(failed)?;
        Ok(self.writer.write_all(text.as_bytes())?)
    }

    fn finish(self) -> Result<(), FileError> {
        Ok(self.writer.finish().map_err(failed)?.into_inner().flush()?)
    }
}

/// Fails once, which ends it all. A writer that is dropped then still writes its end, and complains aloud if it cannot.
struct Once<W> {
    out: W,
    failed: bool,
}

impl<W: Write> Write for Once<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.failed = written.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed { Ok(()) } else { self.out.flush() }
    }
}

fn plain() -> SimpleFileOptions {
    // The fastest: a download is not for keeping. Stored, some readers could not find a file's end.
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1))
}

fn options(stat: &Stat) -> SimpleFileOptions {
    plain().unix_permissions(stat.st_mode & 0o777).last_modified_time(date(stat.st_mtime).unwrap_or_default())
}

/// Zip knows the years from 1980 to 2107.
fn date(seconds: i64) -> Option<DateTime> {
    let at = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let number = |number: i8| u8::try_from(number).ok();
    let (year, month, day) = (u16::try_from(at.year()).ok()?, number(at.month())?, number(at.day())?);
    DateTime::from_date_and_time(year, month, day, number(at.hour())?, number(at.minute())?, number(at.second())?).ok()
}

/// What some programs take for a folder's sign is none here.
fn name(path: &[u8]) -> String {
    String::from_utf8_lossy(path).replace('\\', "_")
}

fn begun(started: Result<(), ZipError>) -> Result<Put, FileError> {
    match started {
        Ok(()) => Ok(Put::Done),
        Err(ZipError::Io(error)) => Err(error.into()),
        Err(_) => Ok(Put::CannotBe("zip cannot hold such a name, or has it already")),
    }
}

fn failed(error: ZipError) -> FileError {
    match error {
        ZipError::Io(error) => error.into(),
        other => FileError::Io(io::Error::other(other)),
    }
}
