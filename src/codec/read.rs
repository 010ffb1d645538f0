//! Reading self-describing data from an untrusted source into a JSON value.
//!
//! Three parsers feed one builder. The builder counts as it builds and stops at the limits, so no header that
//! claims four billion elements, and no YAML alias that stands for a million others, is taken at its word.

use super::display::hex;
use super::{Codec, CodecError};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Most arrays and maps that may be nested in one another. Stops data that overflows the stack of whoever walks
/// it. The YAML parser needs most of the stack, some 4 KiB a level, and 25 KiB without optimisation: this depth
/// fits a thread of 2 MiB either way.
pub const MAX_DEPTH: usize = 64;

/// Most values in one payload: scalars, map keys, arrays and maps, aliases replaced by what they stand for.
/// Stops YAML alias bombs, and payloads whose every byte becomes a value many times its size.
pub const MAX_VALUES: usize = 1 << 20;

/// Most bytes of text in one payload, aliases replaced, bytes counted by their hexadecimal form. Stops alias
/// bombs that repeat one long text.
pub const MAX_TEXT_BYTES: usize = 64 << 20;

/// Most parser events that may be kept for the sake of YAML anchors. Stops anchors nested in anchors, each of
/// which keeps all that it encloses.
const MAX_ANCHOR_EVENTS: usize = 1 << 17;

/// The YAML parser's own limit on depth, which it needs since it reads map keys ahead of the builder.
const PARSER_DEPTH: usize = MAX_DEPTH + 1;

/// Most brackets that the YAML scanner lets be open. It looks ahead of the parser, by a bounded number of
/// characters, so its limit must be larger for the depth to be what is reported.
const MAX_OPEN_BRACKETS: usize = 4096;

/// Most characters of an error's reason. Stops a guest from filling the log with a key or a scalar of its own.
const MAX_REASON_CHARS: usize = 240;

pub(super) fn json(data: &[u8]) -> Result<Value, CodecError> {
    let mut budget = Budget::new();
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
                "the value ends at byte {end}, the data goes on to byte {}",
                data.len()
            ),
        }),
        Err(error) => Err(budget.explain(Codec::MsgPack, &format_args!("{error}, before byte {end}"))),
    }
}

pub(super) fn yaml(data: &[u8]) -> Result<Value, CodecError> {
    let mut budget = Budget::new();
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::AsOrdinary,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! {
            max_depth: PARSER_DEPTH,
            flow_nesting_limit: MAX_OPEN_BRACKETS,
            max_nodes: MAX_VALUES,
            max_events: MAX_VALUES * 2,
            max_total_scalar_bytes: MAX_TEXT_BYTES * 2,
            max_recorded_anchor_events: MAX_ANCHOR_EVENTS,
            max_recorded_anchor_bytes: MAX_TEXT_BYTES,
        },
    };
    serde_saphyr::with_deserializer_from_slice_with_options(data, options, |parser| {
        budget.builder().deserialize(parser)
    })
    .map_err(|error| {
        budget.breach = budget.breach.or_else(|| yaml_breach(error.without_snippet()));
        budget.explain(Codec::Yaml, &error)
    })
}

/// The limit that the YAML parser stopped at, if that is why it stopped.
fn yaml_breach(error: &serde_saphyr::Error) -> Option<Breach> {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    match error {
        Error::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => Some(Breach::Depth),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Some(Breach::Size),
        _ => None,
    }
}

/// What may still be built, and why building stopped.
struct Budget {
    values: usize,
    text_bytes: usize,
    breach: Option<Breach>,
}

#[derive(Clone, Copy)]
enum Breach {
    Depth,
    Size,
}

impl Budget {
    fn new() -> Self {
        Self {
            values: MAX_VALUES,
            text_bytes: MAX_TEXT_BYTES,
            breach: None,
        }
    }

    fn builder(&mut self) -> Builder<'_> {
        Builder {
            budget: self,
            depth: MAX_DEPTH,
        }
    }

    /// The parsers know only errors of their own, so a breach of ours comes back as one of theirs.
    fn explain(&self, codec: Codec, error: &dyn fmt::Display) -> CodecError {
        match self.breach {
            Some(Breach::Depth) => CodecError::TooDeep(codec),
            Some(Breach::Size) => CodecError::TooLarge(codec),
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
}

/// Builds one value, and through new builders those inside it.
struct Builder<'a> {
    budget: &'a mut Budget,
    /// How many levels of arrays and maps may follow.
    depth: usize,
}

impl Builder<'_> {
    /// A builder for a value inside this one.
    fn inner<E: de::Error>(&mut self) -> Result<Builder<'_>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Builder {
                budget: self.budget,
                depth,
            }),
            None => Err(self.budget.stop(Breach::Depth)),
        }
    }

    fn count_value<E: de::Error>(&mut self) -> Result<(), E> {
        match self.budget.values.checked_sub(1) {
            Some(left) => self.budget.values = left,
            None => return Err(self.budget.stop(Breach::Size)),
        }
        Ok(())
    }

    fn count_text<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.budget.text_bytes.checked_sub(bytes) {
            Some(left) => self.budget.text_bytes = left,
            None => return Err(self.budget.stop(Breach::Size)),
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Builder<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, parser: D) -> Result<Value, D::Error> {
        self.count_value()?;
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_> {
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
        Ok(Value::from(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(
            || marked([("$float", Value::from(value.to_string()))]),
            Value::Number,
        ))
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
        Ok(marked([("$bytes", Value::from(hex(value)))]))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        // The header's length is a claim; room is made as elements arrive.
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut named = Map::new();
        // Entries in order, used from the first key on that is not text.
        let mut pairs = Vec::new();
        while let Some(key) = entries.next_key_seed(self.inner()?)? {
            let value = entries.next_value_seed(self.inner()?)?;
            match key {
                Value::String(key) if pairs.is_empty() => {
                    if named.contains_key(&key) {
                        let key = shorten(key);
                        return Err(de::Error::custom(format_args!(
                            "the key {key:?} occurs twice in one map"
                        )));
                    }
                    named.insert(key, value);
                }
                key => {
                    if pairs.is_empty() {
                        let earlier = std::mem::take(&mut named);
                        pairs.extend(
                            earlier
                                .into_iter()
                                .map(|(key, value)| pair(Value::String(key), value)),
                        );
                    }
                    pairs.push(pair(key, value));
                }
            }
        }
        if pairs.is_empty() {
            Ok(Value::Object(named))
        } else {
            Ok(marked([("$map", Value::Array(pairs))]))
        }
    }

    /// MessagePack's extensions, the only values that come this way.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_any(Extension(self))
    }
}

/// Builds a MessagePack extension, which comes as a sequence of its type and its bytes.
struct Extension<'a>(Builder<'a>);

impl<'de> Visitor<'de> for Extension<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an extension's type and bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut next = |builder: &mut Builder<'_>| -> Result<Value, A::Error> {
            items
                .next_element_seed(builder.inner()?)?
                .ok_or_else(|| de::Error::missing_field("extension"))
        };
        let kind = next(&mut self.0)?;
        let mut out = next(&mut self.0)?;
        if let Value::Object(entries) = &mut out {
            entries.shift_insert(0, "$ext".to_string(), kind);
        }
        Ok(out)
    }
}

fn pair(key: Value, value: Value) -> Value {
    Value::Array(vec![key, value])
}

/// Cuts text that may hold the guest's own, for use in an error.
pub(super) fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_REASON_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A value that JSON cannot express, in one of the forms that `to_json` documents.
fn marked<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_string(), value))
            .collect(),
    )
}
