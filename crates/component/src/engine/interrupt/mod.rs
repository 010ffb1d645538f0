//! Interruption of guests: handles, a timer for deadlines, and deadlines without them.

mod deadlines;
#[cfg(all(unix, feature = "interrupt"))]
pub(in crate::engine) mod guest_code;
#[cfg(all(unix, feature = "interrupt"))]
mod handle;
#[cfg(all(unix, feature = "interrupt"))]
pub(in crate::engine) mod signal;
#[cfg(all(unix, feature = "interrupt"))]
pub mod timer;

pub use deadlines::Deadlines;
#[cfg(all(unix, feature = "interrupt"))]
pub use guest_code::{GuestCode, functions};
#[cfg(all(unix, feature = "interrupt"))]
pub use handle::InterruptHandle;
