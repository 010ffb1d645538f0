//! Reading self-describing data from an untrusted source into a JSON value.
//!
//! The parsers of JSON and MessagePack feed one builder; that of YAML has its own (`yaml`), with the same budget. A builder
//! counts as it builds and stops at the limits, so neither a header that claims four billion elements nor a YAML alias that
//! stands for a million others causes a large allocation.

use super::number::{self, Numerals};
use super::{Codec, CodecError, forms};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;

/// Most arrays and maps that may be nested in one another. Stops data that overflows the stack of the code that walks it,
/// with a wide margin on a thread of 2 MiB, also without optimization.
pub const MAX_DEPTH: usize = 64;

/// Most values in one payload: scalars, map keys, arrays and maps, with aliases expanded. Stops YAML alias bombs, and
/// payloads whose every byte becomes a value many times its size.
pub const MAX_VALUES: usize = 1 << 20;

/// Most bytes of text in one payload, with aliases expanded and bytes counted by their hexadecimal form. Stops alias bombs
/// that repeat one long text.
pub const MAX_TEXT_BYTES: usize = 64 << 20;

/// Most characters of an error's reason. Stops a guest from filling the log with a long key or scalar.
const MAX_REASON_CHARS: usize = 240;

pub(super) fn json(data: &[u8]) -> Result<Value, CodecError> {
    json_with(data, Budget::new())
}

/// Parses JSON whose values may be in forms, as `to_json` writes them.
pub(super) fn json_of_forms(data: &[u8]) -> Result<Value, CodecError> {
    let mut budget = Budget::new();
    budget.forms = Forms::Meant;
    json_with(data, budget)
}

fn json_with<'a>(data: &'a [u8], mut budget: Budget<'a>) -> Result<Value, CodecError> {
    budget.numerals = Some(Numerals::new(data));
    let mut parser = serde_json::Deserializer::from_slice(data);
    budget
        .builder()
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value))
        .map_err(|error| budget.explain(Codec::Json, &error))
}

pub(super) fn msgpack(data: &[u8]) -> Result<Value, CodecError> {
    let mut budget = Budget::new();
    let mut parser = rmp_serde::Deserializer::new(std::io::Cursor::new(data));
    let outcome = budget.builder().deserialize(&mut parser);
    let end = parser.position();
    match outcome {
        Ok(value) if end == data.len() as u64 => Ok(value),
        Ok(_) => Err(CodecError::InvalidData {
            codec: Codec::MsgPack,
            reason: format!(
                "the value ends at byte {end}, but the data continues to byte {}",
                data.len()
            ),
        }),
        Err(error) => Err(budget.explain(Codec::MsgPack, &format_args!("{error}, before byte {end}"))),
    }
}

/// Remaining budget of a parse, the limit that it exceeded, and its mode.
pub(super) struct Budget<'a> {
    pub(super) values: usize,
    pub(super) text_bytes: usize,
    breach: Option<Breach>,
    /// JSON's numbers as written; `None` for other codecs.
    numerals: Option<Numerals<'a>>,
    forms: Forms,
}

/// Treatment of a map that has the keys of a form.
#[derive(Clone, Copy)]
enum Forms {
    /// A map, which is then put into a form itself to distinguish it from the value that the form represents.
    Accidental,
    /// A form.
    Meant,
}

#[derive(Clone, Copy)]
pub(super) enum Breach {
    Depth,
    Size,
}

impl Breach {
    pub(super) fn error(self, codec: Codec) -> CodecError {
        match self {
            Self::Depth => CodecError::TooDeep(codec),
            Self::Size => CodecError::TooLarge(codec),
        }
    }
}

impl<'a> Budget<'a> {
    pub(super) fn new() -> Self {
        Self {
            values: MAX_VALUES,
            text_bytes: MAX_TEXT_BYTES,
            breach: None,
            numerals: None,
            forms: Forms::Accidental,
        }
    }

    fn builder(&mut self) -> Builder<'_, 'a> {
        Builder {
            budget: self,
            depth: MAX_DEPTH,
        }
    }

    pub(super) fn count_values(&mut self, count: usize) -> Result<(), Breach> {
        self.values = self.values.checked_sub(count).ok_or(Breach::Size)?;
        Ok(())
    }

    pub(super) fn count_text(&mut self, bytes: usize) -> Result<(), Breach> {
        self.text_bytes = self.text_bytes.checked_sub(bytes).ok_or(Breach::Size)?;
        Ok(())
    }

    /// The parsers only have error types of their own, so an exceeded limit is found in the budget.
    fn explain(&self, codec: Codec, error: &dyn fmt::Display) -> CodecError {
        match self.breach {
            Some(breach) => breach.error(codec),
            None => CodecError::InvalidData {
                codec,
                reason: shorten(error.to_string()),
            },
        }
    }

    fn stop<E: de::Error>(&mut self, breach: Breach) -> E {
        self.breach = Some(breach);
        E::custom("a limit is exceeded")
    }

