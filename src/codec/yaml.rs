//! Conversion of YAML to a JSON value, by the core schema of YAML 1.2.2.
//!
//! The parser emits events: scalars with their style and tag, beginnings and ends. `number` decides which scalars are
//! numbers. Open arrays and maps are on a list, so that deep data does not use the stack.

use super::read::{Breach, Budget, Entries, MAX_DEPTH, MAX_TEXT_BYTES, shorten};
use super::{Codec, CodecError, forms, number};
use base64::Engine as _;
use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::Value;
use std::collections::HashMap;

/// Most values that may be kept for anchors. Stops anchors nested in anchors, each of which keeps everything that it
/// encloses.
const MAX_ANCHORED_VALUES: usize = 1 << 17;

/// Most arrays and maps that the scanner allows to be open. It runs ahead of the parser by a bounded number of characters,
/// so its limit must be larger for [`MAX_DEPTH`] to be the limit that is reported.
const MAX_OPEN: usize = 4096;

/// Tag of bytes in base64. Not in the core schema, but common among YAML writers.
pub(super) const BINARY_TAG: &str = "tag:yaml.org,2002:binary";

pub(super) fn yaml(data: &[u8]) -> Result<Value, CodecError> {
    let text = std::str::from_utf8(data)
        .map_err(|error| invalid(format!("it is not UTF-8, at byte {}", error.valid_up_to())))?;
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_OPEN,
        block_nesting_limit: MAX_OPEN,
    };
    let mut document = Document::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| at(&error.info(), error.marker()))?;
        let start = span.start;
        document.take(event).map_err(|fault| match fault {
            YamlFault::Limit(breach) => breach.error(Codec::Yaml),
            YamlFault::Data(reason) => at(&reason, &start),
        })?;
    }
    document
        .root
        .ok_or_else(|| invalid("there is no document in it".to_owned()))
}

fn invalid(reason: String) -> CodecError {
    CodecError::InvalidData {
        codec: Codec::Yaml,
        reason,
    }
}

fn at(reason: &str, place: &Marker) -> CodecError {
    let reason = shorten(reason.to_owned());
    invalid(format!(
        "{reason}, at line {} column {}",
        place.line(),
        place.col() + 1
    ))
}

enum YamlFault {
    Limit(Breach),
    Data(String),
}

impl From<Breach> for YamlFault {
    fn from(breach: Breach) -> Self {
        Self::Limit(breach)
    }
}

impl From<String> for YamlFault {
    fn from(reason: String) -> Self {
        Self::Data(reason)
    }
}

/// The part of the document that has been read.
struct Document {
    budget: Budget<'static>,
    /// Remaining budget for values kept by anchors.
    kept: Budget<'static>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
}

/// An array or a map that is not complete.
struct Open {
    items: Items,
    anchor: usize,
    /// Remaining budget when it began.
    values: usize,
    text_bytes: usize,
    /// The deepest nesting of its items.
    height: usize,
}

enum Items {
    Array(Vec<Value>),
    /// The entries, and the key whose value comes next.
    Map(Entries, Option<Value>),
}

/// A value that aliases may refer to, and the cost of each alias.
struct Anchored {
    value: Value,
    values: usize,
    text_bytes: usize,
    height: usize,
}

