//! Component values of any type.

use std::sync::Arc;

/// The payload of a case, if the case has one.
pub type Payload<R, S = Never, F = Never> = Option<Box<Val<R, S, F>>>;

/// No value: the streams and futures of an embedder that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

/// A component value. `R` is the host's representation of a resource ([`Guest::Resource`](crate::Guest::Resource)), `S` that of a
/// stream's readable end, `F` that of a future's.
///
/// Equality: floats are equal if their bits are or if both are NaN (the ABI does not keep NaN payloads), so `0.0` and
/// `-0.0` differ. [`Bytes`](Val::Bytes) equals a [`List`](Val::List) of the same [`U8`](Val::U8)s. A record's fields
/// and set flags compare in order; lifting gives them in the order of the type.
#[derive(Clone, Debug)]
pub enum Val<R, S = Never, F = Never> {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    Float32(f32),
    Float64(f64),
    Char(char),
    String(String),
    /// The only form of a lifted `list<u8>`. Lowering a `list<u8>` also accepts [`List`](Val::List).
    Bytes(Vec<u8>),
    List(Vec<Val<R, S, F>>),
    FixedLengthList(Vec<Val<R, S, F>>),
    /// Named fields; lowering accepts any order.
    Record(Vec<(Arc<str>, Val<R, S, F>)>),
    Tuple(Vec<Val<R, S, F>>),
    Variant(Arc<str>, Payload<R, S, F>),
    Enum(Arc<str>),
    Option(Payload<R, S, F>),
    Result(Result<Payload<R, S, F>, Payload<R, S, F>>),
    /// The labels that are set.
    Flags(Vec<Arc<str>>),
    /// The resource of an `own` or a `borrow` type.
    Resource(R),
    /// The readable end of a stream.
    Stream(S),
    /// The readable end of a future.
    Future(F),
}

impl<R, S, F> Val<R, S, F> {
    /// Returns the kind of value, in WIT's words, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Val::Bool(_) => "bool",
            Val::S8(_) => "s8",
            Val::U8(_) => "u8",
            Val::S16(_) => "s16",
            Val::U16(_) => "u16",
            Val::S32(_) => "s32",
            Val::U32(_) => "u32",
            Val::S64(_) => "s64",
            Val::U64(_) => "u64",
            Val::Float32(_) => "f32",
            Val::Float64(_) => "f64",
            Val::Char(_) => "char",
            Val::String(_) => "string",
            Val::Bytes(_) => "list<u8>",
            Val::List(_) => "list",
            Val::FixedLengthList(_) => "fixed-length list",
            Val::Record(_) => "record",
            Val::Tuple(_) => "tuple",
            Val::Variant(..) => "variant",
            Val::Enum(_) => "enum",
            Val::Option(_) => "option",
            Val::Result(_) => "result",
            Val::Flags(_) => "flags",
            Val::Resource(_) => "resource",
            Val::Stream(_) => "stream",
            Val::Future(_) => "future",
        }
    }
}

impl<R: PartialEq, S: PartialEq, F: PartialEq> PartialEq for Val<R, S, F> {
    fn eq(&self, other: &Val<R, S, F>) -> bool {
        match (self, other) {
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::S8(a), Val::S8(b)) => a == b,
            (Val::U8(a), Val::U8(b)) => a == b,
            (Val::S16(a), Val::S16(b)) => a == b,
            (Val::U16(a), Val::U16(b)) => a == b,
            (Val::S32(a), Val::S32(b)) => a == b,
            (Val::U32(a), Val::U32(b)) => a == b,
            (Val::S64(a), Val::S64(b)) => a == b,
            (Val::U64(a), Val::U64(b)) => a == b,
            (Val::Float32(a), Val::Float32(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Val::Float64(a), Val::Float64(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Val::Char(a), Val::Char(b)) => a == b,
            (Val::String(a), Val::String(b)) => a == b,
            (Val::Bytes(a), Val::Bytes(b)) => a == b,
            (Val::Bytes(bytes), Val::List(vals)) | (Val::List(vals), Val::Bytes(bytes)) => {
                bytes.len() == vals.len()
                    && bytes
                        .iter()
                        .zip(vals)
                        .all(|(byte, val)| matches!(val, Val::U8(other) if other == byte))
            }
            (Val::List(a), Val::List(b)) => a == b,
            (Val::FixedLengthList(a), Val::FixedLengthList(b)) => a == b,
            (Val::Record(a), Val::Record(b)) => a == b,
            (Val::Tuple(a), Val::Tuple(b)) => a == b,
            (Val::Variant(a, x), Val::Variant(b, y)) => a == b && x == y,
            (Val::Enum(a), Val::Enum(b)) => a == b,
            (Val::Option(a), Val::Option(b)) => a == b,
            (Val::Result(a), Val::Result(b)) => a == b,
            (Val::Flags(a), Val::Flags(b)) => a == b,
            (Val::Resource(a), Val::Resource(b)) => a == b,
            (Val::Stream(a), Val::Stream(b)) => a == b,
            (Val::Future(a), Val::Future(b)) => a == b,
            _ => false,
        }
    }
}
