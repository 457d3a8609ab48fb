//! Rows for people: a table on a terminal, aligned text in a pipe.

use comfy_table::{Cell, ContentArrangement, presets};

/// Columns of a terminal below which folded cells are harder to read than long lines.
const NARROW: u16 = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(header: [&'static str; N]) -> Self {
        Table { header: header.to_vec(), rows: Vec::new() }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.header.len(), "a row has the header's columns");
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As wide as the terminal; long cells are folded. Where there is no room for that, as in a pipe.
    pub fn for_terminal(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_some_and(|width| width < NARROW) {
            return self.plain();
        }
        table.set_header(self.header.clone());
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::new).collect::<Vec<_>>());
        }
        format!("{}\n", table.trim_fmt())
    }

    /// One line a row, columns two spaces apart, nothing folded or cut.
    pub fn plain(&self) -> String {
        let header: Vec<String> = self.header.iter().map(ToString::to_string).collect();
        let lines = || std::iter::once(&header).chain(&self.rows);
        let widths: Vec<usize> = (0..header.len())
            .map(|column| lines().map(|line| line[column].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in lines() {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Names come from other people too: nothing in them may steer the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["ID", "NAME", "WHY"]);
        table.row(["7".into(), "blastn".into(), String::new()]);
        table.row(["120".into(), "é\x1b[2J".into(), "No node has 4 cpu free.".into()]);
        table
    }

    #[test]
    fn plain_text_is_aligned_and_whole() {
        assert_eq!(table().plain(), "ID   NAME    WHY\n7    blastn\n120  é [2J   No node has 4 cpu free.\n");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert!(!table().for_terminal().contains('\x1b'));
        assert!(table().for_terminal().contains("blastn"));
    }
}
