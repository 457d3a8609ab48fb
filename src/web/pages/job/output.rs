//! What a job has written, as far as its page shows it.

use crate::domain::Job;
use crate::files::{FileError, JobDirectory};
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::blocking;
use crate::web::log_follow::begun;
use crate::web::pages::files::{FileRow, file_rows};
use crate::web::words::Words;

/// Of output that is part of the page; the rest is a click away.
const LOG_BYTES: u64 = 64 * 1024;
/// Names of files.
const FILES: usize = 50;

#[derive(Default)]
pub struct Output {
    pub log: Tail,
    pub err: Tail,
    pub files: Vec<FileRow>,
    pub more_files: usize,
}

/// The end of a file, and where it ends.
#[derive(Default)]
pub struct Tail {
    pub text: String,
    pub at: u64,
    pub cut: bool,
}

pub async fn output(site: &Site, words: &Words, job: &Job) -> Result<Output, ApiError> {
    if job.is_array_parent() {
        return Ok(Output::default());
    }
    let id = job.id;
    let directory = match site.files.open(id).await {
        Ok(directory) => directory,
        Err(FileError::NotFound) => return Ok(Output::default()),
        Err(error) => return Err(error.into()),
    };
    let words = words.clone();
    let read = blocking(move || {
        let (files, more_files) = file_rows(&words, id, "", &directory.list("")?, 0, FILES);
        let (log, err) = (tail(&directory, "god.log")?, tail(&directory, "god.err")?);
        Ok::<_, FileError>(Output { log, err, files, more_files })
    });
    Ok(read.await?)
}

fn tail(directory: &JobDirectory, name: &str) -> Result<Tail, FileError> {
    use std::io::{Read, Seek, SeekFrom};
    let mut opened = match directory.open_file(name) {
        Ok(opened) => opened,
        Err(FileError::NotFound | FileError::NotAFile | FileError::Outside) => return Ok(Tail::default()),
        Err(error) => return Err(error),
    };
    let from = opened.size.saturating_sub(LOG_BYTES);
    let mut bytes = Vec::new();
    opened.file.seek(SeekFrom::Start(from)).map_err(FileError::Io)?;
    opened.file.take(opened.size - from).read_to_end(&mut bytes).map_err(FileError::Io)?;
    Ok(tail_of(bytes, from))
}

/// What a page shows of a file's end: whole lines, if it is not the whole file, and whole characters, so that who reads
/// on at `at` begins with one.
fn tail_of(mut bytes: Vec<u8>, from: u64) -> Tail {
    bytes.truncate(bytes.len() - begun(&bytes));
    let at = from + bytes.len() as u64;
    let line = if from > 0 { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1) } else { 0 };
    Tail { text: String::from_utf8_lossy(&bytes[line..]).into_owned(), at, cut: from > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_whole_lines_and_whole_characters() {
        let all = tail_of(b"half\nthen \xe2\x82".to_vec(), 0);
        assert_eq!((all.text.as_str(), all.at, all.cut), ("half\nthen ", 10, false));
        let end = tail_of(b"\x82\xac torn\nwhole\n".to_vec(), 100);
        assert_eq!((end.text.as_str(), end.at, end.cut), ("whole\n", 114, true));
        let one_line = tail_of(b"no end of line".to_vec(), 100);
        assert_eq!(one_line.text, "no end of line");
    }
}
