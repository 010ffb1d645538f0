//! Component value types and function types.

use std::fmt::{self, Write};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

/// A component value type ([Type Definitions]). Clones are cheap: everything compound is shared.
///
/// [Type Definitions]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-definitions
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    /// A Unicode scalar value.
    Char,
    String,
    /// A list whose length is known only at run time.
    List(Arc<Type>),
    /// A list of a length fixed by its type, laid out in place like a tuple.
    FixedLengthList(Arc<FixedLengthListType>),
    Record(Arc<RecordType>),
    Tuple(Arc<[Type]>),
    Variant(Arc<VariantType>),
    Enum(Arc<EnumType>),
    Option(Arc<Type>),
    Result(Arc<ResultType>),
    Flags(Arc<FlagsType>),
    /// A handle whose ownership moves with it.
    Own(ResourceType),
    /// A handle lent for the length of a call.
    Borrow(ResourceType),
    /// The readable end of a stream, whose ownership moves with it.
    Stream(Arc<TransmitType>),
    /// The readable end of a future, likewise.
    Future(Arc<TransmitType>),
    /// An error context.
    ErrorContext,
}

/// `list<element, length>`. A length of zero is not a valid type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FixedLengthListType {
    pub element: Type,
    /// Number of elements, at least 1.
    pub length: u32,
}

/// One field of a record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    pub name: Arc<str>,
    pub ty: Type,
}

/// A record: at least one field, names unique.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RecordType {
    pub fields: Box<[Field]>,
}

/// One case of a variant, with or without a payload.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Case {
    pub name: Arc<str>,
    pub ty: Option<Type>,
}

/// A variant: at least one case, names unique. A case's position is its discriminant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VariantType {
    pub cases: Box<[Case]>,
}

/// An enum: at least one name, all unique. A name's position is its discriminant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EnumType {
    pub names: Box<[Arc<str>]>,
}

/// Flags: 1 to 32 labels, all unique. A label's position is its bit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FlagsType {
    pub names: Box<[Arc<str>]>,
}

/// `result<ok, err>`, either payload optional.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ResultType {
    pub ok: Option<Type>,
    pub err: Option<Type>,
}

/// The identity of a resource type. The embedder defines the meaning of the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourceType(pub u32);

/// The type of a stream or future: as the embedder numbers it, and its element.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TransmitType {
    /// The embedder's number for a component instance's view of the type. Types of one element can have several.
    pub table: u32,
    /// The type of each element of a stream, or of the one value of a future.
    pub payload: Option<Type>,
}

impl TransmitType {
    /// Returns the type of the elements, or `None` for elements without a value.
    pub fn ty(&self) -> Option<Type> {
        self.payload.clone()
    }
}

/// A component function type: named parameters and at most one result.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FuncType {
    pub params: Box<[(Arc<str>, Type)]>,
    pub result: Option<Type>,
}

/// Formats a type like WIT, for messages.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::S8 => f.write_str("s8"),
            Type::U8 => f.write_str("u8"),
            Type::S16 => f.write_str("s16"),
            Type::U16 => f.write_str("u16"),
            Type::S32 => f.write_str("s32"),
            Type::U32 => f.write_str("u32"),
            Type::S64 => f.write_str("s64"),
            Type::U64 => f.write_str("u64"),
            Type::Float32 => f.write_str("f32"),
            Type::Float64 => f.write_str("f64"),
            Type::Char => f.write_str("char"),
            Type::String => f.write_str("string"),
            Type::List(element) => write!(f, "list<{element}>"),
            Type::FixedLengthList(list) => write!(f, "list<{}, {}>", list.element, list.length),
            Type::Record(record) => braced(f, "record", &record.fields, |f, field| {
                write!(f, "{}: {}", field.name, field.ty)
            }),
            Type::Tuple(types) => {
                f.write_str("tuple<")?;
                separated(f, types, |f, ty| write!(f, "{ty}"))?;
                f.write_char('>')
            }
            Type::Variant(variant) => braced(f, "variant", &variant.cases, |f, case| match &case.ty {
                Some(ty) => write!(f, "{}({ty})", case.name),
                None => f.write_str(&case.name),
            }),
            Type::Enum(names) => braced(f, "enum", &names.names, |f, name| f.write_str(name)),
            Type::Option(payload) => write!(f, "option<{payload}>"),
            Type::Result(result) => match (&result.ok, &result.err) {
                (Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
                (Some(ok), None) => write!(f, "result<{ok}>"),
                (None, Some(err)) => write!(f, "result<_, {err}>"),
                (None, None) => f.write_str("result"),
            },
            Type::Flags(names) => braced(f, "flags", &names.names, |f, name| f.write_str(name)),
            Type::Own(resource) => write!(f, "own<resource {}>", resource.0),
            Type::Borrow(resource) => write!(f, "borrow<resource {}>", resource.0),
            Type::Stream(stream) => transmit(f, "stream", stream),
            Type::Future(future) => transmit(f, "future", future),
            Type::ErrorContext => f.write_str("error-context"),
        }
    }
}

/// Identifies a compound type while it lives, by its kind and the address of its parts. Clones have the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TypeAddress(Discriminant<Type>, usize);

impl Type {
    /// Returns the address of a compound type. Code that walks a type uses it to visit shared parts once: their paths
    /// can be exponentially many.
    pub fn address(&self) -> Option<TypeAddress> {
        let address = match self {
            Type::List(part) | Type::Option(part) => Arc::as_ptr(part).addr(),
            Type::FixedLengthList(part) => Arc::as_ptr(part).addr(),
            Type::Record(part) => Arc::as_ptr(part).addr(),
            Type::Tuple(part) => Arc::as_ptr(part).addr(),
            Type::Variant(part) => Arc::as_ptr(part).addr(),
            Type::Enum(part) => Arc::as_ptr(part).addr(),
            Type::Result(part) => Arc::as_ptr(part).addr(),
            Type::Flags(part) => Arc::as_ptr(part).addr(),
            Type::Stream(part) | Type::Future(part) => Arc::as_ptr(part).addr(),
            _ => return None,
        };
        Some(TypeAddress(discriminant(self), address))
    }

    /// Formats the type, cut to a length fit for a message: a type that shares its parts can have a text exponentially
    /// longer than itself.
    pub(crate) fn summary(&self) -> String {
        let mut text = Summary { text: String::new() };
        if write!(text, "{self}").is_err() {
            text.text.push('…');
        }
        text.text
    }
}

/// A writer that refuses more than [`Summary::MAX_BYTES`].
struct Summary {
    text: String,
}

impl Summary {
    const MAX_BYTES: usize = 160;
}

impl Write for Summary {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        if self.text.len() + s.len() > Self::MAX_BYTES {
            return Err(fmt::Error);
        }
        self.text.push_str(s);
        Ok(())
    }
}

fn transmit(f: &mut fmt::Formatter<'_>, keyword: &str, ty: &TransmitType) -> fmt::Result {
    match &ty.payload {
        Some(payload) => write!(f, "{keyword}<{payload}>"),
        None => f.write_str(keyword),
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut each: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        each(f, item)?;
    }
    Ok(())
}

fn braced<T>(
    f: &mut fmt::Formatter<'_>,
    keyword: &str,
    items: &[T],
    each: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{keyword} {{ ")?;
    separated(f, items, each)?;
    f.write_str(" }")
}
