//! Tiered start: components run at once on code that is compiled quickly, while better code is compiled behind their
//! backs, for the instances that come after.
//!
//! Which compilers: [`Backend::Tiered`](crate::engine::Backend::Tiered), or
//! [`Config::start_with`](crate::engine::Config::start_with). An instance stays on the code that it was made of, since its
//! memories and tables are laid out and filled for that; [`ComponentRuntime`](crate::ComponentRuntime) knows when it
//! can make another one in its place.
//!
//! ```no_run
//! # extern crate airssys_wasm_component as airssys_wasm;
//! use std::time::Duration;
//! use airssys_wasm::component::{Linker, Store};
//! use airssys_wasm::engine::{Backend, Config, Engine};
//! use airssys_wasm::tiered::TieredComponent;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Config::new().backend(Backend::Tiered))?;
//! let component = TieredComponent::new(&engine, &std::fs::read("guest.wasm")?)?;
//!
//! let linker = Linker::new(&engine);
//! let mut store = Store::new(&engine, ());
//! let instance = linker.instantiate(&mut store, &component.current())?;
//!
//! component.wait(Duration::from_secs(60));
//! let mut store = Store::new(&engine, ());
//! let faster = linker.instantiate(&mut store, &component.current())?;
//! # Ok(())
//! # }
//! ```

mod component;
mod queue;

#[doc(hidden)]
pub use component::WeakTiered;
pub use component::{TieredComponent, quick};
pub use queue::settle;
