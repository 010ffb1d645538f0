//! Limits on resources: the places that set them, and components that exceed them beside a neighbor.

mod budget;
mod calls;
mod exceeded;
mod merged;
mod metadata;
mod policy;

use airssys_wasm::limits::{EffectiveLimits, LimitSource, Resource, ResourceLimits};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use airssys_wasm_test_support::host::id;

/// Returns the limits of a component called `reader`.
fn effective(config: RuntimeConfig, options: &ComponentOptions) -> EffectiveLimits {
    config.effective_limits(&id("reader"), options)
}

/// Returns value and source of a limit.
fn limit(limits: &EffectiveLimits, resource: Resource) -> (u64, LimitSource) {
    let limit = limits.get(resource).expect("it is limited");
    (limit.value, limit.source.clone())
}

/// Loads and initializes a component with limits in its options.
fn started(runtime: &ComponentRuntime, name: &str, bytes: &[u8], limits: ResourceLimits) -> ComponentId {
    let options = ComponentOptions::new()
        .with_id(id(name))
        .with_resource_limits(limits);
    let id = runtime.load_component(bytes, options).expect("it loads");
    runtime.init(&id).expect("it starts");
    id
}
