//! Connections: accepted, limited, watched, and served by the component.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_wasm_component::component::Component;
use airssys_wasm_component::engine::Engine;
use futures_util::FutureExt;
use futures_util::future::{self, Either};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::exchange::{Client, respond};
use super::heads::Heads;
use super::pool::Pool;
use super::wire::Wire;
use super::{SERVE_LOG, ServeError, ServeLimits};
use super::{component, kind, tasks};
use crate::WasiCtxBuilder;
use crate::http::body::Pace;

/// Pause after a failed accept, for descriptors to become free.
const EXHAUSTED: Duration = Duration::from_millis(50);
/// Time for running instances to stop, after the requests' own time has passed.
const STOP: Duration = Duration::from_secs(2);

/// The component that answers requests, by the version of its handler.
#[derive(Clone, Debug)]
pub(super) enum Handler {
    /// Of 0.2: an instance for each request.
    Fresh(Arc<component::Handler>),
    /// Of 0.3: instances that answer several requests at a time.
    Tasks(Arc<tasks::Handler>),
}

impl Handler {
    /// Links the component.
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        wasi: WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Result<Handler, ServeError> {
        Ok(match kind::of(component).map_err(ServeError::NoHandler)? {
            kind::Version::V2 => {
                let handler = component::Handler::new(engine, component, wasi, limits)?;
                Handler::Fresh(Arc::new(handler))
            }
            kind::Version::V3 => {
                let handler = tasks::Handler::new(engine, component, wasi, limits)?;
                Handler::Tasks(Arc::new(handler))
            }
        })
    }
}

/// State that all connections of a server share.
pub(super) struct Shared {
    pub(super) handler: Handler,
    pub(super) pool: Pool,
    pub(super) limits: ServeLimits,
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
            handler,
            pool,
            limits,
            stop: watch::Sender::new(false),
        }
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Closes the pool once the connections are gone, and waits for instances that are being stopped.
    pub(super) fn end(&self) {
        if let Handler::Tasks(handler) = &self.handler {
            handler.close();
        }
        if !self.pool.close(STOP) {
            log::warn!(target: SERVE_LOG, "some requests did not end after their component was stopped");
        }
    }
}

/// Bytes that hyper may read beyond a head's limit, so that a target that is too long is recognized as such.
const HEAD_SLACK: usize = 128 << 10;
/// Interval between attempts to close an idle connection for a new one.
const LOOK: Duration = Duration::from_millis(50);

/// Accepts connections until the server is to stop; then gives open connections time to end.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let limits = &shared.limits;
    let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let heads = Heads::default();
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    let most = limits.head_bytes.saturating_add(HEAD_SLACK);
    http.timer(TokioTimer::new())
        // A client that has closed its side still waits for its answer: RFC 9112, 9.6.
        .half_close(true)
        .header_read_timeout(limits.head_time)
        .max_headers(limits.fields)
        .max_header_size(most)
        .max_buf_size(most);
    let pace = Pace {
        pause: limits.write_time,
        rate: limits.write_rate,
    };
    loop {
        let accepted = {
            let stopped = std::pin::pin!(stop.wait_for(|stop| *stop).map(|_| ()));
            let accepting = std::pin::pin!(accept(&listener, &places, &heads));
            match future::select(stopped, accepting).await {
                Either::Left(_) => break,
                Either::Right((accepted, _)) => accepted,
            }
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        // Sends each write at once.
        let _ = stream.set_nodelay(true);
        let wire = Wire::new(stream, pace);
        let head = heads.enter();
        let client = Client::new(shared.clone(), peer, wire.clone(), head.clone());
        let service = service_fn(move |request| respond(client.clone(), request));
        let connection = graceful.watch(http.serve_connection(wire.clone(), service));
        connections.spawn(async move {
            let _place = place;
            let ended = {
                let closed = std::pin::pin!(head.closed());
                match future::select(std::pin::pin!(connection), closed).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(_) => {
                        log::debug!(target: SERVE_LOG, "closed an idle connection from {peer} to make room for another");
                        return;
                    }
                }
            };
            if let Err(error) = ended {
                log::debug!(target: SERVE_LOG, "connection from {peer} ended: {error}");
            }
            drop(head);
            wire.close().await;
        });
    }
    drop(listener);
    if timeout(shared.limits.drain_time, graceful.shutdown())
        .await
        .is_err()
    {
        log::warn!(target: SERVE_LOG, "aborted the requests that exceeded the shutdown timeout");
    }
    // Dropping a request that waits for the component stops the component.
    connections.shutdown().await;
}

/// Accepts the next connection, once there is a place for it. If there is none, the connection that has waited longest
/// for a request is closed.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    heads: &Heads,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    match listener.accept().await {
        Ok((stream, peer)) => loop {
            if let Ok(place) = places.clone().try_acquire_owned() {
                return Some((stream, peer, place));
            }
            heads.close_oldest(Instant::now());
            if let Ok(place) = timeout(LOOK, places.clone().acquire_owned()).await {
                return Some((stream, peer, place.ok()?));
            }
        },
        Err(error) => {
            // A client that has already left costs nothing; a lack of descriptors is temporary.
            log::warn!(target: SERVE_LOG, "cannot accept a connection: {error}");
            sleep(EXHAUSTED).await;
            None
        }
    }
}
