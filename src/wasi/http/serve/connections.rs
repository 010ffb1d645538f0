//! Connections: accepted, bounded, watched, and led to the component.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use http::uri::Authority;
use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{self, Access, AnswerBody};
use super::component::{self, Handler};
use super::flight::Flight;
use super::pool::Pool;
use super::stall::Stall;
use super::{SERVE_LOG, ServeLimits};
use crate::wasi::http::response::Answer;

/// Time to wait for descriptors to become free.
const EXHAUSTED: Duration = Duration::from_millis(50);
/// Time that instances have to be stopped in, after requests have had theirs.
const STOP: Duration = Duration::from_secs(2);

/// What all connections of a server have.
pub(super) struct Shared {
    handler: Arc<Handler>,
    pool: Pool,
    limits: ServeLimits,
    stop: watch::Sender<bool>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(handler: Handler, pool: Pool, limits: ServeLimits) -> Shared {
        Shared {
            handler: Arc::new(handler),
            pool,
            limits,
            stop: watch::Sender::new(false),
        }
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Connections are gone; what still runs is being stopped.
    pub(super) fn end(&self) {
        if !self.pool.close(STOP) {
            log::warn!(target: SERVE_LOG, "some requests did not end");
        }
    }
}

/// Accepts connections until the server is to stop; then gives them time to end.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head_time)
        .max_headers(shared.limits.fields)
        .max_header_size(shared.limits.head_bytes)
        .max_buf_size(shared.limits.head_bytes.max(MIN_BUFFER));
    loop {
        let accepted = {
            let stopped = std::pin::pin!(stop.wait_for(|stop| *stop).map(|_| ()));
            let accepting = std::pin::pin!(accept(&listener, &places));
            match future::select(stopped, accepting).await {
                Either::Left(_) => break,
                Either::Right((accepted, _)) => accepted,
            }
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        let shared_here = shared.clone();
        let service = service_fn(move |request| respond(shared_here.clone(), request, peer));
        // Answers are written as a whole, or as they come.
        let _ = stream.set_nodelay(true);
        let stream = Stall::new(TokioIo::new(stream), shared.limits.write_time);
        let connection = graceful.watch(http.serve_connection(stream, service));
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                log::debug!(target: SERVE_LOG, "a connection of {peer} ended: {error}");
            }
        });
    }
    drop(listener);
    if timeout(shared.limits.drain_time, graceful.shutdown())
        .await
        .is_err()
    {
        log::warn!(target: SERVE_LOG, "requests were cut off at the end of the time for shutting down");
    }
    // Whoever still waits for the component stops it by that.
    connections.shutdown().await;
}

/// hyper reads into no less.
const MIN_BUFFER: usize = 8192;

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            // A client that is gone again costs nothing; a lack of descriptors passes.
            log::warn!(target: SERVE_LOG, "a connection was not accepted: {error}");
            sleep(EXHAUSTED).await;
            None
        }
    }
}

/// Stops the component if the connection is gone before it has answered.
struct Wanted(Arc<Flight>, bool);

impl Drop for Wanted {
    fn drop(&mut self) {
        if !self.1 {
            self.0.cancel();
        }
    }
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<AnswerBody>, Infallible> {
    let access = Access::new(peer, request.method(), request.uri());
    let request = match check(request, &shared.limits) {
        Ok(request) => request,
        Err(status) => return Ok(answer::plain(status, access)),
    };
    let (sender, receiver) = oneshot::channel::<Answer>();
    let flight = Arc::new(Flight::default());
    let (handler, in_flight) = (shared.handler.clone(), flight.clone());
    let accepted = shared.pool.submit(Box::new(move || {
        if !in_flight.is_cancelled() {
            handler.answer(request, &in_flight, move |answer| {
                // Nobody is there for the answer of a request that was given up.
                let _ = sender.send(answer);
            });
        }
    }));
    if !accepted {
        return Ok(answer::plain(StatusCode::SERVICE_UNAVAILABLE, access));
    }
    let mut wanted = Wanted(flight, false);
    let answer = receiver.await;
    wanted.1 = true;
    Ok(match answer {
        Ok(Ok(response)) => answer::of_guest(response, access),
        Ok(Err(error)) => answer::plain(answer::status(&error), access),
        // It trapped, or ended without an answer. Clients are not told why.
        Err(_) if wanted.0.is_late() => answer::plain(StatusCode::GATEWAY_TIMEOUT, access),
        Err(_) => answer::plain(StatusCode::INTERNAL_SERVER_ERROR, access),
    })
}

/// What HTTP asks of a request, and the limits that its head alone breaks.
fn check(request: Request<Incoming>, limits: &ServeLimits) -> Result<component::Request, StatusCode> {
    let (head, body) = request.into_parts();
    // A tunnel is nothing that a component could answer with.
    if head.method == Method::CONNECT {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if body.size_hint().lower() > limits.body_bytes {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() || (host.is_none() && head.version == Version::HTTP_11) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let host = match host {
        None => None,
        Some(host) if host.is_empty() => None,
        Some(host) => {
            let host = Authority::try_from(host.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
            Some(host)
        }
    };
    Ok(component::Request {
        authority: head.uri.authority().cloned().or(host),
        head,
        body,
    })
}
