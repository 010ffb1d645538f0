//! Developer commands: `cargo xtask COMMAND`.
//!
//! One module per command. Each returns an error that names the file or the tool concerned; the exit code is 0 on
//! success, 1 when a check failed, 2 for wrong usage.

mod bench;
mod cache_kills;
mod conformance;
mod failures;
mod findings;
mod fuzz;
mod guests;
mod load;
mod preview1;
mod programs;
mod test;
mod tools;
mod wit_deps;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    about = "Developer commands of the airssys-wasm workspace"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Copy the contract's WIT packages to DIR/deps/NAME/NAME.wit, for a guest whose `wit` folder is DIR
    WitDeps {
        /// The guest's `wit` folder, which contains its `world.wit`; created if missing
        dir: PathBuf,
        /// Declare `init`, `execute` and `shutdown` as `async func`, for a guest whose code for them is asynchronous
        #[arg(long = "async")]
        asynchronous: bool,
    },
    /// Check formatting, lints and guests, and run every test with every available backend
    ///
    /// Steps whose tools are missing are skipped and listed at the end. With AIRSSYS_REQUIRE_ALL=1 a missing
    /// tool is a failure.
    Test,
    /// Build the example and test guests with their own toolchains
    Guests {
        /// Compare with the committed components instead of replacing them
        #[arg(long)]
        check: bool,
        /// Guests to build [default: all]
        names: Vec<String>,
    },
    /// Benchmark calls, loading, instances, computation and memory against wasmtime and bare wasmer
    ///
    /// Builds the benchmark with every available backend, and writes the figures to docs/benchmarks.md.
    Bench(bench::Options),
    /// Compare all engines on scripts, calls and hostile guests, and print the cases per engine
    ///
    /// They run on every backend that can be compiled here and on wasmtime; the
    /// tables are written to docs/conformance.md.
    Conformance(conformance::Options),
    /// Fuzz the host: component bytes, guest memory, calls that differ between engines
    ///
    /// Runs a libFuzzer target of tests/fuzz for a time; the exit code is 1 if it finds a defect. `ci` runs each target.
    Fuzz(fuzz::Options),
    /// Benchmark `airssys-wasm serve` under load, against wasmtime in a similar server
    ///
    /// Needs the load generator wrk. One more run checks every response; the exit code is 1 if one is wrong or lost.
    Load(load::Options),
    /// Kill processes that write the cache of compiled components, and check for corrupt entries
    ///
    /// The test `artifact_cache` does the same with 40 kills.
    CacheKills(cache_kills::Options),
    /// Run the scripts in findings/, which reproduce surprising behavior of libraries and tools
    ///
    /// They install packages and take minutes; CI skips them. The exit code is 1 if the output of one has changed.
    Findings {
        /// Findings to run [default: all]
        names: Vec<String>,
    },
    /// Run the preview 1 programs of a checked-out wasi-testsuite through `airssys-wasm run`
    ///
    /// Prints the number that passed, and the output of each failure. The exit code is 1 if one failed.
    Preview1(preview1::Options),
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; returns whether its checks passed.
fn run(command: &Command) -> Result<bool> {
    let root = workspace_root()?;
    match command {
        Command::WitDeps { dir, asynchronous } => {
            let form = match asynchronous {
                true => wit_deps::Form::Asynchronous,
                false => wit_deps::Form::Synchronous,
            };
            for file in wit_deps::lay_out(&root, dir, form)? {
                println!("{file}");
            }
            Ok(true)
        }
        Command::Test => test::run(&root),
        Command::Guests { check, names } => {
            let report = guests::run(&root, *check, names)?;
            print!("{report}");
            Ok(report.is_complete())
        }
        Command::Bench(options) => bench::run(&root, options),
        Command::Conformance(options) => conformance::run(&root, options),
        Command::Fuzz(options) => fuzz::run(&root, options),
        Command::Load(options) => load::run(&root, options),
        Command::CacheKills(options) => cache_kills::run(&root, options),
        Command::Findings { names } => findings::run(&root, names),
        Command::Preview1(options) => preview1::run(&root, options),
    }
}

/// Returns the workspace's folder: the parent of this package's, which cargo names when it runs the command.
fn workspace_root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = Path::new(&package)
        .parent()
        .context("the package `xtask` is in the workspace")?;
    Ok(root.to_path_buf())
}
