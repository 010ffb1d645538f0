//! JSON payloads: a multicodec prefix, which the host decodes, then the text.

use crate::bindings::airssys::multicodec_core::multicodec_utilities::{decode, encode};
use serde::Serialize;

pub const JSON: u64 = 0x0200;

pub enum Unreadable {
    /// The payload is well formed, but has another codec.
    OtherCodec(u64),
    Malformed(String),
}

/// Returns the data of a payload that must be JSON.
pub fn json_of(payload: &[u8]) -> Result<Vec<u8>, Unreadable> {
    use crate::bindings::airssys::multicodec_core::multicodec_utilities::MulticodecError;
    match decode(payload) {
        Ok(decoded) if decoded.codec == JSON => Ok(decoded.data),
        Ok(decoded) => Err(Unreadable::OtherCodec(decoded.codec)),
        Err(MulticodecError::UnknownCodec(id)) => Err(Unreadable::OtherCodec(id)),
        Err(MulticodecError::Empty) => Err(Unreadable::Malformed("the payload is empty".into())),
        Err(MulticodecError::TruncatedPrefix) => Err(Unreadable::Malformed(
            "the payload ends within its multicodec prefix".into(),
        )),
        Err(MulticodecError::OverlongPrefix) => Err(Unreadable::Malformed(
            "the payload's multicodec prefix is overlong".into(),
        )),
    }
}

pub fn to_payload<T: Serialize>(answer: &T) -> Result<Vec<u8>, String> {
    let data = serde_json::to_vec(answer).map_err(|error| error.to_string())?;
    Ok(encode(JSON, &data))
}
