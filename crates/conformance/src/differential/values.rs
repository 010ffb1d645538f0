//! Component values independent of any engine, and their text.

use std::fmt::{self, Write};

use super::types::{Label, separated};

/// A component value. Floats are their bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Bool(bool),
    U8(u8),
    S8(i8),
    U16(u16),
    S16(i16),
    U32(u32),
    S32(i32),
    U64(u64),
    S64(i64),
    F32(u32),
    F64(u64),
    Char(char),
    String(String),
    /// The content of a `list<u8>`.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Fixed(Vec<Value>),
    Tuple(Vec<Value>),
    Record(Vec<(Label, Value)>),
    Variant(Label, Payload),
    Enum(Label),
    Option(Payload),
    Result(Result<Payload, Payload>),
    /// The labels that are set, in the order of the type.
    Flags(Vec<Label>),
}

pub type Payload = Option<Box<Value>>;

impl Value {
    /// Returns the result of a function that returns its parameters.
    pub fn of_params(mut params: Vec<Value>) -> Value {
        match params.pop() {
            Some(only) if params.is_empty() => only,
            last => Value::Tuple(params.into_iter().chain(last).collect()),
        }
    }

    /// Counts the NaNs in the value.
    pub fn nans(&self) -> u64 {
        let all = |values: &[Value]| values.iter().map(Value::nans).sum();
        match self {
            Value::F32(bits) => u64::from(f32::from_bits(*bits).is_nan()),
            Value::F64(bits) => u64::from(f64::from_bits(*bits).is_nan()),
            Value::List(values) | Value::Fixed(values) | Value::Tuple(values) => all(values),
            Value::Record(fields) => fields.iter().map(|(_, value)| value.nans()).sum(),
            Value::Variant(_, payload)
            | Value::Option(payload)
            | Value::Result(Ok(payload) | Err(payload)) => payload.iter().map(|value| value.nans()).sum(),
            _ => 0,
        }
    }
}

/// Formats as WAVE, except that NaNs are written with their bits, and labels without their `%`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, [open, close]: [&str; 2], values: &[Value]| {
            f.write_str(open)?;
            separated(f, values, |f, value| write!(f, "{value}"))?;
            f.write_str(close)
        };
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::U8(value) => write!(f, "{value}"),
            Value::S8(value) => write!(f, "{value}"),
            Value::U16(value) => write!(f, "{value}"),
            Value::S16(value) => write!(f, "{value}"),
            Value::U32(value) => write!(f, "{value}"),
            Value::S32(value) => write!(f, "{value}"),
            Value::U64(value) => write!(f, "{value}"),
            Value::S64(value) => write!(f, "{value}"),
            Value::F32(bits) => match f32::from_bits(*bits) {
                value if value.is_nan() => write!(f, "nan:{bits:#x}"),
                value => write!(f, "{value:?}"),
            },
            Value::F64(bits) => match f64::from_bits(*bits) {
                value if value.is_nan() => write!(f, "nan:{bits:#x}"),
                value => write!(f, "{value:?}"),
            },
            Value::Char(value) => write!(f, "{value:?}"),
            Value::String(value) => write!(f, "{value:?}"),
            Value::Bytes(bytes) => {
                f.write_char('[')?;
                separated(f, bytes, |f, byte| write!(f, "{byte}"))?;
                f.write_char(']')
            }
            Value::List(values) | Value::Fixed(values) => list(f, ["[", "]"], values),
            Value::Tuple(values) => list(f, ["(", ")"], values),
            Value::Record(fields) => {
                f.write_char('{')?;
                separated(f, fields, |f, (label, value)| write!(f, "{label}: {value}"))?;
                f.write_char('}')
            }
            Value::Variant(label, payload) => case(f, label, payload),
            Value::Enum(label) => f.write_str(label),
            Value::Option(None) => f.write_str("none"),
            Value::Option(payload) => case(f, "some", payload),
            Value::Result(Ok(payload)) => case(f, "ok", payload),
            Value::Result(Err(payload)) => case(f, "err", payload),
            Value::Flags(labels) => {
                f.write_char('{')?;
                separated(f, labels, |f, label| f.write_str(label))?;
                f.write_char('}')
            }
        }
    }
}

fn case(f: &mut fmt::Formatter<'_>, label: &str, payload: &Payload) -> fmt::Result {
    f.write_str(label)?;
    match payload {
        Some(payload) => write!(f, "({payload})"),
        None => Ok(()),
    }
}
