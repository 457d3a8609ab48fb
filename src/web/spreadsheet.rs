//! Comma-separated values, as spreadsheets read them.

/// A cell. What a spreadsheet would take for a formula is not left to be one.
pub fn quoted(cell: &str) -> String {
    let shield = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{shield}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_two_cells() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a\",\"b\nc"), "\"a\"\",\"\"b\nc\"");
        assert_eq!(quoted("ann-lee"), "\"ann-lee\"");
    }
}
