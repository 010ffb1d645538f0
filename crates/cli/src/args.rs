//! The command line.

use std::path::PathBuf;

use airssys_wasm::codec::{self, Codec, CodecError};
use airssys_wasm::engine::Backend;
use clap::{ArgAction, Args, Parser, Subcommand, value_parser};
use serde_json::Value;

#[path = "args/artifacts.rs"]
mod artifacts;
#[cfg(feature = "adapt")]
#[path = "args/core_module.rs"]
mod core_module;
#[path = "args/serve.rs"]
mod serve;
#[path = "args/wasi.rs"]
mod wasi;

pub(crate) use artifacts::{
    CacheArg, CacheArgs, CacheCommand, CompileArgs, InstallArgs, KeygenArgs, TrustArgs, VerifyArgs,
};

#[cfg(feature = "adapt")]
pub(crate) use core_module::{ComponentArgs, ComponentCommand, CoreModuleArgs, NewArgs};
pub(crate) use serve::ServeArgs;
pub(crate) use wasi::{DirArg, WasiArgs};

use crate::exit;

/// The longest time that a command line accepts: 49 days. Clocks are sure to reach it.
pub(crate) const MAX_TIMEOUT_MS: u64 = u32::MAX as u64;

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
    Run(RunArgs),
    Serve(ServeArgs),
    Inspect(InspectArgs),
    Invoke(InvokeArgs),
    Compile(CompileArgs),
    Keygen(KeygenArgs),
    Verify(VerifyArgs),
    Install(InstallArgs),
    Cache(CacheArgs),
    Backends(BackendsArgs),
    #[cfg(feature = "adapt")]
    Component(ComponentArgs),
    #[cfg(feature = "cli")]
    Bindgen(BindgenArgs),
    #[cfg(feature = "cli")]
    Wast(WastArgs),
    #[cfg(feature = "cli")]
    Conformance(ConformanceArgs),
}

/// Run one operation of a component, or of an artifact: init, execute, shut down; or a program to its end
///
/// The answer is printed as JSON if its codec describes itself, and as a hex dump if not.
///
/// A program is a component that exports wasi:cli/run, or a core module with _start. It gets the arguments after `--`, and its exit status is handed
/// through. All that it sees is virtual, unless it is granted more: its output goes to the log (-v shows it).
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct RunArgs {
    /// The component's file, or an artifact's
    pub(crate) component: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    /// The operation's name; the component's metadata lists what there is
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,

    /// The operation's parameters, as JSON; null if they are left out. Bytes are written {"$bytes": "00ff"}, in
    /// hexadecimal
    #[arg(long, value_name = "JSON", value_parser = json, requires = "operation")]
    pub(crate) params: Option<Value>,

    /// The payload's codec: json, msgpack, yaml; with --input also borsh, bincode, protobuf, raw
    #[arg(long, default_value = "json")]
    pub(crate) codec: Codec,

    /// Send this file's bytes as the payload's data, instead of an operation and its parameters; `-` is standard input. At most
    /// 256 MiB less 16 bytes, what can cross into a component
    #[arg(long, value_name = "FILE", conflicts_with = "operation")]
    pub(crate) input: Option<PathBuf>,

    /// Write the data of the answer to this file, instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    #[command(flatten)]
    pub(crate) cache: CacheArg,

    /// A setting that the component can ask for; may be given many times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) config: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    #[cfg(feature = "adapt")]
    #[command(flatten)]
    pub(crate) core: CoreModuleArgs,

    /// Time for each call into the component, in milliseconds [default: 30000; for a program: none]
    ///
    /// The operation ends sooner if the component's metadata has less (timeout-ms, which inspect shows); the error names the
    /// limit that applied.
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub(crate) timeout: Option<u64>,

    /// Print one JSON object: codec, operation, and the answer or, in hexadecimal, its bytes
    #[arg(long)]
    pub(crate) json: bool,

    /// A program's arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<String>,
}

/// Show what a component imports and exports, and what it says about itself
///
/// A component that does not follow the contract, or lacks imports, is shown as far as possible. Of an artifact its header
/// is shown, and why it would run here or not; the rest only if it is trusted, since showing that runs it.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InspectArgs {
    /// The component's file, or an artifact's
    pub(crate) component: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the component's WIT, as the standard tools read it, and nothing else. It need not run here
    #[cfg(feature = "adapt")]
    #[arg(long, conflicts_with_all = ["json", "backend"])]
    pub(crate) wit: bool,
}

