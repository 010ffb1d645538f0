//! JSON forms of values that JSON itself cannot express. `to_json` documents them.

use super::display::hex;
use serde_json::{Map, Number, Value};

const BYTES: &str = "$bytes";
const EXT: &str = "$ext";
const FLOAT: &str = "$float";
const INT: &str = "$int";
const MAP: &str = "$map";

/// The value that a piece of JSON represents, with forms resolved.
pub(super) enum Meaning<'a> {
    /// The JSON value itself.
    Plain,
    Bytes(Vec<u8>),
    Ext(i8, Vec<u8>),
    /// Not a number, or an infinity.
    Float(f64),
    /// A whole number that does not fit 64 bits.
    Int(Int),
    /// The keys and values of a map.
    Map(Vec<(&'a Value, &'a Value)>),
}

/// A whole number of up to 128 bits.
#[derive(Clone, Copy)]
pub(super) enum Int {
    Signed(i128),
    Unsigned(u128),
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    marked([(BYTES, Value::from(hex(bytes)))])
}

/// Builds the form of an extension from its type and `bytes`, which is in the form of bytes.
pub(super) fn ext(kind: Value, mut bytes: Value) -> Value {
    if let Value::Object(entries) = &mut bytes {
        entries.shift_insert(0, EXT.to_owned(), kind);
    }
    bytes
}

/// Converts a double, to a form if JSON cannot express it.
pub(super) fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || marked([(FLOAT, Value::from(value.to_string()))]),
        Value::Number,
    )
}

pub(super) fn int(value: impl ToString) -> Value {
    marked([(INT, Value::from(value.to_string()))])
}

/// Reports whether a value is a whole number that is not a double, in a form or not.
pub(super) fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || matches!(meaning(value), Ok(Meaning::Int(_)))
}

pub(super) fn map(pairs: Vec<Value>) -> Value {
    marked([(MAP, Value::Array(pairs))])
}

pub(super) fn pair(key: Value, value: Value) -> Value {
    Value::Array(vec![key, value])
}

/// Reports whether a map has the keys of a form, regardless of their values.
pub(super) fn is_form(entries: &Map<String, Value>) -> bool {
    match entries.len() {
        1 => [BYTES, FLOAT, INT, MAP]
            .iter()
            .any(|key| entries.contains_key(*key)),
        2 => entries.contains_key(EXT) && entries.contains_key(BYTES),
        _ => false,
    }
}

/// Resolves a form to the value that it represents.
///
/// # Errors
///
/// A readable reason for a map that has the keys of a form but not its values.
pub(super) fn meaning(value: &Value) -> Result<Meaning<'_>, String> {
    let Value::Object(entries) = value else {
        return Ok(Meaning::Plain);
    };
    if !is_form(entries) {
        return Ok(Meaning::Plain);
    }
    let text = |key: &str| entries.get(key).and_then(Value::as_str);
    if let Some(kind) = entries.get(EXT) {
        let kind = kind.as_i64().and_then(|kind| i8::try_from(kind).ok());
        return match (kind, text(BYTES).and_then(unhex)) {
            (Some(kind), Some(bytes)) => Ok(Meaning::Ext(kind, bytes)),
            _ => Err(format!(
                "`{EXT}` must be a number from -128 to 127, `{BYTES}` hexadecimal digits"
            )),
        };
    }
    if entries.contains_key(BYTES) {
        return match text(BYTES).and_then(unhex) {
            Some(bytes) => Ok(Meaning::Bytes(bytes)),
            None => Err(format!("`{BYTES}` must be hexadecimal digits, two for each byte")),
        };
    }
    if entries.contains_key(FLOAT) {
        return match text(FLOAT) {
            Some("NaN") => Ok(Meaning::Float(f64::NAN)),
            Some("inf") => Ok(Meaning::Float(f64::INFINITY)),
            Some("-inf") => Ok(Meaning::Float(f64::NEG_INFINITY)),
            _ => Err(format!("`{FLOAT}` must be \"NaN\", \"inf\" or \"-inf\"")),
        };
    }
    if entries.contains_key(INT) {
        return text(INT)
            .and_then(whole)
            .map(Meaning::Int)
            .ok_or_else(|| format!("`{INT}` must be the text of a whole number of up to 128 bits"));
    }
    entries
        .get(MAP)
        .and_then(Value::as_array)
        .and_then(|pairs| pairs.iter().map(halves).collect())
        .map(Meaning::Map)
        .ok_or_else(|| format!("`{MAP}` must be a list of lists with a key and a value"))
}

/// The key and the value of a pair.
fn halves(pair: &Value) -> Option<(&Value, &Value)> {
    match pair.as_array()?.as_slice() {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

fn whole(text: &str) -> Option<Int> {
    if let Ok(value) = text.parse() {
        return Some(Int::Signed(value));
    }
    text.parse().ok().map(Int::Unsigned)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

fn marked<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_string(), value))
            .collect(),
    )
}
