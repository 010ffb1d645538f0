//! WASI 0.2 for components.
//!
//! A component's state is a [`WasiCtx`], built by a [`WasiCtxBuilder`]. Without grants it is virtual: no environment, no
//! arguments, no input; output goes to the host's log; no files, no network. Clocks and random numbers are the host's. What a
//! component may take of the host is bounded by [`WasiLimits`].
//!
//! Functions that wait block the calling thread, until the call's deadline ([`WasiCtx::set_deadline`]).
//!
//! ```
//! # mod airssys_wasm {
//! #     pub use airssys_wasm_component::*;
//! #     pub use airssys_wasm_wasi as wasi;
//! # }
//! use airssys_wasm::component::{Linker, ResourceTable};
//! use airssys_wasm::engine::Engine;
//! use airssys_wasm::wasi::{self, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
//!
//! struct Data {
//!     ctx: WasiCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for Data {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
//!     }
//! }
//!
//! # fn main() -> Result<(), airssys_wasm::Error> {
//! let mut linker = Linker::<Data>::new(&Engine::default());
//! wasi::add_to_linker(&mut linker)?;
//! let mut builder = WasiCtxBuilder::new();
//! let ctx = builder.name("greeter").env("LANG", "en").build();
//! let data = Data { ctx, table: ResourceTable::new() };
//! # drop(data);
//! # Ok(())
//! # }
//! ```

// Derived code refers to the crate by the name that users have for it.
extern crate airssys_wasm_component as airssys_wasm;

mod access;
#[allow(unreachable_pub, reason = "it is generated as for a public module")]
pub(crate) mod bindings;
mod builder;
pub(crate) mod cli;
mod clocks;
mod command;
pub(crate) mod executor;
pub(crate) mod files;
pub mod http;
pub(crate) mod io;
mod lasting;
mod limits;
mod link;
pub(crate) mod net;
pub mod p3;
#[cfg(feature = "wasix")]
pub mod preview1;
mod random;
pub(crate) mod snapshot1;
pub(crate) mod sockets;
mod view;

/// Items for the other crates of this workspace. They change without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::executor::wait;
}

use std::fmt;
use std::time::Instant;

pub use access::{AccessPolicy, Basis, Denied, Destination, FileAction};
pub use builder::WasiCtxBuilder;
pub use cli::{Exit, MemoryInputPipe, MemoryOutputPipe, Stdin, Stdout};
pub use command::{Command, CommandRun, is_command, is_of_another_version, run_command};
pub use files::FsPerms;
pub use lasting::Lasting;
pub use limits::WasiLimits;
pub use link::{add_imports_to_linker, add_to_linker, add_to_linker_sync};
pub use net::{Connections, ListenGrant, NetGrant, NetGrantError};
pub use view::{WasiCtxView, WasiState, WasiView};

use airssys_wasm_component::component::ResourceTable;

/// A component's WASI state.
pub struct WasiCtx {
    /// Everything that the component holds, while a function of WASI runs. The store has it otherwise.
    pub(crate) table: ResourceTable,
    /// Deadline of the current call.
    pub(crate) deadline: Option<Instant>,
    /// Counts the ends of waits, and what streams have moved.
    pub(crate) progress: u64,
    /// Callback that runs before the component waits.
    pub(crate) before_wait: Option<io::BeforeWait>,
    /// Limits on the use of the host.
    pub(crate) limits: WasiLimits,
    /// Zero of the monotonic clock.
    started: Instant,
    /// The insecure seed, once it was asked for.
    seed: Option<(u64, u64)>,
    /// Arguments, environment, standard streams.
    pub(crate) cli: cli::CliCtx,
    /// Granted folders.
    pub(crate) files: files::FilesCtx,
    /// Network access control.
    pub(crate) net: net::Net,
    /// HTTP fields and connections.
    pub(crate) http: http::HttpCtx,
    /// Count of sockets.
    sockets: sockets::Places,
    /// Descriptors of preview 1, if the component was a core module.
    snapshot1: Option<snapshot1::Descriptors>,
}

impl WasiCtx {
    /// Sets the deadline of the next call: then any wait of the call ends with
    /// [`CoreTrap::Interrupted`](airssys_wasm_component::error::CoreTrap::Interrupted). Without a deadline, a wait ends after
    /// [`WasiLimits::longest_wait`] if nothing that the component waits for has come meanwhile; waits of streams of WASI 0.3 do not.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Returns the connections, to be checked again when permissions end.
    pub fn connections(&self) -> Connections {
        Connections(self.net.clone())
    }
}

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiCtx")
            .field("deadline", &self.deadline)
            .field("limits", &self.limits)
            .field("cli", &self.cli)
            .field("files", &self.files)
            .field("net", &self.net)
            .finish_non_exhaustive()
    }
}
