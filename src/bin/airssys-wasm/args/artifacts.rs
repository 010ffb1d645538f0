//! The command line, as far as it concerns artifacts and keys.

use std::path::PathBuf;

use airssys_wasm::engine::{Backend, OptLevel, Target};
use clap::Args;

use crate::exit;

/// Whose artifacts are run.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// A public key whose artifacts may be run: its 64 digits, or the file that keygen wrote; may be given many times
    #[arg(long, value_name = "PUBKEY|FILE")]
    pub(crate) trust: Vec<String>,

    /// Run an artifact whoever made it. Its code runs with all that you may do: only for what you compiled yourself
    #[arg(long, conflicts_with = "trust")]
    pub(crate) allow_unsigned: bool,
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
