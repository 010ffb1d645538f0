//! Values and bytes from a seed.

use std::sync::Arc;

use airssys_wasm::component::{Type, Val};

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

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn char(&mut self) -> char {
        let bound = *self.pick(&[0x80, 0x100, 0x1_0000, 0x11_0000]);
        char::from_u32(self.below(bound) as u32).unwrap_or('\u{e000}')
    }

    /// Returns a value of a type.
    pub(crate) fn val(&mut self, ty: &Type) -> Val {
        let bits = self.next();
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
            Type::Char => Val::Char(self.char()),
            Type::String => Val::String((0..self.below(6)).map(|_| self.char()).collect()),
            Type::List(element) if **element == Type::U8 => {
                Val::Bytes((0..self.below(6)).map(|_| self.byte()).collect())
            }
            Type::List(element) => Val::List((0..self.below(4)).map(|_| self.val(element)).collect()),
            Type::FixedLengthList(list) => {
                Val::FixedLengthList((0..list.length).map(|_| self.val(&list.element)).collect())
            }
            Type::Record(record) => {
                let fields = record.fields.iter();
                Val::Record(
                    fields
                        .map(|field| (Arc::clone(&field.name), self.val(&field.ty)))
                        .collect(),
                )
            }
            Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| self.val(ty)).collect()),
            Type::Variant(variant) => {
                let case = self.pick(&variant.cases);
                Val::Variant(Arc::clone(&case.name), self.payload(case.ty.as_ref()))
            }
            Type::Enum(names) => Val::Enum(Arc::clone(self.pick(&names.names))),
            Type::Option(payload) => Val::Option((bits & 1 == 1).then(|| Box::new(self.val(payload)))),
            Type::Result(result) if bits & 1 == 1 => Val::Result(Ok(self.payload(result.ok.as_ref()))),
            Type::Result(result) => Val::Result(Err(self.payload(result.err.as_ref()))),
            Type::Flags(flags) => {
                let labels = flags.names.iter().filter(|_| self.below(2) == 1);
                Val::Flags(labels.map(Arc::clone).collect())
            }
            Type::Own(_) | Type::Borrow(_) => panic!("resources have tests of their own"),
            Type::Stream(_) | Type::Future(_) | Type::ErrorContext => panic!("they have no values"),
        }
    }

    fn payload(&mut self, ty: Option<&Type>) -> Option<Box<Val>> {
        ty.map(|ty| Box::new(self.val(ty)))
    }

    /// Changes some bytes of an image: mostly of the value that begins at `first`, else of the used part, which differs
    /// from `unused`. Small numbers, steps of one and extremes lead to discriminants, lengths and pointers that are almost
    /// valid.
    pub(crate) fn mutate(&mut self, image: &mut [u8], unused: u8, first: usize) {
        let used: Vec<usize> = (0..image.len()).filter(|at| image[*at] != unused).collect();
        for _ in 0..=self.below(4) {
            let at = match self.below(4) {
                0 if !used.is_empty() => *self.pick(&used),
                1 => first,
                _ => first + self.below(32),
            };
            if self.below(3) == 0 {
                let word = &mut image[at & !3..][..4];
                let hostile = [
                    0xd800,
                    0xdfff,
                    0x11_0000,
                    u32::MAX,
                    1 << 31,
                    (1 << 28) + 1,
                    0xfffc,
                    0x1101,
                ];
                word.copy_from_slice(&self.pick(&hostile).to_le_bytes());
                continue;
            }
            let old = image[at];
            image[at] = match self.below(8) {
                0 => self.byte(),
                1 => old.wrapping_add(1),
                2 => old.wrapping_sub(1),
                3 => 0xff,
                4 => old ^ (1 << self.below(8)),
                5 => 0,
                _ => self.byte() & 7,
            };
        }
    }

    /// Fills with mostly small bytes: the pointers and discriminants among them are often valid.
    pub(crate) fn small_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = match self.below(16) {
                0 => self.byte(),
                1..=3 => self.byte() & 7,
                _ => 0,
            };
        }
    }
}
