//! The command line.

use std::path::PathBuf;

use airssys_wasm::engine::Backend;
use clap::{ArgAction, Args, Parser, Subcommand};

use crate::exit;

/// A host for WebAssembly components on wasmer.
#[derive(Debug, Parser)]
#[command(name = "airssys-wasm", version, after_help = exit::HELP, after_long_help = exit::HELP)]
pub(crate) struct Cli {
    /// Log more: -v information, -vv details, -vvv every step; the variable RUST_LOG chooses finer
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Invoke(InvokeArgs),
    Backends(BackendsArgs),
}

/// Call one exported function of any component, with values in WAVE
///
/// Imports that nothing provides trap, by name, if they are called. A result `err(…)` ends in exit code 1.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InvokeArgs {
    /// The component's file
    pub(crate) component: PathBuf,

    /// INTERFACE#FUNC(ARGS): for example `ns:pkg/greeter@1.0.0#greet("you", {times: 3})`
    ///
    /// ARGS are WAVE values: 1, "text", 'c', [1, 2], (1, true), {field: 1}, case(1), some(1), none, ok(1), {flag}.
    /// A case or flag that is called like a word of WAVE's own takes a `%`: `%none`. The interface may be left out
    /// where the function's name alone is clear, and shortened to its last part.
    #[arg(value_name = "CALL")]
    pub(crate) call: String,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    /// Print one JSON object, which holds the result as WAVE text
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the compilers that this build carries, with versions and licences
#[derive(Debug, Args)]
pub(crate) struct BackendsArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackendArg {
    /// The compiler: cranelift, llvm or singlepass, as far as this build carries it
    #[arg(long)]
    pub(crate) backend: Option<Backend>,
}