/// Call one exported function of any component or artifact, with values in WAVE
///
/// Imports that nothing provides trap, by name, if they are called. A result `err(…)` ends in exit code 1.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InvokeArgs {
    /// The component's file, or an artifact's
    pub(crate) component: PathBuf,

    /// INTERFACE#FUNC(ARGS): for example `ns:pkg/greeter@1.0.0#greet("you", {times: 3})`
    ///
    /// ARGS are WAVE values: 1, "text", 'c', [1, 2], (1, true), {field: 1}, case(1), some(1), none, ok(1), {flag}.
    /// A case or flag that is called like a word of WAVE's own takes a `%`: `%none`. The interface may be left out
    /// where the function's name alone is clear, and shortened to its last part.
    #[arg(value_name = "CALL")]
    pub(crate) call: String,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    #[command(flatten)]
    pub(crate) cache: CacheArg,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    #[cfg(feature = "adapt")]
    #[command(flatten)]
    pub(crate) core: CoreModuleArgs,

    /// Print one JSON object, which holds the result as WAVE text
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the compilers that this build carries, with versions and licenses
#[derive(Debug, Args)]
pub(crate) struct BackendsArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the Rust source of a host for a WIT world, as the macro `bindgen!` makes it
#[cfg(feature = "cli")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct BindgenArgs {
    /// WIT files, and folders of them with their `deps`; earlier ones may be used by later ones
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// The world, as `name` or `ns:pkg/name@1.0.0`; not needed if there is only one
    #[arg(long)]
    pub(crate) world: Option<String>,

    /// Take the items that are unstable under this feature, too; may be given many times
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) features: Vec<String>,

    /// Take all unstable items, too
    #[arg(long)]
    pub(crate) all_features: bool,

    /// Take a Rust path instead of generating `ns:pkg/iface` or `ns:pkg/iface/type`; may be given many times
    #[arg(long, value_name = "ITEM=PATH", value_parser = pair)]
    pub(crate) with: Vec<(String, String)>,

    /// Take an error type of the host's own for `ns:pkg/iface/type`; may be given many times
    #[arg(long, value_name = "ITEM=PATH", value_parser = pair)]
    pub(crate) trappable_error_type: Vec<(String, String)>,

    /// Imported functions that may end in a trap, as `ns:pkg/iface/func`, or `all`; may be given many times
    #[arg(long, value_name = "FUNC", value_delimiter = ',')]
    pub(crate) trappable_imports: Vec<String>,

    /// A derive for records, variants and enums; may be given many times
    #[arg(long = "derive", value_name = "PATH", value_delimiter = ',')]
    pub(crate) additional_derives: Vec<String>,

    /// The Rust path of this library [default: ::airssys_wasm]
    #[arg(long, value_name = "PATH")]
    pub(crate) crate_path: Option<String>,

    /// Write the source to this file, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Run component-model test scripts
///
/// Each directive passes, fails, or is unsupported, with the name of the feature that it needs; nothing is left out.
/// Components can import the exports of instances that are registered, or that have a name in the script. The exit code is 1
/// if a directive failed.
#[cfg(feature = "cli")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct WastArgs {
    /// The scripts
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Engines to run them on, as cranelift,llvm: compilers, `all` of this build, and `wasmtime` in a build with the
    /// feature `reference`
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    pub(crate) backend: Vec<String>,

    /// Let components import what test suites of component runtimes expect: functions that return two or echo a number, and
    /// the instance `host`, with more of them, and resources that count their drops
    #[arg(long)]
    pub(crate) host_instance: bool,

    /// Time for one script on one engine, compiling included, in milliseconds; what is left of the script then has failed
    #[arg(long, value_name = "MS", default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(crate) timeout: u64,

    /// Time for one call or instantiation, in milliseconds; a guest that takes longer traps
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(crate) call_timeout: u64,

    /// Limit each memory, and the values of one call, to so many MiB. There is no limit unless it is given
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) memory_limit: Option<u64>,

    /// Print one JSON object: for each file and engine the counts, the failures, and what is unsupported
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make the same calls of a component on several engines, and show where they differ
///
/// Values are compared to the last bit, failures by kind. Imports that nothing provides trap if they are called.
/// The exit code is 1 if engines differ, or agree on what the calls do not expect.
#[cfg(feature = "cli")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ConformanceArgs {
    /// The component's file, binary or text
    pub(crate) component: PathBuf,

    /// A TOML file of calls: `[[call]]` with `invoke = 'FUNC(ARGS)'`, and perhaps `expect = 'VALUE'`,
    /// `trap = 'REASON'`, `fresh = true`
    #[arg(long, value_name = "FILE")]
    pub(crate) calls: PathBuf,

    /// Engines to compare, as cranelift,llvm: compilers, `all` of this build, and `wasmtime` in a build with the feature
    /// `reference`
    #[arg(long, value_name = "ENGINE", value_delimiter = ',', default_value = "all")]
    pub(crate) engines: Vec<String>,

    /// Print one JSON object: for each call, what each engine answered
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackendArg {
    /// The compiler: cranelift, llvm or singlepass, as far as this build carries it; or tiered, to start with a quick one
    /// and go on, as far as possible, with the one whose code is fastest
    #[arg(long)]
    pub(crate) backend: Option<Backend>,
}

/// Parses JSON: numbers keep their digits, a repeated key is an error, and special forms stand for types that JSON
/// lacks.
fn json(text: &str) -> Result<Value, CodecError> {
    codec::from_json_text(text)
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
