//! The command line.

use std::path::PathBuf;

use airssys_wasm::codec::{self, Codec, CodecError};
use airssys_wasm::engine::Backend;
use clap::{ArgAction, Args, Parser, Subcommand, value_parser};
use serde_json::Value;

mod artifacts;
#[cfg(feature = "adapt")]
mod core_module;
mod host;
mod manifest;
mod policy;
mod serve;
mod wasi;

pub(crate) use artifacts::{
    CacheArg, CacheArgs, CacheCommand, CompileArgs, InstallArgs, KeygenArgs, SnapshotArgs, TrustArgs,
    VerifyArgs,
};

#[cfg(feature = "adapt")]
pub(crate) use core_module::{ComponentArgs, ComponentCommand, CoreModuleArgs, NewArgs};
pub(crate) use host::{HostArgs, HostCommand};
#[cfg(unix)]
pub(crate) use host::{
    HostLogsArgs, HostPsArgs, HostPublishArgs, HostReplaceArgs, HostRollbackArgs, HostRunArgs, HostSendArgs,
    HostStopArgs, HostUndeclareArgs, ReachArgs,
};
pub(crate) use manifest::{
    ManifestArgs, ManifestCommand, ManifestEmbedArgs, ManifestFileArgs, ManifestShowArgs,
};
pub(crate) use policy::{
    PolicyArgs, PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicyLayers, SecurityArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use wasi::{DirArg, WasiArgs};

use crate::exit;

/// The longest time that a command line accepts: 49 days. Clocks are sure to reach it.
pub(crate) const MAX_TIMEOUT_MS: u64 = u32::MAX as u64;

/// A host for WebAssembly components on wasmer.
#[derive(Debug, Parser)]
#[command(name = "airssys-wasm", version, after_help = exit::HELP, after_long_help = exit::HELP)]
pub(crate) struct Cli {
    /// Increase logging: -v for information, -vv for details, -vvv for every step; RUST_LOG overrides it
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    Serve(ServeArgs),
    Host(HostArgs),
    Inspect(InspectArgs),
    Invoke(InvokeArgs),
    Compile(CompileArgs),
    Snapshot(SnapshotArgs),
    Keygen(KeygenArgs),
    Verify(VerifyArgs),
    Install(InstallArgs),
    Cache(CacheArgs),
    Manifest(ManifestArgs),
    Policy(PolicyArgs),
    Backends(BackendsArgs),
    #[cfg(feature = "adapt")]
    Component(ComponentArgs),
    #[cfg(feature = "bindgen")]
    Bindgen(BindgenArgs),
    #[cfg(feature = "conformance")]
    Wast(WastArgs),
    #[cfg(feature = "conformance")]
    Conformance(ConformanceArgs),
}

/// Run one operation of a component or artifact (init, execute, shutdown), or run a program
///
/// The result is printed as JSON if its codec is self-describing, and as a hex dump otherwise.
///
/// A program is a component that exports wasi:cli/run, or a core module that exports _start. It receives the arguments
/// after `--`, and its exit status becomes the exit status of this command. It runs in a sandbox:
/// files and network must be granted, by a policy or by --dir and --net, and the environment by --env; its output goes to
/// the log (-v shows it).
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct RunArgs {
    /// File of the component or artifact
    pub(crate) component: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    /// Name of the operation; the component's metadata lists the available ones
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,

    /// Parameters of the operation, as JSON [default: null]. Bytes are written {"$bytes": "00ff"}, in
    /// hexadecimal
    #[arg(long, value_name = "JSON", value_parser = json, requires = "operation")]
    pub(crate) params: Option<Value>,

    /// Codec of the payload: json, msgpack, yaml; with --input also borsh, bincode, protobuf, raw
    #[arg(long, default_value = "json")]
    pub(crate) codec: Codec,

    /// Read the payload's data from this file instead of --operation and --params; `-` is standard input. At most
    /// 268435440 bytes, the largest payload that a component can receive
    #[arg(long, value_name = "FILE", conflicts_with = "operation")]
    pub(crate) input: Option<PathBuf>,

    /// Write the data of the result to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    #[command(flatten)]
    pub(crate) cache: CacheArg,

    /// Set a configuration value that the component can read; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) config: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) security: SecurityArgs,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    #[cfg(feature = "adapt")]
    #[command(flatten)]
    pub(crate) core: CoreModuleArgs,

    /// Time limit of each call into the component, in milliseconds [default: 30000; for a program: none]
    ///
    /// Stops a component that never returns. A lower limit in the component's metadata (timeout-ms, which inspect shows)
    /// takes precedence; the error names the limit that applied.
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub(crate) timeout: Option<u64>,

    /// Print one JSON object: codec, operation, and the result or, in hexadecimal, its bytes
    #[arg(long)]
    pub(crate) json: bool,

    /// Arguments of a program
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<String>,
}

/// Show the imports, exports and metadata of a component
///
/// A component that does not implement the contract, or whose imports are missing, is shown as far as possible. For an
/// artifact, its header is shown, and whether it runs on this host; the rest requires trust, since it runs the artifact.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InspectArgs {
    /// File of the component or artifact
    pub(crate) component: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Print only the component's WIT, in the syntax of the standard tools; works for components that do not run here
    #[cfg(feature = "adapt")]
    #[arg(long, conflicts_with_all = ["json", "backend"])]
    pub(crate) wit: bool,
}

