//! Calling the contract's `component-lifecycle`: its own types in Rust, and its six functions.

use super::contract;
use super::error::RuntimeError;
use crate::component::{ComponentNamedList, Instance, Store, TypedFunc};
use crate::host::convert::{record, variant};
use crate::host::{ComponentError, ComponentMetadata, ExecutionError, HealthStatus};

record! {
    /// Upper bounds for an instance.
    pub(super) ResourceLimits {
        max_memory_bytes: u64 = "max-memory-bytes",
        max_execution_time_ms: u64 = "max-execution-time-ms",
        max_fuel: Option<u64> = "max-fuel",
    }
}

record! {
    /// What one call may still use.
    pub(super) ResourceAllocation {
        memory_bytes: u64 = "memory-bytes",
        execution_time_ms: u64 = "execution-time-ms",
        fuel: Option<u64> = "fuel",
    }
}

variant! {
    /// On whose behalf a call is made.
    pub CallerInfo {
        /// The host application itself.
        Host = "host",
        /// Another component of the same host.
        Component(id: String) = "component",
        /// A caller that the host has not identified. Trust it least.
        Anonymous = "anonymous",
    }
}

record! {
    /// Ties a call to a distributed trace, in the terms of W3C Trace Context.
    pub TraceContext {
        /// The `traceparent` header's value.
        traceparent: String = "traceparent",
        /// The `tracestate` header's value, if there is one.
        tracestate: Option<String> = "tracestate",
    }
}

record! {
    /// What `init` is given.
    pub(super) ComponentConfig {
        env_vars: Vec<(String, String)> = "env-vars",
        config_data: Option<Vec<u8>> = "config-data",
        resource_limits: ResourceLimits = "resource-limits",
        granted_capabilities: Vec<String> = "granted-capabilities",
    }
}

record! {
    /// What `execute` is given beside the operation.
    pub(super) ExecutionContext {
        request_id: String = "request-id",
        caller: CallerInfo = "caller",
        available_resources: ResourceAllocation = "available-resources",
        timeout_ms: u64 = "timeout-ms",
        trace_context: Option<TraceContext> = "trace-context",
    }
}

type Answer<T, E> = (Result<T, E>,);

/// The six functions of one instance, their types checked.
#[derive(Debug)]
pub(super) struct Lifecycle {
    pub(super) init: TypedFunc<(ComponentConfig,), Answer<(), ComponentError>>,
    pub(super) execute: TypedFunc<(Vec<u8>, ExecutionContext), Answer<Vec<u8>, ExecutionError>>,
    pub(super) metadata: TypedFunc<(), (ComponentMetadata,)>,
    pub(super) health: TypedFunc<(), (HealthStatus,)>,
    pub(super) supported_codecs: TypedFunc<(), (Vec<u64>,)>,
    pub(super) shutdown: TypedFunc<(), Answer<(), ComponentError>>,
}

impl Lifecycle {
    /// Looks the functions up in the instance's export of this name.
    pub(super) fn of<T: Send + 'static>(
        instance: &Instance,
        store: &mut Store<T>,
        export: &str,
    ) -> Result<Lifecycle, RuntimeError> {
        let [init, execute, metadata, health, supported_codecs, shutdown] = contract::FUNCTIONS;
        Ok(Lifecycle {
            init: function(instance, store, export, init)?,
            execute: function(instance, store, export, execute)?,
            metadata: function(instance, store, export, metadata)?,
            health: function(instance, store, export, health)?,
            supported_codecs: function(instance, store, export, supported_codecs)?,
            shutdown: function(instance, store, export, shutdown)?,
        })
    }
}

fn function<T: Send + 'static, P: ComponentNamedList, R: ComponentNamedList>(
    instance: &Instance,
    store: &mut Store<T>,
    export: &str,
    name: &str,
) -> Result<TypedFunc<P, R>, RuntimeError> {
    instance
        .get_typed_func(store, &[export, name])
        .map_err(|source| RuntimeError::LifecycleType {
            function: format!("{export}#{name}"),
            source,
        })
}
