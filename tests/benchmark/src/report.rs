//! Formatting of figures as tables, and as a file with a section for each build.

use crate::machine;
use crate::measure::Plan;
use crate::rows::{Figure, Group};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One line of a table.
type Line = Vec<String>;

/// Formats a table for each group that has figures.
pub(crate) fn tables(figures: &[Figure]) -> String {
    let groups = [Group::Calls, Group::Lives].map(|group| table(group, figures));
    let tables: Vec<String> = groups.into_iter().flatten().collect();
    tables.join("\n")
}

/// Formats the group's figures as a table that is readable as text and as Markdown.
fn table(group: Group, figures: &[Figure]) -> Option<String> {
    let (headings, cells): (&[&str], fn(&Figure) -> Line) = match group {
        Group::Calls => (
            &[
                "row", "case", "backend", "ours", "wasmtime", "ratio", "goal", "", "sync", "ratio", "wasmer",
                "guest",
            ],
            cells_of_calls,
        ),
        Group::Lives => (
            &[
                "row", "case", "backend", "ours", "wasmtime", "ratio", "goal", "", "pooling", "ratio",
                "sync", "ratio",
            ],
            cells_of_lives,
        ),
    };
    let mut lines: Vec<Line> = vec![headings.iter().map(|heading| (*heading).to_owned()).collect()];
    let of_group = figures.iter().filter(|figure| figure.row.group() == group);
    lines.extend(of_group.map(cells));
    (lines.len() > 1).then(|| aligned(&lines))
}

fn aligned(lines: &[Line]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let rule: Line = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        push_line(&mut text, line, &widths);
        if index == 0 {
            push_line(&mut text, &rule, &widths);
        }
    }
    text
}

fn push_line(text: &mut String, cells: &[String], widths: &[usize]) {
    for (cell, width) in cells.iter().zip(widths) {
        // Writing to a string cannot fail.
        let _ = write!(text, "| {cell:width$} ");
    }
    text.push_str("|\n");
}

/// Returns the first columns of every table.
fn common_cells(figure: &Figure) -> Line {
    let verdict = match (figure.ratio, figure.goal) {
        (Some(ratio), Some(goal)) if ratio <= goal => "met",
        (Some(_), Some(_)) => "missed",
        _ => "",
    };
    vec![
        figure.row.to_string(),
        figure.case.clone(),
        figure.backend.to_owned(),
        amount(figure.ours, figure.unit),
        optional(figure.wasmtime, figure),
        ratio(figure.ratio),
        figure.goal.map_or_else(String::new, |goal| format!("≤ {goal}")),
        verdict.to_owned(),
    ]
}

fn cells_of_calls(figure: &Figure) -> Line {
    let mut cells = common_cells(figure);
    cells.extend([
        optional(figure.wasmtime_sync, figure),
        ratio(figure.ratio_sync),
        optional(figure.wasmer, figure),
        optional(figure.guest, figure),
    ]);
    cells
}

fn cells_of_lives(figure: &Figure) -> Line {
    let mut cells = common_cells(figure);
    cells.extend([
        optional(figure.wasmtime_pooling, figure),
        ratio(figure.ratio_pooling),
        optional(figure.wasmtime_sync, figure),
        ratio(figure.ratio_sync),
    ]);
    cells
}

fn optional(amount_or_none: Option<f64>, figure: &Figure) -> String {
    amount_or_none.map_or_else(String::new, |value| amount(value, figure.unit))
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"))
}

fn amount(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => memory(value),
        _ => time(value),
    }
}

/// Formats bytes with three digits and a unit.
fn memory(bytes: f64) -> String {
    let (value, unit) = match bytes {
        bytes if bytes < 1024.0 * 1024.0 => (bytes / 1024.0, "KiB"),
        bytes => (bytes / (1024.0 * 1024.0), "MiB"),
    };
    three_digits(value, unit)
}

/// Formats nanoseconds with three digits and a unit.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    three_digits(value, unit)
}

