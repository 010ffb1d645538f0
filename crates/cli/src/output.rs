//! Printing of results to standard output.

use std::io::{self, Write};

use serde_json::Value;

use crate::exit::{Exit, Failure, Outcome};
use crate::text;

/// Prints text and a line end.
pub(crate) fn print(text: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(unwritable)
}

/// Returns the failure of a standard output that is full or closed.
pub(crate) fn unwritable(error: io::Error) -> Failure {
    Failure::new(Exit::Host, error).context("standard output cannot be written")
}

/// Prints JSON.
pub(crate) fn print_json(value: &Value) -> Outcome<()> {
    print(&text::json(value))
}

/// Formats rows in columns as wide as their widest cell, two spaces apart.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
