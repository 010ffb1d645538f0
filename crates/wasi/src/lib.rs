//! WASI 0.2 for components.
//!
//! A component's part is a [`WasiCtx`], made by a [`WasiBuilder`]. Without grants it is virtual: no environment, no
//! arguments, no input; output goes to the host's log; no files, no network. Clocks and random numbers are the host's. What a
//! component may take of the host is bounded by [`WasiLimits`].
//!
//! Functions that wait do so on the calling thread, until the call's deadline ([`WasiCtx::set_deadline`]).
//!
//! ```
//! # mod airssys_wasm {
//! #     pub use airssys_wasm_component::*;
//! #     pub use airssys_wasm_wasi as wasi;
//! # }
//! use airssys_wasm::component::Linker;
//! use airssys_wasm::engine::{Config, Engine};
//! use airssys_wasm::wasi::{self, WasiBuilder, WasiCtx, WasiView};
//!
//! struct Data {
//!     wasi: WasiCtx,
//! }
//!
//! impl WasiView for Data {
//!     fn wasi(&mut self) -> &mut WasiCtx {
//!         &mut self.wasi
//!     }
//! }
//!
//! # fn main() -> Result<(), airssys_wasm::Error> {
//! let mut linker = Linker::<Data>::new(&Engine::new(&Config::new())?);
//! wasi::add_to_linker(&mut linker)?;
//! let mut builder = WasiBuilder::new();
//! let data = Data { wasi: builder.name("greeter").env("LANG", "en").build() };
//! # drop(data);
//! # Ok(())
//! # }
//! ```

// Derived code names the crate as its users do.
extern crate airssys_wasm_component as airssys_wasm;

#[allow(unreachable_pub, reason = "it is made as for a public module")]
pub(crate) mod bindings;
mod builder;
pub(crate) mod cli;
mod clocks;
mod command;
pub(crate) mod executor;
pub(crate) mod files;
pub mod http;
pub(crate) mod io;
mod limits;
pub(crate) mod net;
#[cfg(feature = "wasix")]
pub mod preview1;
mod random;
pub(crate) mod snapshot1;
pub(crate) mod sockets;

use std::fmt;
use std::time::Instant;

pub use builder::WasiBuilder;
pub use cli::{Exit, OutputPipe, Stdin, Stdout};
pub use command::{is_command, is_of_another_version, run_command};
pub use files::Access;
pub use limits::WasiLimits;
pub use net::{ListenGrant, NetGrant, NetGrantError};

use airssys_wasm_component::component::{Linker, ResourceTable};
use airssys_wasm_component::error::Result;

/// What WASI knows of the component that calls it.
pub struct WasiCtx {
    /// Everything that the component holds.
    pub(crate) table: ResourceTable,
    /// When the call in flight has to be over.
    pub(crate) deadline: Option<Instant>,
    /// A step that is taken before it waits.
    pub(crate) before_wait: Option<io::BeforeWait>,
    /// What it may take of the host.
    pub(crate) limits: WasiLimits,
    /// Its monotonic clock's zero.
    started: Instant,
    /// Its seed, once it has asked for one.
    seed: Option<(u64, u64)>,
    /// Arguments, environment, standard streams.
    pub(crate) cli: cli::CliCtx,
    /// Its folders.
    pub(crate) files: files::FilesCtx,
    /// What of the network it may reach.
    pub(crate) net: net::Net,
    /// Its fields, its connections.
    pub(crate) http: http::HttpCtx,
    /// How many sockets it has.
    sockets: sockets::Places,
    /// Its numbers for what it has open, if it was a core module.
    snapshot1: Option<snapshot1::Descriptors>,
}

impl WasiCtx {
    /// Says when the call that follows has to be over: whatever it waits for, it is ended with
    /// [`CoreTrap::Interrupted`](airssys_wasm_component::error::CoreTrap::Interrupted) then. Without a deadline, a single wait ends after
    /// [`WasiLimits::longest_wait`].
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// How many resources it holds at the moment.
    pub fn resources(&self) -> usize {
        self.table.len()
    }
}

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiCtx")
            .field("resources", &self.table.len())
            .field("deadline", &self.deadline)
            .field("limits", &self.limits)
            .field("cli", &self.cli)
            .field("files", &self.files)
            .field("net", &self.net)
            .finish_non_exhaustive()
    }
}

/// A store's data that has a [`WasiCtx`].
pub trait WasiView: Send + 'static {
    /// The calling component's context.
    fn wasi(&mut self) -> &mut WasiCtx;
}

impl WasiView for WasiCtx {
    fn wasi(&mut self) -> &mut WasiCtx {
        self
    }
}

/// Defines every interface of WASI that the host has. A component built against any 0.2 version finds it, and one that was
/// a core module finds the functions of preview 1.
///
/// # Errors
/// [`Error::Redefined`](airssys_wasm_component::Error::Redefined) if the linker has one of them already.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Imports::add_to_linker(linker, T::wasi)?;
    snapshot1::add_to_linker(linker)
}
