//! Figures as a table, and as a file that keeps one section for each build.

use crate::machine;
use crate::measure::Plan;
use crate::rows::Figure;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEADINGS: [&str; 12] = [
    "row", "case", "backend", "ours", "wasmtime", "ratio", "goal", "", "sync", "ratio", "wasmer", "guest",
];

/// A table that reads well as text and as Markdown.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(figures.iter().map(cells));
    let widths: [usize; HEADINGS.len()] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0).max(3)
    });
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        push_line(&mut text, line, &widths);
        if index == 0 {
            push_line(&mut text, &widths.map(|width| "-".repeat(width)), &widths);
        }
    }
    text
}

fn push_line<const N: usize>(text: &mut String, cells: &[String; N], widths: &[usize; N]) {
    for (cell, width) in cells.iter().zip(widths) {
        // Writing to a string cannot fail.
        let _ = write!(text, "| {cell:width$} ");
    }
    text.push_str("|\n");
}

fn cells(figure: &Figure) -> [String; HEADINGS.len()] {
    let verdict = if figure.ratio <= figure.goal {
        "met"
    } else {
        "missed"
    };
    let optional = |figure: Option<f64>| figure.map_or_else(String::new, time);
    [
        figure.row.to_string(),
        figure.case.to_owned(),
        figure.backend.to_owned(),
        time(figure.ours),
        time(figure.wasmtime),
        format!("{:.3}", figure.ratio),
        format!("≤ {}", figure.goal),
        verdict.to_owned(),
        optional(figure.wasmtime_sync),
        figure
            .ratio_sync
            .map_or_else(String::new, |ratio| format!("{ratio:.3}")),
        optional(figure.wasmer),
        optional(figure.guest),
    ]
}

/// Three digits and a unit.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns => (ns / 1e6, "ms"),
    };
    let digits = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

const INTRODUCTION: &str = "\
# Benchmarks

What a call across the boundary of a component takes: ours beside wasmtime, in one process, the sides taking turns.
Each figure is the median of the faster half of many rounds; a round in which the thread had to leave the processor is
repeated. wasmtime runs with its default features and settings (Cranelift, neither fuel nor epochs), so its figures are
those of Cranelift beside each of our backends. Figures are of one machine on one day: the ratios are what to look at,
and what to measure again.

- *ratio*: ours by wasmtime's. *goal*: what we want it to be at most.
- *sync*: wasmtime without its support for concurrent calls (`Config::concurrency_support(false)`), which a host that
  calls synchronously may turn off; the second ratio is ours by that.
- *wasmer*: the same by hand on the guest's core module, with the same backend and no component model.
- *guest*: the core calls of that alone, without copies in or out; no host can save these.
- `execute` takes a `list<u8>` and a record of a `string` and a `u64`, calls the host with a short string, and gives the
  bytes back in reverse order, in a `result`. *dynamic*: with values instead of Rust types.
- `tick` and `log` are calls from the guest to the host.

The guest is `tests/guests/bench`; `cargo xtask bench` repeats the measurement, and `cargo xtask bench --interrupt` that
of the second section.
";

/// The sections, in their order: heading, and what stands below it.
const SECTIONS: [(&str, &str); 2] = [
    (
        "## Calls that run to their end",
        "Without the feature `interrupt`, as wasmtime's default has no interruption either.",
    ),
    (
        "## Calls that can be interrupted",
        "With the feature `interrupt`, as in the default build. wasmtime still has no interruption here.",
    ),
];

/// Writes `figures` into their section of `file`; the other section stays as it is.
pub(crate) fn write(file: &Path, figures: &[Figure], plan: Plan, load: &str) -> Result<()> {
    let old = fs::read_to_string(file).unwrap_or_default();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(
        file,
        document(&old, &section(figures, plan, load), interruptible(figures)),
    )
    .with_context(|| format!("cannot write {}", file.display()))
}

fn interruptible(figures: &[Figure]) -> bool {
    figures.iter().any(|figure| figure.interrupt)
}

fn section(figures: &[Figure], plan: Plan, load: &str) -> String {
    let mut text = String::new();
    for (name, value) in machine::facts() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(
        text,
        "- load of the machine before: {load}\n- {} rounds of {} ms a side\n\n{}",
        plan.rounds,
        plan.round.as_millis(),
        table(figures).trim_end()
    );
    text
}

fn document(old: &str, new: &str, interruptible: bool) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (index, (heading, explanation)) in SECTIONS.iter().enumerate() {
        let body = if index == usize::from(interruptible) {
            Some(new)
        } else {
            body_of(old, heading, explanation)
        };
        if let Some(body) = body {
            let _ = write!(text, "\n{heading}\n\n{explanation}\n\n{}\n", body.trim());
        }
    }
    text
}

/// What stands below a heading and its explanation.
fn body_of<'a>(document: &'a str, heading: &str, explanation: &str) -> Option<&'a str> {
    let (_, after) = document.split_once(heading)?;
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    Some(section.trim().trim_start_matches(explanation).trim())
}

#[cfg(test)]
mod tests {
    use super::{document, time};

    #[test]
    fn a_section_is_replaced_and_the_other_stays() {
        let first = document("", "one", false);
        let both = document(&first, "two", true);
        assert!(both.contains("\none\n") && both.contains("\ntwo\n"), "{both}");
        let again = document(&both, "three", false);
        assert!(again.contains("\nthree\n") && again.contains("\ntwo\n") && !again.contains("\none\n"));
        assert_eq!(document(&again, "three", false), again);
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!(time(5.678), "5.68 ns");
        assert_eq!(time(41_250.0), "41.2 µs");
        assert_eq!(time(2_900_000.0), "2.90 ms");
        assert_eq!(time(560_400.0), "560 µs");
    }
}
