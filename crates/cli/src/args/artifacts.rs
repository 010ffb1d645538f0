//! Command-line arguments about artifacts and keys.

use std::path::PathBuf;

use airssys_wasm::engine::{Backend, OptLevel, Target};
use clap::{Args, Subcommand};

use crate::exit;

/// Trust in artifacts.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// A public key whose artifacts may be run: its 64 digits, or the file that keygen wrote; may be given many times
    #[arg(long, value_name = "PUBKEY|FILE")]
    pub(crate) trust: Vec<String>,

    /// Run an artifact of any origin. Its code runs with all that you may do: only for what you compiled yourself
    #[arg(long, conflicts_with = "trust")]
    pub(crate) allow_unsigned: bool,
}

/// The cache of compiled components.
#[derive(Debug, Args)]
pub(crate) struct CacheArg {
    /// Keep what is compiled in this folder, or nowhere (`off`); in this user's cache folder if it is left out
    #[arg(long, value_name = "DIR|off")]
    pub(crate) cache: Option<PathBuf>,
}

impl TrustArgs {
    /// Returns whether an option about trust was given.
    pub(crate) fn is_given(&self) -> bool {
        self.allow_unsigned || !self.trust.is_empty()
    }
}

/// Compile a component ahead of time, to an artifact that starts at once
///
/// On a terminal it shows how far it is. Interrupted, it leaves nothing behind.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct CompileArgs {
    /// The component's file
    pub(crate) component: PathBuf,

    /// The artifact's file, commonly NAME.cwasm; one that is there is replaced
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// The compiler: cranelift, llvm or singlepass, as far as this build carries it
    #[arg(long)]
    pub(crate) backend: Option<Backend>,

    /// The kind of machine that it will run on, as aarch64-unknown-linux-gnu; this one if it is left out
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<Target>,

    /// The processor's features that the code may use, as sse4.2,avx2. Left out, for this machine all that its
    /// processor has, and for another target those that all processors of its kind have
    #[arg(long, value_name = "FEATURES")]
    pub(crate) cpu: Option<String>,

    /// How much work to put into the code: none, speed or speed-and-size, as far as the compiler has it
    #[arg(long, value_name = "LEVEL")]
    pub(crate) opt: Option<OptLevel>,

    /// Sign it with the secret key in this file
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) sign: Option<PathBuf>,

    /// Put the component's manifest, which is in this file, into the artifact
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Print one JSON object: what was written, for which machine, and by whose key
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make a key to sign artifacts with
///
/// The secret key goes to KEYFILE, which only you can read, and the public key to KEYFILE.pub and to standard output. A file
/// that is there is never replaced.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct KeygenArgs {
    /// The secret key's file
    #[arg(long, short, value_name = "KEYFILE")]
    pub(crate) output: PathBuf,

    /// Print one JSON object: the files, and the public key
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check an artifact: whether it is whole, who signed it, and whether it would run here
///
/// It ends in 0 if every byte is as it was written, and, where --trust is given, a trusted key has signed it. Whether this
/// host can run it is said, and does not change the exit code: artifacts for other hosts are checked where they are made.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct VerifyArgs {
    /// The artifact
    pub(crate) artifact: PathBuf,

    /// A public key to trust: its 64 digits, or the file that keygen wrote; may be given many times
    #[arg(long, value_name = "PUBKEY|FILE")]
    pub(crate) trust: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check an artifact whole, and remember that for this user
///
/// It then starts without being read again, until the file changes in any way. What is not signed by a trusted key, or would not
/// run here, is refused.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct InstallArgs {
    /// The artifact
    pub(crate) artifact: PathBuf,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    /// Copy it to this folder first, in place of one with the same name; otherwise it stays where it is
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,

    /// Print one JSON object: where it is, and who signed it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show or empty the cache of compiled components
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show where it is, and how much is in it
    Info {
        /// The cache's folder; this user's if it is left out
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove what was not used for longest, until so many bytes are left
    Prune {
        /// The cache's folder; this user's if it is left out
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Bytes that may stay
        #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
        max_bytes: u64,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove everything
    Clear {
        /// The cache's folder; this user's if it is left out
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
