//! What an archive does not hold, told in it.

use std::fmt::Write;

/// Lines; what is beyond them is counted.
const MOST: usize = 1000;

#[derive(Default)]
pub struct Note {
    lines: String,
    entries: usize,
}

impl Note {
    pub fn add(&mut self, path: &[u8], why: &str) {
        self.entries += 1;
        if self.entries <= MOST {
            let path = String::from_utf8_lossy(path);
            // A name that holds an end of line stays one line. Writing to a String does not fail.
            let _ = writeln!(self.lines, "{}: {why}", path.escape_debug());
        }
    }

    /// `None` where the archive holds everything.
    pub fn text(&self) -> Option<String> {
        if self.entries == 0 {
            return None;
        }
        let more = self.entries.saturating_sub(MOST);
        let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
        Some(format!("This archive is not all of the directory:\n\n{}{more}", self.lines))
    }
}
