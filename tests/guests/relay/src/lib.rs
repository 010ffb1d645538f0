//! The guest of the benchmark of actors: passes each message on to the next component, as often as the message says.
//!
//! A message begins with the number of times that it is still to be passed on, four bytes with the least significant first, and
//! the number of its pair, four more. A ninth byte of 1 asks for a call of the host function `stamp` each time, with the pair's
//! number. After the last time, the host function `done` is called.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "relay", generate_all });
    use super::Relay;
    export!(Relay);
}

use bindings::airssys::host_core::host_capabilities::call_host_function;
use bindings::airssys::host_core::host_services::{get_config, send_message};
use bindings::airssys::types_core::types::{HealthState, MemoryRequirements};
use bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, Guest, HealthStatus,
};
use std::cell::RefCell;

/// The number of the codec for uninterpreted bytes.
const RAW: u64 = 0x55;

thread_local! {
    /// Identity of the next component.
    static NEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Relay;

impl Guest for Relay {
    /// Reads the setting `next`: the identity of the next component.
    fn init(_config: ComponentConfig) -> Result<(), ComponentError> {
        if let Ok(Some(next)) = get_config("next") {
            NEXT.set(next);
        }
        Ok(())
    }

    fn execute(mut operation: Vec<u8>, _context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        let Some((left, rest)) = operation.split_first_chunk_mut::<4>() else {
            return Err(ExecutionError::InvalidInput("a message has at least nine bytes".into()));
        };
        let (Some(pair), Some(stamps)) = (rest.first_chunk::<4>(), rest.get(4)) else {
            return Err(ExecutionError::InvalidInput("a message has at least nine bytes".into()));
        };
        let failed = |_| ExecutionError::Failed("a host function failed".into());
        let Some(fewer) = u32::from_le_bytes(*left).checked_sub(1) else {
            call_host_function("done", pair).map_err(failed)?;
            return Ok(Vec::new());
        };
        if *stamps == 1 {
            call_host_function("stamp", pair).map_err(failed)?;
        }
        *left = fewer.to_le_bytes();
        NEXT.with_borrow(|next| send_message(next, &operation))
            .map_err(|_| ExecutionError::Failed("the message was not sent".into()))?;
        Ok(Vec::new())
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "relay".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Passes each message on".into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: vec!["host-function:call".into()],
            supported_operations: Vec::new(),
            supported_codecs: Self::supported_codecs(),
            language: "rust".into(),
            memory_requirements: MemoryRequirements {
                min_memory_bytes: 1 << 20,
                max_memory_bytes: 64 << 20,
                preferred_memory_bytes: 2 << 20,
            },
            timeout_ms: None,
            stateful: false,
            api_version: "1.0.0".into(),
            homepage: None,
            repository: None,
            tags: Vec::new(),
            custom_metadata: None,
        }
    }

    fn health() -> HealthStatus {
        HealthStatus {
            state: HealthState::Healthy,
            message: None,
        }
    }

    fn supported_codecs() -> Vec<u64> {
        vec![RAW]
    }

    fn shutdown() -> Result<(), ComponentError> {
        Ok(())
    }
}
