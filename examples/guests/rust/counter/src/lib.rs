//! An example guest with state: counts, keeps its step in the host's settings, and exchanges messages.

mod operations;
mod payload;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "counter", generate_all });
    use super::Counter;
    export!(Counter);
}

use bindings::airssys::host_core::host_services::{get_config, log};
use bindings::airssys::types_core::types::{HealthState, LogLevel, MemoryRequirements};
use bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, Guest, HealthStatus,
};
use std::cell::Cell;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Created,
    Ready,
    Stopped,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Created) };
    static COUNT: Cell<i64> = const { Cell::new(0) };
}

struct Counter;

impl Guest for Counter {
    /// Starts at the setting `start`, or 0. A `step` that is not a number is refused early.
    fn init(_config: ComponentConfig) -> Result<(), ComponentError> {
        match STATE.get() {
            State::Created => {}
            State::Ready => return Err(ComponentError::AlreadyInitialized),
            State::Stopped => return Err(ComponentError::ShutDown),
        }
        let start = number("start", 0).map_err(ComponentError::InvalidConfig)?;
        number("step", 1).map_err(ComponentError::InvalidConfig)?;
        COUNT.set(start);
        STATE.set(State::Ready);
        log(
            LogLevel::Info,
            "counter is ready",
            Some(&[("count".into(), start.to_string())]),
        );
        Ok(())
    }

    fn execute(operation: Vec<u8>, _context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        if STATE.get() != State::Ready {
            return Err(ExecutionError::Failed("counter is not initialised".into()));
        }
        operations::execute(&operation)
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "counter".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Counts, and tells other components how far it has come".into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: Vec::new(),
            supported_operations: operations::NAMES.map(String::from).into(),
            supported_codecs: Self::supported_codecs(),
            language: "rust".into(),
            memory_requirements: MemoryRequirements {
                min_memory_bytes: 1 << 20,
                max_memory_bytes: 16 << 20,
                preferred_memory_bytes: 2 << 20,
            },
            timeout_ms: Some(1000),
            stateful: true,
            api_version: "1.0.0".into(),
            homepage: None,
            repository: Some("https://github.com/airssys/airssys-wasm".into()),
            tags: vec!["state".into(), "messages".into(), "example".into()],
            custom_metadata: Some(vec![
                ("counter:settings".into(), "start, step".into()),
                ("counter:message".into(), r#"{"count": INTEGER}"#.into()),
            ]),
        }
    }

    fn health() -> HealthStatus {
        let (state, message) = match STATE.get() {
            State::Ready => (HealthState::Healthy, format!("count is {}", COUNT.get())),
            State::Created => (HealthState::Degraded, "not initialised".into()),
            State::Stopped => (HealthState::Unhealthy, "shut down".into()),
        };
        HealthStatus {
            state,
            message: Some(message),
        }
    }

    fn supported_codecs() -> Vec<u64> {
        vec![payload::JSON]
    }

    fn shutdown() -> Result<(), ComponentError> {
        match STATE.get() {
            State::Created => return Err(ComponentError::NotInitialized),
            State::Stopped => return Err(ComponentError::ShutDown),
            State::Ready => STATE.set(State::Stopped),
        }
        let count = COUNT.get().to_string();
        log(
            LogLevel::Info,
            "counter is done",
            Some(&[("count".into(), count)]),
        );
        Ok(())
    }
}

/// A setting that is a whole number, or `default` if the host has none.
fn number(key: &str, default: i64) -> Result<i64, String> {
    match get_config(key) {
        Ok(Some(text)) => text
            .trim()
            .parse()
            .map_err(|_| format!("`{key}` must be a whole number, not `{text}`")),
        Ok(None) => Ok(default),
        Err(error) => Err(format!("the setting `{key}` cannot be read: {error:?}")),
    }
}
