//! YAML into a JSON value, by the core schema of YAML 1.2.2.
//!
//! The parser gives events: scalars with their style and tag, beginnings and ends. Which scalar is a number is said in
//! `number`. Open arrays and maps are on a list, so that no depth of the data is one of the stack.

use super::read::{Breach, Budget, Entries, MAX_DEPTH, MAX_TEXT_BYTES, shorten};
use super::{Codec, CodecError, forms, number};
use base64::Engine as _;
use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::Value;
use std::collections::HashMap;

/// Most values that may be kept for the sake of anchors. Stops anchors nested in anchors, each of which keeps all that it
/// encloses.
const MAX_ANCHORED_VALUES: usize = 1 << 17;

/// Most arrays and maps that the scanner lets be open. It looks ahead of the parser, by a bounded number of characters, so
/// its limit must be larger for [`MAX_DEPTH`] to be what is reported.
const MAX_OPEN: usize = 4096;

/// Tag of bytes in base64. Not of the core schema, and what writers of YAML have for bytes.
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
            Fault::Limit(breach) => breach.error(Codec::Yaml),
            Fault::Data(reason) => at(&reason, &start),
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

enum Fault {
    Limit(Breach),
    Data(String),
}

impl From<Breach> for Fault {
    fn from(breach: Breach) -> Self {
        Self::Limit(breach)
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Data(reason)
    }
}

/// What has been read of the document.
struct Document {
    budget: Budget<'static>,
    /// What anchors may still keep.
    kept: Budget<'static>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
}

/// An array or a map that is not at its end.
struct Open {
    items: Items,
    anchor: usize,
    /// The account when it began.
    values: usize,
    text_bytes: usize,
    /// How deep its items nest, at the deepest.
    height: usize,
}

enum Items {
    Array(Vec<Value>),
    /// The entries, and the key that waits for its value.
    Map(Entries, Option<Value>),
}

/// A value that aliases may stand for, and what each costs.
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

    fn take(&mut self, event: Event<'_>) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_, version) => {
                if self.root.is_some() {
                    return Err("a second document begins: a payload has one".to_owned().into());
                }
                match version {
                    Some(version) if version.major != 1 => Err(format!(
                        "it is YAML {}.{}, and only YAML 1 can be read",
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
                    return Err("an alias stands within what it stands for".to_owned().into());
                };
                self.budget.count_values(anchored.values)?;
                self.budget.count_text(anchored.text_bytes)?;
                if self.open.len() + anchored.height > MAX_DEPTH {
                    return Err(Breach::Depth.into());
                }
                let (value, height) = (anchored.value.clone(), anchored.height);
                self.place(value, height)
            }
            // Of the others, the options let none through that says something of values.
            _ => Ok(()),
        }
    }

    fn begin(&mut self, items: Items, anchor: usize) -> Result<(), Fault> {
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

    fn end(&mut self) -> Result<(), Fault> {
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

    /// Puts a value where it belongs: into what is open, or at the root.
    fn place(&mut self, value: Value, height: usize) -> Result<(), Fault> {
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

    /// Keeps a value for aliases, if it has an anchor. `values` and `text_bytes` are the account before it.
    fn keep(
        &mut self,
        anchor: usize,
        value: &Value,
        values: usize,
        text_bytes: usize,
        height: usize,
    ) -> Result<(), Fault> {
        // The parser's number for no anchor.
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
            "{:?} has the tag of a {kind} and is none",
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

/// Bytes of base64, which may be written in lines.
fn binary(text: &str) -> Result<Value, String> {
    let joined: String = text.split_ascii_whitespace().collect();
    match base64::engine::general_purpose::STANDARD.decode(joined) {
        Ok(bytes) => Ok(forms::bytes(&bytes)),
        Err(error) => Err(format!("it has the tag !!binary and is no base64: {error}")),
    }
}

/// Refuses the tag of an array or a map if it is not `kind`, which is theirs.
fn check_tag(tag: Option<&Tag>, kind: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !is_non_specific(tag) && tag.core_suffix() != Some(kind) => Err(unknown_tag(tag)),
        _ => Ok(()),
    }
}

/// Whether a tag is a mere `!`.
fn is_non_specific(tag: &Tag) -> bool {
    tag.to_string() == "!"
}

fn unknown_tag(tag: &Tag) -> String {
    format!(
        "the tag `{}` is not of the core schema, or not of this kind of value",
        shorten(tag.original())
    )
}
