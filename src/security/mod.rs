//! What a component may do.
//!
//! In this version nothing is granted: every action that needs a [`Capability`] is denied, with the capability
//! that it would need. Capabilities that the host application grants are told to the component, and not yet
//! acted on.

mod capability;

pub use capability::{Capability, InvalidCapability, MAX_CAPABILITY_BYTES};
