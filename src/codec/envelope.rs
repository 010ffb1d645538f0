//! The operation envelope: the input of `execute` in the self-describing codecs.

use std::fmt;

use super::read::shorten;
use super::write::write;
use super::{Codec, CodecError, Payload, encode, to_json};
use serde_json::{Map, Value};

const OPERATION: &str = "operation";
const PARAMS: &str = "params";

/// A decoded operation envelope. `Debug` leaves the parameters out: they may be secret.
#[derive(Clone, PartialEq)]
pub struct Operation {
    /// The operation's name.
    pub name: String,
    /// Parameters of the operation, in the form that [`to_json`] describes; null if the envelope has none.
    pub params: Value,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Operation");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

/// Builds a payload that requests the operation `name`: the map `{"operation": name, "params": params}` in `codec`.
///
/// The entries keep this order, and in MessagePack the keys are text. The forms that [`to_json`] documents are converted to
/// the values that they represent.
///
/// # Errors
///
/// [`CodecError::NotSelfDescribing`] for the codecs whose schema is the component's own, and [`CodecError::TooDeep`] if the
/// envelope would nest deeper than [`MAX_DEPTH`](super::MAX_DEPTH). [`CodecError::Inexpressible`] if the codec cannot
/// express `params`; the message names the value and its place.
pub fn operation(codec: Codec, name: &str, params: &Value) -> Result<Vec<u8>, CodecError> {
    let mut envelope = Map::new();
    envelope.insert(OPERATION.to_string(), Value::from(name));
    envelope.insert(PARAMS.to_string(), params.clone());
    let data = write(codec, &Value::Object(envelope))?;
    Ok(encode(codec.code(), &data))
}

/// Reads an operation envelope. Missing `params` count as null; any further entry is refused.
///
/// # Errors
///
/// The errors of [`to_json`], and [`CodecError::NotAnEnvelope`] if the data is something else.
pub fn parse_operation(payload: &Payload<'_>) -> Result<Operation, CodecError> {
    let refuse = |reason: String| CodecError::NotAnEnvelope {
        codec: payload.codec,
        reason,
    };
    let Value::Object(mut entries) = to_json(payload)? else {
        return Err(refuse("it must be a map with text keys".to_string()));
    };
    let name = match entries.remove(OPERATION) {
        Some(Value::String(name)) => name,
        Some(_) => return Err(refuse("`operation` must be text".to_string())),
        None => return Err(refuse("it has no `operation`".to_string())),
    };
    let params = entries.remove(PARAMS).unwrap_or(Value::Null);
    match entries.into_iter().next() {
        None => Ok(Operation { name, params }),
        Some((key, _)) => Err(refuse(format!(
            "it has an entry {:?} besides `operation` and `params`",
            shorten(key)
        ))),
    }
}
