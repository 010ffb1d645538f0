//! The benchmark runs, and its figures fit together. What they are is not tested.

use serde_json::Value;
use std::process::{Command, Output};

const ROWS: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airssys-wasm-benchmark"))
        .args(["--rounds", "1", "--round-ms", "1", "--backend", "cranelift"])
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

#[test]
fn every_row_has_figures_that_fit_together() {
    let figures = figures(&["--json"]);
    for row in ROWS {
        assert!(figures.iter().any(|figure| figure["row"] == row), "no {row}");
    }
    for figure in &figures {
        assert!(ROWS.iter().any(|row| figure["row"] == *row), "{figure}");
        assert_eq!(figure["backend"], "cranelift");
        assert_eq!(figure["unit"], "ns");
        assert!(figure["case"].is_string(), "{figure}");
        let ratio = number(figure, "ours") / number(figure, "wasmtime");
        assert!(
            (number(figure, "ratio") - ratio).abs() <= ratio * 1e-9,
            "{figure}"
        );
        for key in ["wasmer", "guest"] {
            if !figure[key].is_null() {
                number(figure, key);
            }
        }
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
    for word in ["P99", "P1", "P2", "P3", "P4", "P5"] {
        assert!(errors.contains(word), "{errors}");
    }
}

#[test]
fn the_table_and_the_file_name_every_row() {
    let folder = std::env::temp_dir().join(format!("airssys-wasm-benchmark-{}", std::process::id()));
    let file = folder.join("benchmarks.md");
    let output = run(&["--rows", "P1,P5", "--write", &file.to_string_lossy()]);
    let written = std::fs::read_to_string(&file).expect("the file is written");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(output.status.success());
    let table = String::from_utf8_lossy(&output.stdout);
    for text in [table.as_ref(), &written] {
        assert!(text.contains("| P1") && text.contains("| P5"), "{text}");
    }
    for word in ["wasmtime: 48.0.0", "wasmer: 7.4.2", "CPU: ", "date: 2"] {
        assert!(written.contains(word), "{word} in {written}");
    }
}
