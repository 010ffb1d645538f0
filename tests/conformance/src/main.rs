//! Holds airssys-wasm against the component model's rules and against wasmtime.

use std::process::ExitCode;

use airssys_wasm_conformance::differential;
use anyhow::Result;
use clap::{Parser, Subcommand};

/// Holds airssys-wasm against the component model's rules and against wasmtime
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Differential(differential::command::Args),
}

fn main() -> Result<ExitCode> {
    match &Cli::parse().command {
        Command::Differential(args) => differential::command::main(args),
    }
}
