//! `cargo xtask conformance`: everything that is compared on every engine, as a matrix.

use crate::tools::{Llvm, cargo, find_llvm};
use anyhow::Result;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The `test` folder of <https://github.com/WebAssembly/component-model>; without it, its table stays as it is
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
    /// Print the tables only, and leave docs/conformance.md as it is
    #[arg(long)]
    no_write: bool,
}

/// Builds and runs the comparison; whether all engines did as they should.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let llvm = find_llvm();
    let features = match &llvm {
        Llvm::At(_) => "cranelift,llvm,singlepass",
        Llvm::Missing(why) => {
            eprintln!("without LLVM, whose column will be missing: {why}");
            "cranelift,singlepass"
        }
    };
    // The packages and features of `cargo xtask test`, so that both share one build.
    let mut arguments = vec![
        "run",
        "--workspace",
        "--locked",
        "--release",
        "--features",
        features,
    ];
    arguments.extend(["--bin", "airssys-wasm-conformance", "--", "matrix"]);
    let suite = options
        .suite
        .as_ref()
        .map(|suite| suite.to_string_lossy().into_owned());
    if let Some(suite) = &suite {
        arguments.extend(["--suite", suite]);
    }
    if !options.no_write {
        arguments.push("--write");
    }
    cargo(root, &llvm, &arguments)
}
