//! Tiered start: components run at once on quickly compiled code, while optimized code is compiled in the background
//! for later instances.
//!
//! [`Backend::Tiered`](crate::engine::Backend::Tiered) or [`Config::start_with`](crate::engine::Config::start_with)
//! chooses the compilers. An instance stays on the code that it was created from, since its memories and tables are laid
//! out and filled for that code. The `ComponentRuntime` of `airssys-wasm` replaces instances where that cannot be noticed.
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

pub use component::TieredComponent;
#[doc(hidden)]
pub use component::WeakTiered;
pub use queue::settle;
