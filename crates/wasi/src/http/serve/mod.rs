//! A server whose requests a component answers: one that exports `wasi:http/incoming-handler`, of any 0.2 version.
//!
//! Each request gets an instance of its own, so that nothing of one request is left for another. Connections are handled by the
//! executor, instances run on threads of the server's own. A response goes out as the component writes it.
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
//! use airssys_wasm::wasi::WasiBuilder;
//! use airssys_wasm::wasi::http::serve::{ServeLimits, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&Config::new())?;
//! let component = Component::from_binary(&engine, &std::fs::read("site.wasm")?)?;
//! let addr = SocketAddr::from(([127, 0, 0, 1], 8080));
//! let server = Server::bind(&engine, &component, addr, &WasiBuilder::new(), ServeLimits::default())?;
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
mod wire;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

pub use kind::OtherComponent;
pub use limits::{LimitError, ServeLimits};

use crate::{WasiBuilder, executor};
use airssys_wasm_component::component::Component;
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Error;
use component::Handler;
use connections::Shared;
use pool::Pool;

/// The target of the access log's lines: one for each request, at level `info`, when the response has gone out or was given
/// up. Their keys: `peer`, `status`, `bytes` of the body, `micros` from the request's head to the end, `complete`.
pub const ACCESS_LOG: &str = "airssys_wasm::access";

/// The target of what the server itself has to say.
pub const SERVE_LOG: &str = "airssys_wasm::serve";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A limit has a value that it may not have.
    #[error("the server's limits do not fit: {0}")]
    Limit(#[from] LimitError),
    /// The component does not answer requests.
    #[error("{0}")]
    NoHandler(OtherComponent),
    /// The component cannot be linked or instantiated.
    #[error(transparent)]
    Component(#[from] Error),
    /// The address cannot be listened at, or the host has no threads.
    #[error("cannot serve at {addr}")]
    Listen {
        /// Where it was to be.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// A server that listens already, and answers once it [runs](Server::run).
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<Shared>,
}

/// Shuts a server down, from any thread.
#[derive(Clone, Debug)]
pub struct ShutdownHandle(Arc<Shared>);

impl ShutdownHandle {
    /// Has the server accept nothing more, give requests in flight [`ServeLimits::drain_time`] to end, and end. Does not wait
    /// for that.
    pub fn shutdown(&self) {
        self.0.stop();
    }
}

impl Server {
    /// Links the component and listens at `addr`; port 0 has the system choose one. Requests get what `wasi` grants.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn bind(
        engine: &Engine,
        component: &Component,
        addr: SocketAddr,
        wasi: &WasiBuilder,
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

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// What ends [`Server::run`].
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle(self.shared.clone())
    }

    /// Answers requests on other threads, and blocks this one, until it is shut down and requests in flight have ended, or
    /// had their time.
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
