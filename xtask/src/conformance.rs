//! `cargo xtask conformance`: runs all comparisons on every engine, and writes a matrix.

use crate::tools::{announce, cargo, find_llvm, target_dir, workspace_features};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "airssys-wasm-conformance";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The `test` folder of <https://github.com/WebAssembly/component-model>; without it, its table is unchanged
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
    /// Print the tables without updating docs/conformance.md
    #[arg(long)]
    no_write: bool,
}

/// Builds and runs the comparison; returns whether all engines agreed with the expectations.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let llvm = find_llvm();
    let features = workspace_features(&llvm, true);
    let build = [
        "build",
        "--workspace",
        "--locked",
        "--release",
        "--features",
        &features,
    ];
    if !cargo(root, &[&build[..], &["--bin", PROGRAM]].concat())? {
        return Ok(false);
    }
    let mut program = Command::new(target_dir(root).join("release").join(PROGRAM));
    program.arg("matrix");
    if let Some(suite) = &options.suite {
        program.arg("--suite").arg(suite);
    }
    if !options.no_write {
        program.arg("--write");
    }
    announce(&format!("{PROGRAM} matrix"));
    let status = program
        .status()
        .with_context(|| format!("cannot start {program:?}"))?;
    Ok(status.success())
}
