//! One exchange with another server, on a connection of its own.

use std::error::Error as StdError;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select;
use http::Response;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::super::errors;
use super::connections::Open;
use super::tls;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::executor::{self, Task};
use crate::net::{Held, Net, Request};
use rustls::ClientConfig;

/// The destination of a request.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// A name or an address; an IPv6 address is in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) secure: bool,
}

impl Target {
    /// Returns whether the host is an address rather than a name.
    pub(super) fn is_address(&self) -> bool {
        self.host.starts_with('[') || self.host.parse::<IpAddr>().is_ok()
    }
}

/// Timeouts of an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
}

/// Limits on a response's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) fields: usize,
}

/// A response, and the connection that its body arrives on.
#[derive(Debug)]
pub(crate) struct Received {
    pub(super) response: Response<Incoming>,
    pub(super) connection: Task<()>,
}

/// A connection with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The way to a request's destination.
pub(super) struct Way<A> {
    pub(super) target: Target,
    /// The permitted addresses of the target.
    pub(super) addresses: A,
    /// The network access that can end the connection.
    pub(super) held: Option<(Net, Request)>,
    /// The configuration of TLS.
    pub(super) tls: Result<Arc<ClientConfig>, ErrorCode>,
}

/// Sends a request and waits for the response's head. `open` counts the connection until it ends.
pub(super) async fn exchange<A, B>(
    way: Way<A>,
    request: http::Request<B>,
    times: Times,
    limits: HeadLimits,
    open: Open,
) -> Result<Received, ErrorCode>
where
    A: Future<Output = Result<Vec<SocketAddr>, ErrorCode>>,
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    let held = way.held.clone();
    let connected = timeout(times.connect, connect(way)).await;
    let stream = connected.map_err(|_| ErrorCode::ConnectionTimeout)??;
    let mut builder = http1::Builder::new();
    builder.max_headers(limits.fields).max_header_size(limits.bytes);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| errors::of_response(&error))?;
    let ended = Arc::new(Notify::new());
    if let Some((net, request)) = held {
        let weak: Weak<Notify> = Arc::downgrade(&ended);
        net.hold(Held::Request(request), weak);
    }
    let connection = executor::spawn(async move {
        let _open = open;
        // The reader of the response gets the error.
        let _ = select(pin!(connection), pin!(ended.notified())).await;
    });
    let connection = connection.map_err(|_| errors::internal("cannot spawn threads"))?;
    let response = timeout(times.first_byte, sender.send_request(request)).await;
    let response = response.map_err(|_| ErrorCode::HttpResponseTimeout)?;
    Ok(Received {
        response: response.map_err(|error| errors::of_response(&error))?,
        connection,
    })
}

/// Connects to the first permitted address that accepts a connection.
async fn connect<A>(way: Way<A>) -> Result<Box<dyn Stream>, ErrorCode>
where
    A: Future<Output = Result<Vec<SocketAddr>, ErrorCode>>,
{
    let target = way.target;
    let mut failed = ErrorCode::DestinationIpProhibited;
    for address in way.addresses.await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Sends small requests without delay.
                let _ = stream.set_nodelay(true);
                return Ok(match target.secure {
                    true => Box::new(tls::connect(way.tls?, &target.host, stream).await?),
                    false => Box::new(stream),
                });
            }
            Err(error) => failed = errors::of_io(&error),
        }
    }
    Err(failed)
}

/// Resolves a request's host to the permitted addresses. The connection uses exactly these, without a second look-up.
pub(super) async fn addresses(net: Net, request: Request) -> Result<Vec<SocketAddr>, ErrorCode> {
    let found = net.resolve_request(&request).await;
    let found = found.map_err(errors::of_lookup)?;
    let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, request.port));
    Ok(addresses.collect())
}
