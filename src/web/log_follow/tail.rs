//! One growing file, read on from where it was left.

use std::os::unix::fs::{FileExt, MetadataExt};

use crate::files::JobDirectory;

const CHUNK: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Tail {
    name: &'static str,
    offset: u64,
    inode: Option<u64>,
    /// The beginning of a character whose rest was not written yet.
    carry: Vec<u8>,
    /// Whether the last read left something.
    pub has_more: bool,
}

impl Tail {
    pub fn new(name: &'static str, offset: u64) -> Self {
        Tail { name, offset, ..Tail::default() }
    }

    /// What was added since, up to a chunk; a file that is another or shorter than before is read from its beginning.
    /// A file that is not there (yet) has nothing.
    pub fn read(&mut self, directory: &JobDirectory) -> String {
        self.has_more = false;
        let Ok(opened) = directory.open_file(self.name) else { return String::new() };
        let inode = opened.file.metadata().ok().map(|metadata| metadata.ino());
        let is_another = self.inode.is_some() && self.inode != inode;
        if is_another || opened.size < self.offset {
            self.offset = 0;
            self.carry.clear();
        }
        self.inode = inode;
        let mut buffer = vec![0; CHUNK];
        let Ok(count) = opened.file.read_at(&mut buffer, self.offset) else { return String::new() };
        self.offset += count as u64;
        self.has_more = count == CHUNK;
        self.text(&buffer[..count])
    }

    /// How much of the file has been given out as text.
    pub fn position(&self) -> u64 {
        self.offset - self.carry.len() as u64
    }

    /// What is left of a character that never became whole.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.carry)).into_owned()
    }

    /// Bytes as text; the beginning of a character at their end waits for the next ones.
    fn text(&mut self, fresh: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.carry);
        bytes.extend_from_slice(fresh);
        self.carry = bytes.split_off(bytes.len() - begun(&bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// How many bytes at the end begin a character without ending it.
pub fn begun(bytes: &[u8]) -> usize {
    let begins = |count: &usize| {
        let end = &bytes[bytes.len() - count..];
        std::str::from_utf8(end).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_never_torn_however_it_arrives() {
        let text = "aé€😀z\u{fffd}";
        for size in 1..=text.len() {
            let mut tail = Tail::default();
            let told: Vec<String> = text.as_bytes().chunks(size).map(|chunk| tail.text(chunk)).collect();
            assert_eq!(told.concat(), text, "in pieces of {size}");
            assert!(tail.carry.is_empty());
        }
    }

    #[test]
    fn what_is_no_text_is_shown_as_such_and_holds_nothing_up() {
        let mut tail = Tail::default();
        assert_eq!(tail.text(b"a\xff\xfeb\x80"), "a\u{fffd}\u{fffd}b\u{fffd}");
        assert!(tail.carry.is_empty());
        assert_eq!(tail.text(b"x\xe2\x82"), "x");
        assert_eq!(tail.text(b"!"), "\u{fffd}!");
        assert_eq!(tail.text(b"\xf0\x9f"), "");
        assert_eq!(tail.rest(), "\u{fffd}");
    }
}
