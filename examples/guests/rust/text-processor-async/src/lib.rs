//! An example guest with asynchronous functions: the outer half, which decodes requests, and has the texts worked on by another
//! component, over streams.

// As in the guest that has no asynchronous functions.
#[path = "../../text-processor/src/codec.rs"]
mod codec;
#[allow(dead_code, reason = "the other half works on texts")]
#[path = "../../text-processor/src/text.rs"]
mod text;

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "guests:text-processor-async/text-processor",
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
use bindings::guests::text::work;
use bindings::wit_stream;
use codec::Codec;
use serde::Deserialize;
use std::cell::Cell;
use wit_bindgen::StreamReader;

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
    async fn init(config: ComponentConfig) -> Result<(), ComponentError> {
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
        // Asks the worker once, so that it fails here if it cannot work.
        if work::word_count(sent("ready?".into())).await.count != 1 {
            return Err(ComponentError::Internal("the worker does not work".into()));
        }
        STATE.set(State::Ready);
        log(LogLevel::Info, "text-processor is ready", None);
        Ok(())
    }

    async fn execute(operation: Vec<u8>, context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
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
        let text = sent(params.text);
        match operation.as_str() {
            "word-count" => codec.write(&word_count(text).await),
            "reverse" => codec.write(&reverse(text).await?),
            _ => codec.write(&statistics(text).await),
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
                min_memory_bytes: 2 << 20,
                max_memory_bytes: 64 << 20,
                preferred_memory_bytes: 8 << 20,
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

    async fn shutdown() -> Result<(), ComponentError> {
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

/// Returns a stream in which a text arrives, from a task of its own.
fn sent(text: String) -> StreamReader<u8> {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn_local(async move {
        writer.write_all(text.into_bytes()).await;
    });
    reader
}

async fn word_count(text: StreamReader<u8>) -> text::WordCount {
    let counts = work::word_count(text).await;
    text::WordCount {
        count: counts.count,
        unique: counts.unique,
    }
}

async fn reverse(text: StreamReader<u8>) -> Result<text::Reversed, ExecutionError> {
    let bytes = work::reverse(text).await.collect().await;
    let text = String::from_utf8(bytes).map_err(|error| ExecutionError::Failed(error.to_string()))?;
    Ok(text::Reversed { text })
}

async fn statistics(text: StreamReader<u8>) -> text::Statistics {
    let all = work::statistics(text).await.await;
    text::Statistics {
        chars: all.chars,
        words: all.words,
        lines: all.lines,
        bytes: all.bytes,
        average_word_length: match all.words {
            0 => 0.0,
            words => all.letters as f64 / words as f64,
        },
        longest_word: all.longest_word,
    }
}
