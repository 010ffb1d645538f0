//! `cargo xtask bench`: builds the benchmark and runs it.
//!
//! The package is built on its own: with the rest of the workspace, cargo would give airssys-wasm the features of all.

use crate::tools::{Llvm, cargo, find_llvm};
use anyhow::Result;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "airssys-wasm-benchmark";

/// Where all rows are written, from the workspace root.
const FIGURES: &str = "docs/benchmarks.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rows to measure, as P1,P2; all if none is named
    #[arg(long)]
    rows: Option<String>,
    /// Backends to measure with, as cranelift,llvm; all that can be compiled here if none is named
    #[arg(long)]
    backend: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Measure the default build, whose calls can be interrupted
    #[arg(long)]
    interrupt: bool,
    /// Compile Singlepass in too
    #[arg(long)]
    singlepass: bool,
    /// File to write the figures to; docs/benchmarks.md if everything is measured
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Builds and runs the benchmark; whether it ran to its end.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let llvm = find_llvm();
    let features = features(options, &llvm);
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
    let file = file(root, options).map(|file| file.to_string_lossy().into_owned());
    if let Some(file) = &file {
        arguments.extend(["--write", file]);
    }
    cargo(root, &llvm, &arguments)
}

fn features(options: &Options, llvm: &Llvm) -> String {
    let mut features = vec!["cranelift", "reference-defaults"];
    match llvm {
        Llvm::At(_) => features.push("llvm"),
        Llvm::Missing(why) => eprintln!("without LLVM: {why}"),
    }
    if options.singlepass {
        features.push("singlepass");
    }
    if options.interrupt {
        features.push("interrupt");
    }
    features.join(",")
}

/// The file to write. A part of the rows does not replace all of them unasked.
fn file(root: &Path, options: &Options) -> Option<PathBuf> {
    let everything = options.rows.is_none() && options.backend.is_none() && !options.json;
    match &options.write {
        // Cargo runs the benchmark in the folder that we run it in, which is the root.
        Some(file) => Some(std::path::absolute(file).unwrap_or_else(|_| file.clone())),
        None => everything.then(|| root.join(FIGURES)),
    }
}
