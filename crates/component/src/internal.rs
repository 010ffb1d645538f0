//! Items for the other crates of this workspace. They change without notice.

#[cfg(feature = "compile")]
pub use crate::component::is_valid;
pub use crate::component::{CoreCaller, InstanceHook, described, error_of, runtime_error};
pub use crate::engine::interrupt::{
    InterruptHandle, check as check_interrupted, runs_here as runs_guest_here,
};
pub use crate::engine::timer;
pub use crate::engine::{Deadlines, SendStore, Waits, program_engine, program_store};
#[cfg(feature = "planted-panics")]
pub use crate::panics::planted;
pub use crate::panics::{Panicked, contain, own};
pub use crate::tiered::WeakTiered;

/// Guest text escaped for logs and terminals.
pub mod text {
    pub use crate::text::*;
}

/// Checks that threads can be started.
pub mod threads {
    pub use crate::threads::*;
}