    /// Returns the next number of a JSON text as written.
    fn numeral(&mut self) -> Option<&'a str> {
        self.numerals.as_mut().and_then(Iterator::next)
    }
}

/// Builds one value, and the values inside it through nested builders.
struct Builder<'b, 'a> {
    budget: &'b mut Budget<'a>,
    /// Levels of arrays and maps that may follow.
    depth: usize,
}

impl<'a> Builder<'_, 'a> {
    /// Returns a builder for a value inside this one.
    fn inner<E: de::Error>(&mut self) -> Result<Builder<'_, 'a>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Builder {
                budget: self.budget,
                depth,
            }),
            None => Err(self.budget.stop(Breach::Depth)),
        }
    }

    fn count_text<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.budget
            .count_text(bytes)
            .map_err(|breach| self.budget.stop(breach))
    }
}

impl<'de> DeserializeSeed<'de> for Builder<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        self.budget
            .count_values(1)
            .map_err(|breach| self.budget.stop(breach))?;
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_, '_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.budget.numeral();
        Ok(Value::from(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.budget.numeral();
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        match self.budget.numeral() {
            Some(text) => number::decimal(text).map_err(|reason| E::custom(shorten(reason))),
            None => Ok(forms::float(value)),
        }
    }

    fn visit_str<E: de::Error>(mut self, value: &str) -> Result<Value, E> {
        self.count_text(value.len())?;
        Ok(Value::from(value))
    }

    fn visit_string<E: de::Error>(mut self, value: String) -> Result<Value, E> {
        self.count_text(value.len())?;
        Ok(Value::String(value))
    }

    fn visit_bytes<E: de::Error>(mut self, value: &[u8]) -> Result<Value, E> {
        self.count_text(value.len().saturating_mul(2))?;
        Ok(forms::bytes(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        // The header's length is only a claim; memory is allocated as elements arrive.
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut out = Entries::default();
        while let Some(key) = entries.next_key_seed(self.inner()?)? {
            let value = entries.next_value_seed(self.inner()?)?;
            out.insert(key, value).map_err(de::Error::custom)?;
        }
        Ok(match self.budget.forms {
            Forms::Accidental => out.finish(),
            Forms::Meant => Value::Object(out.named),
        })
    }

    /// Only called for MessagePack's extensions.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_any(Extension(self))
    }
}

/// Builds a MessagePack extension, which arrives as a sequence of its type and its bytes.
struct Extension<'b, 'a>(Builder<'b, 'a>);

impl<'de> Visitor<'de> for Extension<'_, '_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an extension's type and bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut next = |builder: &mut Builder<'_, '_>| -> Result<Value, A::Error> {
            items
                .next_element_seed(builder.inner()?)?
                .ok_or_else(|| de::Error::missing_field("extension"))
        };
        let kind = next(&mut self.0)?;
        let bytes = next(&mut self.0)?;
        Ok(forms::ext(kind, bytes))
    }
}

/// The entries of a map, in order.
#[derive(Default)]
pub(super) struct Entries {
    named: Map<String, Value>,
    /// All entries from the first key on that is not text.
    pairs: Vec<Value>,
    /// The keys of `pairs`, as JSON.
    keys: HashSet<String>,
}

impl Entries {
    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// A readable reason for a key that is already present: two readers could pick different values.
    pub(super) fn insert(&mut self, key: Value, value: Value) -> Result<(), String> {
        match key {
            Value::String(key) if self.pairs.is_empty() => {
                if self.named.contains_key(&key) {
                    return Err(occurs_twice(&format!("{:?}", shorten(key))));
                }
                self.named.insert(key, value);
            }
            key => {
                for (key, value) in std::mem::take(&mut self.named) {
                    self.insert_pair(Value::String(key), value)?;
                }
                self.insert_pair(key, value)?;
            }
        }
        Ok(())
    }

    fn insert_pair(&mut self, key: Value, value: Value) -> Result<(), String> {
        let text = key.to_string();
        if self.keys.contains(&text) {
            return Err(occurs_twice(&shorten(text)));
        }
        self.keys.insert(text);
        self.pairs.push(forms::pair(key, value));
        Ok(())
    }

    /// Returns the map as JSON; in a form if it has a key that is not text, or the keys of a form.
    pub(super) fn finish(mut self) -> Value {
        if self.pairs.is_empty() && forms::is_form(&self.named) {
            let named = std::mem::take(&mut self.named).into_iter();
            self.pairs
                .extend(named.map(|(key, value)| forms::pair(Value::String(key), value)));
        }
        if self.pairs.is_empty() {
            Value::Object(self.named)
        } else {
            forms::map(self.pairs)
        }
    }
}

fn occurs_twice(key: &str) -> String {
    format!("the key {key} occurs twice in one map")
}

/// Truncates text that may contain guest data, for use in an error.
pub(super) fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_REASON_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}