fn three_digits(value: f64, unit: &str) -> String {
    let digits = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

const INTRODUCTION: &str = "\
# Benchmarks

What calls across the boundary of a component take, and what comes before them: ours beside wasmtime, in one process,
the sides taking turns. Each figure is the median of the faster half of many rounds; a round in which the thread had to
leave the processor is repeated. wasmtime runs with its default features and settings (Cranelift, neither fuel nor
epochs), so its figures are those of Cranelift beside each of our backends. Figures are of one machine on one day: the
ratios are what to look at, and what to measure again.

- *ratio*: ours by wasmtime's, or by that of the column before it. *goal*: what we want it to be at most.
- *sync*: wasmtime without its support for concurrent calls (`Config::concurrency_support(false)`), which a host that
  calls synchronously may turn off.

Calls:

- *wasmer*: the same by hand on the guest's core module, with the same backend and no component model.
- *guest*: the core calls of that alone, without copies in or out; no host can save these.
- `execute` takes a `list<u8>` and a record of a `string` and a `u64`, calls the host with a short string, and gives the
  bytes back in reverse order, in a `result`. *dynamic*: with values instead of Rust types.
- `tick` and `log` are calls from the guest to the host.

Lives of components. The small guest is Rust, the others carry SpiderMonkey (12 MB) and CPython (18 MB), and import WASI;
what they do not call of it traps.

- *pooling*: wasmtime with its pooling allocator in place of its default.
- *file to answer*: a precompiled file, which lies in the page cache and was loaded before, is opened, loaded, linked and
  instantiated, and `add` is called; engines, linkers and the list of trusted keys are there before. Everything made is
  dropped within the time, on every side. Ours has a signature to check; wasmtime checks none.
- *verification*: the whole file read and hashed, its signature and its signer checked.
- *instance*: one more of a component that is loaded and linked (`InstancePre`), in a store of its own, both dropped
  within the time. *and answer*: with a call of `add`.
- P9: what the guest `tests/guests/kernels` computes; the answers have to be those of the same code compiled for this
  machine. The goal is on the geometric mean with LLVM.
- *compile*: a component from its binary form, on all cores. With LLVM, that takes minutes and is measured with `--slow`
  only, as is everything with large guests that LLVM has compiled.
- *one idle instance*: what a process grows by with each of 200 more, each in a store of its own, after one call of
  `add`. A process for each side. *RSS* counts a page as often as it is mapped, *PSS* what each mapping's share is, and
  *private dirty* what was written to.

The guests are `tests/guests/bench*`; `cargo xtask bench` repeats the measurement, and `cargo xtask bench --interrupt`
that with the feature `interrupt`.
";

/// A part of the file that is replaced as a whole.
struct Section {
    group: Group,
    /// Set for builds of airssys-wasm that can interrupt guests.
    interrupt: bool,
    heading: &'static str,
    explanation: &'static str,
}

/// The sections, in their order.
const SECTIONS: [Section; 4] = [
    Section {
        group: Group::Calls,
        interrupt: false,
        heading: "## Calls that run to their end",
        explanation: "Without the feature `interrupt`, as wasmtime's default has no interruption either.",
    },
    Section {
        group: Group::Calls,
        interrupt: true,
        heading: "## Calls that can be interrupted",
        explanation: "With the feature `interrupt`, as in the default build. wasmtime still has no interruption here.",
    },
    Section {
        group: Group::Lives,
        interrupt: false,
        heading: "## Lives of components",
        explanation: "Without the feature `interrupt`.",
    },
    Section {
        group: Group::Lives,
        interrupt: true,
        heading: "## Lives of components that can be interrupted",
        explanation: "With the feature `interrupt`. wasmtime still has no interruption here.",
    },
];

/// Writes `figures` into their sections of `file`; the other sections are unchanged.
pub(crate) fn write(file: &Path, figures: &[Figure], plan: Plan, load: &str) -> Result<()> {
    let mut text = fs::read_to_string(file).unwrap_or_default();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    for section in &SECTIONS {
        let of_build: Vec<Figure> = figures
            .iter()
            .filter(|figure| figure.interrupt == section.interrupt)
            .cloned()
            .collect();
        if let Some(table) = table(section.group, &of_build) {
            text = document(&text, &body(&table, plan, load), section);
        }
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn body(table: &str, plan: Plan, load: &str) -> String {
    let mut text = String::new();
    for (name, value) in machine::facts() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(
        text,
        "- load of the machine before: {load}\n- {} rounds of {} ms a side, or fewer of what takes longer\n\n{}",
        plan.rounds,
        plan.round.as_millis(),
        table.trim_end()
    );
    text
}

fn document(old: &str, new: &str, replaced: &Section) -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in &SECTIONS {
        let Section {
            heading, explanation, ..
        } = section;
        let body = if *heading == replaced.heading {
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

/// Returns the text below a heading and its explanation.
fn body_of<'a>(document: &'a str, heading: &str, explanation: &str) -> Option<&'a str> {
    // Includes the line end, since one heading is a prefix of another.
    let (_, after) = document.split_once(&format!("{heading}\n"))?;
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    Some(section.trim().trim_start_matches(explanation).trim())
}

#[cfg(test)]
mod tests {
    use super::{SECTIONS, document, memory, time};

    #[test]
    fn a_section_is_replaced_and_the_others_stay() {
        let [calls, interrupted, lives, lives_interrupted] = &SECTIONS;
        let first = document("", "one", calls);
        let both = document(&first, "two", interrupted);
        assert!(both.contains("\none\n") && both.contains("\ntwo\n"), "{both}");
        let again = document(&both, "three", calls);
        assert!(again.contains("\nthree\n") && again.contains("\ntwo\n") && !again.contains("\none\n"));
        assert_eq!(document(&again, "three", calls), again);

        let more = document(&again, "five", lives_interrupted);
        let all = document(&more, "four", lives);
        for body in ["three", "two", "four", "five"] {
            assert_eq!(all.matches(&format!("\n{body}\n")).count(), 1, "{body} in {all}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!(time(5.678), "5.68 ns");
        assert_eq!(time(41_250.0), "41.2 µs");
        assert_eq!(time(2_900_000.0), "2.90 ms");
        assert_eq!(time(560_400.0), "560 µs");
        assert_eq!(time(6_512_000_000.0), "6.51 s");
    }

    #[test]
    fn memory_has_three_digits() {
        assert_eq!(memory(12_800.0), "12.5 KiB");
        assert_eq!(memory(3_500_000.0), "3.34 MiB");
    }
}
