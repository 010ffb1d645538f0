//! Formatting of figures as tables, and as a file with a section for each build.

use crate::machine;
use crate::measure::Plan;
use crate::rows::{Figure, Group, Row};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One line of a table.
type Line = Vec<String>;

/// Formats a table for each group that has figures.
pub(crate) fn tables(figures: &[Figure]) -> String {
    let groups =
        [Group::Calls, Group::Lives, Group::Checks, Group::Actors].map(|group| table(group, figures));
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
                "sync", "ratio", "native", "ratio",
            ],
            cells_of_lives,
        ),
        Group::Checks => (
            &[
                "row", "case", "backend", "ours", "beside", "ratio", "goal", "above", "goal", "",
            ],
            cells_of_checks,
        ),
        Group::Actors => (
            &[
                "row",
                "case",
                "backend",
                "ours",
                "a second",
                "wasmtime or instance",
                "ratio",
                "goal",
                "",
                "pooling",
                "ratio",
                "sync",
                "ratio",
            ],
            cells_of_actors,
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
    vec![
        figure.row.to_string(),
        figure.case.clone(),
        figure.backend.to_owned(),
        amount(figure.ours, figure.unit),
        optional(figure.wasmtime, figure),
        ratio(figure.ratio),
        figure.goal.map_or_else(String::new, |goal| format!("≤ {goal}")),
        verdict(figure),
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
        optional(figure.native, figure),
        ratio(figure.ratio_native),
    ]);
    cells
}

fn cells_of_checks(figure: &Figure) -> Line {
    let above = figure.beside.map(|beside| figure.ours - beside);
    vec![
        figure.row.to_string(),
        figure.case.clone(),
        figure.backend.to_owned(),
        amount(figure.ours, figure.unit),
        optional(figure.beside, figure),
        ratio(figure.ratio),
        figure.goal.map_or_else(String::new, |goal| format!("≤ {goal}")),
        optional(above, figure),
        figure
            .goal_above
            .map_or_else(String::new, |goal| format!("≤ {}", amount(goal, figure.unit))),
        verdict(figure),
    ]
}

fn cells_of_actors(figure: &Figure) -> Line {
    let goal = match (figure.most, figure.goal) {
        (Some(most), _) => format!("≤ {}", amount(most, figure.unit)),
        (None, Some(goal)) => format!("≤ {goal}"),
        (None, None) => String::new(),
    };
    // Of latencies and CPU time there is no rate.
    let rate = match figure.row == Row::P12 && figure.goal.is_some() {
        true => format!("{:.0}", 1e9 / figure.ours),
        false => String::new(),
    };
    vec![
        figure.row.to_string(),
        figure.case.clone(),
        figure.backend.to_owned(),
        amount(figure.ours, figure.unit),
        rate,
        optional(figure.wasmtime.or(figure.beside), figure),
        ratio(figure.ratio),
        goal,
        verdict(figure),
        optional(figure.wasmtime_pooling, figure),
        ratio(figure.ratio_pooling),
        optional(figure.wasmtime_sync, figure),
        ratio(figure.ratio_sync),
    ]
}

fn verdict(figure: &Figure) -> String {
    match figure.is_met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    }
    .to_owned()
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

Costs of component calls, and of loading and instantiation: airssys-wasm and wasmtime in one process, measured
alternately. Each figure is the median of the faster half of many rounds; a round in which the thread was preempted
is repeated. wasmtime runs with its default features and settings (Cranelift, neither fuel nor
epochs), so its figures are those of Cranelift for each of our backends. The figures are from one machine on one day:
only the ratios are meaningful.

![Ratios to wasmtime, drawn from the tables below](benchmarks.svg)

- *ratio*: ours divided by wasmtime's, or by the preceding column. *goal*: the maximum that we aim for.
- *sync*: wasmtime without its support for concurrent calls (`Config::concurrency_support(false)`), which a synchronous
  host may disable.

Calls:

- *wasmer*: the same, written manually for the guest's core module, with the same backend and no component model.
- *guest*: only the core calls, without copies in or out; the minimum for any host.
- `execute` has a `list<u8>` and a record of a `string` and a `u64` as parameters, calls the host with a short string, and
  returns the bytes in reverse order, in a `result`. *dynamic*: with values instead of Rust types.
- `tick` and `log` are calls from the guest to the host.

Lives of components. The small guest is Rust, the others contain SpiderMonkey (12 MB) and CPython (18 MB), and import WASI;
WASI functions that they do not need trap.

- *pooling*: wasmtime with its pooling allocator instead of its default.
- *file to answer*: a precompiled file, which is in the page cache and was loaded before, is opened, loaded, linked and
  instantiated, and `add` is called; engines, linkers and the list of trusted keys exist before. Everything is
  dropped within the measured time, on every side. Ours verifies a signature; wasmtime does not.
