//! Where `god` writes: results on the output, everything else on the errors.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use super::error::ClientError;
use super::table::Table;

/// How to print, decided once.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub out_is_terminal: bool,
    pub err_is_terminal: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Output { json, out_is_terminal: io::stdout().is_terminal(), err_is_terminal: io::stderr().is_terminal() }
    }

    /// A result: the document for programs, or the text for people.
    pub fn result(&self, document: &Value, text: impl FnOnce() -> String) -> Result<(), ClientError> {
        if self.json { self.line(document) } else { self.text(text().as_bytes()) }
    }

    /// A result that is a list. `nothing` is said, aside, when it is empty.
    pub fn table(&self, document: &Value, nothing: &str, table: impl FnOnce() -> Table) -> Result<(), ClientError> {
        if self.json {
            return self.line(document);
        }
        let table = table();
        if table.is_empty() {
            self.note(nothing);
            return Ok(());
        }
        self.text(if self.out_is_terminal { table.for_terminal() } else { table.plain() }.as_bytes())
    }

    /// One JSON document on a line of its own.
    pub fn line(&self, document: &Value) -> Result<(), ClientError> {
        self.text(format!("{document}\n").as_bytes())
    }

    pub fn text(&self, bytes: &[u8]) -> Result<(), ClientError> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(ClientError::Output)
    }

    pub fn error_text(&self, bytes: &[u8]) -> Result<(), ClientError> {
        io::stderr().lock().write_all(bytes).map_err(ClientError::Output)
    }

    /// Said aside to people. That it cannot be said changes nothing.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "god: {text}");
        }
    }

    pub fn error(&self, error: &ClientError) {
        let mut err = io::stderr().lock();
        let _ = match self.json {
            true => writeln!(err, "{}", error.to_json()),
            false => writeln!(err, "god: {error}"),
        };
    }
}
