//! Command-line arguments about artifacts and keys.

use std::path::PathBuf;

use airssys_wasm::engine::{Backend, OptLevel, Target};
use clap::{Args, Subcommand};

use super::{BackendArg, SecurityArgs, WasiArgs};
use crate::exit;

/// Trust in artifacts.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Public key whose artifacts may run: 64 hexadecimal digits, or a file from keygen; can be repeated
    #[arg(long, value_name = "PUBKEY|FILE")]
    pub(crate) trust: Vec<String>,

    /// Run an artifact without a trusted signature. Its native code runs with all your permissions: use it only for
    /// artifacts that you compiled yourself
    #[arg(long, conflicts_with = "trust")]
    pub(crate) allow_unsigned: bool,
}

/// The cache of compiled components.
#[derive(Debug, Args)]
pub(crate) struct CacheArg {
    /// Folder of the compilation cache, or `off` [default: this user's cache folder]
    #[arg(long, value_name = "DIR|off")]
    pub(crate) cache: Option<PathBuf>,
}

impl TrustArgs {
    /// Returns whether an option about trust was given.
    pub(crate) fn is_given(&self) -> bool {
        self.allow_unsigned || !self.trust.is_empty()
    }
}

/// Compile a component ahead of time to an artifact
///
/// Progress is shown on a terminal. An interrupted compilation leaves no files behind.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct CompileArgs {
    /// File of the component
    pub(crate) component: PathBuf,

    /// File of the artifact, commonly NAME.cwasm; an existing file is replaced
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Compiler: cranelift, llvm or singlepass, if this build includes it
    #[arg(long)]
    pub(crate) backend: Option<Backend>,

    /// Target triple, as in aarch64-unknown-linux-gnu [default: this host]
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<Target>,

    /// CPU features that the code may use, as in sse4.2,avx2 [default: for this host all features of its CPU, for
    /// another target its baseline]
    #[arg(long, value_name = "FEATURES")]
    pub(crate) cpu: Option<String>,

    /// Optimization level: none, speed or speed-and-size, if the compiler supports it
    #[arg(long, value_name = "LEVEL")]
    pub(crate) opt: Option<OptLevel>,

    /// Sign it with the secret key in this file
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) sign: Option<PathBuf>,

    /// Put the manifest in this file in the artifact [default: the one inside the component, or component.toml in its
    /// folder]. One inside the component must have the same meaning
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Print one JSON object: the file, its target and its signer
    #[arg(long)]
    pub(crate) json: bool,
}

/// Initialize a component, and save it as an artifact that begins initialized
///
/// The component is compiled, unless it is an artifact, and its `init` is called with the configuration given here. The artifact has the
/// memory that the component has then; `run`, `host` and other hosts start it without `init`. The component must not hold files,
/// sockets or other resources of the host, and must not have changed its settings.
///
/// Everyone with access to the file can read the configuration in it. Random numbers that the component has drawn are the same in all that load it.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct SnapshotArgs {
    /// File of the component or artifact
    pub(crate) component: PathBuf,

    /// File of the snapshot, commonly NAME.cwasm; an existing file is replaced
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    /// Sign it with the secret key in this file
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) sign: Option<PathBuf>,

    /// Pass the bytes of this file to `init` as configuration data, a payload that begins with its codec; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) config_data: Option<PathBuf>,

    /// Set a configuration value that the component can read; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::pair)]
    pub(crate) config: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) security: SecurityArgs,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    /// Time limit of each call into the component, in milliseconds [default: 30000]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=super::MAX_TIMEOUT_MS))]
    pub(crate) timeout: Option<u64>,

    /// Print one JSON object: the file, its target and its signer
    #[arg(long)]
    pub(crate) json: bool,
}

/// Generate a key pair for signing artifacts
///
/// Writes the secret key to KEYFILE, readable only by you, and the public key to KEYFILE.pub and to standard output. An
/// existing file is never replaced.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct KeygenArgs {
    /// File of the secret key
    #[arg(long, short, value_name = "KEYFILE")]
    pub(crate) output: PathBuf,

    /// Print one JSON object: the files, and the public key
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verify the integrity and signature of an artifact, and whether it runs on this host
///
/// The exit code is 0 if the artifact is intact and, with --trust, signed by a trusted key. Whether it runs on this host
/// is reported, but does not change the exit code: artifacts for other hosts are verified where they are built.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct VerifyArgs {
    /// File of the artifact
    pub(crate) artifact: PathBuf,

    /// Public key to trust: 64 hexadecimal digits, or a file from keygen; can be repeated
    #[arg(long, value_name = "PUBKEY|FILE")]
    pub(crate) trust: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verify an artifact and record it as verified for this user
///
/// It then starts without verification until the file changes. Artifacts that are not signed by a trusted key, or do not
/// run on this host, are rejected.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InstallArgs {
    /// File of the artifact
    pub(crate) artifact: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    /// Copy it to this folder first, replacing a file of the same name
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,

    /// Print one JSON object: its path and its signer
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show, prune or clear the cache of compiled components
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show the location and size of the cache
    Info {
        /// Folder of the cache [default: this user's cache folder]
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove the least recently used components until the cache fits --max-bytes
    Prune {
        /// Folder of the cache [default: this user's cache folder]
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Size limit of the cache, in bytes. Stops a cache that fills the disk
        #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
        max_bytes: u64,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove all components from the cache
    Clear {
        /// Folder of the cache [default: this user's cache folder]
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
