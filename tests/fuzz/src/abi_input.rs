//! Types, values and core values from an input. An input that has come to its end gives zeros.

use std::sync::Arc;

use airssys_wasm_abi::{
    Case, CoreType, CoreValue, EnumType, Field, FixedLengthListType, FlagsType, FuncType, RecordType,
    ResourceType, ResultType, StringEncoding, Type, VariantType,
};
use arbitrary::{Arbitrary, Unstructured};

pub(crate) type Val = airssys_wasm_abi::Val<u32>;

/// Parts that a function type may have, and values.
const MAX_PARTS: u32 = 200;

pub(crate) struct Input<'a> {
    bytes: Unstructured<'a>,
    parts: u32,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input {
            bytes: Unstructured::new(bytes),
            parts: 0,
        }
    }

    /// The rest.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.bytes.take_rest()
    }

    fn any<T: Arbitrary<'a> + Default>(&mut self) -> T {
        T::arbitrary(&mut self.bytes).unwrap_or_default()
    }

    /// One byte's worth of choice.
    pub(crate) fn below(&mut self, bound: u8) -> u8 {
        self.any::<u8>() % bound.max(1)
    }

    pub(crate) fn encoding(&mut self) -> StringEncoding {
        match self.below(3) {
            0 => StringEncoding::Utf8,
            1 => StringEncoding::Utf16,
            _ => StringEncoding::CompactUtf16,
        }
    }

    /// A number that is small as a rule, as pointers, lengths and discriminants that are good are.
    pub(crate) fn word(&mut self) -> u32 {
        match self.below(4) {
            0 => self.any(),
            1 => u32::from(self.any::<u16>()),
            _ => u32::from(self.any::<u8>()),
        }
    }

    pub(crate) fn core_values(&mut self, types: &[CoreType]) -> Vec<CoreValue> {
        let value = |ty: &CoreType| match ty {
            CoreType::I64 | CoreType::F64 if self.below(2) == 0 => CoreValue::from_bits(*ty, self.any()),
            _ => CoreValue::from_bits(*ty, self.word().into()),
        };
        types.iter().map(value).collect()
    }

    pub(crate) fn function(&mut self) -> FuncType {
        let count = if self.below(4) == 0 {
            self.below(20)
        } else {
            self.below(3)
        };
        let params = (0..count).map(|n| (name("p", n.into()), self.ty())).collect();
        let result = (self.below(4) > 0).then(|| self.ty());
        self.parts = 0;
        FuncType { params, result }
    }

    fn types(&mut self) -> Vec<Type> {
        (0..self.below(6)).map(|_| self.ty()).collect()
    }

    fn maybe(&mut self) -> Option<Type> {
        (self.below(4) > 0).then(|| self.ty())
    }

    fn labels(&mut self) -> Box<[Arc<str>]> {
        let count = match self.below(8) {
            0 => 250 + u32::from(self.below(10)),
            1 => 30 + u32::from(self.below(5)),
            _ => u32::from(self.below(9)),
        };
        (0..count).map(|n| name("n", n)).collect()
    }

    pub(crate) fn ty(&mut self) -> Type {
        self.parts += 1;
        let kinds = if self.parts > MAX_PARTS { 16 } else { 32 };
        match self.below(kinds) {
            0 => Type::Bool,
            1 => Type::S8,
            2 => Type::U8,
            3 => Type::S16,
            4 => Type::U16,
            5 => Type::S32,
            6 => Type::U32,
            7 => Type::S64,
            8 => Type::U64,
            9 => Type::Float32,
            10 => Type::Float64,
            11 => Type::Char,
            12 => Type::Own(ResourceType(self.below(2).into())),
            13 => Type::Borrow(ResourceType(self.below(2).into())),
            14 | 16 | 17 => Type::String,
            15 => Type::Flags(Arc::new(FlagsType { names: self.labels() })),
            18 => Type::Enum(Arc::new(EnumType { names: self.labels() })),
            19 => Type::List(Arc::new(Type::U8)),
            20 | 21 => Type::List(Arc::new(self.ty())),
            22 => {
                let length = self.word();
                let element = self.ty();
                Type::FixedLengthList(Arc::new(FixedLengthListType { element, length }))
            }
            23 | 24 => Type::Tuple(self.types().into()),
            25 => {
                let fields = self.types().into_iter().zip(0..);
                let fields = fields.map(|(ty, n)| Field {
                    name: name("f", n),
                    ty,
                });
                Type::Record(Arc::new(RecordType {
                    fields: fields.collect(),
                }))
            }
            26 | 27 => {
                let names = self.labels();
                let cases = names.iter().enumerate();
                let cases = cases.map(|(n, name)| Case {
                    name: Arc::clone(name),
                    ty: if n < 8 { self.maybe() } else { None },
                });
                Type::Variant(Arc::new(VariantType {
                    cases: cases.collect(),
                }))
            }
            28 | 29 => Type::Option(Arc::new(self.ty())),
            _ => {
                let (ok, err) = (self.maybe(), self.maybe());
                Type::Result(Arc::new(ResultType { ok, err }))
            }
        }
    }

    /// A value of a type; now and then one of another.
    pub(crate) fn val(&mut self, ty: &Type) -> Val {
        self.parts += 1;
        if self.parts > MAX_PARTS || self.below(64) == 63 {
            return match self.below(4) {
                0 => Val::Bool(true),
                1 => Val::Flags(vec![name("n", 0), name("n", 0), name("x", 0)]),
                2 => Val::Tuple(Vec::new()),
                _ => Val::Variant(name("n", 1), None),
            };
        }
        match ty {
            Type::Bool => Val::Bool(self.any()),
            Type::S8 => Val::S8(self.any()),
            Type::U8 => Val::U8(self.any()),
            Type::S16 => Val::S16(self.any()),
            Type::U16 => Val::U16(self.any()),
            Type::S32 => Val::S32(self.any()),
            Type::U32 => Val::U32(self.any()),
            Type::S64 => Val::S64(self.any()),
            Type::U64 => Val::U64(self.any()),
            Type::Float32 => Val::Float32(f32::from_bits(self.any())),
            Type::Float64 => Val::Float64(f64::from_bits(self.any())),
            Type::Char => Val::Char(self.any()),
            Type::String => Val::String(self.any()),
            Type::List(element) if **element == Type::U8 && self.below(2) == 0 => Val::Bytes(self.any()),
            Type::List(element) => {
                let count = self.below(6);
                Val::List(self.vals(count.into(), element))
            }
            Type::FixedLengthList(list) => Val::FixedLengthList(self.vals(list.length, &list.element)),
            Type::Record(record) => {
                let fields = record.fields.iter();
                let mut fields: Vec<_> = fields
                    .map(|field| (Arc::clone(&field.name), self.val(&field.ty)))
                    .collect();
                if self.below(4) == 0 {
                    fields.reverse();
                }
                Val::Record(fields)
            }
            Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| self.val(ty)).collect()),
            Type::Variant(variant) => {
                let case = &variant.cases[usize::from(self.any::<u8>()) % variant.cases.len()];
                Val::Variant(Arc::clone(&case.name), self.payload(case.ty.as_ref()))
            }
            Type::Enum(names) => {
                let index = usize::from(self.any::<u8>()) % names.names.len();
                Val::Enum(Arc::clone(&names.names[index]))
            }
            Type::Option(payload) => {
                let payload = self.any::<bool>().then_some(&**payload);
                Val::Option(self.payload(payload))
            }
            Type::Result(result) if self.any() => Val::Result(Ok(self.payload(result.ok.as_ref()))),
            Type::Result(result) => Val::Result(Err(self.payload(result.err.as_ref()))),
            Type::Flags(flags) => {
                let bits: u32 = self.any();
                let labels = flags.names.iter().zip(0..);
                let set = labels.filter(|(_, bit)| bits & (1 << bit) != 0);
                Val::Flags(set.map(|(label, _)| Arc::clone(label)).collect())
            }
            Type::Own(_) | Type::Borrow(_) => Val::Resource(self.any()),
            // No such type is made above, and none of them has values.
            Type::Stream(_) | Type::Future(_) | Type::ErrorContext => Val::Tuple(Vec::new()),
        }
    }

    fn vals(&mut self, count: u32, ty: &Type) -> Vec<Val> {
        (0..count.min(MAX_PARTS)).map(|_| self.val(ty)).collect()
    }

    fn payload(&mut self, ty: Option<&Type>) -> Option<Box<Val>> {
        ty.map(|ty| Box::new(self.val(ty)))
    }
}

fn name(prefix: &str, number: u32) -> Arc<str> {
    format!("{prefix}{number}").into()
}
