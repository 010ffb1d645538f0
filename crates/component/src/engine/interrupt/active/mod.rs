//! Interruption by a signal of our own, which costs a call nothing but a note of its thread.
//!
//! wasmer can interrupt guests itself (its feature `experimental-host-interrupt`), but then looks the store up in a table of the process at
//! each entry into a guest and at each return from a host function: more than a short call takes otherwise.

mod cpu_clock;
mod deadlines;
mod guest_code;
mod handle;
mod signal;
mod target;
mod thread;
pub mod timer;

pub use deadlines::Deadlines;
pub use guest_code::{GuestCode, functions};
pub use handle::InterruptHandle;
pub use target::{check, runs_here};

pub(crate) use signal::take_stopped;
pub(crate) use target::{from_stack, to_stack};
