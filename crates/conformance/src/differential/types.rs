//! Component value types, and their text in WIT.

use std::fmt::{self, Write};
use std::sync::Arc;

/// The name of a field, case or flag.
pub type Label = Arc<str>;

/// A value type. Records, variants, enums and flags are declared; the others are written inline.
#[derive(Clone, Debug)]
pub enum Type {
    Scalar(Scalar),
    String,
    List(Box<Type>),
    Fixed(Box<Type>, u32),
    Tuple(Vec<Type>),
    Option(Box<Type>),
    Result(Option<Box<Type>>, Option<Box<Type>>),
    Declared(Arc<Declared>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scalar {
    Bool,
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F32,
    F64,
    Char,
}

impl Scalar {
    pub const ALL: [Scalar; 12] = [
        Scalar::Bool,
        Scalar::U8,
        Scalar::S8,
        Scalar::U16,
        Scalar::S16,
        Scalar::U32,
        Scalar::S32,
        Scalar::U64,
        Scalar::S64,
        Scalar::F32,
        Scalar::F64,
        Scalar::Char,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::U8 => "u8",
            Scalar::S8 => "s8",
            Scalar::U16 => "u16",
            Scalar::S16 => "s16",
            Scalar::U32 => "u32",
            Scalar::S32 => "s32",
            Scalar::U64 => "u64",
            Scalar::S64 => "s64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::Char => "char",
        }
    }
}

/// A type with a name.
#[derive(Debug)]
pub struct Declared {
    pub name: String,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    Record(Vec<(Label, Type)>),
    Variant(Vec<(Label, Option<Type>)>),
    Enum(Vec<Label>),
    Flags(Vec<Label>),
}

/// The types of one component: each function takes some parameters and returns them, several as a tuple.
#[derive(Clone, Default, Debug)]
pub struct Batch {
    /// Declared types, in an order in which each uses only earlier ones.
    pub declared: Vec<Arc<Declared>>,
    /// The parameters of each function, at least one.
    pub functions: Vec<Vec<Type>>,
}

impl Batch {
    /// Returns the result type of a function, which holds all its parameters.
    pub fn result(&self, function: usize) -> Type {
        match &self.functions[function][..] {
            [ty] => ty.clone(),
            several => Type::Tuple(several.to_vec()),
        }
    }

    /// Selects the functions at some positions, with the types that they use.
    pub fn select(&self, functions: &[usize]) -> Batch {
        let functions = functions.iter().filter_map(|index| self.functions.get(*index));
        let functions: Vec<Vec<Type>> = functions.cloned().collect();
        let mut needed = Vec::new();
        functions.iter().flatten().for_each(|ty| need(ty, &mut needed));
        let declared = self.declared.iter();
        let declared = declared.filter(|declared| needed.contains(&declared.name.as_str()));
        Batch {
            declared: declared.cloned().collect(),
            functions: functions.clone(),
        }
    }

    /// Returns the declarations that a type needs, one a line.
    pub fn declarations(&self, ty: &Type) -> String {
        let mut needed = Vec::new();
        need(ty, &mut needed);
        let mut text = String::new();
        for declared in &self.declared {
            if needed.contains(&declared.name.as_str()) {
                text.push_str(&declared.to_string());
                text.push('\n');
            }
        }
        text
    }
}

/// Collects the names of the declared types in `ty`.
fn need<'a>(ty: &'a Type, names: &mut Vec<&'a str>) {
    if let Type::Declared(declared) = ty {
        if names.contains(&declared.name.as_str()) {
            return;
        }
        names.push(&declared.name);
    }
    for part in ty.parts() {
        need(part, names);
    }
}

impl Type {
    /// Returns the types that this one contains.
    pub fn parts(&self) -> Vec<&Type> {
        match self {
            Type::Scalar(_) | Type::String => Vec::new(),
            Type::List(part) | Type::Fixed(part, _) | Type::Option(part) => vec![part],
            Type::Tuple(parts) => parts.iter().collect(),
            Type::Result(ok, err) => ok.iter().chain(err).map(|part| &**part).collect(),
            Type::Declared(declared) => match &declared.body {
                Body::Record(fields) => fields.iter().map(|(_, ty)| ty).collect(),
                Body::Variant(cases) => cases.iter().filter_map(|(_, ty)| ty.as_ref()).collect(),
                Body::Enum(_) | Body::Flags(_) => Vec::new(),
            },
        }
    }

    /// Returns the number of constructor levels.
    pub fn depth(&self) -> usize {
        match self {
            Type::Scalar(_) | Type::String => 0,
            _ => 1 + self.parts().iter().map(|part| part.depth()).max().unwrap_or(0),
        }
    }

    /// Returns the constructor's name, for statistics.
    pub fn constructor(&self) -> &'static str {
        match self {
            Type::Scalar(scalar) => scalar.name(),
            Type::String => "string",
            Type::List(element) if is_byte(element) => "list<u8>",
            Type::List(_) => "list",
            Type::Fixed(..) => "fixed-length list",
            Type::Tuple(_) => "tuple",
            Type::Option(_) => "option",
            Type::Result(..) => "result",
            Type::Declared(declared) => match &declared.body {
                Body::Record(_) => "record",
                Body::Variant(_) => "variant",
                Body::Enum(_) => "enum",
                Body::Flags(_) => "flags",
            },
        }
    }
}

/// Reports whether a list of these is a `list<u8>`, for which engines may have a type of its own.
pub fn is_byte(element: &Type) -> bool {
    matches!(element, Type::Scalar(Scalar::U8))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Scalar(scalar) => f.write_str(scalar.name()),
            Type::String => f.write_str("string"),
            Type::List(element) => write!(f, "list<{element}>"),
            Type::Fixed(element, length) => write!(f, "list<{element}, {length}>"),
            Type::Tuple(types) => {
                f.write_str("tuple<")?;
                separated(f, types, |f, ty| write!(f, "{ty}"))?;
                f.write_char('>')
            }
            Type::Option(payload) => write!(f, "option<{payload}>"),
            Type::Result(None, None) => f.write_str("result"),
            Type::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Type::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Type::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Type::Declared(declared) => f.write_str(&declared.name),
        }
    }
}

/// Formats the declaration.
impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.body {
            Body::Record(fields) => {
                write!(f, "record {name} {{ ")?;
                separated(f, fields, |f, (label, ty)| write!(f, "%{label}: {ty}"))?;
            }
            Body::Variant(cases) => {
                write!(f, "variant {name} {{ ")?;
                separated(f, cases, |f, (label, ty)| match ty {
                    Some(ty) => write!(f, "%{label}({ty})"),
                    None => write!(f, "%{label}"),
                })?;
            }
            Body::Enum(labels) => {
                write!(f, "enum {name} {{ ")?;
                separated(f, labels, |f, label| write!(f, "%{label}"))?;
            }
            Body::Flags(labels) => {
                write!(f, "flags {name} {{ ")?;
                separated(f, labels, |f, label| write!(f, "%{label}"))?;
            }
        }
        f.write_str(" }")
    }
}

/// Writes items separated by commas.
pub(super) fn separated<T>(
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
