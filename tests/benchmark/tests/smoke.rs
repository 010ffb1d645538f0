//! The benchmark runs, and its figures are consistent. Their values are not tested.

use serde_json::Value;
use std::process::{Command, Output};

/// Rows that only need committed guests.
const ROWS: [&str; 17] = [
    "P1", "P2", "P3", "P4", "P5", "P6", "P7b", "P7s", "P8", "P9", "P11", "P12", "P13", "P14", "P17", "P18",
    "P19",
];
/// Rows of the JavaScript guest, and possibly of others.
const LARGE: [&str; 3] = ["P7", "P7a", "P10"];

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airssys-wasm-benchmark"))
        .args([
            "--rounds",
            "1",
            "--round-ms",
            "1",
            "--instances",
            "3",
            "--backend",
            "cranelift",
        ])
        .args(arguments)
        .output()
        .expect("the benchmark starts")
}

fn figures(arguments: &[&str]) -> Vec<Value> {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("an array on stdout")
}

fn number(figure: &Value, key: &str) -> f64 {
    let number = figure[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {figure}"));
    assert!(number.is_finite() && number > 0.0, "{key} in {figure}");
    number
}

fn fits(figure: &Value) {
    assert_eq!(figure["backend"], "cranelift");
    assert!(figure["case"].is_string(), "{figure}");
    if figure["row"] == "P11" {
        // So few instances may fit into memory that is already there: only the form is certain.
        assert_eq!(figure["unit"], "bytes");
        assert!(
            figure["ours"].is_number() && figure["wasmtime"].is_number(),
            "{figure}"
        );
        return;
    }
    if figure["row"] == "P14" {
        // As for P11.
        assert!(
            figure["ours"].is_number() && figure["beside"].is_number(),
            "{figure}"
        );
        return;
    }
    assert_eq!(figure["unit"], "ns");
    let ours = number(figure, "ours");
    if figure["row"] == "P13" || figure["row"] == "P7s" {
        let expected = ours / number(figure, "beside");
        assert!(
            (number(figure, "ratio") - expected).abs() <= expected * 1e-9,
            "{figure}"
        );
        return;
    }
    for (theirs, ratio) in [
        ("wasmtime", "ratio"),
        ("wasmtime_sync", "ratio_sync"),
        ("wasmtime_pooling", "ratio_pooling"),
        ("native", "ratio_native"),
    ] {
        if figure[theirs].is_null() {
            assert!(figure[ratio].is_null(), "{figure}");
            continue;
        }
        let expected = ours / number(figure, theirs);
        assert!(
            (number(figure, ratio) - expected).abs() <= expected * 1e-9,
            "{figure}"
        );
    }
    for key in ["wasmer", "guest"] {
        if !figure[key].is_null() {
            number(figure, key);
        }
    }
    // The verification has no counterpart, nor has one case of messages, nor have asynchronous calls without the reference's features.
    let row = figure["row"].as_str().unwrap_or_default();
    let is_alone = matches!(row, "P7a" | "P17" | "P18" | "P19") || figure["case"] == "the call alone";
    assert_eq!(figure["wasmtime"].is_null(), is_alone, "{figure}");
}

/// Reports whether the system tells the resident memory of a process, and the CPU time of its threads.
fn memory_is_told() -> bool {
    std::path::Path::new("/proc/self/smaps_rollup").exists()
}

#[test]
fn every_row_has_figures_that_fit_together() {
    // Without the large guests, even if they are built.
    let nowhere = std::env::temp_dir().join("airssys-wasm-benchmark-nowhere");
    let rows = ROWS.map(|row| row.to_owned()).join(",");
    let output = Command::new(env!("CARGO_BIN_EXE_airssys-wasm-benchmark"))
        .env_remove("AIRSSYS_REQUIRE_ALL")
        .args([
            "--rounds",
            "1",
            "--round-ms",
            "1",
            "--instances",
            "3",
            "--backend",
            "cranelift",
        ])
        .args(["--json", "--rows", &rows, "--guests", &nowhere.to_string_lossy()])
        .output()
        .expect("the benchmark starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    for word in [
        "cargo xtask guests bench-javascript",
        "cargo xtask guests bench-python",
    ] {
        assert!(errors.contains(word), "{errors}");
    }
    let figures: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array on stdout");
    let is_told = |row: &&str| match *row {
        "P11" | "P12" | "P14" => memory_is_told(),
        "P7b" => !errors.contains("LEFT OUT: P7b"),
        _ => true,
    };
    for row in ROWS.into_iter().filter(is_told) {
        assert!(figures.iter().any(|figure| figure["row"] == row), "no {row}");
    }
    for figure in &figures {
        assert!(ROWS.iter().any(|row| figure["row"] == *row), "{figure}");
        fits(figure);
    }
}

#[test]
fn large_guests_have_figures_that_fit_together() {
    // Large guests are skipped if they were not built, which fails where everything is required.
    let figures = figures(&["--json", "--rows", &LARGE.join(",")]);
    for figure in &figures {
        assert!(LARGE.iter().any(|row| figure["row"] == *row), "{figure}");
        fits(figure);
    }
}

#[test]
fn a_missing_guest_is_an_error_where_everything_is_required() {
    let nowhere = std::env::temp_dir().join("airssys-wasm-benchmark-nowhere");
    let output = Command::new(env!("CARGO_BIN_EXE_airssys-wasm-benchmark"))
        .env("AIRSSYS_REQUIRE_ALL", "1")
        .args(["--rows", "P7", "--guests", &nowhere.to_string_lossy()])
        .output()
        .expect("the benchmark starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && errors.contains("bench-javascript"),
        "{errors}"
    );
}

#[test]
fn a_missing_program_leaves_its_row_out_with_the_remedy() {
    let run = |require: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airssys-wasm-benchmark"));
        command.env_remove("AIRSSYS_REQUIRE_ALL");
        if let Some(require) = require {
            command.env("AIRSSYS_REQUIRE_ALL", require);
        }
        let output = command
            .args(["--rows", "P6B", "--json"])
            .output()
            .expect("the benchmark starts");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains("cargo install wasmtime-cli"), "{errors}");
        output.status.success()
    };
    assert!(run(None));
    assert!(!run(Some("1")));
}

