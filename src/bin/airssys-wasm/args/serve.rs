//! `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{BackendArg, CacheArg, TrustArgs, WasiArgs};
use crate::exit;

/// Answer HTTP requests with a component that exports wasi:http/incoming-handler, or with an artifact of one
///
/// Each request gets an instance of its own. Ctrl-C, or SIGTERM, ends the server when the requests in flight have ended; again,
/// at once. The access log is there with -v.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ServeArgs {
    /// The component's file, or an artifact's
    pub(crate) component: PathBuf,

    /// Where to listen; port 0 has the system choose one, which is told on standard error
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) addr: SocketAddr,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) backend: BackendArg,

    #[command(flatten)]
    pub(crate) cache: CacheArg,

    #[command(flatten)]
    pub(crate) wasi: WasiArgs,

    /// Time for one request, in milliseconds [default: 30000]
    #[arg(long, value_name = "MS")]
    pub(crate) timeout: Option<u64>,

    /// Requests that the component answers at once, at most [default: 64]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Connections at once, at most; more wait [default: 1024]
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<usize>,

    /// Bytes of a request's body, at most [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,
}
