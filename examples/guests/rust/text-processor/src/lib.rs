//! An example guest: counts words, reverses text and measures it, over JSON or MessagePack.

mod codec;
mod text;

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "guests:text-processor/text-processor",
        generate_all,
    });
    use super::TextProcessor;
    export!(TextProcessor);
}

use bindings::airssys::host_core::host_services::log;
use bindings::airssys::types_core::types::LogLevel;
use bindings::airssys::types_core::types::{HealthState, MemoryRequirements};
use bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, Guest, HealthStatus,
};
use codec::Codec;
use serde::Deserialize;
use std::cell::Cell;

const OPERATIONS: [&str; 3] = ["word-count", "reverse", "statistics"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Created,
    Ready,
    Stopped,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Created) };
}

/// The content of every self-describing payload; `params` is decoded once the operation is known.
#[derive(Deserialize)]
struct Envelope {
    operation: String,
}

#[derive(Deserialize)]
struct EnvelopeWithParams {
    params: text::Params,
}

struct TextProcessor;

impl Guest for TextProcessor {
    fn init(config: ComponentConfig) -> Result<(), ComponentError> {
        match STATE.get() {
            State::Created => {}
            State::Ready => return Err(ComponentError::AlreadyInitialized),
            State::Stopped => return Err(ComponentError::ShutDown),
        }
        if config.config_data.is_some_and(|data| !data.is_empty()) {
            return Err(ComponentError::InvalidConfig(
                "text-processor takes no configuration data".into(),
            ));
        }
        STATE.set(State::Ready);
        log(LogLevel::Info, "text-processor is ready", None);
        Ok(())
    }

    fn execute(operation: Vec<u8>, context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        if STATE.get() != State::Ready {
            return Err(ExecutionError::Failed("text-processor is not initialised".into()));
        }
        let (codec, data) = Codec::split(&operation)?;
        let Envelope { operation } = codec.read(&data)?;
        if !OPERATIONS.contains(&operation.as_str()) {
            return Err(ExecutionError::UnsupportedOperation(operation));
        }
        let details = [
            ("operation".to_string(), operation.clone()),
            ("codec".to_string(), codec.name().to_string()),
            ("request-id".to_string(), context.request_id),
        ];
        log(LogLevel::Debug, "executing", Some(&details));

        let EnvelopeWithParams { params } = codec.read(&data)?;
        match operation.as_str() {
            "word-count" => codec.write(&text::word_count(&params.text)),
            "reverse" => codec.write(&text::reverse(&params.text)),
            _ => codec.write(&text::statistics(&params.text)),
        }
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "text-processor".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Counts words, reverses text and measures it".into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: Vec::new(),
            supported_operations: OPERATIONS.map(String::from).into(),
            supported_codecs: Self::supported_codecs(),
            language: "rust".into(),
            memory_requirements: MemoryRequirements {
                min_memory_bytes: 1 << 20,
                max_memory_bytes: 64 << 20,
                preferred_memory_bytes: 4 << 20,
            },
            timeout_ms: Some(1000),
            stateful: false,
            api_version: "1.0.0".into(),
            homepage: None,
            repository: Some("https://github.com/airssys/airssys-wasm".into()),
            tags: vec!["text".into(), "example".into()],
            custom_metadata: Some(vec![
                ("text:word-separator".into(), "Unicode white space".into()),
                ("text:reverse-unit".into(), "Unicode scalar value".into()),
            ]),
        }
    }

    fn health() -> HealthStatus {
        match STATE.get() {
            State::Ready => HealthStatus {
                state: HealthState::Healthy,
                message: None,
            },
            State::Created => HealthStatus {
                state: HealthState::Degraded,
                message: Some("not initialised".into()),
            },
            State::Stopped => HealthStatus {
                state: HealthState::Unhealthy,
                message: Some("shut down".into()),
            },
        }
    }

    fn supported_codecs() -> Vec<u64> {
        Codec::ALL.map(Codec::id).into()
    }

    fn shutdown() -> Result<(), ComponentError> {
        match STATE.replace(State::Stopped) {
            State::Ready => {
                log(LogLevel::Info, "text-processor is done", None);
                Ok(())
            }
            State::Created => {
                STATE.set(State::Created);
                Err(ComponentError::NotInitialized)
            }
            State::Stopped => Err(ComponentError::ShutDown),
        }
    }
}
