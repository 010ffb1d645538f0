//! `airssys-wasm`: runs, inspects and calls WebAssembly components from the command line.
//!
//! Results go to standard output, everything else to standard error; [`exit::Exit`] has the exit codes.

mod args;
mod backends;
#[cfg(feature = "bindgen")]
mod bindgen;
mod cache;
mod command;
mod compile;
#[cfg(feature = "conformance")]
mod conformance;
#[cfg(feature = "adapt")]
mod core_module;
#[cfg(feature = "conformance")]
mod engines;
mod exit;
mod explain;
mod files;
mod header;
mod host;
mod inspect;
mod install;
mod interrupt;
mod invoke;
mod keys;
mod load;
mod logging;
mod manifest;
mod metadata;
mod options;
mod output;
mod policy;
#[cfg(feature = "wasix")]
mod program;
mod progress;
mod run;
mod serve;
mod snapshot;
mod text;
mod unsigned;
mod usage;
mod verify;
#[cfg(feature = "conformance")]
mod wast;
#[cfg(feature = "adapt")]
mod wit;

use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Command};

/// Time for a compiler in the background to finish the functions that it is working on.
const SETTLE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let as_json = usage::asks_for_json(std::env::args_os());
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(error, as_json),
    };
    logging::start(cli.verbose);
    // The errors of commands include the messages of panics in libraries.
    airssys_wasm::quiet_contained();
    let outcome = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Host(args) => host::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Invoke(args) => invoke::run(args),
        Command::Compile(args) => compile::run(args),
        Command::Snapshot(args) => snapshot::run(args),
        Command::Keygen(args) => keys::generate(args),
        Command::Verify(args) => verify::run(args),
        Command::Install(args) => install::run(args),
        Command::Cache(args) => cache::run(args),
        Command::Manifest(args) => manifest::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Backends(args) => backends::run(args),
        #[cfg(feature = "adapt")]
        Command::Component(args) => core_module::component(args),
        #[cfg(feature = "bindgen")]
        Command::Bindgen(args) => bindgen::run(args),
        #[cfg(feature = "conformance")]
        Command::Wast(args) => wast::run(args),
        #[cfg(feature = "conformance")]
        Command::Conformance(args) => conformance::run(args),
    };
    // Compilations in the background are canceled by now; the process waits for them to end.
    airssys_wasm::tiered::settle(SETTLE);
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report(as_json);
            failure.exit.into()
        }
    }
}

/// Parses the command line. The description of all commands stays until the process ends: to free its texts takes a twelfth of
/// the instructions of a short run.
fn parse() -> Result<Cli, clap::Error> {
    let mut command = ManuallyDrop::new(Cli::command());
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}
