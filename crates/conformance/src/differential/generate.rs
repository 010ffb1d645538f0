//! Random types.

use std::sync::Arc;

use super::abi::size_bound;
use super::random::Random;
use super::types::{Batch, Body, Declared, Label, Scalar, Type};

/// Most levels of type constructors.
pub const MAX_DEPTH: usize = 5;
/// Largest size of one value in memory, in bytes.
const MAX_SIZE: usize = 4096;

/// Limits of the generated types.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most members of a tuple.
    pub tuple: usize,
    /// Most parameters of a function.
    pub params: usize,
}

/// The limits of the component model.
pub const ANY: Limits = Limits {
    tuple: 20,
    params: 24,
};

/// The limits of types with a Rust equivalent, with one parameter a function.
pub const RUST: Limits = Limits { tuple: 12, params: 1 };

/// Generates the types of a component with the given number of functions.
pub fn batch(random: &mut Random, limits: Limits, functions: usize) -> Batch {
    let mut types = Types {
        random,
        limits,
        batch: Batch::default(),
    };
    for _ in 0..functions {
        let params = types.params();
        types.batch.functions.push(params);
    }
    types.batch
}

struct Types<'a> {
    random: &'a mut Random,
    limits: Limits,
    batch: Batch,
}

impl Types<'_> {
    fn params(&mut self) -> Vec<Type> {
        let count = match self.random.below(16) {
            _ if self.limits.params == 1 => 1,
            0 => 1 + self.random.below(self.limits.params),
            1..4 => 2 + self.random.below(3),
            _ => 1,
        };
        let deepest = if count == 1 { MAX_DEPTH } else { 2 };
        (0..count)
            .map(|_| {
                let depth = self.random.pick([0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5]);
                self.ty(depth.min(deepest))
            })
            .collect()
    }

    /// Generates a type of at most `depth` levels.
    fn ty(&mut self, depth: usize) -> Type {
        let kinds = if depth == 0 { 6 } else { 34 };
        let ty = match self.random.below(kinds) {
            0..4 => self.scalar(),
            4 | 5 => Type::String,
            6 => Type::List(Box::new(Type::Scalar(Scalar::U8))),
            7..11 => Type::List(Box::new(self.ty(depth - 1))),
            11 | 12 => {
                let length = if self.random.once_in(6) {
                    5 + self.random.below(40)
                } else {
                    1 + self.random.below(4)
                };
                Type::Fixed(Box::new(self.ty(depth - 1)), length as u32)
            }
            13..16 => {
                let count = self.members(self.limits.tuple);
                Type::Tuple((0..count).map(|_| self.ty(depth - 1)).collect())
            }
            16..19 => Type::Option(Box::new(self.ty(depth - 1))),
            19..22 => {
                let mut payload = || (!self.random.once_in(4)).then(|| Box::new(self.ty(depth - 1)));
                Type::Result(payload(), payload())
            }
            22..25 => {
                let count = self.members(20);
                let fields = self.labels(count).into_iter();
                let fields = fields.map(|label| (label, self.ty(depth - 1))).collect();
                self.declare(Body::Record(fields))
            }
            25..28 => self.variant(depth),
            28 => {
                let count = self.cases();
                let labels = self.labels(count);
                self.declare(Body::Enum(labels))
            }
            29 | 30 => {
                let count = match self.random.below(3) {
                    0 => 1 + self.random.below(32),
                    _ => self.random.pick([1, 2, 7, 8, 9, 15, 16, 17, 31, 32]),
                };
                let labels = self.labels(count);
                self.declare(Body::Flags(labels))
            }
            _ => self.declared(depth),
        };
        if size_bound(&ty) > MAX_SIZE {
            return self.scalar();
        }
        ty
    }

    fn scalar(&mut self) -> Type {
        Type::Scalar(self.random.pick(Scalar::ALL))
    }

    fn variant(&mut self, depth: usize) -> Type {
        let count = self.cases();
        let mut cases = Vec::new();
        for (index, label) in self.labels(count).into_iter().enumerate() {
            // Of many cases, only the last few have payloads, so that large discriminants occur with payloads.
            let payload = count - index <= 5 && !self.random.once_in(4);
            cases.push((label, payload.then(|| self.ty(depth - 1))));
        }
        self.declare(Body::Variant(cases))
    }

    /// Picks a number of members: few, or sometimes more than the number of flat values.
    fn members(&mut self, most: usize) -> usize {
        match self.random.below(8) {
            0 => 6 + self.random.below(most.saturating_sub(5)),
            _ => 1 + self.random.below(5),
        }
    }

    /// Picks a number of cases: few, or sometimes about as many as an 8-bit discriminant can distinguish.
    fn cases(&mut self) -> usize {
        match self.random.below(12) {
            0 => self.random.pick([255, 256, 257, 300]),
            _ => 1 + self.random.below(6),
        }
    }

    /// Generates distinct labels: keywords, several words, acronyms and digits among them.
    fn labels(&mut self, count: usize) -> Vec<Label> {
        const WORDS: [&str; 12] = [
            "a",
            "two-words",
            "type",
            "self",
            "HTTP-code",
            "x86",
            "none",
            "ok",
            "error",
            "value",
            "f64",
            "a-B-c3",
        ];
        let first = self.random.below(WORDS.len());
        let label = |index: usize| match WORDS.get((first + index) % WORDS.len()) {
            Some(word) if index < WORDS.len() => Label::from(*word),
            _ => Label::from(format!("c{index}")),
        };
        (0..count).map(label).collect()
    }

    fn declare(&mut self, body: Body) -> Type {
        let name = format!("d{}", self.batch.declared.len());
        let declared = Arc::new(Declared { name, body });
        let ty = Type::Declared(Arc::clone(&declared));
        // Types that are too large are dropped.
        if size_bound(&ty) <= MAX_SIZE {
            self.batch.declared.push(declared);
        }
        ty
    }

    /// Picks a type that has been declared before.
    fn declared(&mut self, depth: usize) -> Type {
        let types = self
            .batch
            .declared
            .iter()
            .map(|declared| Type::Declared(Arc::clone(declared)));
        let mut fitting: Vec<Type> = types.filter(|ty| ty.depth() <= depth).collect();
        if fitting.is_empty() {
            return self.scalar();
        }
        fitting.swap_remove(self.random.below(fitting.len()))
    }
}
