//! An example guest: the first stage of a pipeline, which sends each line of a text to the next component.

#[path = "../../counter/src/payload.rs"]
mod payload;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "intake", generate_all });
    use super::Intake;
    export!(Intake);
}

use bindings::airssys::host_core::host_services::{get_config, log, send_message};
use bindings::airssys::messaging_core::messaging::MessagingError;
use bindings::airssys::types_core::types::{HealthState, LogLevel, MemoryRequirements};
use bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, Guest, HealthStatus,
};
use payload::{Unreadable, json_of, to_payload};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

enum State {
    Created,
    /// Ready, with the identity of the next component.
    Ready(String),
    Stopped,
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::Created) };
}

#[derive(Deserialize)]
struct Envelope {
    operation: String,
    #[serde(default)]
    params: serde_json::Value,
}

#[derive(Deserialize)]
struct Submission {
    text: String,
}

/// An operation of the last stage.
#[derive(Serialize)]
struct Message<'a> {
    operation: &'static str,
    params: Line<'a>,
}

#[derive(Serialize)]
struct Line<'a> {
    line: &'a str,
}

#[derive(Serialize)]
struct Accepted {
    lines: usize,
}

struct Intake;

impl Guest for Intake {
    /// Reads the setting `next`, the identity of the next component, which is required.
    fn init(_config: ComponentConfig) -> Result<(), ComponentError> {
        STATE.with_borrow_mut(|state| {
            match state {
                State::Created => {}
                State::Ready(_) => return Err(ComponentError::AlreadyInitialized),
                State::Stopped => return Err(ComponentError::ShutDown),
            }
            let next = match get_config("next") {
                Ok(Some(next)) => next,
                _ => {
                    let problem = "the setting `next` must be the identity of a component";
                    return Err(ComponentError::InvalidConfig(problem.into()));
                }
            };
            log(
                LogLevel::Info,
                "intake is ready",
                Some(&[("next".into(), next.clone())]),
            );
            *state = State::Ready(next);
            Ok(())
        })
    }

    fn execute(operation: Vec<u8>, _context: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        STATE.with_borrow(|state| match state {
            State::Ready(next) => execute(&operation, next),
            _ => Err(ExecutionError::Failed("intake is not initialised".into())),
        })
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "intake".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Sends each line of a text to the next component".into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: Vec::new(),
            supported_operations: vec!["submit".into()],
            supported_codecs: Self::supported_codecs(),
            language: "rust".into(),
            memory_requirements: MemoryRequirements {
                min_memory_bytes: 1 << 20,
                max_memory_bytes: 64 << 20,
                preferred_memory_bytes: 2 << 20,
            },
            timeout_ms: Some(1000),
            stateful: false,
            api_version: "1.0.0".into(),
            homepage: None,
            repository: Some("https://github.com/airssys/airssys-wasm".into()),
            tags: vec!["messages".into(), "pipeline".into(), "example".into()],
            custom_metadata: Some(vec![("intake:settings".into(), "next".into())]),
        }
    }

    fn health() -> HealthStatus {
        let (state, message) = STATE.with_borrow(|state| match state {
            State::Ready(next) => (HealthState::Healthy, format!("the next component is {next}")),
            State::Created => (HealthState::Degraded, "not initialised".into()),
            State::Stopped => (HealthState::Unhealthy, "shut down".into()),
        });
        HealthStatus {
            state,
            message: Some(message),
        }
    }

    fn supported_codecs() -> Vec<u64> {
        vec![payload::JSON]
    }

    fn shutdown() -> Result<(), ComponentError> {
        STATE.with_borrow_mut(|state| match state {
            State::Created => Err(ComponentError::NotInitialized),
            State::Stopped => Err(ComponentError::ShutDown),
            State::Ready(_) => {
                *state = State::Stopped;
                log(LogLevel::Info, "intake is done", None);
                Ok(())
            }
        })
    }
}

fn execute(payload: &[u8], next: &str) -> Result<Vec<u8>, ExecutionError> {
    let data = json_of(payload).map_err(|error| match error {
        Unreadable::OtherCodec(id) => ExecutionError::UnsupportedCodec(id),
        Unreadable::Malformed(reason) => ExecutionError::InvalidInput(reason),
    })?;
    let Envelope { operation, params } = serde_json::from_slice(&data).map_err(invalid)?;
    if operation != "submit" {
        return Err(ExecutionError::UnsupportedOperation(operation));
    }
    let Submission { text } = Submission::deserialize(params).map_err(invalid)?;
    let mut lines = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let message = Message {
            operation: "add",
            params: Line { line },
        };
        let message = to_payload(&message).map_err(ExecutionError::Failed)?;
        send_message(next, &message).map_err(|error| unsent(error, lines))?;
        lines += 1;
    }
    to_payload(&Accepted { lines }).map_err(ExecutionError::Failed)
}

fn unsent(error: MessagingError, sent: usize) -> ExecutionError {
    let after = |problem: String| format!("{problem}; {sent} lines were sent");
    match error {
        MessagingError::MailboxFull(id) => {
            ExecutionError::ResourceExhausted(after(format!("the mailbox of `{id}` is full")))
        }
        MessagingError::TooLarge(limit) => {
            ExecutionError::ResourceExhausted(after(format!("a message may have {limit} bytes")))
        }
        MessagingError::UnknownTarget(id) => {
            ExecutionError::Failed(after(format!("no component is called `{id}`")))
        }
        MessagingError::Denied => ExecutionError::Failed(after("sending is denied".into())),
        MessagingError::Closed => ExecutionError::Failed(after("messaging is closed".into())),
    }
}

fn invalid(error: serde_json::Error) -> ExecutionError {
    ExecutionError::InvalidInput(error.to_string())
}