/// Call an exported function of a component or artifact, with arguments in WAVE
///
/// Imports that the host does not provide trap when they are called. The result `err(…)` sets exit code 1.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InvokeArgs {
    /// File of the component or artifact
    pub(crate) component: PathBuf,

    /// INTERFACE#FUNC(ARGS): for example `ns:pkg/greeter@1.0.0#greet("you", {times: 3})`
    ///
    /// ARGS are WAVE values: 1, "text", 'c', [1, 2], (1, true), {field: 1}, case(1), some(1), none, ok(1), {flag}.
    /// A case or flag whose name is a keyword of WAVE needs a `%`: `%none`. The interface can be omitted
    /// if the function's name is unambiguous, and shortened to its last part.
    #[arg(value_name = "CALL")]
    pub(crate) call: String,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    #[command(flatten)]
    pub(crate) cache: CacheArg,

    #[command(flatten)]
    pub(crate) security: SecurityArgs,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    #[cfg(feature = "adapt")]
    #[command(flatten)]
    pub(crate) core: CoreModuleArgs,

    /// Print one JSON object, with the result as WAVE text
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the compilers of this build, with versions and licenses
#[derive(Debug, Args)]
pub(crate) struct BackendsArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Generate the Rust host bindings of a WIT world, as the macro `bindgen!` does
#[cfg(feature = "bindgen")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct BindgenArgs {
    /// WIT files, and folders of WIT files with a `deps` folder; later ones can refer to earlier ones
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// World to generate bindings for, as `name` or `ns:pkg/name@1.0.0` [default: the only world]
    #[arg(long)]
    pub(crate) world: Option<String>,

    /// Include the unstable items of this feature; can be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) features: Vec<String>,

    /// Include all unstable items
    #[arg(long)]
    pub(crate) all_features: bool,

    /// Use a Rust path instead of generating `ns:pkg/iface` or `ns:pkg/iface/type`; can be repeated
    #[arg(long, value_name = "ITEM=PATH", value_parser = pair)]
    pub(crate) with: Vec<(String, String)>,

    /// Use the host's error type for `ns:pkg/iface/type`; can be repeated
    #[arg(long, value_name = "ITEM=PATH", value_parser = pair)]
    pub(crate) trappable_error_type: Vec<(String, String)>,

    /// Imported functions that may trap, as `ns:pkg/iface/func`, `ns:pkg/iface`, or `all`; can be repeated
    #[arg(long, value_name = "FUNC", value_delimiter = ',')]
    pub(crate) trappable_imports: Vec<String>,

    /// Imported functions that get the store, as for `--trappable-imports`; can be repeated
    #[arg(long, value_name = "FUNC", value_delimiter = ',')]
    pub(crate) store_imports: Vec<String>,

    /// Additional derive for records, variants and enums; can be repeated
    #[arg(long = "derive", value_name = "PATH", value_delimiter = ',')]
    pub(crate) additional_derives: Vec<String>,

    /// Rust path of this library [default: ::airssys_wasm]
    #[arg(long, value_name = "PATH")]
    pub(crate) crate_path: Option<String>,

    /// Write the source to this file instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Run component-model test scripts
///
/// Each directive passes, fails, or is reported as unsupported with the feature that it needs; none is skipped silently.
/// Components can import the exports of registered or named instances of the script. The exit code is 1
/// if a directive failed.
#[cfg(feature = "conformance")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct WastArgs {
    /// Test scripts (.wast)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Engines to run them on, as in cranelift,llvm: compilers, `all` of this build, and `wasmtime` in a build with the
    /// feature `reference`
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    pub(crate) backend: Vec<String>,

    /// Provide the imports that test suites of component runtimes expect: functions that return two or echo a number, and
    /// the instance `host`, with more of them, and resources that count their drops
    #[arg(long)]
    pub(crate) host_instance: bool,

    /// Let components use the asynchronous built-ins and options that the component model still gates: those it marks 🚝 and
    /// 🚟
    #[arg(long)]
    pub(crate) gated_async: bool,

    /// Time limit of one script on one engine, including compilation, in milliseconds; the rest of the script
    /// then fails. Stops endless scripts
    #[arg(long, value_name = "MS", default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(crate) timeout: u64,

    /// Time limit of one call or instantiation, in milliseconds; the guest then traps. Stops guests that never return
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(crate) call_timeout: u64,

    /// Limit of all memories of a component together, and of the values of one call, in MiB [default: none]. Stops scripts
    /// that exhaust memory
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) memory_limit: Option<u64>,

    /// Print one JSON object: for each file and engine the counts, the failures, and the unsupported directives
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run the same calls of a component on several engines and report differences
///
/// Values are compared bit by bit, failures by kind. Imports that the host does not provide trap when they are called.
/// The exit code is 1 if the engines differ, or if their result is not the expected one.
#[cfg(feature = "conformance")]
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ConformanceArgs {
    /// File of the component, binary or text
    pub(crate) component: PathBuf,

    /// TOML file of calls: `[[call]]` with `invoke = 'FUNC(ARGS)'`, and optionally `expect = 'VALUE'`,
    /// `trap = 'REASON'`, `fresh = true`
    #[arg(long, value_name = "FILE")]
    pub(crate) calls: PathBuf,

    /// Engines to compare, as in cranelift,llvm: compilers, `all` of this build, and `wasmtime` in a build with the feature
    /// `reference`
    #[arg(long, value_name = "ENGINE", value_delimiter = ',', default_value = "all")]
    pub(crate) engines: Vec<String>,

    /// Print one JSON object: for each call, the result on each engine
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackendArg {
    /// Compiler: cranelift, llvm or singlepass, if this build includes it; or tiered, which starts with a fast compiler and
    /// switches to optimized code in the background
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