impl Document {
    fn new() -> Self {
        let mut kept = Budget::new();
        kept.values = MAX_ANCHORED_VALUES;
        kept.text_bytes = MAX_TEXT_BYTES;
        Self {
            budget: Budget::new(),
            kept,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), YamlFault> {
        match event {
            Event::DocumentStart(_, version) => {
                if self.root.is_some() {
                    return Err("a second document begins, but a payload has one"
                        .to_owned()
                        .into());
                }
                match version {
                    Some(version) if version.major != 1 => Err(format!(
                        "it is YAML {}.{}, but only YAML 1 can be read",
                        version.major, version.minor
                    )
                    .into()),
                    _ => Ok(()),
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let (values, text_bytes) = (self.budget.values, self.budget.text_bytes);
                self.budget.count_values(1)?;
                self.budget.count_text(text.len())?;
                let value = scalar(&text, style, tag.as_deref())?;
                self.keep(anchor, &value, values, text_bytes, 0)?;
                self.place(value, 0)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq")?;
                self.begin(Items::Array(Vec::new()), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map")?;
                self.begin(Items::Map(Entries::default(), None), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(anchored) = self.anchors.get(&anchor) else {
                    return Err("an alias is within the node that it refers to".to_owned().into());
                };
                self.budget.count_values(anchored.values)?;
                self.budget.count_text(anchored.text_bytes)?;
                if self.open.len() + anchored.height > MAX_DEPTH {
                    return Err(Breach::Depth.into());
                }
                let (value, height) = (anchored.value.clone(), anchored.height);
                self.place(value, height)
            }
            // Of the other events, the options only admit those that carry no value.
            _ => Ok(()),
        }
    }

    fn begin(&mut self, items: Items, anchor: usize) -> Result<(), YamlFault> {
        if self.open.len() == MAX_DEPTH {
            return Err(Breach::Depth.into());
        }
        let (values, text_bytes) = (self.budget.values, self.budget.text_bytes);
        self.budget.count_values(1)?;
        self.open.push(Open {
            items,
            anchor,
            values,
            text_bytes,
            height: 0,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlFault> {
        // The parser pairs beginnings and ends.
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.items {
            Items::Array(items) => Value::Array(items),
            Items::Map(entries, _) => entries.finish(),
        };
        let height = open.height + 1;
        self.keep(open.anchor, &value, open.values, open.text_bytes, height)?;
        self.place(value, height)
    }

    /// Adds a value to the innermost open array or map, or sets it as the root.
    fn place(&mut self, value: Value, height: usize) -> Result<(), YamlFault> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.height = open.height.max(height);
        match &mut open.items {
            Items::Array(items) => items.push(value),
            Items::Map(entries, key) => match key.take() {
                None => *key = Some(value),
                Some(key) => entries.insert(key, value)?,
            },
        }
        Ok(())
    }

    /// Keeps a value for aliases if it has an anchor. `values` and `text_bytes` are the budget before it.
    fn keep(
        &mut self,
        anchor: usize,
        value: &Value,
        values: usize,
        text_bytes: usize,
        height: usize,
    ) -> Result<(), YamlFault> {
        // The parser uses 0 for "no anchor".
        if anchor == 0 {
            return Ok(());
        }
        let values = values - self.budget.values;
        let text_bytes = text_bytes - self.budget.text_bytes;
        self.kept.count_values(values)?;
        self.kept.count_text(text_bytes)?;
        self.anchors.insert(
            anchor,
            Anchored {
                value: value.clone(),
                values,
                text_bytes,
                height,
            },
        );
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => number::plain(text),
            _ => Ok(Value::from(text)),
        };
    };
    if is_non_specific(tag) {
        return Ok(Value::from(text));
    }
    let not = |kind: &str| {
        Err(format!(
            "{:?} is tagged as a {kind}, but is not one",
            shorten(text.to_owned())
        ))
    };
    match tag.core_suffix() {
        Some("str") => Ok(Value::from(text)),
        Some("null") => match number::plain(text) {
            Ok(Value::Null) => Ok(Value::Null),
            _ => not("null"),
        },
        Some("bool") => match number::plain(text) {
            Ok(Value::Bool(value)) => Ok(Value::Bool(value)),
            _ => not("Boolean"),
        },
        Some("int") => match number::tagged(text) {
            Ok(value) if forms::is_whole(&value) || is_zero(text) => Ok(value),
            Ok(_) => not("whole number"),
            Err(reason) => Err(reason),
        },
        Some("float") => match number::tagged(text)? {
            Value::Number(value) => Ok(value.as_f64().map_or(Value::Number(value), Value::from)),
            value => Ok(value),
        },
        Some(kind) => not(kind),
        None if tag.to_string() == BINARY_TAG => binary(text),
        None => Err(unknown_tag(tag)),
    }
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'0'))
}

/// Decodes bytes from base64, which may span several lines.
fn binary(text: &str) -> Result<Value, String> {
    let joined: String = text.split_ascii_whitespace().collect();
    match base64::engine::general_purpose::STANDARD.decode(joined) {
        Ok(bytes) => Ok(forms::bytes(&bytes)),
        Err(error) => Err(format!("it is tagged !!binary, but is not valid base64: {error}")),
    }
}

/// Refuses the tag of an array or a map unless it is `kind`.
fn check_tag(tag: Option<&Tag>, kind: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !is_non_specific(tag) && tag.core_suffix() != Some(kind) => Err(unknown_tag(tag)),
        _ => Ok(()),
    }
}

/// Reports whether a tag is the non-specific tag `!`.
fn is_non_specific(tag: &Tag) -> bool {
    tag.to_string() == "!"
}

fn unknown_tag(tag: &Tag) -> String {
    format!(
        "the tag `{}` is not in the core schema, or does not apply to this kind of value",
        shorten(tag.original())
    )
}
