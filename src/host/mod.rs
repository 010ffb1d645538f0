//! The contract's imports, one file per interface.
//!
//! Traits, types and linking are generated from `wit/core` in one place, `bindings.rs`. This module implements the
//! functions. It does not depend on the runtime: [`HostServices`] provides access to other components, and [`HostContext`]
//! holds the state of the calling component.

pub(crate) mod bindings;
mod clock;
mod files;
mod functions;
mod host_capabilities;
mod host_services;
#[cfg(feature = "wasi")]
mod http;
mod limits;
mod log;
mod log_rate;
mod multicodec;
mod powers;
mod settings;
mod types;
#[cfg(feature = "wasi")]
mod wasi_access;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

pub use clock::{Clock, SystemClock};
pub use functions::{CallInfo, HostFunctionError, HostFunctions, InvalidFunction, MAX_FUNCTION_NAME_BYTES};
pub use limits::HostLimits;
pub use log::LOG_TARGET;
pub use log_rate::LogRate;
pub use powers::HostPowers;
pub use settings::{
    MAX_KEY_BYTES, MAX_SETTINGS, MAX_SETTINGS_BYTES, MAX_VALUE_BYTES, SavedSettings, Settings,
};
pub use types::{ComponentError, ExecutionError, IncomingMessage};
#[cfg(feature = "wasi")]
pub use wasi_access::WasiAccess;

pub use bindings::airssys::host_core::host_services::ConfigError;
pub use bindings::airssys::messaging_core::messaging::MessagingError;
pub use bindings::airssys::types_core::types::{
    ComponentMetadata, HealthState, HealthStatus, LogLevel, MemoryRequirements,
};

use crate::component::{HasSelf, Linker};
use crate::error::Result;
use crate::messaging::{ComponentId, Mailbox};
use crate::security::Grants;

/// The version of the contract that this host implements. Components built against another 1.x link if they only use items
/// of this version.
pub const CONTRACT_VERSION: &str = "1.0.0";

/// The interfaces that this host provides, without their version.
pub const INTERFACES: [&str; 3] = [
    "airssys:host-core/host-services",
    "airssys:host-core/host-capabilities",
    "airssys:multicodec-core/multicodec-utilities",
];

/// Host services that span components. Implemented by the runtime.
pub trait HostServices: Debug + Send + Sync {
    /// Returns the wall-clock time, in milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> u64;

    /// Returns the components that are loaded at this moment.
    fn list_components(&self) -> Vec<ComponentId>;

    /// Returns a component's metadata.
    ///
    /// # Errors
    /// [`ComponentError::NotFound`]; [`ComponentError::NotInitialized`] while it is not known yet.
    fn component_metadata(&self, id: &str) -> std::result::Result<Arc<ComponentMetadata>, ComponentError>;

    /// Delivers a message, sent in the operation `call`. Does not block on a component of this host, and beyond `deadline` on
    /// no other.
    ///
    /// # Errors
    /// Each case of [`MessagingError`]; `Denied` if the receiver may not receive it.
    fn send(
        &self,
        sender: &ComponentId,
        target: &str,
        payload: Vec<u8>,
        call: &CallScope,
        deadline: Option<Instant>,
    ) -> std::result::Result<(), MessagingError>;
}

/// The host's state for one component, used by its host functions.
#[derive(Clone, Debug)]
pub struct HostContext {
    /// Its identity.
    pub id: ComponentId,
    /// Its settings.
    pub settings: Settings,
    /// Its mailbox.
    pub mailbox: Arc<Mailbox>,
    /// Access to other components.
    pub services: Arc<dyn HostServices>,
    /// Deadline of the call in flight.
    pub deadline: Option<Instant>,
    /// The operation in flight.
    pub call: CallScope,
    /// Its grants. The default denies everything.
    pub grants: Grants,
    /// Its limit on the host's log.
    pub log_rate: LogRate,
    /// The configuration of `host-capabilities`.
    pub powers: Arc<HostPowers>,
}

/// The operation that a component executes, for the audit and for host functions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallScope {
    /// Its identity; `None` in other calls of the component.
    pub request_id: Option<String>,
    /// Its trace: the value of `traceparent` (W3C Trace Context).
    pub trace: Option<String>,
}

/// Store data that contains a [`HostContext`].
pub trait HostState: Send + 'static {
    /// Returns the calling component's context.
    fn host(&mut self) -> &mut HostContext;
}

impl HostState for HostContext {
    fn host(&mut self) -> &mut HostContext {
        self
    }
}

/// Defines every interface of the contract that a component may import.
///
/// # Errors
/// [`Error::Redefined`](crate::Error::Redefined) if the linker already has one of them.
pub fn add_to_linker<T: HostState>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Component::add_to_linker::<T, HasSelf<HostContext>>(linker, T::host)
}
