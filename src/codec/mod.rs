//! Payloads: a codec's prefix and data, and the codecs of the contract.
//!
//! A *payload* is the data that the contract passes to and from a component's `execute`: the codec's number as an unsigned
//! varint ([`varint`]), then data in that codec. [`encode`] and [`decode`] handle the prefix and never inspect the data.
//! [`operation`] and [`parse_operation`] handle the operation envelope, the map `{"operation": NAME, "params": ANY}` that
//! the self-describing codecs carry. [`to_json`] and [`hex_dump`] make data readable.
//!
//! Everything here accepts hostile bytes: it returns an error, never panics, and its use of memory is bounded by the limits
//! [`MAX_DEPTH`], [`MAX_VALUES`] and [`MAX_TEXT_BYTES`]. The module does not depend on engines or components.

mod display;
mod envelope;
mod forms;
mod number;
mod payload;
mod read;
mod table;
pub mod varint;
mod write;
mod yaml;

pub use display::{from_json, from_json_text, hex_dump, to_json};
pub use envelope::{Operation, operation, parse_operation};
pub use payload::{Payload, decode, encode};
pub use read::{MAX_DEPTH, MAX_TEXT_BYTES, MAX_VALUES};
pub use table::Codec;

/// Reasons for which a payload cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The payload has no bytes at all. The contract's `multicodec-error.empty`.
    #[error("the payload is empty: it must begin with a codec's number")]
    Empty,

    /// The payload ends within the prefix. The contract's `multicodec-error.truncated-prefix`.
    #[error("the payload ends within the codec's number")]
    TruncatedPrefix,

    /// The prefix has more bytes than its number needs, or more than nine. The contract's
    /// `multicodec-error.overlong-prefix`.
    #[error(
        "the codec's number has more bytes than it needs, or more than {}",
        varint::MAX_LEN
    )]
    OverlongPrefix,

    /// The prefix is well formed and names no codec of the contract. The contract's
    /// `multicodec-error.unknown-codec`.
    #[error("unknown codec number {0:#x}: the known codecs are {names}", names = table::known())]
    UnknownCodec(u64),

    /// No codec has this name.
    #[error("unknown codec `{0}`: the known codecs are {names}", names = table::known())]
    UnknownName(String),

    /// Only the self-describing codecs can be read, or an envelope written, without the component's schema.
    #[error("{0} data cannot be read or written without the component's own schema")]
    NotSelfDescribing(Codec),

    /// The data is not well formed in its codec.
    #[error("the data is not valid {codec}: {reason}")]
    InvalidData {
        /// The codec that the prefix names.
        codec: Codec,
        /// The fault, and its place if the parser reports one.
        reason: String,
    },

    /// The codec that is written cannot express a value.
    #[error("the value cannot be written as {codec}: {reason}")]
    Inexpressible {
        /// The codec to write in.
        codec: Codec,
        /// The missing feature, and the place of the value that needs it.
        reason: String,
    },

    /// Arrays and maps are nested more than [`MAX_DEPTH`] deep.
    #[error("the {0} data nests deeper than {MAX_DEPTH} arrays and maps")]
    TooDeep(Codec),

    /// The data holds more than [`MAX_VALUES`] values or [`MAX_TEXT_BYTES`] bytes of text, counted after YAML's aliases are
    /// expanded.
    #[error(
        "the {0} data is too large to parse: the limits are {MAX_VALUES} values and {MAX_TEXT_BYTES} bytes of text"
    )]
    TooLarge(Codec),

    /// The data is well formed, but is not an operation envelope.
    #[error("the {codec} data is not an operation envelope: {reason}")]
    NotAnEnvelope {
        /// The codec that the prefix names.
        codec: Codec,
        /// The key that is missing or superfluous.
        reason: String,
    },
}
