//! The contract's imports, one file per interface.
//!
//! Traits, types and linking are made from `wit/core`, in one place: `bindings.rs`. What is here is what the functions do.
//! Nothing here knows of the runtime: what concerns more than one component comes through [`HostServices`], what
//! concerns the calling component is in its [`HostContext`].

pub(crate) mod bindings;
mod clock;
mod host_capabilities;
mod host_services;
mod log;
mod multicodec;
mod settings;
mod types;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

pub use clock::{Clock, SystemClock};
pub use log::LOG_TARGET;
pub use settings::{MAX_KEY_BYTES, MAX_SETTINGS, MAX_SETTINGS_BYTES, MAX_VALUE_BYTES, Settings};
pub use types::{ComponentError, ExecutionError};

pub use bindings::airssys::host_core::host_services::ConfigError;
pub use bindings::airssys::messaging_core::messaging::{IncomingMessage, MessagingError};
pub use bindings::airssys::types_core::types::{
    ComponentMetadata, HealthState, HealthStatus, LogLevel, MemoryRequirements,
};

use crate::component::Linker;
use crate::error::Result;
use crate::messaging::{ComponentId, Mailbox};

/// The version of the contract that this host speaks. Components built against another 1.x link if they use what
/// this version has.
pub const CONTRACT_VERSION: &str = "1.0.0";

/// The interfaces that this host provides, without version.
pub const INTERFACES: [&str; 3] = [
    "airssys:host-core/host-services",
    "airssys:host-core/host-capabilities",
    "airssys:multicodec-core/multicodec-utilities",
];

/// What the host does across components. Handed in by whoever runs them.
pub trait HostServices: Debug + Send + Sync {
    /// Wall-clock time, in milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> u64;

    /// The components that are loaded at this moment.
    fn list_components(&self) -> Vec<ComponentId>;

    /// The metadata that a component gave.
    ///
    /// # Errors
    /// [`ComponentError::NotFound`]; [`ComponentError::NotInitialized`] while it is not known yet.
    fn component_metadata(&self, id: &str) -> std::result::Result<Arc<ComponentMetadata>, ComponentError>;

    /// Delivers a message without waiting.
    ///
    /// # Errors
    /// Each case of [`MessagingError`] except `Denied`.
    fn send(
        &self,
        sender: &ComponentId,
        target: &str,
        payload: Vec<u8>,
    ) -> std::result::Result<(), MessagingError>;
}

/// What the host functions know of the component that calls them.
#[derive(Clone, Debug)]
pub struct HostContext {
    /// Who it is.
    pub id: ComponentId,
    /// Its settings.
    pub settings: Settings,
    /// Its mailbox.
    pub mailbox: Arc<Mailbox>,
    /// What concerns other components.
    pub services: Arc<dyn HostServices>,
    /// When the call in flight has to be over.
    pub deadline: Option<Instant>,
}

/// A store's data that has a [`HostContext`].
pub trait HostState: Send + 'static {
    /// The calling component's context.
    fn host(&mut self) -> &mut HostContext;
}

impl HostState for HostContext {
    fn host(&mut self) -> &mut HostContext {
        self
    }
}

/// Defines every interface that the contract lets a component import.
///
/// # Errors
/// [`Error::Redefined`](crate::Error::Redefined) if the linker has one of them already.
pub fn add_to_linker<T: HostState>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Component::add_to_linker(linker, T::host)
}
