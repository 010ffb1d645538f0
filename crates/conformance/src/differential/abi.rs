//! The canonical ABI of types as needed by a core module: core signatures, and sizes of results (CanonicalABI.md,
//! "Flattening" and "Element Size"). Written from the specification, for guests; components are valid only if it is right.

use super::types::{Body, Scalar, Type};

/// `MAX_FLAT_PARAMS`.
pub(crate) const MAX_FLAT_PARAMS: usize = 16;

/// A core value type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    pub(crate) const ALL: [Core; 4] = [Core::I32, Core::I64, Core::F32, Core::F64];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Core::I32 => "i32",
            Core::I64 => "i64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }

    /// `join`.
    fn join(self, other: Core) -> Core {
        match (self, other) {
            (a, b) if a == b => a,
            (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
            _ => Core::I64,
        }
    }
}

/// `flatten_type`.
pub(crate) fn flatten(ty: &Type, flat: &mut Vec<Core>) {
    match ty {
        Type::Scalar(scalar) => flat.push(match scalar {
            Scalar::U64 | Scalar::S64 => Core::I64,
            Scalar::F32 => Core::F32,
            Scalar::F64 => Core::F64,
            _ => Core::I32,
        }),
        Type::String | Type::List(_) => flat.extend([Core::I32, Core::I32]),
        Type::Fixed(element, length) => (0..*length).for_each(|_| flatten(element, flat)),
        Type::Tuple(types) => types.iter().for_each(|ty| flatten(ty, flat)),
        Type::Option(payload) => flatten_cases([None, Some(&**payload)], flat),
        Type::Result(ok, err) => flatten_cases([ok.as_deref(), err.as_deref()], flat),
        Type::Declared(declared) => match &declared.body {
            Body::Record(fields) => fields.iter().for_each(|(_, ty)| flatten(ty, flat)),
            Body::Variant(cases) => flatten_cases(cases.iter().map(|(_, ty)| ty.as_ref()), flat),
            Body::Enum(_) | Body::Flags(_) => flat.push(Core::I32),
        },
    }
}

/// `flatten_variant`.
fn flatten_cases<'a>(cases: impl IntoIterator<Item = Option<&'a Type>>, flat: &mut Vec<Core>) {
    let mut joined: Vec<Core> = Vec::new();
    for case in cases.into_iter().flatten() {
        let mut own = Vec::new();
        flatten(case, &mut own);
        for (index, ty) in own.into_iter().enumerate() {
            match joined.get_mut(index) {
                Some(place) => *place = place.join(ty),
                None => joined.push(ty),
            }
        }
    }
    flat.push(Core::I32);
    flat.extend(joined);
}

/// A function's core signature. Lowered and lifted functions differ only in the pointer to a large result: the last
/// parameter of the former, the result of the latter.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) params: Vec<Core>,
    /// `None` for a result in memory.
    pub(crate) result: Option<Core>,
}

impl Signature {
    pub(crate) fn new(params: &[Type], result: &Type) -> Signature {
        let mut flat = Vec::new();
        params.iter().for_each(|ty| flatten(ty, &mut flat));
        if flat.len() > MAX_FLAT_PARAMS {
            flat = vec![Core::I32];
        }
        let mut results = Vec::new();
        flatten(result, &mut results);
        Signature {
            params: flat,
            result: match results[..] {
                [result] => Some(result),
                _ => None,
            },
        }
    }
}

/// Returns an upper bound of a value's size in memory, in bytes.
pub(crate) fn size_bound(ty: &Type) -> usize {
    let sum = |types: &mut dyn Iterator<Item = &Type>| -> usize {
        types.map(|ty| size_bound(ty).next_multiple_of(8)).sum()
    };
    match ty {
        Type::Scalar(_) | Type::String | Type::List(_) => 8,
        Type::Fixed(element, length) => size_bound(element).saturating_mul(*length as usize),
        Type::Tuple(types) => sum(&mut types.iter()),
        Type::Declared(declared) => match &declared.body {
            Body::Record(fields) => sum(&mut fields.iter().map(|(_, ty)| ty)),
            Body::Variant(_) => 8 + ty.parts().into_iter().map(size_bound).max().unwrap_or(0),
            Body::Enum(_) | Body::Flags(_) => 4,
        },
        Type::Option(_) | Type::Result(..) => 8 + ty.parts().into_iter().map(size_bound).max().unwrap_or(0),
    }
}
