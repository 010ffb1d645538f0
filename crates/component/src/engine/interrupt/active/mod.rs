//! Interruption by signals, through wasmer's interrupters.

mod cpu_clock;
mod deadlines;
mod guest_code;
mod handle;
mod signal;
pub mod timer;

pub use deadlines::Deadlines;
pub use guest_code::{GuestCode, functions};
pub use handle::InterruptHandle;

pub(in crate::engine) use signal::hold_back_in_host;
pub(crate) use signal::take_stopped;
