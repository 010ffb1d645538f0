//! Copies between a value's memory and its flat form, as a core module does them (CanonicalABI.md, "Alignment", "Element
//! Size", "Flattening"). Written from the specification, for guests.

use std::fmt::Write;

use crate::differential::abi::{Core, flatten};
use crate::differential::types::{Body, Scalar, Type};

/// Returns a value's size and alignment in memory.
pub(super) fn size_align(ty: &Type) -> (u32, u32) {
    match ty {
        Type::Scalar(scalar) => {
            let size = match scalar {
                Scalar::Bool | Scalar::U8 | Scalar::S8 => 1,
                Scalar::U16 | Scalar::S16 => 2,
                Scalar::U32 | Scalar::S32 | Scalar::F32 | Scalar::Char => 4,
                Scalar::U64 | Scalar::S64 | Scalar::F64 => 8,
            };
            (size, size)
        }
        Type::String | Type::List(_) => (8, 4),
        Type::Fixed(element, length) => {
            let (size, align) = size_align(element);
            (size * length, align)
        }
        Type::Tuple(types) => record(types.iter()),
        Type::Option(payload) => variant(&[None, Some(payload)]),
        Type::Result(ok, err) => variant(&[ok.as_deref(), err.as_deref()]),
        Type::Declared(declared) => match &declared.body {
            Body::Record(fields) => record(fields.iter().map(|(_, ty)| ty)),
            Body::Variant(cases) => variant(&cases.iter().map(|(_, ty)| ty.as_ref()).collect::<Vec<_>>()),
            Body::Enum(labels) => (discriminant(labels.len()), discriminant(labels.len())),
            Body::Flags(labels) => {
                let size = labels.len().div_ceil(8).next_power_of_two() as u32;
                (size, size)
            }
        },
    }
}

/// Returns the size and alignment of values one after the other.
pub(super) fn record<'a>(types: impl Iterator<Item = &'a Type>) -> (u32, u32) {
    let (mut end, mut most) = (0u32, 1);
    for ty in types {
        let (size, align) = size_align(ty);
        end = end.next_multiple_of(align) + size;
        most = most.max(align);
    }
    (end.next_multiple_of(most), most)
}

fn discriminant(cases: usize) -> u32 {
    match cases {
        0..=256 => 1,
        257..=65_536 => 2,
        _ => 4,
    }
}

fn payload_offset(cases: &[Option<&Type>]) -> u32 {
    let aligns = cases.iter().flatten().map(|ty| size_align(ty).1);
    discriminant(cases.len()).next_multiple_of(aligns.max().unwrap_or(1))
}

fn variant(cases: &[Option<&Type>]) -> (u32, u32) {
    let payloads = || cases.iter().flatten().map(|ty| size_align(ty));
    let align = payloads().map(|(_, align)| align).max().unwrap_or(1);
    let align = align.max(discriminant(cases.len()));
    let size = payloads().map(|(size, _)| size).max().unwrap_or(0);
    ((payload_offset(cases) + size).next_multiple_of(align), align)
}

/// Core code that copies between the memory at `$at` and locals.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    /// From memory to the locals.
    pub(super) loads: bool,
    /// The local with the address.
    pub(super) at: &'a str,
    /// The prefix of the locals' names, which end with their positions.
    pub(super) local: &'a str,
    /// The types of the locals.
    pub(super) flat: &'a [Core],
    pub(super) text: String,
}

