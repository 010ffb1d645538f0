//! Command-line arguments of `serve`.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use airssys_wasm::wasi::http::serve::ServeLimits;
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::{BackendArg, CacheArg, TrustArgs, WasiArgs};
use crate::exit;

/// Answer HTTP requests with a component that exports wasi:http/incoming-handler, or with an artifact of one
///
/// Each request gets an instance of its own. Ctrl-C, or SIGTERM, ends the server when the requests in flight have ended; again,
/// at once. The access log is there with -v. docs/serve.md has all limits, and what each of them stops.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ServeArgs {
    /// The component's file, or an artifact's
    pub(crate) component: PathBuf,

    /// The address to listen on; with port 0 the system chooses a port, which is printed on standard error
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
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) timeout: Option<u64>,

    /// Requests that the component answers at once, at most, whose clients are not waited for [default: 64]
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::THREADS))]
    pub(crate) threads: Option<usize>,

    /// Requests that the component answers at once, at most, while it waits for their clients [default: 64]
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::THREADS))]
    pub(crate) slow_threads: Option<usize>,

    /// Connections at once, at most; more wait [default: 1024]
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::CONNECTIONS))]
    pub(crate) connections: Option<usize>,

    /// Bytes of a request's fields, at most [default: 65536]
    #[arg(long, value_name = "BYTES", value_parser = count(ServeLimits::HEAD_BYTES))]
    pub(crate) max_head: Option<usize>,

    /// Time for a request's head, and for a connection without a request, in milliseconds [default: 15000]
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) head_time: Option<u64>,

    /// Bytes of a request's body, at most [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,

    /// Time that a request's body may pause for, in milliseconds [default: 15000]
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) read_time: Option<u64>,

    /// Bytes of a request's body per second, at least; 0 for any [default: 256]
    #[arg(long, value_name = "BYTES", value_parser = within(ServeLimits::RATE))]
    pub(crate) read_rate: Option<u64>,

    /// Time that a client may take nothing for of the answer, in milliseconds [default: 30000]
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) write_time: Option<u64>,

    /// Bytes of the answer that a client takes per second, at least; 0 for any [default: 256]
    #[arg(long, value_name = "BYTES", value_parser = within(ServeLimits::RATE))]
    pub(crate) write_rate: Option<u64>,

    /// Time for a request whose client has closed its side, in milliseconds [default: 10000]
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) half_closed_time: Option<u64>,
}

/// Returns a parser of numbers in a range; its errors name the range.
fn within(range: RangeInclusive<u64>) -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(range)
}

/// As [`within`], for counts and sizes in memory.
fn count(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}
