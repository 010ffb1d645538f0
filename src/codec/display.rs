//! Data for people to read.

use super::{Codec, CodecError, Payload, read};
use serde_json::Value;
use std::fmt::Write;

/// The data of a self-describing payload as JSON.
///
/// JSON cannot express all that MessagePack and YAML can, so some values take a form of their own:
///
/// | value                                     | shown as                              |
/// |-------------------------------------------|---------------------------------------|
/// | bytes, and text that is not UTF-8         | `{"$bytes": "00ff"}`, in hexadecimal   |
/// | MessagePack extension                     | `{"$ext": TYPE, "$bytes": "00ff"}`     |
/// | not a number, infinities                  | `{"$float": "NaN"}`, `"inf"`, `"-inf"` |
/// | a map with a key that is not text         | `{"$map": [[KEY, VALUE], …]}`         |
///
/// Data that happens to look like these forms is shown the same. Maps keep their order. Whole numbers that do not
/// fit 64 bits become floating point. YAML is read by version 1.2: `yes` is text, `<<` an ordinary key, aliases
/// are replaced by what they stand for, and tags of an application's own are dropped.
///
/// # Errors
///
/// [`CodecError::NotSelfDescribing`] for the other codecs: use [`hex_dump`] for those.
/// [`CodecError::InvalidData`] for data that is malformed, goes on behind its end, or has a text key twice in one
/// map. [`CodecError::TooDeep`] and [`CodecError::TooLarge`] beyond the limits.
pub fn to_json(payload: &Payload<'_>) -> Result<Value, CodecError> {
    match payload.codec {
        Codec::Json => read::json(payload.data),
        Codec::MsgPack => read::msgpack(payload.data),
        Codec::Yaml => read::yaml(payload.data),
        codec @ (Codec::Borsh | Codec::Bincode | Codec::Protobuf | Codec::Raw) => {
            Err(CodecError::NotSelfDescribing(codec))
        }
    }
}

/// Bytes as a dump: sixteen a line, with the offset, the bytes in hexadecimal, and the printable ASCII.
///
/// Lines are parted by a line end, with none behind the last; no bytes give no lines. The result has about five
/// times as many bytes as the input.
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

/// Bytes in hexadecimal, two digits each, without anything between.
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
