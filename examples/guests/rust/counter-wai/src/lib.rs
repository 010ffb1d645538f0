//! An example guest that is built with the WAI tools: counts, and exchanges messages.

mod operations;

wai_bindgen_rust::import!("../../../../wit/wai/airssys-host-services-v1.wai");
wai_bindgen_rust::import!("../../../../wit/wai/airssys-host-capabilities-v1.wai");
wai_bindgen_rust::import!("../../../../wit/wai/airssys-multicodec-v1.wai");
wai_bindgen_rust::export!("../../../../wit/wai/airssys-component-v1.wai");

use airssys_component_v1::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, HealthState,
    HealthStatus, MemoryRequirements,
};
use airssys_host_services_v1::{get_config, log, LogLevel};
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

/// The generated code looks for the implementation under this name.
struct AirssysComponentV1;

impl airssys_component_v1::AirssysComponentV1 for AirssysComponentV1 {
    fn init(config: ComponentConfig) -> Result<(), ComponentError> {
        if STATE.get() != State::Created {
            return Err(ComponentError::AlreadyInitialized);
        }
        let start = match get_config("start") {
            Ok(start) => start.unwrap_or_else(|| "0".into()),
            Err(error) => return Err(ComponentError::Internal(format!("{error:?}"))),
        };
        let Ok(start) = start.trim().parse() else {
            let problem = format!("`start` must be a whole number, not `{start}`");
            return Err(ComponentError::InvalidConfig(problem));
        };
        COUNT.set(start);
        STATE.set(State::Ready);
        let env: Vec<_> = config.env_vars.iter().map(|(name, value)| (&**name, &**value)).collect();
        log(LogLevel::Info, "counter-wai is ready", Some(&env));
        Ok(())
    }

    fn execute(operation: Vec<u8>, context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        if STATE.get() != State::Ready {
            return Err(ExecutionError::Failed("not initialised".into()));
        }
        operations::execute(&operation, &context)
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: env!("CARGO_PKG_DESCRIPTION").into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: vec!["filesystem:read:/etc".into()],
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
            tags: vec!["state".into(), "wai".into()],
            custom_metadata: Some(vec![("counter:settings".into(), "start".into())]),
        }
    }

    fn health() -> HealthStatus {
        let (state, message) = match STATE.get() {
            State::Created => (HealthState::Degraded, Some("not initialised".to_owned())),
            State::Ready => (HealthState::Healthy, None),
            State::Stopped => (HealthState::Unhealthy, Some("shut down".to_owned())),
        };
        HealthStatus { state, message }
    }

    fn supported_codecs() -> Vec<u64> {
        vec![operations::JSON]
    }

    fn shutdown() -> Result<(), ComponentError> {
        match STATE.replace(State::Stopped) {
            State::Created => Err(ComponentError::NotInitialized),
            State::Ready => Ok(()),
            State::Stopped => Err(ComponentError::ShutDown),
        }
    }
}
