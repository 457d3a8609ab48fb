//! A part of a text, by whole lines: what one page shows of a file of any size.

use std::io::{self, Read, Seek, SeekFrom};

use crate::web::log_follow::begun;

/// Of a window.
const LINES: usize = 1000;
const BYTES: u64 = 256 * 1024;
/// As much is read to know the number of a line whose number was not given.
const COUNTED: u64 = 64 * 1024 * 1024;

/// Where lines begin: the offset, and the number of the line, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    pub offset: u64,
    /// From 1.
    pub line: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Window {
    pub first: Spot,
    pub lines: Vec<String>,
    pub before: Option<Spot>,
    pub after: Option<Spot>,
}

/// The lines from `at` on. From the end on, that is the last window.
pub fn window(file: &mut (impl Read + Seek), size: u64, at: Spot) -> io::Result<Window> {
    let mut first = counted(file, Spot { offset: at.offset.min(size), ..at })?;
    if first.offset == size
        && let Some(last) = before(file, first)?
    {
        first = last;
    }
    let Spot { offset, line } = first;
    let mut bytes = read(file, offset, BYTES.min(size - offset))?;
    let more = offset + (bytes.len() as u64) < size;
    bytes.truncate(end_of_lines(&bytes, more));
    let end = offset + bytes.len() as u64;
    let passed = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let after = (end < size).then(|| Spot { offset: end, line: line.map(|line| line + passed) });
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let lines = text.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned());
    let lines = if text.is_empty() && bytes.is_empty() { Vec::new() } else { lines.collect() };
    Ok(Window { lines, before: before(file, first)?, after, first })
}

/// With its number, where that can be known.
fn counted(file: &mut (impl Read + Seek), at: Spot) -> io::Result<Spot> {
    let line = match at.line.filter(|line| *line > 0) {
        _ if at.offset == 0 => Some(1),
        None if at.offset <= COUNTED => Some(1 + newlines(file, at.offset)?),
        known => known,
    };
    Ok(Spot { line, ..at })
}

/// How much of what was read is shown: so many lines, whole ones unless one alone fills it.
fn end_of_lines(bytes: &[u8], more: bool) -> usize {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    if let Some(end) = ends.clone().nth(LINES - 1) {
        return end;
    }
    match ends.next_back() {
        Some(end) if more => end,
        // A line that goes on: at least its characters are whole.
        None if more => bytes.len() - begun(bytes),
        _ => bytes.len(),
    }
}

/// Where the window before this one begins.
fn before(file: &mut (impl Read + Seek), at: Spot) -> io::Result<Option<Spot>> {
    if at.offset == 0 {
        return Ok(None);
    }
    let from = at.offset.saturating_sub(BYTES);
    let bytes = read(file, from, at.offset - from)?;
    // The end of the line before is not the beginning of one.
    let inner = &bytes[..bytes.len().saturating_sub(1)];
    let begins = inner.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end + 1);
    let begins: Vec<usize> = begins.take(LINES).collect();
    let begin = match begins.last() {
        Some(begin) if from > 0 || begins.len() == LINES => *begin,
        _ => 0,
    };
    let passed = bytes[begin..].iter().filter(|byte| **byte == b'\n').count() as u64;
    let line = at.line.map(|line| line.saturating_sub(passed).max(1));
    Ok(Some(Spot { offset: from + begin as u64, line }))
}

fn read(file: &mut (impl Read + Seek), from: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn newlines(file: &mut (impl Read + Seek), up_to: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut file = file.take(up_to);
    let mut buffer = vec![0; 64 * 1024];
    let mut count = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(count),
            read => count += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn numbered(lines: u64) -> Vec<u8> {
        (1..=lines).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    fn at(text: &[u8], offset: u64, line: Option<u64>) -> Window {
        window(&mut Cursor::new(text), text.len() as u64, Spot { offset, line }).unwrap()
    }

    #[test]
    fn a_short_text_is_one_window() {
        let seen = at(b"one\n\nthree", 0, None);
        assert_eq!(seen.lines, ["one", "", "three"]);
        assert_eq!((seen.first.line, seen.before, seen.after), (Some(1), None, None));
        assert_eq!(at(b"one\n", 0, None).lines, ["one"]);
        assert_eq!(at(b"\n", 0, None).lines, [""]);
        assert!(at(b"", 0, None).lines.is_empty());
    }

    #[test]
    fn windows_lead_forth_and_back_with_the_right_numbers() {
        let text = numbered(2500);
        let first = at(&text, 0, None);
        assert_eq!((first.lines.len(), first.lines[999].as_str()), (1000, "line 1000"));
        let after = first.after.unwrap();
        let second = at(&text, after.offset, after.line);
        assert_eq!((second.first.line, second.lines[0].as_str()), (Some(1001), "line 1001"));
        assert_eq!(second.before, Some(Spot { offset: 0, line: Some(1) }));
        let third = at(&text, second.after.unwrap().offset, second.after.unwrap().line);
        assert_eq!((third.lines.len(), third.after, third.first.line), (500, None, Some(2001)));
        assert_eq!(third.before, Some(second.first));
        // The number is found where nobody says it.
        assert_eq!(at(&text, third.first.offset, None), third);
        let end = at(&text, u64::MAX, None);
        assert_eq!((end.lines.len(), end.first.line, end.after), (1000, Some(1501), None));
    }

    #[test]
    fn a_line_without_end_comes_in_pieces_of_whole_characters() {
        let text = "ü".repeat(300_000).into_bytes();
        let mut spot = Spot { offset: 0, line: None };
        let mut seen = String::new();
        loop {
            let part = at(&text, spot.offset, spot.line);
            assert_eq!(part.first.line, Some(1));
            seen.push_str(&part.lines.concat());
            match part.after {
                Some(after) => spot = after,
                None => break,
            }
        }
        assert_eq!(seen.as_bytes(), text);
        let back = at(&text, spot.offset, spot.line).before.unwrap();
        assert!(back.offset < spot.offset);
    }

    #[test]
    fn it_is_always_possible_to_go_on_and_to_go_back() {
        let mut text = numbered(3000);
        text.extend(vec![b'x'; 600_000]);
        text.extend(numbered(3000));
        let mut spots = vec![Spot { offset: 0, line: None }];
        while let Some(after) = at(&text, spots[spots.len() - 1].offset, spots[spots.len() - 1].line).after {
            assert!(after.offset > spots[spots.len() - 1].offset);
            spots.push(after);
        }
        let mut last = spots[spots.len() - 1];
        while let Some(before) = at(&text, last.offset, last.line).before {
            assert!(before.offset < last.offset);
            last = before;
        }
        assert_eq!(last.line, Some(1));
    }
}
