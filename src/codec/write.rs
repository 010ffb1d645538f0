//! Writing JSON values, with forms resolved, as data of a self-describing codec.

use super::forms::{self, Int, Meaning};
use super::read::{Breach, MAX_DEPTH, shorten};
use super::yaml::BINARY_TAG;
use super::{Codec, CodecError};
use base64::Engine as _;
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use std::collections::HashSet;

/// Writes `value` in `codec`.
///
/// # Errors
///
/// [`CodecError::NotSelfDescribing`], [`CodecError::TooDeep`], and [`CodecError::Inexpressible`].
pub(super) fn write(codec: Codec, value: &Value) -> Result<Vec<u8>, CodecError> {
    if !codec.self_describing() {
        return Err(CodecError::NotSelfDescribing(codec));
    }
    if depth(value) > MAX_DEPTH {
        return Err(Breach::Depth.error(codec));
    }
    let refuse = |reason: String| CodecError::Inexpressible { codec, reason };
    check(codec, value).map_err(|fault| refuse(fault.to_text()))?;
    let data = Data { codec, value };
    let written = match codec {
        Codec::Json => serde_json::to_vec(&data).map_err(|error| error.to_string()),
        Codec::MsgPack => rmp_serde::to_vec(&data).map_err(|error| error.to_string()),
        _ => serde_saphyr::to_string(&data)
            .map(String::into_bytes)
            .map_err(|error| error.to_string()),
    };
    written.map_err(|reason| refuse(shorten(reason)))
}

/// A value that cannot be written: the reason, and the keys and positions that lead to it, innermost first.
struct WriteFault {
    path: Vec<String>,
    reason: String,
}

impl WriteFault {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            reason: reason.into(),
        }
    }

    fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    fn to_text(&self) -> String {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        match path.strip_prefix('.').unwrap_or(&path) {
            "" => self.reason.clone(),
            path => format!("{}, at `{}`", self.reason, shorten(path.to_owned())),
        }
    }
}

/// Finds a value that `codec` cannot express. `value` is within [`MAX_DEPTH`].
fn check(codec: Codec, value: &Value) -> Result<(), WriteFault> {
    let cannot = |what: &str| Err(WriteFault::new(format!("{codec} cannot represent {what}")));
    match forms::meaning(value).map_err(WriteFault::new)? {
        Meaning::Plain => match value {
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                check(codec, item).map_err(|fault| fault.within(format!("[{index}]")))
            }),
            Value::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                check(codec, item).map_err(|fault| fault.within(format!(".{key}")))
            }),
            _ => Ok(()),
        },
        Meaning::Bytes(_) if codec == Codec::Json => cannot("bytes"),
        Meaning::Ext(..) if codec != Codec::MsgPack => cannot("extensions"),
        Meaning::Float(_) if codec == Codec::Json => cannot("infinities and NaN"),
        Meaning::Int(value) if codec == Codec::MsgPack && !value.fits_64_bits() => {
            cannot("whole numbers of more than 64 bits")
        }
        Meaning::Bytes(_) | Meaning::Ext(..) | Meaning::Float(_) | Meaning::Int(_) => Ok(()),
        Meaning::Map(pairs) => {
            let mut keys = HashSet::new();
            for (index, (key, item)) in pairs.into_iter().enumerate() {
                let step = || format!(".$map[{index}]");
                if codec == Codec::Json && !key.is_string() {
                    return cannot("keys that are not text").map_err(|fault| fault.within(step()));
                }
                if !keys.insert(key.to_string()) {
                    let key = shorten(key.to_string());
                    return Err(WriteFault::new(format!("the key {key} occurs twice")).within(step()));
                }
                check(codec, key)
                    .and_then(|()| check(codec, item))
                    .map_err(|fault| fault.within(step()))?;
            }
            Ok(())
        }
    }
}

/// Returns the deepest nesting of arrays and maps in a value with forms resolved. Iterates with its own list, since the
/// value may be too deep for recursion.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, outer)) = open.pop() {
        match (forms::meaning(value), value) {
            (Ok(Meaning::Map(pairs)), _) => {
                open.extend(
                    pairs
                        .into_iter()
                        .flat_map(|(key, item)| [(key, outer + 1), (item, outer + 1)]),
                );
            }
            (Ok(Meaning::Plain) | Err(_), Value::Array(items)) => {
                open.extend(items.iter().map(|item| (item, outer + 1)));
            }
            (Ok(Meaning::Plain) | Err(_), Value::Object(entries)) => {
                open.extend(entries.values().map(|item| (item, outer + 1)));
            }
            _ => continue,
        }
        deepest = deepest.max(outer + 1);
    }
    deepest
}

impl Int {
    fn fits_64_bits(self) -> bool {
        match self {
            Self::Signed(value) => i64::try_from(value).is_ok() || u64::try_from(value).is_ok(),
            Self::Unsigned(value) => u64::try_from(value).is_ok(),
        }
    }
}

/// A value with forms resolved, to be serialized in a codec.
#[derive(Clone, Copy)]
struct Data<'a> {
    codec: Codec,
    value: &'a Value,
}

impl<'a> Data<'a> {
    fn of(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match forms::meaning(self.value).map_err(S::Error::custom)? {
            Meaning::Plain => match self.value {
                Value::Array(items) => {
                    let mut seq = out.serialize_seq(Some(items.len()))?;
                    items
                        .iter()
                        .try_for_each(|item| seq.serialize_element(&self.of(item)))?;
                    seq.end()
                }
                Value::Object(entries) => {
                    let mut map = out.serialize_map(Some(entries.len()))?;
                    entries
                        .iter()
                        .try_for_each(|(key, item)| map.serialize_entry(key, &self.of(item)))?;
                    map.end()
                }
                scalar => scalar.serialize(out),
            },
            Meaning::Bytes(bytes) if self.codec == Codec::Yaml => {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                serde_saphyr::Tagged(text, Some(BINARY_TAG.to_owned())).serialize(out)
            }
            Meaning::Bytes(bytes) => out.serialize_bytes(&bytes),
            Meaning::Ext(kind, bytes) => {
                out.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &(kind, Raw(&bytes)))
            }
            Meaning::Float(value) => out.serialize_f64(value),
            Meaning::Int(Int::Signed(value)) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => out.serialize_u64(value),
                (_, Ok(value)) => out.serialize_i64(value),
                _ => out.serialize_i128(value),
            },
            Meaning::Int(Int::Unsigned(value)) => out.serialize_u128(value),
            Meaning::Map(pairs) => {
                let mut map = out.serialize_map(Some(pairs.len()))?;
                for (key, item) in pairs {
                    map.serialize_entry(&self.of(key), &self.of(item))?;
                }
                map.end()
            }
        }
    }
}

/// Bytes that serialize as bytes.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(self.0)
    }
}
