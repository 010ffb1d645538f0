//! Parser of WAVE text into component values.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::Arc;

use crate::component::{FuncType, Type, Val};
use wasm_wave::parser::ParserError;
use wasm_wave::untyped::UntypedFuncCall;
use wasm_wave::wasm::{WasmTypeKind, WasmValue, WasmValueError};

use super::types::WaveType;
use crate::panics::contain;

/// Error for text that is not WAVE, or does not fit a function's parameters.
#[derive(Debug)]
pub struct ArgumentError {
    /// Offset of the error in the text, in bytes.
    pub at: usize,
    /// Description of the error.
    pub message: String,
}

/// Parses `(VALUE, …)`, the parentheses included, as arguments of a function.
///
/// # Errors
/// Text that is not WAVE, or values that do not fit the function's type.
pub fn arguments(text: &str, ty: &FuncType) -> Result<Vec<Val>, ArgumentError> {
    // The parser requires a name in front, and rejects some names that component functions may have.
    const NAME: &str = "f";
    let call = format!("{NAME}{text}");
    let explain = |error: ParserError| ArgumentError {
        at: error.span().start.saturating_sub(NAME.len()).min(text.len()),
        message: explain(&error),
    };
    let types: Vec<WaveType> = ty.params.iter().map(|(_, ty)| WaveType(ty.clone())).collect();
    let values = contain("the parser of WAVE", || {
        UntypedFuncCall::parse(&call)?.to_wasm_params::<Parsed>(&types)
    });
    let values = values
        .map_err(|panicked| ArgumentError {
            at: 0,
            message: panicked.to_string(),
        })?
        .map_err(explain)?;
    Ok(values.into_iter().map(|value| value.0).collect())
}

fn explain(error: &ParserError) -> String {
    let kind = error.kind();
    match (error.source(), error.detail()) {
        (Some(source), _) => source.to_string(),
        (None, Some(detail)) => format!("{kind}: {detail}"),
        (None, None) => kind.to_string(),
    }
}

/// A parsed value.
#[derive(Clone, Debug)]
struct Parsed(Val);

fn mismatch(ty: &WaveType) -> WasmValueError {
    WasmValueError::Other(format!("expected {}", ty.0))
}

fn payload(value: Option<Parsed>) -> Option<Box<Val>> {
    value.map(|value| Box::new(value.0))
}

fn pick<'a>(names: &'a [Arc<str>], name: &str) -> Result<&'a Arc<str>, WasmValueError> {
    names
        .iter()
        .find(|other| &***other == name)
        .ok_or_else(|| WasmValueError::UnknownCase(name.to_owned()))
}

impl WasmValue for Parsed {
    type Type = WaveType;

    fn kind(&self) -> WasmTypeKind {
        WasmTypeKind::Unsupported
    }

    fn make_bool(value: bool) -> Parsed {
        Parsed(Val::Bool(value))
    }

    fn make_s8(value: i8) -> Parsed {
        Parsed(Val::S8(value))
    }

    fn make_s16(value: i16) -> Parsed {
        Parsed(Val::S16(value))
    }

    fn make_s32(value: i32) -> Parsed {
        Parsed(Val::S32(value))
    }

    fn make_s64(value: i64) -> Parsed {
        Parsed(Val::S64(value))
    }

    fn make_u8(value: u8) -> Parsed {
        Parsed(Val::U8(value))
    }

    fn make_u16(value: u16) -> Parsed {
        Parsed(Val::U16(value))
    }

    fn make_u32(value: u32) -> Parsed {
        Parsed(Val::U32(value))
    }

    fn make_u64(value: u64) -> Parsed {
        Parsed(Val::U64(value))
    }

    fn make_f32(value: f32) -> Parsed {
        Parsed(Val::Float32(value))
    }

    fn make_f64(value: f64) -> Parsed {
        Parsed(Val::Float64(value))
    }

    fn make_char(value: char) -> Parsed {
        Parsed(Val::Char(value))
    }

    fn make_string(value: Cow<'_, str>) -> Parsed {
        Parsed(Val::String(value.into_owned()))
    }

    fn make_list(ty: &WaveType, values: impl IntoIterator<Item = Parsed>) -> Result<Parsed, WasmValueError> {
        let values: Vec<Val> = values.into_iter().map(|value| value.0).collect();
        match &ty.0 {
            Type::List(_) => Ok(Parsed(Val::List(values))),
            Type::FixedLengthList(list) if usize::try_from(list.length) == Ok(values.len()) => {
                Ok(Parsed(Val::FixedLengthList(values)))
            }
            Type::FixedLengthList(list) => Err(WasmValueError::Other(format!(
                "expected {} elements, got {}",
                list.length,
                values.len()
            ))),
            _ => Err(mismatch(ty)),
        }
    }

    fn make_record<'a>(
        ty: &WaveType,
        fields: impl IntoIterator<Item = (&'a str, Parsed)>,
    ) -> Result<Parsed, WasmValueError> {
        let Type::Record(record) = &ty.0 else {
            return Err(mismatch(ty));
        };
        let fields = fields.into_iter().map(|(name, value)| {
            let field = record.fields.iter().find(|field| &*field.name == name);
            let field = field.ok_or_else(|| WasmValueError::UnknownField(name.to_owned()))?;
            Ok((field.name.clone(), value.0))
        });
        Ok(Parsed(Val::Record(fields.collect::<Result<_, _>>()?)))
    }

    fn make_tuple(_: &WaveType, values: impl IntoIterator<Item = Parsed>) -> Result<Parsed, WasmValueError> {
        Ok(Parsed(Val::Tuple(
            values.into_iter().map(|value| value.0).collect(),
        )))
    }

    fn make_variant(ty: &WaveType, case: &str, value: Option<Parsed>) -> Result<Parsed, WasmValueError> {
        let Type::Variant(variant) = &ty.0 else {
            return Err(mismatch(ty));
        };
        let case = variant
            .cases
            .iter()
            .find(|other| &*other.name == case)
            .ok_or_else(|| WasmValueError::UnknownCase(case.to_owned()))?;
        Ok(Parsed(Val::Variant(case.name.clone(), payload(value))))
    }

    fn make_enum(ty: &WaveType, case: &str) -> Result<Parsed, WasmValueError> {
        let Type::Enum(names) = &ty.0 else {
            return Err(mismatch(ty));
        };
        Ok(Parsed(Val::Enum(pick(&names.names, case)?.clone())))
    }

    fn make_option(_: &WaveType, value: Option<Parsed>) -> Result<Parsed, WasmValueError> {
        Ok(Parsed(Val::Option(payload(value))))
    }

    fn make_result(
        _: &WaveType,
        value: Result<Option<Parsed>, Option<Parsed>>,
    ) -> Result<Parsed, WasmValueError> {
        Ok(Parsed(Val::Result(value.map(payload).map_err(payload))))
    }

    fn make_flags<'a>(
        ty: &WaveType,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Parsed, WasmValueError> {
        let Type::Flags(flags) = &ty.0 else {
            return Err(mismatch(ty));
        };
        let names = names.into_iter().map(|name| pick(&flags.names, name).cloned());
        Ok(Parsed(Val::Flags(names.collect::<Result<_, _>>()?)))
    }
}
