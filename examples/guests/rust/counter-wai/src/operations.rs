//! The operations of `execute`, with JSON payloads.

use crate::airssys_component_v1::{CallerInfo, ExecutionContext, ExecutionError};
use crate::airssys_host_capabilities_v1::{read_file, FileError};
use crate::airssys_host_services_v1::{
    current_time_millis, get_component_metadata, list_components, receive_message, send_message, set_config,
    sleep_millis,
};
use crate::airssys_multicodec_v1::{decode, encode, is_codec_supported, MulticodecError};
use crate::COUNT;
use serde_json::{json, Value};

pub const JSON: u64 = 0x0200;

pub const NAMES: [&str; 8] = [
    "increment",
    "set-start",
    "send",
    "receive",
    "components",
    "read",
    "sleep",
    "context",
];

type Answer = Result<Value, ExecutionError>;

pub fn execute(payload: &[u8], context: &ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
    let question = match decode(payload) {
        Ok(decoded) if decoded.codec == JSON => decoded.data,
        Ok(decoded) => return Err(ExecutionError::UnsupportedCodec(decoded.codec)),
        Err(MulticodecError::UnknownCodec(codec)) => return Err(ExecutionError::UnsupportedCodec(codec)),
        Err(error) => return Err(invalid(format!("{error:?}"))),
    };
    let question: Value = serde_json::from_slice(&question).map_err(|error| invalid(error.to_string()))?;
    let params = &question["params"];
    let answer = match question["operation"].as_str() {
        Some("increment") => increment(),
        Some("set-start") => set_start(params),
        Some("send") => send(text(params, "target")?),
        Some("receive") => receive(),
        Some("components") => Ok(components()),
        Some("read") => read(text(params, "path")?),
        Some("sleep") => Ok(sleep(params["ms"].as_u64().unwrap_or_default())),
        Some("context") => Ok(about(context)),
        Some(other) => Err(ExecutionError::UnsupportedOperation(other.to_owned())),
        None => Err(invalid("there is no operation".to_owned())),
    };
    Ok(payload_of(&answer?))
}

fn payload_of(answer: &Value) -> Vec<u8> {
    encode(JSON, answer.to_string().as_bytes())
}

fn increment() -> Answer {
    let count = COUNT.get().checked_add(1);
    let count = count.ok_or_else(|| ExecutionError::ResourceExhausted("the count is full".to_owned()))?;
    COUNT.set(count);
    Ok(json!({ "count": count }))
}

fn set_start(params: &Value) -> Answer {
    let start = params["start"].as_i64();
    let start = start.ok_or_else(|| invalid("`start` is no whole number".to_owned()))?;
    match set_config("start", &start.to_string()) {
        Ok(()) => Ok(json!({ "start": start })),
        Err(error) => Err(ExecutionError::Failed(format!("{error:?}"))),
    }
}

fn send(target: &str) -> Answer {
    let count = COUNT.get();
    match send_message(target, &payload_of(&json!({ "count": count }))) {
        Ok(()) => Ok(json!({ "sent": count })),
        Err(error) => Err(ExecutionError::Failed(format!("{error:?}"))),
    }
}

/// Empties the mailbox.
fn receive() -> Answer {
    let mut messages = Vec::new();
    loop {
        let message = match receive_message() {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(json!({ "messages": messages })),
            Err(error) => return Err(ExecutionError::Failed(format!("{error:?}"))),
        };
        let data = decode(&message.payload).map_or_else(|_| Vec::new(), |decoded| decoded.data);
        let payload: Value = serde_json::from_slice(&data).unwrap_or_default();
        messages.push(json!({ "sender": message.sender, "payload": payload }));
    }
}

fn components() -> Value {
    let known = |id: &String| match get_component_metadata(id) {
        Ok(metadata) => json!({ "id": id, "name": metadata.name, "tags": metadata.tags }),
        Err(_) => json!({ "id": id, "name": null }),
    };
    json!({ "components": list_components().iter().map(known).collect::<Vec<_>>() })
}

fn read(path: &str) -> Answer {
    match read_file(path) {
        Ok(data) => Ok(json!({ "bytes": data.len() })),
        Err(FileError::Denied(capability)) => Err(ExecutionError::CapabilityDenied(capability)),
        Err(error) => Err(ExecutionError::Failed(format!("{error:?}"))),
    }
}

fn sleep(ms: u64) -> Value {
    let start = current_time_millis();
    sleep_millis(ms);
    json!({ "slept": current_time_millis().saturating_sub(start) })
}

fn about(context: &ExecutionContext) -> Value {
    let caller = match &context.caller {
        CallerInfo::Host => "the host",
        CallerInfo::Component(id) => id,
        CallerInfo::Anonymous => "somebody",
    };
    let trace = context.trace_context.as_ref();
    json!({
        "request": context.request_id,
        "caller": caller,
        "timeout": context.timeout_ms,
        "trace": trace.map(|trace| &trace.traceparent),
        "json": is_codec_supported(JSON),
    })
}

fn text<'a>(params: &'a Value, name: &str) -> Result<&'a str, ExecutionError> {
    let text = params[name].as_str();
    text.ok_or_else(|| invalid(format!("`{name}` is no text")))
}

fn invalid(reason: String) -> ExecutionError {
    ExecutionError::InvalidInput(reason)
}