impl Copy<'_> {
    /// Adds the code for a value at an offset, with its locals from a position on.
    pub(super) fn value(&mut self, ty: &Type, offset: u32, first: usize) {
        match ty {
            Type::Scalar(scalar) => {
                let (access, core) = match scalar {
                    Scalar::Bool | Scalar::U8 => ("8_u", Core::I32),
                    Scalar::S8 => ("8_s", Core::I32),
                    Scalar::U16 => ("16_u", Core::I32),
                    Scalar::S16 => ("16_s", Core::I32),
                    Scalar::U32 | Scalar::S32 | Scalar::Char => ("", Core::I32),
                    Scalar::U64 | Scalar::S64 => ("", Core::I64),
                    Scalar::F32 => ("", Core::F32),
                    Scalar::F64 => ("", Core::F64),
                };
                self.leaf(access, core, offset, first);
            }
            Type::String | Type::List(_) => {
                self.leaf("", Core::I32, offset, first);
                self.leaf("", Core::I32, offset + 4, first + 1);
            }
            Type::Fixed(element, length) => {
                self.record((0..*length).map(|_| &**element), offset, first);
            }
            Type::Tuple(types) => self.record(types.iter(), offset, first),
            Type::Option(payload) => self.variant(&[None, Some(payload)], offset, first),
            Type::Result(ok, err) => self.variant(&[ok.as_deref(), err.as_deref()], offset, first),
            Type::Declared(declared) => match &declared.body {
                Body::Record(fields) => self.record(fields.iter().map(|(_, ty)| ty), offset, first),
                Body::Variant(cases) => {
                    let cases: Vec<_> = cases.iter().map(|(_, ty)| ty.as_ref()).collect();
                    self.variant(&cases, offset, first);
                }
                Body::Enum(_) | Body::Flags(_) => {
                    self.leaf(width(size_align(ty).0), Core::I32, offset, first);
                }
            },
        }
    }

    /// Adds the code for values one after the other.
    pub(super) fn record<'b>(&mut self, types: impl Iterator<Item = &'b Type>, offset: u32, first: usize) {
        let (mut end, mut first) = (offset, first);
        for ty in types {
            let (size, align) = size_align(ty);
            end = end.next_multiple_of(align);
            self.value(ty, end, first);
            end += size;
            let mut flat = Vec::new();
            flatten(ty, &mut flat);
            first += flat.len();
        }
    }

    fn variant(&mut self, cases: &[Option<&Type>], offset: u32, first: usize) {
        self.leaf(width(discriminant(cases.len())), Core::I32, offset, first);
        let payload = offset + payload_offset(cases);
        for (index, case) in cases.iter().enumerate() {
            let Some(case) = case else { continue };
            let case_is = self.own(Core::I32, first);
            let _ = writeln!(self.text, "(if (i32.eq {case_is} (i32.const {index})) (then");
            self.value(case, payload, first + 1);
            self.text.push_str("))\n");
        }
    }

    /// Returns a local's value as a type, of which the local's is the joined one.
    fn own(&self, core: Core, index: usize) -> String {
        let local = format!("(local.get {}{index})", self.local);
        match (self.flat.get(index).copied().unwrap_or(core), core) {
            (Core::I64, Core::I32) => format!("(i32.wrap_i64 {local})"),
            (Core::I32, Core::F32) => format!("(f32.reinterpret_i32 {local})"),
            (Core::I64, Core::F32) => format!("(f32.reinterpret_i32 (i32.wrap_i64 {local}))"),
            (Core::I64, Core::F64) => format!("(f64.reinterpret_i64 {local})"),
            _ => local,
        }
    }

    fn leaf(&mut self, access: &str, core: Core, offset: u32, index: usize) {
        let (at, name) = (self.at, core.name());
        if !self.loads {
            let value = self.own(core, index);
            let access = access.trim_end_matches(['_', 's', 'u']);
            let _ = writeln!(
                self.text,
                "({name}.store{access} offset={offset} (local.get {at}) {value})"
            );
            return;
        }
        let loaded = format!("({name}.load{access} offset={offset} (local.get {at}))");
        let joined = match (core, self.flat.get(index).copied().unwrap_or(core)) {
            (Core::I32, Core::I64) => format!("(i64.extend_i32_u {loaded})"),
            (Core::F32, Core::I32) => format!("(i32.reinterpret_f32 {loaded})"),
            (Core::F32, Core::I64) => format!("(i64.extend_i32_u (i32.reinterpret_f32 {loaded}))"),
            (Core::F64, Core::I64) => format!("(i64.reinterpret_f64 {loaded})"),
            _ => loaded,
        };
        let _ = writeln!(self.text, "(local.set {}{index} {joined})", self.local);
    }
}

/// Returns the access to so many bytes.
fn width(bytes: u32) -> &'static str {
    match bytes {
        1 => "8_u",
        2 => "16_u",
        _ => "",
    }
}
