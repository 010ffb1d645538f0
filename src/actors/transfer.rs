//! State handed over from one version of a component to another, by operations of the contract.

use serde_json::Value;

use super::error::ActorError;
use crate::codec::{self, Codec};
use crate::messaging::ComponentId;
use crate::runtime::{ComponentMetadata, ExecuteOptions, Supervised};

/// The operation whose answer is the state.
pub(super) const SNAPSHOT: &str = "snapshot";
/// The operation whose parameters are the state.
pub(super) const RESTORE: &str = "restore";

/// Codecs in which state is handed over, the preferred one first.
const CODECS: [Codec; 3] = [Codec::MsgPack, Codec::Json, Codec::Yaml];

/// Calls `snapshot` of one version, and `restore` of the other with the answer.
///
/// # Errors
/// [`ActorError::Transfer`] if they do not declare these operations or have no codec in common, or if the answer is no value.
/// [`ActorError::Runtime`] with the errors of both calls.
pub(super) fn hand_over(id: &ComponentId, from: &Supervised, to: &Supervised) -> Result<(), ActorError> {
    let failed = |reason: String| ActorError::Transfer {
        id: id.clone(),
        reason,
    };
    let codec = common_codec(from, to).map_err(failed)?;
    let invalid = |error: codec::CodecError| failed(format!("the answer of `{SNAPSHOT}`: {error}"));
    let snapshot = codec::operation(codec, SNAPSHOT, &Value::Null).map_err(invalid)?;
    let state = from.execute(&snapshot, ExecuteOptions::new(), drop)?;
    let state = codec::decode(&state).and_then(|payload| codec::to_json(&payload));
    let restore = codec::operation(codec, RESTORE, &state.map_err(invalid)?).map_err(invalid)?;
    to.execute(&restore, ExecuteOptions::new(), drop)?;
    Ok(())
}

/// Checks that a version declares the operation.
///
/// # Errors
/// The reason, as text.
pub(super) fn declares(component: &Supervised, operation: &str) -> Result<(), String> {
    let declares =
        |metadata: &ComponentMetadata| metadata.supported_operations.iter().any(|name| name == operation);
    match component.metadata().is_some_and(declares) {
        true => Ok(()),
        false => Err(format!("the metadata does not have the operation `{operation}`")),
    }
}

fn common_codec(from: &Supervised, to: &Supervised) -> Result<Codec, String> {
    let has = |component: &Supervised, codec: Codec| {
        let metadata = component.metadata();
        metadata.is_some_and(|metadata| metadata.supported_codecs.contains(&codec.code()))
    };
    let mut codecs = CODECS.into_iter();
    let common = codecs.find(|codec| has(from, *codec) && has(to, *codec));
    common
        .ok_or_else(|| "the versions have none of the codecs MessagePack, JSON and YAML in common".to_owned())
}
