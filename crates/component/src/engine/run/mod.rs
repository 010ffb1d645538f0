//! Stores and instances: creation under limits, and reset.

pub(super) mod fiber;
pub(super) mod fuel;
pub(super) mod instance;
mod program;
pub(super) mod reset;
pub(super) mod saved_state;
mod stack;
mod store;
pub(super) mod tables;
pub(super) mod tunables;

pub(crate) use fiber::{EngineEntry, Fiber, Resume, Stacks, Switch, suspend};
pub(crate) use fuel::Fuel;
pub(crate) use instance::{Callee, CoreInstance, make_room};
pub use program::{program_engine, program_store};
pub(crate) use reset::{KeptMemories, Reset};
pub(crate) use saved_state::SavedState;
pub use store::SendStore;
pub(crate) use tunables::NextModule;
