//! The client of the contract's `component-lifecycle`, generated from `wit/core`.

use super::error::RuntimeError;
use crate::component::{Instance, Store};
use crate::error::Error;
use crate::host::bindings::airssys::types_core::types;
use crate::host::bindings::exports::airssys::component_core::component_lifecycle;

pub(super) use component_lifecycle::{ComponentConfig, ExecutionContext, Guest as Lifecycle};
pub use types::{CallerInfo, TraceContext};
pub(super) use types::{ResourceAllocation, ResourceLimits};

/// Finds the six functions in the instance's export of a compatible version, and checks their types.
pub(super) fn of<T: Send + 'static>(
    instance: &Instance,
    store: &mut Store<T>,
) -> Result<Lifecycle, RuntimeError> {
    Lifecycle::new(store, instance).map_err(|source| match &source {
        Error::TypeMismatch { function, .. } => RuntimeError::LifecycleType {
            function: function.clone(),
            source,
        },
        _ => RuntimeError::Load(source),
    })
}
