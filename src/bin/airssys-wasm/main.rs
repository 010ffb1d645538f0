//! `airssys-wasm`: runs, inspects and calls WebAssembly components from the command line.
//!
//! Results go to standard output, everything else to standard error; [`exit::Exit`] has the exit codes.

mod args;
mod backends;
mod exit;
mod invoke;
mod logging;
mod output;
mod target;
mod text;
mod wave;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.verbose);
    let outcome = match &cli.command {
        Command::Invoke(args) => invoke::run(args),
        Command::Backends(args) => backends::run(args),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report();
            failure.exit.into()
        }
    }
}
