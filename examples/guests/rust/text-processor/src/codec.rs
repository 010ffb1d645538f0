//! The two codecs of this guest, behind one pair of functions.

use crate::bindings::airssys::multicodec_core::multicodec_utilities::{self, MulticodecError};
use crate::bindings::airssys::types_core::types::ExecutionError;
use serde::{Serialize, de::DeserializeOwned};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    Json,
    Msgpack,
}

impl Codec {
    pub const ALL: [Codec; 2] = [Codec::Json, Codec::Msgpack];

    pub fn id(self) -> u64 {
        match self {
            Codec::Json => 0x0200,
            Codec::Msgpack => 0x0201,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Codec::Json => "json",
            Codec::Msgpack => "msgpack",
        }
    }

    /// Splits a payload into codec and data, with the host's decoder.
    pub fn split(payload: &[u8]) -> Result<(Codec, Vec<u8>), ExecutionError> {
        let decoded = multicodec_utilities::decode(payload).map_err(|error| match error {
            MulticodecError::Empty => ExecutionError::InvalidInput("the payload is empty".into()),
            MulticodecError::TruncatedPrefix => {
                ExecutionError::InvalidInput("the payload ends within its multicodec prefix".into())
            }
            MulticodecError::OverlongPrefix => {
                ExecutionError::InvalidInput("the payload's multicodec prefix is overlong".into())
            }
            MulticodecError::UnknownCodec(id) => ExecutionError::UnsupportedCodec(id),
        })?;
        let codec = Codec::ALL
            .into_iter()
            .find(|codec| codec.id() == decoded.codec)
            .ok_or(ExecutionError::UnsupportedCodec(decoded.codec))?;
        Ok((codec, decoded.data))
    }

    pub fn read<T: DeserializeOwned>(self, data: &[u8]) -> Result<T, ExecutionError> {
        match self {
            Codec::Json => serde_json::from_slice(data).map_err(|error| error.to_string()),
            Codec::Msgpack => rmp_serde::from_slice(data).map_err(|error| error.to_string()),
        }
        .map_err(|reason| ExecutionError::InvalidInput(format!("{}: {reason}", self.name())))
    }

    /// Serializes a result and prepends the prefix.
    pub fn write<T: Serialize>(self, answer: &T) -> Result<Vec<u8>, ExecutionError> {
        let data = match self {
            Codec::Json => serde_json::to_vec(answer).map_err(|error| error.to_string()),
            Codec::Msgpack => rmp_serde::to_vec_named(answer).map_err(|error| error.to_string()),
        }
        .map_err(|reason| ExecutionError::Failed(format!("{}: {reason}", self.name())))?;
        Ok(multicodec_utilities::encode(self.id(), &data))
    }
}