- P6b: the program airssys-wasm with all compilers beside the program wasmtime as `cargo install` makes it. Each is started with a
  precompiled file of the small guest, calls `add` and prints the sum (`invoke`, `run --invoke`). *processor time* is that of user and
  system, *peak memory* the largest resident set, both as the system reports them when the process has ended; the files are in the page cache, and
  ours has verified the signature before.
- *file on the disk to answer*: as *file to answer*, but the file's pages are dropped from the page cache before (`posix_fadvise`, on every side).
- *verification*: reading and hashing the whole file, checking its signature and its signer.
- P7s: as *file to answer*, of text processors that follow the contract, through a `ComponentRuntime`: loaded, initialized, asked to count words. The
  *snapshot* was made after `init`, which is not called again; *ratio* is by the *artifact*.
- *instance*: another instance of a loaded and linked component (`InstancePre`), in its own store, both dropped
  within the measured time. *and answer*: with a call of `add`.
- P9: the computations of the guest `tests/guests/kernels`; the results must equal those of the same code compiled for
  this machine by `rustc` for any processor of the architecture, with optimization level 3: *native*. The goal is on the geometric mean with
  LLVM.
- *compile*: a component from its binary format, on all cores. With LLVM, that takes minutes and is measured only with
  `--slow`, as is everything with large guests compiled by LLVM.
- *one idle instance*: the growth of a process for each of 200 more instances, each in its own store, after one call of
  `add`. Each side has its own process. *RSS* counts a page as often as it is mapped, *PSS* the share of each mapping, and
  *private dirty* the written pages.

Checks of capabilities: P13 is a `call-host-function` with 16 bytes each way. A policy allows it, and the audit in memory has it.
*unchecked* is the same call without check and audit: since nothing turns enforcement off, it is an import in a linker of its own, which
finds the function by its name, contains its panics and limits arguments and result. *above* is the difference.

P17 is one call of an asynchronous function that does not wait, one after the other in one `run_concurrent`. P18 is a chunk of 64 KiB that a producer of the
host writes to the memory of a guest, which reads the stream to its end and does no more. P19 is one `thread.yield` of a task that nothing else
runs beside: its stack is suspended and resumed. wasmtime's side is the same, with its default features.

Actors. P12 is one message of 1 KiB from a component to another, which passes it back, and so on: the guest `tests/guests/relay`, which
does little of its own, in the contract's `send-message` and `execute`. The time of a message, and its CPU time of all
threads, are measured with 16 messages of each pair under way; *p50* and *p99* with one, from one guest's call to the next guest's.
wasmtime's side is as its users write it: a task of tokio for each component, bounded channels of messages, each with the receiver of its answer,
`bindgen!`, asynchronous calls and host functions; *sync*: with synchronous ones, which block the executor's threads, without support for
concurrency. With the feature `interrupt` wasmtime has epochs here. Both have a thread for each core.

*the call alone*: the contract's `execute` with such a message, which is not passed on, of a component that is not an actor.

P14: the growth of a process for each of 10,000 more idle actors of the same guest, and the time to start each, 64 at a time. *instance*: an instance
of the engine, without a runtime, with its own call of `metadata` and `init`; *component of a runtime*: loaded and initialized, but no actor.

P16: requests at 2,000 a second to an actor, as they are answered while nothing changes, and while its component is replaced every 20 ms,
each replacement with the 5 ms after it; by an *artifact* that is loaded, or by a *component* that is compiled meanwhile. And requests
each millisecond to an actor that gets few, alone and beside two that have ten times the messages under way that their mailboxes hold, with a thread
each, on two workers. A request that is sent late because the one before it was late counts from its time.

The guests are `tests/guests/bench*` and `tests/guests/relay`; `cargo xtask bench` repeats the measurement, and `cargo xtask bench --interrupt`
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
const SECTIONS: [Section; 8] = [
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
    Section {
        group: Group::Checks,
        interrupt: false,
        heading: "## Checks of capabilities",
        explanation: "Without the feature `interrupt`.",
    },
    Section {
        group: Group::Checks,
        interrupt: true,
        heading: "## Checks of capabilities in calls that can be interrupted",
        explanation: "With the feature `interrupt`.",
    },
    Section {
        group: Group::Actors,
        interrupt: false,
        heading: "## Components as actors",
        explanation: "Without the feature `interrupt`.",
    },
    Section {
        group: Group::Actors,
        interrupt: true,
        heading: "## Components as actors that can be interrupted",
        explanation: "With the feature `interrupt`, and epochs of wasmtime.",
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
        let [calls, interrupted, lives, lives_interrupted, ..] = &SECTIONS;
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
