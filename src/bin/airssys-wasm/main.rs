//! `airssys-wasm`: runs, inspects and calls WebAssembly components from the command line.
//!
//! Results go to standard output, everything else to standard error; [`exit::Exit`] has the exit codes.

mod args;
mod backends;
mod bindgen;
mod conformance;
mod engines;
mod exit;
mod files;
mod inspect;
mod invoke;
mod logging;
mod metadata;
mod output;
mod run;
mod text;
mod wast;
mod wit;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.verbose);
    let outcome = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Invoke(args) => invoke::run(args),
        Command::Backends(args) => backends::run(args),
        Command::Bindgen(args) => bindgen::run(args),
        Command::Wast(args) => wast::run(args),
        Command::Conformance(args) => conformance::run(args),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report();
            failure.exit.into()
        }
    }
}
