//! Interruption of guests: handles, a timer for deadlines, and what a signal finds. Where guests cannot be interrupted, the
//! same names do nothing, so that callers need not know.

#[cfg(all(unix, feature = "interrupt"))]
#[path = "active/mod.rs"]
mod implementation;
#[cfg(not(all(unix, feature = "interrupt")))]
#[path = "inactive.rs"]
mod implementation;

pub use implementation::timer;
pub use implementation::{Deadlines, GuestCode, InterruptHandle, check, functions, runs_here};

pub(crate) use implementation::{from_stack, take_stopped, to_stack};
