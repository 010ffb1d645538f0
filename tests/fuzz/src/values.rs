//! Arguments for functions of any type: always the same ones, so that a change to the input is the only change.

use std::sync::Arc;

use airssys_wasm::component::{ResourceAny, Type, Val};

/// Values that one argument list may have. Stops types whose parts are shared, or lists of fixed, great length.
const MAX_VALUES: usize = 2000;

#[derive(Default)]
pub(crate) struct Values {
    state: u64,
    made: usize,
    /// Results of earlier calls.
    resources: Vec<ResourceAny>,
}

impl Values {
    /// One argument for each type; `None` if they are too large, or need a resource and there is none.
    pub(crate) fn list<'a>(&mut self, types: impl Iterator<Item = &'a Type>) -> Option<Vec<Val>> {
        self.made = 0;
        types.map(|ty| self.val(ty)).collect()
    }

    /// Keeps the resources in a result.
    pub(crate) fn keep(&mut self, val: &Val) {
        match val {
            Val::Resource(resource) => self.resources.push(*resource),
            Val::List(vals) | Val::FixedLengthList(vals) | Val::Tuple(vals) => {
                vals.iter().for_each(|val| self.keep(val));
            }
            Val::Record(fields) => fields.iter().for_each(|(_, val)| self.keep(val)),
            Val::Variant(_, payload) | Val::Option(payload) | Val::Result(Ok(payload) | Err(payload)) => {
                payload.iter().for_each(|val| self.keep(val));
            }
            _ => {}
        }
    }

    pub(crate) fn into_resources(self) -> Vec<ResourceAny> {
        self.resources
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn char(&mut self) -> char {
        let bound = [0x80, 0x100, 0x1_0000, 0x11_0000][self.below(4)];
        char::from_u32(self.below(bound) as u32).unwrap_or('\u{e000}')
    }

    fn vals(&mut self, count: usize, ty: &Type) -> Option<Vec<Val>> {
        (0..count).map(|_| self.val(ty)).collect()
    }

    fn payload(&mut self, ty: Option<&Type>) -> Option<Option<Box<Val>>> {
        match ty {
            Some(ty) => Some(Some(Box::new(self.val(ty)?))),
            None => Some(None),
        }
    }

    fn val(&mut self, ty: &Type) -> Option<Val> {
        self.made += 1;
        if self.made > MAX_VALUES {
            return None;
        }
        let bits = self.next();
        Some(match ty {
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
            Type::Char => Val::Char(self.char()),
            Type::String => Val::String((0..self.below(12)).map(|_| self.char()).collect()),
            Type::List(element) => {
                let count = self.below(4);
                Val::List(self.vals(count, element)?)
            }
            Type::FixedLengthList(list) => {
                let count = usize::try_from(list.length).ok()?;
                Val::FixedLengthList(self.vals(count, &list.element)?)
            }
            Type::Record(record) => {
                let fields = record.fields.iter();
                let fields = fields.map(|field| Some((Arc::clone(&field.name), self.val(&field.ty)?)));
                Val::Record(fields.collect::<Option<_>>()?)
            }
            Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| self.val(ty)).collect::<Option<_>>()?),
            Type::Variant(variant) => {
                let case = &variant.cases[self.below(variant.cases.len())];
                Val::Variant(Arc::clone(&case.name), self.payload(case.ty.as_ref())?)
            }
            Type::Enum(names) => Val::Enum(Arc::clone(&names.names[self.below(names.names.len())])),
            Type::Option(payload) => Val::Option(self.payload((bits & 1 == 1).then_some(payload))?),
            Type::Result(result) if bits & 1 == 1 => Val::Result(Ok(self.payload(result.ok.as_ref())?)),
            Type::Result(result) => Val::Result(Err(self.payload(result.err.as_ref())?)),
            Type::Flags(flags) => {
                let labels = flags.names.iter().filter(|_| self.next() & 1 == 1);
                Val::Flags(labels.map(Arc::clone).collect())
            }
            Type::Stream(_) | Type::Future(_) | Type::ErrorContext => return None,
            Type::Own(_) | Type::Borrow(_) if self.resources.is_empty() => return None,
            Type::Own(_) | Type::Borrow(_) => {
                let index = self.below(self.resources.len());
                Val::Resource(self.resources[index])
            }
        })
    }
}
