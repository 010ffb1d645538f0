//! Comparison of a value with itself, at every place where an engine shows it.

use std::fmt;

use super::values::{Payload, Value};

/// Arguments of a call, and the host's reply.
#[derive(Debug)]
pub struct Exchange {
    pub params: Vec<Value>,
    /// The host's return value. `None`: its arguments.
    pub reply: Option<Value>,
}

impl Exchange {
    /// Returns the value expected at a place.
    pub fn expected(&self, place: Place) -> Value {
        match &self.reply {
            Some(reply) if place == Place::Result => reply.clone(),
            _ => Value::of_params(self.params.clone()),
        }
    }
}

/// A place at which a value is observed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The host function's arguments; several as a tuple.
    Host,
    /// The caller's result.
    Result,
    /// The caller's result from a host function of Rust types, which returned its arguments.
    TypedHost,
    /// The arguments of a host function of [`Val`](airssys_wasm_component::component::Val)s, called with Rust types.
    HostOfTyped,
    /// The same, called with the value that a caller of Rust types got back.
    HostOfTypedResult,
    /// The same, called with a value that had Rust types on both sides.
    HostOfTypedBoth,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Host => "what the host got",
            Place::Result => "what came back",
            Place::TypedHost => "what came back of a typed host",
            Place::HostOfTyped => "what the host got of a typed caller",
            Place::HostOfTypedResult => "what the host got of a typed result",
            Place::HostOfTypedBoth => "what the host got of what went through a typed host to a typed caller",
        })
    }
}

/// An engine with a component's instance.
pub trait Side {
    fn name(&self) -> &str;

    /// Calls a function, and returns the values observed.
    ///
    /// # Errors
    /// If the call fails. The next call gets a new instance.
    fn call(&mut self, function: usize, exchange: &Exchange) -> anyhow::Result<Vec<(Place, Value)>>;
}

/// A fault of one engine.
#[derive(Clone, Debug)]
pub struct Finding {
    pub side: String,
    pub what: String,
}

/// Calls a function on every engine. Returns the faults, and the number of values compared.
pub fn exchange(
    sides: &mut [Box<dyn Side + '_>],
    function: usize,
    exchange: &Exchange,
) -> (Vec<Finding>, u64) {
    let mut findings = Vec::new();
    let mut compared = 0;
    for side in sides {
        let mut found = |side: &dyn Side, what| {
            let side = side.name().to_owned();
            findings.push(Finding { side, what });
        };
        match side.call(function, exchange) {
            Ok(seen) => {
                for (place, value) in seen {
                    compared += 1;
                    if let Some(difference) = difference(&exchange.expected(place), &value) {
                        found(&**side, format!("{place}: {difference}"));
                    }
                }
            }
            Err(error) => found(&**side, format!("the call failed: {error:#}")),
        }
    }
    (findings, compared)
}

/// Returns the first difference of two values: bit for bit, including labels and their order, except that a NaN equals any
/// NaN.
///
/// CanonicalABI.md, "Loading", has `canonicalize_nan32` and `canonicalize_nan64` in lifting a float, and "Storing" has
/// `maybe_scramble_nan32` and `maybe_scramble_nan64` in lowering one: the specification requires a NaN, but not which one.
pub fn difference(expected: &Value, got: &Value) -> Option<String> {
    differ(expected, got, "")
}

fn differ(expected: &Value, got: &Value, path: &str) -> Option<String> {
    let same = match (expected, got) {
        (Value::F32(a), Value::F32(b)) => a == b || is_nan32(*a) && is_nan32(*b),
        (Value::F64(a), Value::F64(b)) => a == b || is_nan64(*a) && is_nan64(*b),
        (Value::List(a), Value::List(b))
        | (Value::Fixed(a), Value::Fixed(b))
        | (Value::Tuple(a), Value::Tuple(b))
            if a.len() == b.len() =>
        {
            let mut pairs = a.iter().zip(b).enumerate();
            return pairs.find_map(|(index, (a, b))| differ(a, b, &format!("{path}[{index}]")));
        }
        (Value::Record(a), Value::Record(b)) if a.len() == b.len() => {
            return a.iter().zip(b).find_map(|((label, a), (found, b))| {
                if label != found {
                    return Some(format!("at `{path}`: a field `{found}` for `{label}`"));
                }
                differ(a, b, &format!("{path}.{label}"))
            });
        }
        (Value::Variant(a, x), Value::Variant(b, y)) if a == b => return payloads(x, y, path, a),
        (Value::Option(x), Value::Option(y)) => return payloads(x, y, path, "some"),
        (Value::Result(Ok(x)), Value::Result(Ok(y))) => return payloads(x, y, path, "ok"),
        (Value::Result(Err(x)), Value::Result(Err(y))) => return payloads(x, y, path, "err"),
        // An engine without a separate type for bytes cannot distinguish the two when empty.
        (Value::Bytes(a), Value::List(b)) if a.is_empty() && b.is_empty() => true,
        (Value::Bytes(a), Value::Bytes(b)) if a.len() == b.len() => {
            let at = a.iter().zip(b).position(|(a, b)| a != b)?;
            return Some(format!("at `{path}[{at}]`: {} for {}", b[at], a[at]));
        }
        (a, b) => a == b,
    };
    (!same).then(|| format!("at `{path}`: {} for {}", cut(got), cut(expected)))
}

fn payloads(expected: &Payload, got: &Payload, path: &str, label: &str) -> Option<String> {
    match (expected, got) {
        (None, None) => None,
        (Some(expected), Some(got)) => differ(expected, got, &format!("{path}({label})")),
        (Some(expected), None) => Some(format!("at `{path}({label})`: nothing for {}", cut(expected))),
        (None, Some(got)) => Some(format!("at `{path}({label})`: {} for nothing", cut(got))),
    }
}

fn is_nan32(bits: u32) -> bool {
    f32::from_bits(bits).is_nan()
}

fn is_nan64(bits: u64) -> bool {
    f64::from_bits(bits).is_nan()
}

/// Formats a value, cut to a readable length.
pub fn cut(value: &Value) -> String {
    const MOST: usize = 2000;
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
