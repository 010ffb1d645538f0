//! Arbitrary bytes: both paths read the same value from them, or refuse them with the same message.

use std::collections::{BTreeMap, BTreeSet};

use crate::equality::echo;
use crate::equality::good::difference;
use crate::equality::guest::{Group, Guest, Kind, Outcome};
use crate::equality::random::Random;
use crate::equality::typed::{Case, Value};
use airssys_wasm::component::Val;

/// Text that identifies each kind of refusal.
pub(crate) const REFUSALS: [&str; 6] = [
    "is out of range: there are",
    "is not a Unicode scalar value",
    "is not valid UTF-",
    "is not aligned to",
    "out of bounds of linear memory",
    "exceeds the maximum",
];

#[derive(Default, Debug)]
pub(crate) struct Counts {
    pub(crate) types: usize,
    /// Images that were read as results or as arguments.
    pub(crate) read: usize,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    /// The types that were refused in each way.
    pub(crate) refusals: BTreeMap<&'static str, BTreeSet<usize>>,
    /// Refused by the limit on host allocations per call, which counts the host's own bytes.
    pub(crate) limited: usize,
    /// Refused in another way.
    pub(crate) others: BTreeSet<String>,
    pub(crate) differences: Vec<String>,
}

pub(crate) fn compare(group: &Group, cases: &[Case], seed: u64, images: usize, counts: &mut Counts) {
    let mut dynamic = group.guest(Kind::Dynamic);
    let mut typed = group.guest(Kind::Typed);
    for index in group.range.clone() {
        let mut random = Random::new(seed ^ ((index as u64) << 32));
        let ty = dynamic.ty(index);
        for number in 0..images {
            // The memory after a good call: parameters and result.
            let good = dynamic.echo_val(index, &random.val(&ty));
            let [_, good] = &good.images[..] else {
                panic!("t{index}: a good value does not cross: {good:?}");
            };
            let place = format!("t{index}, image {number}");
            let mut comparison = Comparison {
                dynamic: &mut dynamic,
                typed: &mut typed,
                index,
                case: &cases[index],
                place: &place,
                counts,
            };
            let mut result = good[echo::DUMP..].to_vec();
            let mut arguments = result.clone();
            if random.below(3) == 0 {
                random.small_bytes(&mut result);
                random.small_bytes(&mut arguments[..echo::RESULT - echo::DUMP]);
            } else {
                random.mutate(&mut result, echo::POISON, echo::RESULT - echo::DUMP);
                random.mutate(&mut arguments, echo::POISON, 0);
            }
            comparison.result(&result);
            comparison.arguments(&arguments);
        }
        counts.types += 1;
    }
}

struct Comparison<'a, 'g> {
    dynamic: &'a mut Guest<'g>,
    typed: &'a mut Guest<'g>,
    index: usize,
    case: &'a Case,
    place: &'a str,
    counts: &'a mut Counts,
}

impl Comparison<'_, '_> {
    /// Reads the bytes as a result.
    fn result(&mut self, fill: &[u8]) {
        let dynamic = self.dynamic.make_val(self.index, fill);
        let typed = self.typed.make_typed(self.index, self.case, fill);
        self.counts.read += 1;
        if let Some((dynamic, typed)) = self.both(dynamic, typed, "as a result") {
            self.same_value(&dynamic, &typed);
        }
    }

    /// Compares a dynamic value with a typed one: they are the same if a guest cannot distinguish them.
    fn same_value(&mut self, dynamic: &Val, typed: &Value) {
        let expected = self.dynamic.echo_val(self.index, dynamic);
        let now = self.dynamic.echo_typed(self.index, self.case, &**typed);
        if now.seen != expected.seen {
            self.differ("as a result", &format!("{:?}, not {:?}", now.seen, expected.seen));
        }
        if let Some(difference) = difference(&now.images, &expected.images) {
            self.differ("lowered again", &difference);
        }
        let _ = self.both(expected, now, "echoed");
    }

    /// Reads the bytes as arguments of an import.
    fn arguments(&mut self, fill: &[u8]) {
        let dynamic = self.dynamic.give(self.index, fill);
        let typed = self.typed.give(self.index, fill);
        self.counts.read += 1;
        if let Some(difference) = difference(&typed.images, &dynamic.images) {
            self.differ("as arguments", &difference);
        }
        let _ = self.both(dynamic, typed, "as arguments");
    }

    fn differ(&mut self, what: &str, difference: &str) {
        self.counts
            .differences
            .push(format!("{}, {what}: {difference}", self.place));
    }

    /// Returns both results, if both are good.
    fn both<D, T>(&mut self, dynamic: Outcome<D>, typed: Outcome<T>, what: &str) -> Option<(D, T)> {
        let (dynamic, typed) = match (dynamic.result, typed.result) {
            (Ok(dynamic), Ok(typed)) => {
                self.counts.accepted += 1;
                return Some((dynamic, typed));
            }
            (Err(dynamic), Err(typed)) if dynamic == typed => {
                self.refused(dynamic);
                return None;
            }
            (dynamic, typed) => (dynamic.err(), typed.err()),
        };
        let limit = |error: &Option<String>| error.as_ref().is_some_and(|error| error.contains("lift_bytes"));
        if limit(&dynamic) || limit(&typed) {
            self.counts.limited += 1;
        } else {
            self.differ(what, &format!("dynamic {dynamic:?}, typed {typed:?}"));
        }
        None
    }

    fn refused(&mut self, error: String) {
        self.counts.refused += 1;
        match REFUSALS.iter().find(|refusal| error.contains(**refusal)) {
            Some(refusal) => {
                self.counts
                    .refusals
                    .entry(refusal)
                    .or_default()
                    .insert(self.index);
            }
            None if self.counts.others.len() < 20 => {
                self.counts.others.insert(error);
            }
            None => {}
        }
    }
}
