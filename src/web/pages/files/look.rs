//! What lies at a path, read as far as a page shows it. All of this blocks.

use std::io::{Read, Seek, SeekFrom};

use super::search::{Found, search};
use super::window::{Spot, Window, window};
use crate::domain::Timestamp;
use crate::files::{Entry, FileError, JobDirectory};
use crate::web::shown::Shown;

/// So much of a file tells whether it is text.
const HEAD: u64 = 8 * 1024;

pub enum Seen {
    Directory(Vec<Entry>),
    File { size: u64, modified: Timestamp, content: Content },
}

pub enum Content {
    Text(Window),
    Found(Found),
    /// With its width and height in pixels, where they are known.
    Shown(Shown, Option<(usize, usize)>),
    /// Neither text nor what a browser may show.
    Data,
}

/// `needle`: look for this from `at` on.
pub fn look(directory: &JobDirectory, path: &str, at: Spot, needle: &str) -> Result<Seen, FileError> {
    let opened = match directory.open_file(path) {
        Err(FileError::NotAFile) => {
            return match directory.list(path) {
                Err(FileError::NotFound) => Err(FileError::NotAFile),
                listed => listed.map(Seen::Directory),
            };
        }
        opened => opened?,
    };
    let (mut file, size) = (opened.file, opened.size);
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let content = match Shown::of(&head) {
        Some(shown) => Content::Shown(shown, shown.dimensions(&head)),
        None if !is_text(&head) => Content::Data,
        None if needle.is_empty() => Content::Text(window(&mut file, size, at)?),
        None => Content::Found(search(&mut file, size, at, needle)?),
    };
    Ok(Seen::File { size, modified: opened.modified, content })
}

/// What no text holds is NUL; other bytes may be letters of an older alphabet.
fn is_text(head: &[u8]) -> bool {
    !head.contains(&0)
}
