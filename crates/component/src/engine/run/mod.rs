//! Stores and instances: creation under limits, and reset.

pub(super) mod fuel;
mod program;
pub(super) mod reset;
mod stack;
mod store;
pub(super) mod tables;
pub(super) mod tunables;

pub(crate) use fuel::Fuel;
pub use program::{program_engine, program_store};
pub(crate) use reset::{KeptMemories, Reset};
pub use store::SendStore;
pub(crate) use tunables::NextModule;
