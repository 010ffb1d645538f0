//! Capabilities of components.
//!
//! In this version nothing is granted: every action that needs a [`Capability`] is denied, with the capability that it
//! would need. Capabilities that the host application grants are passed to the component, but have no effect yet.

mod capability;

pub use capability::{Capability, InvalidCapability, MAX_CAPABILITY_BYTES};
