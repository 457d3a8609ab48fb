//! Looking for something in a text of any size, a bounded part of it at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::window::Spot;

/// What one request looks through.
const SCANNED: u64 = 64 * 1024 * 1024;
const MATCHES: usize = 100;
/// A longer line is looked at in pieces.
const PIECE: u64 = 64 * 1024;
/// Lines shown before the one that was found.
const CONTEXT: usize = 8;
/// Characters of a line that was found.
const SHOWN: usize = 300;

#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    /// Its line.
    pub line: Option<u64>,
    /// Where a window with what is around it begins.
    pub around: Spot,
    pub text: String,
}

#[derive(Debug)]
pub struct Found {
    pub matches: Vec<Match>,
    /// Where to look on; `None` at the end of the file.
    pub more: Option<Spot>,
}

/// Lines from `from` on that hold `needle`, in upper or lower case. `from` is the beginning of a line.
pub fn search(file: &mut (impl Read + Seek), size: u64, from: Spot, needle: &str) -> io::Result<Found> {
    let needle = needle.to_lowercase();
    let mut at = Spot { offset: from.offset.min(size), line: if from.offset == 0 { Some(1) } else { from.line } };
    file.seek(SeekFrom::Start(at.offset))?;
    let end = at.offset.saturating_add(SCANNED).min(size);
    let mut reader = BufReader::with_capacity(PIECE as usize, file.take(size - at.offset));
    let mut found = Found { matches: Vec::new(), more: None };
    let (mut before, mut piece) = (VecDeque::with_capacity(CONTEXT + 1), Vec::new());
    let mut begins_line = true;
    while at.offset < end && found.matches.len() < MATCHES {
        piece.clear();
        let read = reader.by_ref().take(PIECE).read_until(b'\n', &mut piece)?;
        if read == 0 {
            return Ok(found);
        }
        if begins_line {
            before.push_back(at);
            if before.len() > CONTEXT {
                before.pop_front();
            }
        }
        let ends_line = piece.last() == Some(&b'\n');
        let text = String::from_utf8_lossy(piece.strip_suffix(b"\n").unwrap_or(&piece));
        if text.to_lowercase().contains(&needle) {
            let around = before.front().copied().unwrap_or(at);
            found.matches.push(Match { line: at.line, around, text: text.chars().take(SHOWN).collect() });
        }
        at.offset += read as u64;
        at.line = at.line.map(|line| line + u64::from(ends_line));
        begins_line = ends_line;
    }
    found.more = (at.offset < size).then_some(at);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn look(text: &[u8], from: Spot, needle: &str) -> Found {
        search(&mut Cursor::new(text), text.len() as u64, from, needle).unwrap()
    }

    const START: Spot = Spot { offset: 0, line: None };

    #[test]
    fn lines_are_found_with_their_numbers_and_what_is_around() {
        let text: Vec<u8> = (1..=50).flat_map(|line| format!("Line {line}\n").into_bytes()).collect();
        let found = look(&text, START, "lINE 4");
        let lines: Vec<_> = found.matches.iter().map(|found| found.line.unwrap()).collect();
        assert_eq!(lines, [4, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
        assert_eq!(found.matches[0].around, Spot { offset: 0, line: Some(1) });
        assert_eq!(found.matches[1].around.line, Some(33));
        assert!(found.more.is_none() && look(&text, START, "nowhere").matches.is_empty());
    }

    #[test]
    fn many_come_in_parts() {
        let text = b"x\n".repeat(250);
        let first = look(&text, START, "x");
        let second = look(&text, first.more.unwrap(), "x");
        let third = look(&text, second.more.unwrap(), "x");
        assert_eq!((first.matches.len(), second.matches.len(), third.matches.len()), (100, 100, 50));
        assert_eq!((second.matches[0].line, third.matches[49].line), (Some(101), Some(250)));
        assert!(third.more.is_none());
    }

    #[test]
    fn a_line_without_end_is_looked_through() {
        let mut text = vec![b'x'; 200_000];
        text.extend(b"needle\nafter needle");
        let found = look(&text, START, "needle");
        let lines: Vec<_> = found.matches.iter().map(|found| found.line.unwrap()).collect();
        assert_eq!(lines, [1, 2]);
        assert!(found.matches[0].text.chars().count() <= SHOWN);
    }
}
