//! Payload data in readable form.

use super::write::write;
use super::{Codec, CodecError, Payload, encode, read, yaml};
use airssys_wasm_component::internal::contain;
use serde_json::Value;
use std::fmt::Write;

/// Converts the data of a self-describing payload to JSON.
///
/// JSON cannot express everything that MessagePack and YAML can, and numbers here have 64 bits, so some values take a form:
///
/// | value                                      | shown as                               |
/// |--------------------------------------------|----------------------------------------|
/// | bytes, and text that is not UTF-8          | `{"$bytes": "00ff"}`, in hexadecimal   |
/// | MessagePack extension                      | `{"$ext": TYPE, "$bytes": "00ff"}`     |
/// | not a number, infinities                   | `{"$float": "NaN"}`, `"inf"`, `"-inf"` |
/// | a whole number of 65 to 128 bits           | `{"$int": "18446744073709551616"}`     |
/// | a map with a key that is not text          | `{"$map": [[KEY, VALUE], …]}`          |
/// | a map that looks like one of these         | the same                               |
///
/// So each value has exactly one form, and [`operation`](super::operation) converts it back. Maps keep their order. Nothing
/// is changed silently: `docs/codecs.md` lists the values that survive in each codec and those that are refused.
///
/// YAML follows the core schema of version 1.2: `yes` is text, `<<` an ordinary key. Aliases are replaced by the values
/// that they refer to. Numbers with leading zeros are text, and application-specific tags are refused.
///
/// # Errors
///
/// [`CodecError::NotSelfDescribing`] for the other codecs: use [`hex_dump`] for those. [`CodecError::InvalidData`] for data
/// that is malformed, has bytes behind its end, repeats a key in one map, or holds a number that cannot be represented.
/// [`CodecError::TooDeep`] and [`CodecError::TooLarge`] beyond the limits.
pub fn to_json(payload: &Payload<'_>) -> Result<Value, CodecError> {
    let read = match payload.codec {
        Codec::Json => read::json,
        Codec::MsgPack => read::msgpack,
        Codec::Yaml => yaml::yaml,
        codec @ (Codec::Borsh | Codec::Bincode | Codec::Protobuf | Codec::Raw) => {
            return Err(CodecError::NotSelfDescribing(codec));
        }
    };
    let value = contain("the codec's parser", || read(payload.data));
    value.unwrap_or_else(|panicked| {
        Err(CodecError::InvalidData {
            codec: payload.codec,
            reason: panicked.to_string(),
        })
    })
}

/// Builds a payload from a JSON value, which may contain the forms that [`to_json`] documents: its inverse.
///
/// # Errors
///
/// [`CodecError::NotSelfDescribing`], [`CodecError::TooDeep`] and [`CodecError::Inexpressible`].
pub fn from_json(codec: Codec, value: &Value) -> Result<Vec<u8>, CodecError> {
    Ok(encode(codec.code(), &write(codec, value)?))
}

/// Parses JSON text written by a user, which may contain the forms that [`to_json`] documents.
///
/// ```
/// use airssys_wasm::codec::{from_json_text, operation, Codec};
///
/// let params = from_json_text(r#"{"key": {"$bytes": "00ff"}}"#)?;
/// let payload = operation(Codec::MsgPack, "put", &params)?;
/// assert!(payload.ends_with(b"\xa3key\xc4\x02\x00\xff"));
/// # Ok::<(), airssys_wasm::codec::CodecError>(())
/// ```
///
/// # Errors
///
/// The errors of [`to_json`] for JSON.
pub fn from_json_text(text: &str) -> Result<Value, CodecError> {
    read::json_of_forms(text.as_bytes())
}

/// Formats bytes as a dump: sixteen a line, with the offset, the bytes in hexadecimal, and the printable ASCII.
///
/// Lines are separated by a line feed, with none after the last; empty input has no lines. The result has about five times as
/// many bytes as the input.
///
/// ```
/// assert_eq!(
///     airssys_wasm::codec::hex_dump(b"counted: 42\n"),
///     "00000000  63 6f 75 6e 74 65 64 3a  20 34 32 0a              |counted: 42.|"
/// );
/// ```
#[must_use]
pub fn hex_dump(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(16) * 79);
    for (number, line) in bytes.chunks(16).enumerate() {
        if number > 0 {
            out.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{:08x} ", number * 16);
        for column in 0..16 {
            if column % 8 == 0 {
                out.push(' ');
            }
            match line.get(column) {
                Some(byte) => push_hex(&mut out, *byte),
                None => out.push_str("  "),
            }
            out.push(' ');
        }
        out.push_str(" |");
        out.extend(line.iter().map(|&byte| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '.',
        }));
        out.push('|');
    }
    out
}

/// Formats bytes in hexadecimal, two digits each, without separators.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| push_hex(&mut out, *byte));
    out
}

fn push_hex(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}
