//! Expected results of scripts, and their check.

use crate::show;
use airssys_wasm_component::component::Val;

/// A result that a script expects.
#[derive(Debug)]
pub(super) enum Expected {
    Value(Val),
    /// `nan:canonical`: the quiet NaN with no other bit of its payload set.
    CanonicalNan,
    /// `nan:arithmetic`: any quiet NaN.
    ArithmeticNan,
}

impl Expected {
    pub(super) fn is_met_by(&self, value: &Val) -> bool {
        const QUIET32: u32 = 0x7fc0_0000;
        const QUIET64: u64 = 0x7ff8_0000_0000_0000;
        match (self, value) {
            (Expected::Value(expected), value) => plain(expected) == plain(value),
            (Expected::CanonicalNan, Val::Float32(value)) => value.to_bits() << 1 == QUIET32 << 1,
            (Expected::CanonicalNan, Val::Float64(value)) => value.to_bits() << 1 == QUIET64 << 1,
            (Expected::ArithmeticNan, Val::Float32(value)) => value.to_bits() & QUIET32 == QUIET32,
            (Expected::ArithmeticNan, Val::Float64(value)) => value.to_bits() & QUIET64 == QUIET64,
            _ => false,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Expected::Value(value) => show(value),
            Expected::CanonicalNan => "nan:canonical".into(),
            Expected::ArithmeticNan => "nan:arithmetic".into(),
        }
    }
}

/// Returns the value with lists in the one form that scripts can write.
fn plain(value: &Val) -> Val {
    let payload = |value: &Option<Box<Val>>| value.as_deref().map(|value| Box::new(plain(value)));
    let items = |values: &[Val]| values.iter().map(plain).collect();
    match value {
        Val::List(values) | Val::FixedLengthList(values) => Val::List(items(values)),
        Val::Tuple(values) => Val::Tuple(items(values)),
        Val::Record(fields) => Val::Record(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
        ),
        Val::Variant(name, value) => Val::Variant(name.clone(), payload(value)),
        Val::Option(value) => Val::Option(payload(value)),
        Val::Result(Ok(value)) => Val::Result(Ok(payload(value))),
        Val::Result(Err(value)) => Val::Result(Err(payload(value))),
        value => value.clone(),
    }
}
