//! Printer of component values as WAVE text.

use std::borrow::Cow;

use crate::component::Val;
use wasm_wave::wasm::{WasmTypeKind, WasmValue};
use wasm_wave::writer::WriterError;

use super::types::WaveType;
use crate::panics::contain;

/// Prints the value as WAVE text, on one line.
///
/// # Errors
/// [`WriterError::UnsupportedType`] if it holds a handle; [`WriterError::Io`] if the writer panics.
pub fn to_text(value: &Val) -> Result<String, WriterError> {
    contain("the writer of WAVE", || wasm_wave::to_string(&Shown::Val(value)))
        .unwrap_or(Err(WriterError::Io(std::fmt::Error)))
}

/// A value to print.
#[derive(Clone, Debug)]
enum Shown<'a> {
    Val(&'a Val),
    /// An element of `Val::Bytes`, which holds no value for each element.
    Byte(u8),
}

type Items<'s, T> = Box<dyn Iterator<Item = T> + 's>;

impl<'a> Shown<'a> {
    fn val(&self) -> Option<&'a Val> {
        match *self {
            Shown::Val(val) => Some(val),
            Shown::Byte(_) => None,
        }
    }
}

fn shown<'s, 'a>(val: &'a Val) -> Cow<'s, Shown<'a>> {
    Cow::Owned(Shown::Val(val))
}

fn payload<'s, 'a>(payload: &'a Option<Box<Val>>) -> Option<Cow<'s, Shown<'a>>> {
    payload.as_deref().map(shown)
}

/// Accessors of scalars. The writer calls the one for the value's kind only, so the others may return a default.
macro_rules! scalars {
    ($($name:ident: $case:ident -> $ty:ty;)*) => {
        $(fn $name(&self) -> $ty {
            match self.val() {
                Some(Val::$case(value)) => *value,
                _ => <$ty>::default(),
            }
        })*
    };
}

impl WasmValue for Shown<'_> {
    type Type = WaveType;

    fn kind(&self) -> WasmTypeKind {
        let Some(val) = self.val() else {
            return WasmTypeKind::U8;
        };
        match val {
            Val::Bool(_) => WasmTypeKind::Bool,
            Val::S8(_) => WasmTypeKind::S8,
            Val::U8(_) => WasmTypeKind::U8,
            Val::S16(_) => WasmTypeKind::S16,
            Val::U16(_) => WasmTypeKind::U16,
            Val::S32(_) => WasmTypeKind::S32,
            Val::U32(_) => WasmTypeKind::U32,
            Val::S64(_) => WasmTypeKind::S64,
            Val::U64(_) => WasmTypeKind::U64,
            Val::Float32(_) => WasmTypeKind::F32,
            Val::Float64(_) => WasmTypeKind::F64,
            Val::Char(_) => WasmTypeKind::Char,
            Val::String(_) => WasmTypeKind::String,
            Val::Bytes(_) | Val::List(_) | Val::FixedLengthList(_) => WasmTypeKind::List,
            Val::Record(_) => WasmTypeKind::Record,
            Val::Tuple(_) => WasmTypeKind::Tuple,
            Val::Variant(..) => WasmTypeKind::Variant,
            Val::Enum(_) => WasmTypeKind::Enum,
            Val::Option(_) => WasmTypeKind::Option,
            Val::Result(_) => WasmTypeKind::Result,
            Val::Flags(_) => WasmTypeKind::Flags,
            Val::Resource(_) | Val::Stream(_) | Val::Future(_) => WasmTypeKind::Unsupported,
        }
    }

    scalars! {
        unwrap_bool: Bool -> bool;
        unwrap_s8: S8 -> i8;
        unwrap_s16: S16 -> i16;
        unwrap_s32: S32 -> i32;
        unwrap_s64: S64 -> i64;
        unwrap_u16: U16 -> u16;
        unwrap_u32: U32 -> u32;
        unwrap_u64: U64 -> u64;
        unwrap_f32: Float32 -> f32;
        unwrap_f64: Float64 -> f64;
        unwrap_char: Char -> char;
    }

    fn unwrap_u8(&self) -> u8 {
        match *self {
            Shown::Byte(byte) | Shown::Val(&Val::U8(byte)) => byte,
            Shown::Val(_) => 0,
        }
    }

    fn unwrap_string(&self) -> Cow<'_, str> {
        match self.val() {
            Some(Val::String(text)) => Cow::Borrowed(text),
            _ => Cow::Borrowed(""),
        }
    }

    fn unwrap_list(&self) -> Items<'_, Cow<'_, Self>> {
        match self.val() {
            Some(Val::Bytes(bytes)) => Box::new(bytes.iter().map(|byte| Cow::Owned(Shown::Byte(*byte)))),
            Some(Val::List(items) | Val::FixedLengthList(items)) => Box::new(items.iter().map(shown)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_record(&self) -> Items<'_, (Cow<'_, str>, Cow<'_, Self>)> {
        match self.val() {
            Some(Val::Record(fields)) => Box::new(
                fields
                    .iter()
                    .map(|(name, value)| (Cow::Borrowed(&**name), shown(value))),
            ),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_tuple(&self) -> Items<'_, Cow<'_, Self>> {
        match self.val() {
            Some(Val::Tuple(items)) => Box::new(items.iter().map(shown)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_variant(&self) -> (Cow<'_, str>, Option<Cow<'_, Self>>) {
        match self.val() {
            Some(Val::Variant(case, value)) => (Cow::Borrowed(case), payload(value)),
            _ => (Cow::Borrowed(""), None),
        }
    }

    fn unwrap_enum(&self) -> Cow<'_, str> {
        match self.val() {
            Some(Val::Enum(case)) => Cow::Borrowed(case),
            _ => Cow::Borrowed(""),
        }
    }

    fn unwrap_option(&self) -> Option<Cow<'_, Self>> {
        match self.val() {
            Some(Val::Option(value)) => payload(value),
            _ => None,
        }
    }

    fn unwrap_result(&self) -> Result<Option<Cow<'_, Self>>, Option<Cow<'_, Self>>> {
        match self.val() {
            Some(Val::Result(result)) => result.as_ref().map(payload).map_err(payload),
            _ => Err(None),
        }
    }

    fn unwrap_flags(&self) -> Items<'_, Cow<'_, str>> {
        match self.val() {
            Some(Val::Flags(names)) => Box::new(names.iter().map(|name| Cow::Borrowed(&**name))),
            _ => Box::new(std::iter::empty()),
        }
    }
}