#[test]
fn the_usage_of_a_program_follows_its_output() {
    let meter = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meter")).args(words).output();
        output.expect("it starts")
    };
    let output = meter(&[
        "sh",
        "-c",
        "echo 42; i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done",
    ]);
    let text = String::from_utf8(output.stdout).expect("text");
    let (answer, usage) = text.trim_end().split_once('\n').expect("two lines");
    assert_eq!(answer, "42");
    let (processor, memory) = usage.split_once(' ').expect("two numbers");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    assert!(number(processor) > 0 && number(memory) > 100_000, "{usage}");
    for failed in [&["sh", "-c", "exit 3"][..], &["/no/such/program"], &[]] {
        assert!(!meter(failed).status.success(), "{failed:?}");
    }
}

#[test]
fn rows_are_picked() {
    let figures = figures(&["--json", "--rows", "P1"]);
    assert!(!figures.is_empty());
    assert!(figures.iter().all(|figure| figure["row"] == "P1"), "{figures:?}");
}

#[test]
fn an_unknown_row_is_an_error_that_lists_the_rows() {
    let output = run(&["--rows", "P1,P99"]);
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    for word in ["P99", "P1", "P5", "P7A", "P11", "P13", "P14"] {
        assert!(errors.contains(word), "{errors}");
    }
}

#[test]
fn the_table_and_the_file_name_every_row() {
    let folder = std::env::temp_dir().join(format!("airssys-wasm-benchmark-{}", std::process::id()));
    let file = folder.join("benchmarks.md");
    let output = run(&["--rows", "P1,P5,P6", "--write", &file.to_string_lossy()]);
    let written = std::fs::read_to_string(&file).expect("the file is written");
    let chart = std::fs::read_to_string(file.with_extension("svg")).expect("the chart is drawn");
    assert!(
        chart.starts_with("<svg ") && chart.contains(">P1 add(u32, u32)<"),
        "{chart}"
    );
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(output.status.success());
    let table = String::from_utf8_lossy(&output.stdout);
    for text in [table.as_ref(), &written] {
        for row in ["| P1 ", "| P5 ", "| P6 "] {
            assert!(text.contains(row), "{row} in {text}");
        }
    }
    for word in [
        "wasmtime: 48.0.0",
        "wasmer: 7.4.2",
        "CPU: ",
        "date: 2",
        "## Lives",
    ] {
        assert!(written.contains(word), "{word} in {written}");
    }
}
