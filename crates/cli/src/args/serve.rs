//! Command-line arguments of `serve`.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use airssys_wasm::wasi::http::serve::ServeLimits;
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::{BackendArg, CacheArg, SecurityArgs, TrustArgs, WasiArgs};
use crate::exit;

/// Serve HTTP with a component or artifact that exports wasi:http/incoming-handler 0.2 or wasi:http/handler 0.3
///
/// Each request gets its own instance; with 0.3, an instance answers several requests. Ctrl-C or SIGTERM shuts the server down after the requests in flight; a second
/// one stops it immediately. -v enables the access log. docs/serve.md lists all limits and the attacks that they stop.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ServeArgs {
    /// File of the component or artifact
    pub(crate) component: PathBuf,

    /// Address to listen on; with port 0 the system chooses a port, which is printed on standard error
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) addr: SocketAddr,

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

    /// Time limit of one request, in milliseconds [default: 30000]. Stops a component that never returns
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) timeout: Option<u64>,

    /// Maximum number of threads for complete requests [default: 64]. Stops a component from occupying the whole host
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::THREADS))]
    pub(crate) threads: Option<usize>,

    /// Maximum number of threads for requests that wait for their client [default: 64]. Stops slow clients from delaying
    /// the requests of others
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::THREADS))]
    pub(crate) slow_threads: Option<usize>,

    /// Maximum number of open connections; more wait [default: 1024]. Stops a flood that uses all descriptors
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::CONNECTIONS))]
    pub(crate) connections: Option<usize>,

    /// Maximum number of requests that an instance of a 0.3 component answers at a time [default: 16]. Stops a trap from
    /// cutting off all requests
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::INSTANCE_CONCURRENCY))]
    pub(crate) instance_concurrency: Option<usize>,

    /// Maximum number of requests that an instance of a 0.3 component answers before it ends [default: 128]. Stops a component
    /// that leaks memory
    #[arg(long, value_name = "N", value_parser = count(ServeLimits::INSTANCE_REQUESTS))]
    pub(crate) instance_requests: Option<usize>,

    /// Maximum size of a request's header fields, in bytes [default: 65536]. Stops enormous headers
    #[arg(long, value_name = "BYTES", value_parser = count(ServeLimits::HEAD_BYTES))]
    pub(crate) max_head: Option<usize>,

    /// Time limit for the head of a request, and for an idle connection, in milliseconds [default: 15000]. Stops heads that
    /// never end
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) head_time: Option<u64>,

    /// Maximum size of a request's body, in bytes [default: 67108864]. Stops bodies that never end
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,

    /// Time limit for a pause in a request's body, in milliseconds [default: 15000]. Stops clients that go silent
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) read_time: Option<u64>,

    /// Minimum rate of a request's body, in bytes per second; 0 for none [default: 256]. Stops clients that trickle bytes
    #[arg(long, value_name = "BYTES", value_parser = within(ServeLimits::RATE))]
    pub(crate) read_rate: Option<u64>,

    /// Time limit for a pause in reading the response, in milliseconds [default: 30000]. Stops clients that never read
    #[arg(long, value_name = "MS", value_parser = within(ServeLimits::MILLIS))]
    pub(crate) write_time: Option<u64>,

    /// Minimum rate at which a client reads the response, in bytes per second; 0 for none [default: 256]. Stops clients that
    /// read a byte now and then
    #[arg(long, value_name = "BYTES", value_parser = within(ServeLimits::RATE))]
    pub(crate) write_rate: Option<u64>,

    /// Time limit of a request whose client has closed its side, in milliseconds [default: 10000]. Stops clients that send
    /// requests and leave
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
