//! A server that answers requests with a component that exports `wasi:http/incoming-handler`, of any 0.2 version, or `wasi:http/handler`, of any
//! 0.3 version.
//!
//! For 0.2, each request gets an instance of its own, so that no state of one request reaches another. An instance of 0.3 answers several requests
//! at a time ([`ServeLimits::instance_concurrency`]), which share its state; the engine has to permit asynchronous components. The executor
//! handles connections; instances run on the server's own threads. A response is sent as the component writes it.
//!
//! ```no_run
//! # mod airssys_wasm {
//! #     pub use airssys_wasm_component::*;
//! #     pub use airssys_wasm_wasi as wasi;
//! # }
//! use std::net::SocketAddr;
//!
//! use airssys_wasm::component::Component;
//! use airssys_wasm::engine::{Config, Engine};
//! use airssys_wasm::wasi::WasiCtxBuilder;
//! use airssys_wasm::wasi::http::serve::{ServeLimits, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&Config::new())?;
//! let component = Component::from_binary(&engine, &std::fs::read("site.wasm")?)?;
//! let addr = SocketAddr::from(([127, 0, 0, 1], 8080));
//! let server = Server::bind(&engine, &component, addr, &WasiCtxBuilder::new(), ServeLimits::default())?;
//! let shutdown = server.shutdown_handle();
//! // `shutdown.shutdown()`, from any thread, ends this:
//! server.run()?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod component;
mod connections;
mod exchange;
mod flight;
mod heads;
mod kind;
mod limits;
mod pool;
mod request;
mod tasks;
mod waiting;
mod wire;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

pub use kind::OtherComponent;
pub use limits::{LimitError, ServeLimits};

use crate::{WasiCtxBuilder, executor};
use airssys_wasm_component::component::Component;
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Error;
use connections::{Handler, Shared};
use pool::Pool;

/// The log target of the access log: one line for each request, at level `info`, when its response was sent or given
/// up. Its keys: `peer`, `status`, `bytes` of the body, `micros` from the request's head to the end, `complete`.
pub const ACCESS_LOG: &str = "airssys_wasm::access";

/// The log target of the server's own messages.
pub const SERVE_LOG: &str = "airssys_wasm::serve";

/// The failure of a server to start or run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A limit is out of its range.
    #[error("invalid server limit: {0}")]
    Limit(#[from] LimitError),
    /// The component answers no HTTP requests.
    #[error("{0}")]
    NoHandler(OtherComponent),
    /// The component cannot be linked or instantiated.
    #[error(transparent)]
    Component(#[from] Error),
    /// The server cannot listen at the address, or the host has no threads.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
}

/// A server that listens, and answers requests once it [runs](Server::run).
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<Shared>,
}

/// A handle that shuts a server down, from any thread.
#[derive(Clone, Debug)]
pub struct ShutdownHandle(Arc<Shared>);

impl ShutdownHandle {
    /// Starts the shutdown and returns: the server accepts no more connections, gives requests in flight
    /// [`ServeLimits::drain_time`] to end, and ends.
    pub fn shutdown(&self) {
        self.0.stop();
    }
}

impl Server {
    /// Links the component and listens at `addr`; the system chooses a port for port 0. Instances get the grants of
    /// `wasi`.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn bind(
        engine: &Engine,
        component: &Component,
        addr: SocketAddr,
        wasi: &WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Result<Server, ServeError> {
        limits.check()?;
        let handler = Handler::new(engine, component, wasi.clone(), limits.clone())?;
        let listen = |source| ServeError::Listen { addr, source };
        let listener = TcpListener::bind(addr).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let pool = Pool::new(limits.queue, limits.threads, limits.slow_threads);
        Ok(Server {
            listener,
            addr,
            shared: Arc::new(Shared::new(handler, pool, limits)),
        })
    }

    /// Returns the address that the server listens at.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns a handle that ends [`Server::run`].
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle(self.shared.clone())
    }

    /// Counts the instances that answer several requests at a time.
    #[cfg(test)]
    pub(crate) fn instances(&self) -> impl Fn() -> usize + use<> {
        let shared = self.shared.clone();
        move || match &shared.handler {
            Handler::Fresh(_) => 0,
            Handler::Tasks(handler) => handler.instances(),
        }
    }

    /// Answers requests on other threads. Blocks this thread until the server is shut down and requests in flight have
    /// ended, or their time is over.
    ///
    /// # Errors
    /// [`ServeError::Listen`] if the host has no threads for it.
    pub fn run(self) -> Result<(), ServeError> {
        let addr = self.addr;
        let listen = |source| ServeError::Listen { addr, source };
        let shared = self.shared.clone();
        let listener = {
            let _context = executor::enter().map_err(listen)?;
            tokio::net::TcpListener::from_std(self.listener).map_err(listen)?
        };
        let serving = executor::spawn(connections::serve(listener, shared.clone())).map_err(listen)?;
        executor::block_on(serving).map_err(listen)?.map_err(listen)?;
        shared.end();
        Ok(())
    }
}
