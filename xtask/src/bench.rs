//! `cargo xtask bench`: builds the benchmark and runs it.
//!
//! The package is built on its own: with the rest of the workspace, cargo would give airssys-wasm the features of all.

use crate::guests;
use crate::programs;
use crate::tools::{Llvm, cargo, find_llvm};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};

const PACKAGE: &str = "airssys-wasm-benchmark";

/// The guests that are too large to commit, and the rows that need them.
const GUESTS: [&str; 3] = ["bench-javascript", "bench-python", "text-processor-py"];
const LARGE: [&str; 8] = ["P6B", "P7", "P7A", "P7B", "P7S", "P8", "P10", "P11"];

/// The row that compares programs.
const PROGRAMS: &str = "P6B";

/// The default file for the figures of all rows, from the workspace root.
const FIGURES: &str = "docs/benchmarks.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rows to measure, as in P1,P2 [default: all]
    #[arg(long)]
    rows: Option<String>,
    /// Backends to measure with, as in cranelift,llvm
    ///
    /// By default all that can be compiled here, but Singlepass only for rows that compute or compile.
    #[arg(long)]
    backend: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Measure the default build, whose calls can be interrupted
    #[arg(long)]
    interrupt: bool,
    /// Also compile the large guests with LLVM, which takes minutes for each
    #[arg(long)]
    slow: bool,
    /// File to write the figures to [default: docs/benchmarks.md if everything is measured]
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

impl Options {
    /// Reports whether a row is measured.
    fn selects(&self, row: &str) -> bool {
        let rows = self.rows.as_deref();
        rows.is_none_or(|rows| {
            rows.split(',')
                .any(|named| named.trim().eq_ignore_ascii_case(row))
        })
    }
}

/// Builds and runs the benchmark; returns whether it ran to its end.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    build_guests(root, options)?;
    let llvm = find_llvm();
    let features = features(options, &llvm);
    let programs = programs(root, options, &llvm, &features)?;
    let mut arguments = vec![
        "run",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        PACKAGE,
        "--no-default-features",
        "--features",
        &features,
        "--",
    ];
    if let Some(rows) = &options.rows {
        arguments.extend(["--rows", rows]);
    }
    if let Some(backend) = &options.backend {
        arguments.extend(["--backend", backend]);
    }
    if options.json {
        arguments.push("--json");
    }
    if options.slow {
        arguments.push("--slow");
    }
    arguments.extend(programs.iter().map(String::as_str));
    let file = file(root, options).map(|file| file.to_string_lossy().into_owned());
    if let Some(file) = &file {
        arguments.extend(["--write", file]);
    }
    cargo(root, &arguments)
}

/// Builds the guests that are too large to commit, if their rows are selected and they are missing.
fn build_guests(root: &Path, options: &Options) -> Result<()> {
    let wanted = LARGE.iter().any(|row| options.selects(row));
    for guest in GUESTS.iter().filter(|_| wanted) {
        if guests::built_before(root, guest).is_some() {
            continue;
        }
        let report = guests::run(root, false, &[(*guest).to_owned()])?;
        // The benchmark then leaves their rows out, or fails if nothing may be left out.
        for (name, install) in &report.missing {
            eprintln!("without {name}: {install}");
        }
    }
    Ok(())
}

/// Builds or installs the programs of row P6b, and the program that measures them, if the row is selected; returns the benchmark's options
/// for them.
fn programs(root: &Path, options: &Options, llvm: &Llvm, features: &str) -> Result<Vec<String>> {
    if !options.selects(PROGRAMS) {
        return Ok(Vec::new());
    }
    let Some(wasmtime) = programs::wasmtime(root)? else {
        return Ok(Vec::new());
    };
    let ours = programs::ours(root, llvm)?;
    let meter = [
        "build",
        "--release",
        "--locked",
        "--package",
        PACKAGE,
        "--bin",
        "meter",
    ];
    let features = ["--no-default-features", "--features", features];
    ensure!(
        cargo(root, &[&meter[..], &features].concat())?,
        "the program `meter` cannot be built"
    );
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    Ok(vec![
        "--program".to_owned(),
        path(ours),
        "--wasmtime".to_owned(),
        path(wasmtime),
    ])
}

fn features(options: &Options, llvm: &Llvm) -> String {
    let mut features = vec!["cranelift", "singlepass", "reference-defaults"];
    match llvm {
        Llvm::Available => features.push("llvm"),
        Llvm::Missing(why) => eprintln!("without LLVM: {why}"),
    }
    if options.interrupt {
        features.push("interrupt");
    }
    features.join(",")
}

/// Returns the file to write. A selection of rows replaces the file of all rows only if it is named.
fn file(root: &Path, options: &Options) -> Option<PathBuf> {
    let everything = options.rows.is_none() && options.backend.is_none() && !options.json;
    match &options.write {
        // Cargo runs the benchmark in its own working directory, which is the root.
        Some(file) => Some(std::path::absolute(file).unwrap_or_else(|_| file.clone())),
        None => everything.then(|| root.join(FIGURES)),
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn rows_are_selected_by_their_whole_name_in_any_case() {
        let options = |rows: Option<&str>| Options {
            rows: rows.map(str::to_owned),
            backend: None,
            json: false,
            interrupt: false,
            slow: false,
            write: None,
        };
        assert!(options(None).selects("P6B"));
        assert!(options(Some("P1, p6b")).selects("P6B"));
        assert!(!options(Some("P6,P7B")).selects("P6B"));
    }
}
