//! The operations of `execute`.

use crate::bindings::airssys::host_core::host_services::{log, receive_message, send_message, set_config};
use crate::bindings::airssys::messaging_core::messaging::MessagingError;
use crate::bindings::airssys::types_core::types::LogLevel;
use crate::bindings::exports::airssys::component_core::component_lifecycle::ExecutionError;
use crate::payload::{Unreadable, json_of, to_payload};
use crate::{COUNT, number};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const NAMES: [&str; 6] = ["increment", "get", "reset", "set-step", "send", "receive"];

#[derive(Deserialize)]
struct Envelope {
    operation: String,
    #[serde(default)]
    params: Value,
}

#[derive(Deserialize)]
struct Step {
    step: i64,
}

#[derive(Deserialize)]
struct Target {
    target: String,
}

#[derive(Serialize)]
struct Count {
    count: i64,
}

#[derive(Serialize)]
struct Sent {
    sent: i64,
    target: String,
}

#[derive(Serialize)]
struct Received {
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    sender: String,
    /// The content of the payload; null if it is not JSON.
    payload: Value,
    /// The failure to read the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub fn execute(payload: &[u8]) -> Result<Vec<u8>, ExecutionError> {
    let data = json_of(payload).map_err(|error| match error {
        Unreadable::OtherCodec(id) => ExecutionError::UnsupportedCodec(id),
        Unreadable::Malformed(reason) => ExecutionError::InvalidInput(reason),
    })?;
    let Envelope { operation, params } =
        serde_json::from_slice(&data).map_err(|error| invalid(error.to_string()))?;
    match operation.as_str() {
        "increment" => increment(),
        "get" => answer(&Count { count: COUNT.get() }),
        "reset" => {
            COUNT.set(0);
            answer(&Count { count: 0 })
        }
        "set-step" => set_step(read(params)?),
        "send" => send(read(params)?),
        "receive" => receive(),
        _ => Err(ExecutionError::UnsupportedOperation(operation)),
    }
}

/// Adds the setting `step`, which the host may have changed.
fn increment() -> Result<Vec<u8>, ExecutionError> {
    let step = number("step", 1).map_err(ExecutionError::Failed)?;
    let count = COUNT
        .get()
        .checked_add(step)
        .ok_or_else(|| ExecutionError::Failed("the count would not fit 64 bits".into()))?;
    COUNT.set(count);
    answer(&Count { count })
}

fn set_step(params: Step) -> Result<Vec<u8>, ExecutionError> {
    set_config("step", &params.step.to_string())
        .map_err(|error| ExecutionError::Failed(format!("`step` cannot be set: {error:?}")))?;
    answer(&Count { count: COUNT.get() })
}

fn send(Target { target }: Target) -> Result<Vec<u8>, ExecutionError> {
    let count = COUNT.get();
    let message = answer(&Count { count })?;
    send_message(&target, &message).map_err(|error| match error {
        MessagingError::UnknownTarget(id) => invalid(format!("no component is called `{id}`")),
        MessagingError::MailboxFull(id) => {
            ExecutionError::ResourceExhausted(format!("the mailbox of `{id}` is full"))
        }
        MessagingError::TooLarge(limit) => {
            ExecutionError::ResourceExhausted(format!("a message may have {limit} bytes"))
        }
        MessagingError::Denied => ExecutionError::Failed("sending is denied".into()),
        MessagingError::Closed => ExecutionError::Failed("messaging is closed".into()),
    })?;
    log(
        LogLevel::Debug,
        "sent the count",
        Some(&[("target".into(), target.clone())]),
    );
    answer(&Sent { sent: count, target })
}

/// Empties the mailbox. An unreadable message is reported, and the next ones are read.
fn receive() -> Result<Vec<u8>, ExecutionError> {
    let mut messages = Vec::new();
    loop {
        let message = receive_message()
            .map_err(|error| ExecutionError::Failed(format!("cannot receive: {error:?}")))?;
        let Some(message) = message else { break };
        let read = match json_of(&message.payload) {
            Ok(data) => serde_json::from_slice(&data).map_err(|error| error.to_string()),
            Err(Unreadable::OtherCodec(id)) => Err(format!("the payload has codec {id:#x}")),
            Err(Unreadable::Malformed(reason)) => Err(reason),
        };
        let (payload, error) = match read {
            Ok(payload) => (payload, None),
            Err(error) => (Value::Null, Some(error)),
        };
        messages.push(Message {
            sender: message.sender,
            payload,
            error,
        });
    }
    answer(&Received { messages })
}

fn read<T: for<'de> Deserialize<'de>>(params: Value) -> Result<T, ExecutionError> {
    T::deserialize(params).map_err(|error| invalid(format!("params: {error}")))
}

fn answer<T: Serialize>(answer: &T) -> Result<Vec<u8>, ExecutionError> {
    to_payload(answer).map_err(ExecutionError::Failed)
}

fn invalid(reason: String) -> ExecutionError {
    ExecutionError::InvalidInput(reason)
}
