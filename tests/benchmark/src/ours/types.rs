//! The guest's types.

use airssys_wasm::component::{ComponentType, Lift, Lower};

/// `record context`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Context {
    pub(super) id: String,
    pub(super) deadline: u64,
}

/// `variant failure`.
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
#[allow(dead_code, reason = "read in messages only")]
pub(super) enum Failure {
    #[component(name = "empty")]
    Empty,
    #[component(name = "refused")]
    Refused(String),
}

/// `record component-config` of the contract.
#[derive(Debug, Default, ComponentType, Lower)]
#[component(record)]
pub(super) struct ComponentConfig {
    #[component(name = "env-vars")]
    env_vars: Vec<(String, String)>,
    #[component(name = "config-data")]
    config_data: Option<Vec<u8>>,
    #[component(name = "resource-limits")]
    resource_limits: ResourceLimits,
    #[component(name = "granted-capabilities")]
    granted_capabilities: Vec<String>,
}

/// `record resource-limits` of the contract.
#[derive(Debug, Default, ComponentType, Lower)]
#[component(record)]
struct ResourceLimits {
    #[component(name = "max-memory-bytes")]
    max_memory_bytes: u64,
    #[component(name = "max-execution-time-ms")]
    max_execution_time_ms: u64,
    #[component(name = "max-fuel")]
    max_fuel: Option<u64>,
}
