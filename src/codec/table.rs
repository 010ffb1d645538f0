//! The codecs of the contract.

use super::CodecError;
use std::fmt;
use std::str::FromStr;

/// A codec of the contract, by its number in a payload's prefix.
///
/// | codec    | number   | self-describing |
/// |----------|----------|-----------------|
/// | borsh    | `0x0701` | no              |
/// | bincode  | `0x0702` | no              |
/// | protobuf | `0x0050` | no              |
/// | msgpack  | `0x0201` | yes             |
/// | json     | `0x0200` | yes             |
/// | yaml     | `0x0114` | yes             |
/// | raw      | `0x0055` | no              |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u64)]
pub enum Codec {
    /// Borsh, with the component's schema. The contract reserves the number.
    Borsh = 0x0701,
    /// bincode, with the component's schema. The contract reserves the number.
    Bincode = 0x0702,
    /// One Protocol Buffers message, with the component's schema.
    Protobuf = 0x0050,
    /// One MessagePack value.
    MsgPack = 0x0201,
    /// One JSON text, in UTF-8.
    Json = 0x0200,
    /// One YAML document, in UTF-8.
    Yaml = 0x0114,
    /// Bytes without a defined meaning.
    Raw = 0x0055,
}

impl Codec {
    /// Every codec, in the order of the contract's table.
    pub const ALL: [Self; 7] = [
        Self::Borsh,
        Self::Bincode,
        Self::Protobuf,
        Self::MsgPack,
        Self::Json,
        Self::Yaml,
        Self::Raw,
    ];

    /// Returns the codec's number in a payload's prefix.
    #[must_use]
    pub const fn code(self) -> u64 {
        self as u64
    }

    /// Returns the codec with this number, if the contract has one.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.code() == code)
    }

    /// Returns the name: lower case, as in the contract's table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Borsh => "borsh",
            Self::Bincode => "bincode",
            Self::Protobuf => "protobuf",
            Self::MsgPack => "msgpack",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Raw => "raw",
        }
    }

    /// Returns the codec with this name, ignoring ASCII case.
    ///
    /// # Errors
    ///
    /// [`CodecError::UnknownName`] if no codec has this name.
    pub fn from_name(name: &str) -> Result<Self, CodecError> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| CodecError::UnknownName(name.to_string()))
    }

    /// Returns a one-line description.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Borsh => "Borsh: compact binary, by the component's schema",
            Self::Bincode => "bincode: compact binary, by the component's schema",
            Self::Protobuf => "Protocol Buffers: one message, by the component's schema",
            Self::MsgPack => "MessagePack: one self-describing binary value",
            Self::Json => "JSON: one text in UTF-8",
            Self::Yaml => "YAML: one document in UTF-8",
            Self::Raw => "raw: uninterpreted bytes",
        }
    }

    /// Reports whether data in this codec can be read without a schema, and so carries the operation envelope.
    #[must_use]
    pub const fn self_describing(self) -> bool {
        matches!(self, Self::MsgPack | Self::Json | Self::Yaml)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Codec {
    type Err = CodecError;

    fn from_str(name: &str) -> Result<Self, CodecError> {
        Self::from_name(name)
    }
}

/// Returns the names of all codecs, for messages.
pub(super) fn known() -> String {
    Codec::ALL.map(Codec::name).join(", ")
}
