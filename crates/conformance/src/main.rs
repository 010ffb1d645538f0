//! Compares airssys-wasm with the component model's rules and with wasmtime.

use std::path::PathBuf;
use std::process::ExitCode;

use airssys_wasm_conformance::{asynchronous, differential, document, engines, tables, wasi};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Compares airssys-wasm with the component model's rules and with wasmtime
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Async(asynchronous::command::Args),
    Differential(differential::command::Args),
    Matrix(MatrixArgs),
    Wasi(WasiArgs),
}

/// Run the WASI cases on every backend and on wasmtime, and compare the results
#[derive(Debug, Args)]
struct WasiArgs {
    /// Run only the cases whose names contain this text
    #[arg(value_name = "TEXT", default_value = "")]
    cases: String,

    /// Print the results of every case on each engine
    #[arg(long, short)]
    verbose: bool,
}

/// Run all comparisons on every engine, and print the cases per engine
#[derive(Debug, Args)]
struct MatrixArgs {
    /// The `test` folder of the component model's repository; without it, its table is unchanged
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,

    /// Replace the tables of docs/conformance.md
    #[arg(long)]
    write: bool,
}

fn main() -> Result<ExitCode> {
    match &Cli::parse().command {
        Command::Async(args) => asynchronous::command::main(args),
        Command::Differential(args) => differential::command::main(args),
        Command::Matrix(args) => matrix(args),
        Command::Wasi(args) => cases(args),
    }
}

fn cases(args: &WasiArgs) -> Result<ExitCode> {
    let sides = wasi::sides(&wasi::guest()?)?;
    let rows = wasi::run(&sides, |case| case.contains(&args.cases))?;
    for row in rows.iter().filter(|_| args.verbose) {
        for (side, answer) in sides.iter().zip(&row.answers) {
            println!("## {} [{}]\n{answer}\n", row.case, side.name());
        }
    }
    let mut failures = wasi::failures(&sides, &rows);
    if args.cases.is_empty() {
        failures.extend(wasi::stale(&rows));
    }
    println!(
        "{} cases on {} engines, {} failures",
        rows.len(),
        sides.len(),
        failures.len()
    );
    Ok(ended(&failures))
}

fn matrix(args: &MatrixArgs) -> Result<ExitCode> {
    let engines = engines::all()?;
    let mut blocks = Vec::new();
    if let Some(folder) = &args.suite {
        blocks.extend(document::specification(folder, &engines)?);
    }
    blocks.push(document::own(&engines)?);
    blocks.push(document::calls(&engines)?);
    blocks.push(tables::hostile()?);
    blocks.push(tables::differences());
    blocks.push(tables::advisories());
    blocks.extend(wasi::blocks()?);
    for block in &blocks {
        println!("## {}\n\n{}", block.name, block.text);
    }
    if args.write {
        document::write(&document::path(), &blocks)?;
    }
    let failures: Vec<&String> = blocks.iter().flat_map(|block| &block.failures).collect();
    Ok(ended(&failures))
}

fn ended(failures: &[impl std::fmt::Display]) -> ExitCode {
    for failure in failures {
        eprintln!("FAILED {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
