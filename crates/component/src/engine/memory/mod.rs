//! Memories: images to begin with, reservations of address space, pools, counts, and access to a guest's memory.

pub(super) mod account;
pub(super) mod counted;
pub(super) mod dummy;
mod global;
mod guest;
pub(super) mod image;
#[cfg(unix)]
pub(super) mod linear;
#[cfg(unix)]
pub(super) mod pool;
#[cfg(unix)]
pub(super) mod reservation;
mod waits;

pub(crate) use global::GuestGlobal;
pub(crate) use guest::GuestMemory;
pub(crate) use image::Image;
pub use waits::Waits;
