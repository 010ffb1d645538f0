//! Random values of a type, with a bias to extremes.

use super::random::Random;
use super::types::{Body, Label, Scalar, Type, is_byte};
use super::values::{Payload, Value};

/// Draws values.
#[derive(Debug)]
pub(crate) struct Draw<'a> {
    random: &'a mut Random,
    /// Remaining list elements, so that lists of lists end.
    left: usize,
}

const CHARS: [char; 15] = [
    '\0',
    '\t',
    '"',
    'A',
    '\u{7f}',
    '\u{80}',
    '\u{ff}',
    '\u{100}',
    '\u{7ff}',
    '\u{800}',
    // The neighbors of the surrogates.
    '\u{d7ff}',
    '\u{e000}',
    '\u{ffff}',
    '\u{1_0000}',
    char::MAX,
];

const F32: [u32; 16] = [
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    // The smallest and largest subnormals, the smallest normal number, the largest number.
    1,
    0x007f_ffff,
    0x0080_0000,
    0x7f7f_ffff,
    // NaNs: the canonical one, the same with a sign, signaling ones, payloads.
    0x7fc0_0000,
    0xffc0_0000,
    0x7f80_0001,
    0xffbf_ffff,
    0x7fde_adbe,
    0xffff_ffff,
];

const F64: [u64; 16] = [
    0,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    1,
    0x000f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x7fef_ffff_ffff_ffff,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0x7ff0_0000_0000_0001,
    0xfff7_ffff_ffff_ffff,
    0x7ffd_eadb_eefd_eadb,
    0xffff_ffff_ffff_ffff,
];

impl<'a> Draw<'a> {
    /// Creates a generator, mostly for small values, sometimes for one of thousands of elements.
    pub(crate) fn new(random: &'a mut Random) -> Draw<'a> {
        let left = match random.below(64) {
            0 => 10_000,
            1..8 => 500,
            _ => 40,
        };
        Draw { random, left }
    }

    pub(crate) fn value(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Scalar(scalar) => self.scalar(*scalar),
            Type::String => Value::String(self.string()),
            Type::List(element) if is_byte(element) => {
                let length = self.length(8);
                Value::Bytes((0..length).map(|_| self.integer() as u8).collect())
            }
            Type::List(element) => {
                let length = self.length(1);
                Value::List((0..length).map(|_| self.value(element)).collect())
            }
            Type::Fixed(element, length) => Value::Fixed((0..*length).map(|_| self.value(element)).collect()),
            Type::Tuple(types) => Value::Tuple(types.iter().map(|ty| self.value(ty)).collect()),
            Type::Option(payload) => {
                let some = !self.random.once_in(3);
                Value::Option(some.then(|| Box::new(self.value(payload))))
            }
            Type::Result(ok, err) => Value::Result(if self.random.once_in(2) {
                Ok(self.payload(ok.as_deref()))
            } else {
                Err(self.payload(err.as_deref()))
            }),
            Type::Declared(declared) => match &declared.body {
                Body::Record(fields) => {
                    let fields = fields.iter();
                    Value::Record(
                        fields
                            .map(|(label, ty)| (label.clone(), self.value(ty)))
                            .collect(),
                    )
                }
                Body::Variant(cases) => {
                    let (label, ty) = &cases[self.case(cases.len())];
                    Value::Variant(label.clone(), self.payload(ty.as_ref()))
                }
                Body::Enum(labels) => Value::Enum(labels[self.case(labels.len())].clone()),
                Body::Flags(labels) => Value::Flags(self.flags(labels)),
            },
        }
    }

    fn payload(&mut self, ty: Option<&Type>) -> Payload {
        ty.map(|ty| Box::new(self.value(ty)))
    }

    fn scalar(&mut self, scalar: Scalar) -> Value {
        let special = self.random.once_in(2);
        match scalar {
            Scalar::Bool => Value::Bool(special),
            Scalar::U8 => Value::U8(self.integer() as u8),
            Scalar::S8 => Value::S8(self.integer() as i8),
            Scalar::U16 => Value::U16(self.integer() as u16),
            Scalar::S16 => Value::S16(self.integer() as i16),
            Scalar::U32 => Value::U32(self.integer() as u32),
            Scalar::S32 => Value::S32(self.integer() as i32),
            Scalar::U64 => Value::U64(self.integer()),
            Scalar::S64 => Value::S64(self.integer() as i64),
            Scalar::F32 if special => Value::F32(self.random.pick(F32)),
            Scalar::F32 => Value::F32(self.random.bits() as u32),
            Scalar::F64 if special => Value::F64(self.random.pick(F64)),
            Scalar::F64 => Value::F64(self.random.bits()),
            Scalar::Char => Value::Char(self.char()),
        }
    }

    /// Returns bits whose low part is, at each width, often an extreme or next to one.
    fn integer(&mut self) -> u64 {
        let bits = self.random.bits();
        let power = 1u64 << self.random.below(64);
        match self.random.below(8) {
            0 => self.random.pick([0, 1, 2, u64::MAX]),
            1 => power,
            2 => power.wrapping_neg(),
            3 => power - 1,
            4 => self.random.pick([
                0x7f,
                0x80,
                0x7fff,
                0x8000,
                0x7fff_ffff,
                0x8000_0000,
                i64::MAX as u64,
                i64::MIN as u64,
            ]),
            _ => bits,
        }
    }

    fn char(&mut self) -> char {
        if self.random.once_in(3) {
            return self.random.pick(CHARS);
        }
        let bound = self.random.pick([0x80, 0x100, 0x800, 0x1_0000, 0x11_0000]);
        self.char_below(bound)
    }

    fn char_below(&mut self, bound: usize) -> char {
        char::from_u32(self.random.below(bound) as u32).unwrap_or('\u{fffd}')
    }

    fn string(&mut self) -> String {
        let length = self.length(4);
        // The character ranges that encodings treat differently, and changes between them late in a string.
        let bound = self.random.pick([0x80, 0x100, 0x800, 0x1_0000, 0x11_0000]);
        let mut string: String = match self.random.below(3) {
            0 => (0..length).map(|_| self.char()).collect(),
            _ => (0..length).map(|_| self.char_below(bound)).collect(),
        };
        if self.random.once_in(3) {
            string.push(self.char());
        }
        string
    }

    /// Returns the length of a list of which `cheap` elements count as one.
    fn length(&mut self, cheap: usize) -> usize {
        let wanted = match self.random.below(32) {
            0..6 => 0,
            6..10 => self.random.below(64),
            10 => self.random.below(10_000),
            _ => 1 + self.random.below(4),
        };
        let length = wanted.min(self.left.saturating_mul(cheap));
        self.left -= length.div_ceil(cheap).min(self.left);
        length
    }

    /// Returns the index of a case: the first, the last, one next to a change of the discriminant's width, or any.
    fn case(&mut self, cases: usize) -> usize {
        let index = match self.random.below(6) {
            0 => 0,
            1 => cases - 1,
            2 => 254 + self.random.below(4),
            3 => cases.saturating_sub(1 + self.random.below(5)),
            _ => self.random.below(cases),
        };
        index.min(cases - 1)
    }

    fn flags(&mut self, labels: &[Label]) -> Vec<Label> {
        let set = match self.random.below(5) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << self.random.below(labels.len()),
            _ => self.random.bits(),
        };
        let labels = labels.iter().enumerate();
        let set = labels.filter(|(index, _)| set >> index & 1 == 1);
        set.map(|(_, label)| label.clone()).collect()
    }
}
