//! Rust additions to the contract's shared types, beyond the code generated from `wit/core`.
//!
//! Text in them comes from guests and may hold any Unicode. The errors' `Display` escapes it.

use std::fmt;

use super::bindings::airssys::types_core::types::{HealthState, LogLevel};
use crate::component;
use airssys_wasm_component::internal::text::shown;

impl LogLevel {
    /// Returns the name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Trace => "trace",
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl HealthState {
    /// Returns the name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            HealthState::Healthy => "healthy",
            HealthState::Degraded => "degraded",
            HealthState::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One received message. `Debug` shows the number of its bytes: they may be secret.
#[derive(Clone, PartialEq, Eq, Hash, component::ComponentType, component::Lower, component::Lift)]
#[component(record)]
pub struct IncomingMessage {
    /// The sender, as identified by the host.
    pub sender: String,
    /// The message as sent.
    pub payload: Vec<u8>,
    /// Time of acceptance, in milliseconds since 1970-01-01T00:00:00Z.
    #[component(name = "sent-at-millis")]
    pub sent_at_millis: u64,
}

impl fmt::Debug for IncomingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingMessage")
            .field("sender", &self.sender)
            .field("payload_bytes", &self.payload.len())
            .field("sent_at_millis", &self.sent_at_millis)
            .finish()
    }
}

/// Reasons for which a lifecycle step, or a query about a component, failed.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, component::ComponentType, component::Lower, component::Lift,
)]
#[component(variant)]
pub enum ComponentError {
    /// The configuration is unusable; the text names the reason.
    #[component(name = "invalid-config")]
    #[error("invalid configuration: {}", shown(.0))]
    InvalidConfig(String),
    /// The host has no component with this identity.
    #[component(name = "not-found")]
    #[error("there is no component `{}`", shown(.0))]
    NotFound(String),
    /// `init` has not been called, or did not succeed.
    #[component(name = "not-initialized")]
    #[error("not initialized")]
    NotInitialized,
    /// `init` was called a second time.
    #[component(name = "already-initialized")]
    #[error("already initialized")]
    AlreadyInitialized,
    /// The component has been shut down.
    #[component(name = "shut-down")]
    #[error("shut down")]
    ShutDown,
    /// Anything else; the text describes the failure.
    #[component(name = "internal")]
    #[error("internal: {}", shown(.0))]
    Internal(String),
}

/// Reasons for which an operation failed. The instance stays usable.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, component::ComponentType, component::Lower, component::Lift,
)]
#[component(variant)]
pub enum ExecutionError {
    /// The component has no operation with this name.
    #[component(name = "unsupported-operation")]
    #[error("there is no operation `{}`", shown(.0))]
    UnsupportedOperation(String),
    /// The component does not accept payloads in this codec.
    #[component(name = "unsupported-codec")]
    #[error("payloads in codec {0:#x} are not accepted")]
    UnsupportedCodec(u64),
    /// The payload is damaged, or does not have the form that the operation needs.
    #[component(name = "invalid-input")]
    #[error("invalid input: {}", shown(.0))]
    InvalidInput(String),
    /// The operation needs a capability that the component was not granted.
    #[component(name = "capability-denied")]
    #[error("the capability `{}` is missing", shown(.0))]
    CapabilityDenied(String),
    /// The component gave up because the operation's time was running out.
    #[component(name = "timeout")]
    #[error("the component ran out of time")]
    Timeout,
    /// The component ran out of something other than time.
    #[component(name = "resource-exhausted")]
    #[error("out of resources: {}", shown(.0))]
    ResourceExhausted(String),
    /// The operation was attempted, and failed.
    #[component(name = "failed")]
    #[error("failed: {}", shown(.0))]
    Failed(String),
}
