//! Tables of cases by engines.

use crate::wast::FileReport;
use crate::{Comparison, Fault};
use std::fmt;

/// Results of one engine in a group of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub unsupported: usize,
}

impl Tally {
    /// Returns the sum of both.
    #[must_use]
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            unsupported: self.unsupported + other.unsupported,
        }
    }
}

/// `12`, or `12 / 1 failed / 3 unsupported`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.passed)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.unsupported > 0 {
            write!(f, ", {} unsupported", self.unsupported)?;
        }
        Ok(())
    }
}

impl From<&FileReport> for Tally {
    fn from(report: &FileReport) -> Tally {
        Tally {
            passed: report.passed,
            failed: report.failed,
            unsupported: report.unsupported,
        }
    }
}

/// A group of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// One tally for each engine.
    pub tallies: Vec<Tally>,
}

impl Group {
    /// Counts a script's directives on every engine.
    pub fn of_script(reports: &[FileReport]) -> Group {
        Group {
            name: reports
                .first()
                .map(|report| report.file.clone())
                .unwrap_or_default(),
            tallies: reports.iter().map(Tally::from).collect(),
        }
    }

    /// Counts calls on every engine. A call on which engines differ counts as failed on all of them.
    pub fn of_calls(name: &str, comparison: &Comparison) -> Group {
        let failed = comparison.rows.iter().filter(|row| row.fault.is_some()).count();
        let tally = Tally {
            passed: comparison.rows.len() - failed,
            failed,
            unsupported: 0,
        };
        Group {
            name: name.to_owned(),
            tallies: vec![tally; comparison.engines.len()],
        }
    }
}

/// Formats the results on which engines differ.
pub fn differences(comparison: &Comparison) -> Vec<String> {
    let wrong = comparison.rows.iter().filter(|row| row.fault.is_some());
    let text = wrong.map(|row| {
        let answers: Vec<String> = comparison
            .engines
            .iter()
            .zip(&row.answers)
            .map(|(engine, answer)| format!("{engine}: {answer:?}"))
            .collect();
        let fault = row.fault.as_ref().map(Fault::to_string).unwrap_or_default();
        format!("{}: {fault}: {}", row.call, answers.join("; "))
    });
    text.collect()
}

/// Formats the groups as a table that is readable as text and as Markdown, with the sums in its last line.
pub fn table(heading: &str, engines: &[String], groups: &[Group]) -> String {
    let mut rows = vec![[&[heading.to_owned()], engines].concat()];
    let row = |group: &Group| {
        let cells = group.tallies.iter().map(Tally::to_string);
        [group.name.clone()].into_iter().chain(cells).collect::<Vec<_>>()
    };
    rows.extend(groups.iter().map(row));
    let sum = |column: usize| {
        let tallies = groups.iter().filter_map(|group| group.tallies.get(column));
        tallies.fold(Tally::default(), |sum, tally| sum.and(*tally))
    };
    rows.push(row(&Group {
        name: "all".into(),
        tallies: (0..engines.len()).map(sum).collect(),
    }));
    lines(&rows)
}

/// Formats rows of cells as Markdown, the first as the heading.
pub fn lines(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("| {cell:width$} "));
        cells.collect::<String>() + "|\n"
    };
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&line(row));
        if index == 0 {
            text.push_str(&line(&dashes));
        }
    }
    text
}
