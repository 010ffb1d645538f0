//! Conversion of values in scripts.

use std::sync::Arc;

use wast::component::WastVal;
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

use super::expect::Expected;
use airssys_wasm_component::component::Val;

/// Name of a kind of value that scripts can write, and this runner cannot read.
pub(super) type Unreadable = String;

pub(super) fn argument(argument: &WastArg<'_>) -> Result<Val, Unreadable> {
    match argument {
        WastArg::Component(value) => self::value(value),
        // The two kinds that are written as in core WebAssembly.
        WastArg::Core(WastArgCore::F32(value)) => Ok(Val::Float32(f32::from_bits(value.bits))),
        WastArg::Core(WastArgCore::F64(value)) => Ok(Val::Float64(f64::from_bits(value.bits))),
        other => Err(format!(
            "the core value {other:?} as an argument of a component's function"
        )),
    }
}

pub(super) fn result(result: &WastRet<'_>) -> Result<Expected, Unreadable> {
    Ok(match result {
        WastRet::Component(value) => Expected::Value(self::value(value)?),
        WastRet::Core(WastRetCore::F32(pattern)) => match pattern {
            NanPattern::CanonicalNan => Expected::CanonicalNan,
            NanPattern::ArithmeticNan => Expected::ArithmeticNan,
            NanPattern::Value(value) => Expected::Value(Val::Float32(f32::from_bits(value.bits))),
        },
        WastRet::Core(WastRetCore::F64(pattern)) => match pattern {
            NanPattern::CanonicalNan => Expected::CanonicalNan,
            NanPattern::ArithmeticNan => Expected::ArithmeticNan,
            NanPattern::Value(value) => Expected::Value(Val::Float64(f64::from_bits(value.bits))),
        },
        other => {
            return Err(format!(
                "the core value {other:?} as a result of a component's function"
            ));
        }
    })
}

fn value(value: &WastVal<'_>) -> Result<Val, Unreadable> {
    let values = |values: &[WastVal<'_>]| values.iter().map(self::value).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        WastVal::Bool(value) => Val::Bool(*value),
        WastVal::U8(value) => Val::U8(*value),
        WastVal::S8(value) => Val::S8(*value),
        WastVal::U16(value) => Val::U16(*value),
        WastVal::S16(value) => Val::S16(*value),
        WastVal::U32(value) => Val::U32(*value),
        WastVal::S32(value) => Val::S32(*value),
        WastVal::U64(value) => Val::U64(*value),
        WastVal::S64(value) => Val::S64(*value),
        WastVal::F32(value) => Val::Float32(f32::from_bits(value.bits)),
        WastVal::F64(value) => Val::Float64(f64::from_bits(value.bits)),
        WastVal::Char(value) => Val::Char(*value),
        WastVal::String(value) => Val::String((*value).to_owned()),
        WastVal::List(items) => Val::List(values(items)?),
        // In its despecialized form: a list of pairs.
        WastVal::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Ok(Val::Tuple(vec![self::value(key)?, self::value(value)?])));
            Val::List(entries.collect::<Result<_, Unreadable>>()?)
        }
        WastVal::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((Arc::from(*name), self::value(value)?)));
            Val::Record(fields.collect::<Result<_, Unreadable>>()?)
        }
        WastVal::Tuple(items) => Val::Tuple(values(items)?),
        WastVal::Variant(name, value) => Val::Variant(Arc::from(*name), payload(value)?),
        WastVal::Enum(name) => Val::Enum(Arc::from(*name)),
        WastVal::Option(value) => Val::Option(payload(value)?),
        WastVal::Result(Ok(value)) => Val::Result(Ok(payload(value)?)),
        WastVal::Result(Err(value)) => Val::Result(Err(payload(value)?)),
        WastVal::Flags(names) => Val::Flags(names.iter().map(|name| Arc::from(*name)).collect()),
    })
}

fn payload(value: &Option<Box<WastVal<'_>>>) -> Result<Option<Box<Val>>, Unreadable> {
    let value = value.as_deref().map(self::value).transpose()?;
    Ok(value.map(Box::new))
}
