//! Random types and values from a seed.

use std::sync::Arc;

use airssys_wasm_abi::{CoreType, CoreValue, ResourceType, StringEncoding, Type};

use crate::shorthand::{Val, enumeration, fixed, flags, list, name, option, record, result, tuple, variant};

/// A splitmix64 generator.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn encoding(&mut self) -> StringEncoding {
        match self.below(3) {
            0 => StringEncoding::Utf8,
            1 => StringEncoding::Utf16,
            _ => StringEncoding::CompactUtf16,
        }
    }

    /// Returns mostly zeros and small numbers, so that pointers and discriminants among them are often valid.
    pub(crate) fn small_byte(&mut self) -> u8 {
        match self.below(8) {
            0 => (self.next() & 0xff) as u8,
            1..=3 => (self.next() & 7) as u8,
            _ => 0,
        }
    }

    pub(crate) fn core_value(&mut self, ty: CoreType) -> CoreValue {
        let bits = match self.below(4) {
            0 => self.next(),
            1 => self.next() & 0x1f8,
            _ => self.next() & 7,
        };
        let word = (bits & 0xffff_ffff) as u32;
        match ty {
            CoreType::I32 => CoreValue::I32(word.cast_signed()),
            CoreType::I64 => CoreValue::I64(bits.cast_signed()),
            CoreType::F32 => CoreValue::F32(word),
            CoreType::F64 => CoreValue::F64(bits),
        }
    }
}

pub(crate) fn random_type(random: &mut Random, depth: u32) -> Type {
    let kinds = if depth == 0 { 17 } else { 26 };
    let payload =
        |random: &mut Random| (random.below(4) > 0).then(|| random_type(random, depth.saturating_sub(1)));
    match random.below(kinds) {
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
        12 => Type::String,
        13 => Type::Own(ResourceType(1)),
        14 => Type::Borrow(ResourceType(2)),
        15 => flags(1 + random.below(32) as usize),
        16 => {
            let big = random.below(8) == 0;
            enumeration(1 + random.below(if big { 400 } else { 5 }) as usize)
        }
        17 => list(Type::U8),
        18 => list(random_type(random, depth - 1)),
        19 => fixed(random_type(random, depth - 1), 1 + random.below(5) as u32),
        20 | 21 => {
            let types: Vec<Type> = (0..1 + random.below(5))
                .map(|_| random_type(random, depth - 1))
                .collect();
            tuple(&types)
        }
        22 => {
            let names: Vec<String> = (0..1 + random.below(5)).map(|n| format!("field-{n}")).collect();
            let fields: Vec<(&str, Type)> = names
                .iter()
                .map(|name| (name.as_str(), random_type(random, depth - 1)))
                .collect();
            record(&fields)
        }
        23 => {
            let count = if random.below(8) == 0 {
                300
            } else {
                1 + random.below(5)
            };
            let names: Vec<String> = (0..count).map(|n| format!("case-{n}")).collect();
            let cases: Vec<(&str, Option<Type>)> = names
                .iter()
                .enumerate()
                .map(|(n, name)| (name.as_str(), if n < 5 { payload(random) } else { None }))
                .collect();
            variant(&cases)
        }
        24 => option(random_type(random, depth - 1)),
        _ => {
            let ok = payload(random);
            result(ok, payload(random))
        }
    }
}

pub(crate) fn random_val(random: &mut Random, ty: &Type) -> Val {
    let bits = random.next();
    let boxed = |random: &mut Random, ty: &Type| Box::new(random_val(random, ty));
    match ty {
        Type::Bool => Val::Bool(bits & 1 == 1),
        Type::S8 => Val::S8(bits as i8),
        Type::U8 => Val::U8(bits as u8),
        Type::S16 => Val::S16(bits as i16),
        Type::U16 => Val::U16(bits as u16),
        Type::S32 => Val::S32(bits as i32),
        Type::U32 => Val::U32(bits as u32),
        Type::S64 => Val::S64(bits as i64),
        Type::U64 => Val::U64(bits),
        Type::Float32 => Val::Float32(f32::from_bits(bits as u32)),
        Type::Float64 => Val::Float64(f64::from_bits(bits)),
        Type::Char => Val::Char(random_char(random)),
        Type::String => Val::String((0..random.below(6)).map(|_| random_char(random)).collect()),
        Type::List(element) if **element == Type::U8 => {
            Val::Bytes((0..random.below(6)).map(|_| random.next() as u8).collect())
        }
        Type::List(element) => Val::List(
            (0..random.below(4))
                .map(|_| random_val(random, element))
                .collect(),
        ),
        Type::FixedLengthList(list) => Val::FixedLengthList(
            (0..list.length)
                .map(|_| random_val(random, &list.element))
                .collect(),
        ),
        Type::Record(record) => Val::Record(
            record
                .fields
                .iter()
                .map(|field| (Arc::clone(&field.name), random_val(random, &field.ty)))
                .collect(),
        ),
        Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| random_val(random, ty)).collect()),
        Type::Variant(variant) => {
            let case = &variant.cases[random.below(variant.cases.len() as u64) as usize];
            Val::Variant(
                Arc::clone(&case.name),
                case.ty.as_ref().map(|ty| boxed(random, ty)),
            )
        }
        Type::Enum(names) => Val::Enum(Arc::clone(
            &names.names[random.below(names.names.len() as u64) as usize],
        )),
        Type::Option(payload) => Val::Option((bits & 1 == 1).then(|| boxed(random, payload))),
        Type::Result(result) if bits & 1 == 1 => {
            Val::Result(Ok(result.ok.as_ref().map(|ty| boxed(random, ty))))
        }
        Type::Result(result) => Val::Result(Err(result.err.as_ref().map(|ty| boxed(random, ty)))),
        Type::Flags(flags) => Val::Flags(
            flags
                .names
                .iter()
                .filter(|_| random.below(2) == 1)
                .map(|label| name(label))
                .collect(),
        ),
        Type::Own(_) | Type::Borrow(_) => Val::Resource(bits as u32),
        Type::Stream(_) | Type::Future(_) | Type::ErrorContext => panic!("they have no values"),
    }
}

fn random_char(random: &mut Random) -> char {
    let bound = [0x80, 0x100, 0x1_0000, 0x11_0000][random.below(4) as usize];
    char::from_u32(random.below(bound) as u32).unwrap_or('\u{e000}')
}
