//! Holds airssys-wasm against the component model's rules and against wasmtime.

use std::path::PathBuf;
use std::process::ExitCode;

use airssys_wasm_conformance::{differential, document, engines, tables};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Holds airssys-wasm against the component model's rules and against wasmtime
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Differential(differential::command::Args),
    Matrix(MatrixArgs),
}

/// Run everything that is compared on every engine, and print cases by engines
#[derive(Debug, Args)]
struct MatrixArgs {
    /// The `test` folder of the component model's repository; without it, that table stays as it is
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,

    /// Replace the tables of docs/conformance.md
    #[arg(long)]
    write: bool,
}

fn main() -> Result<ExitCode> {
    match &Cli::parse().command {
        Command::Differential(args) => differential::command::main(args),
        Command::Matrix(args) => matrix(args),
    }
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
    for block in &blocks {
        println!("## {}\n\n{}", block.name, block.text);
    }
    if args.write {
        document::write(&document::path(), &blocks)?;
    }
    let failures: Vec<&String> = blocks.iter().flat_map(|block| &block.failures).collect();
    for failure in &failures {
        eprintln!("FAILED {failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
