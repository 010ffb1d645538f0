//! Adding and removing a payload's prefix.

use std::fmt;

use super::varint::{self, VarintError};
use super::{Codec, CodecError};

/// A decoded payload. Borrows from the bytes that it was decoded from. `Debug` shows their number: they may be secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The codec that the prefix names.
    pub codec: Codec,
    /// Everything behind the prefix; may be empty.
    pub data: &'a [u8],
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("codec", &self.codec)
            .field("data_bytes", &self.data.len())
            .finish()
    }
}

impl Payload<'_> {
    /// Encodes the payload again.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self.codec.code(), self.data)
    }
}

/// Prepends the prefix for the codec numbered `code` to `data`: at most ten bytes more.
///
/// The number is written even if the contract does not define it, since the contract's `encode` cannot return an error;
/// [`decode`] refuses numbers that are not in the table, and every reader a number above [`varint::MAX_VALUE`].
#[must_use]
pub fn encode(code: u64, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(varint::MAX_LEN + 1 + data.len());
    varint::write(code, &mut out);
    out.extend_from_slice(data);
    out
}

/// Splits a payload into its codec and its data, without inspecting the data.
///
/// # Errors
///
/// [`CodecError::Empty`], [`CodecError::TruncatedPrefix`], [`CodecError::OverlongPrefix`] and
/// [`CodecError::UnknownCodec`]: the four cases of the contract's `multicodec-error`, and no other.
pub fn decode(bytes: &[u8]) -> Result<Payload<'_>, CodecError> {
    let (code, data) = varint::read(bytes).map_err(|error| match error {
        VarintError::Empty => CodecError::Empty,
        VarintError::Truncated => CodecError::TruncatedPrefix,
        VarintError::Overlong => CodecError::OverlongPrefix,
    })?;
    let codec = Codec::from_code(code).ok_or(CodecError::UnknownCodec(code))?;
    Ok(Payload { codec, data })
}
