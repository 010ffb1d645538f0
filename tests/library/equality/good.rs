//! Good values: both paths write the same bytes and read the same values, in all four pairings of caller and host.

use std::collections::BTreeSet;

use airssys_wasm::component::Val;

use crate::equality::echo;
use crate::equality::guest::{Group, Guest, Kind, Outcome};
use crate::equality::random::Random;
use crate::equality::typed::Case;

/// Statistics of the comparison.
#[derive(Default, Debug)]
pub(crate) struct Counts {
    pub(crate) types: usize,
    pub(crate) values: usize,
    pub(crate) images: usize,
    /// Bytes written by either side.
    pub(crate) bytes: usize,
    /// The kinds of values among them.
    pub(crate) kinds: BTreeSet<&'static str>,
}

pub(crate) fn compare(group: &Group, cases: &[Case], seed: u64, values: usize, counts: &mut Counts) {
    let mut dynamic = group.guest(Kind::Dynamic);
    let mut typed = group.guest(Kind::Typed);
    for index in group.range.clone() {
        let mut random = Random::new(seed ^ ((index as u64) << 32));
        for number in 0..values {
            let place = format!("t{index}, value {number}");
            compare_one(
                (&mut dynamic, &mut typed),
                (index, &cases[index]),
                &mut random,
                &place,
                counts,
            );
        }
        counts.types += 1;
    }
    assert_eq!(dynamic.restarts + typed.restarts, 0, "a good value made a trap");
}

fn compare_one(
    (dynamic, typed): (&mut Guest<'_>, &mut Guest<'_>),
    (index, case): (usize, &Case),
    random: &mut Random,
    place: &str,
    counts: &mut Counts,
) {
    let ty = dynamic.ty(index);
    let first = dynamic.echo_val(index, &random.val(&ty));
    // A NaN may change in its first crossing; after that it stays the same.
    let value = ok(first, place, "crosses").0;

    let expected = dynamic.echo_val(index, &value);
    assert_eq!(expected.seen.as_ref(), Some(&value), "{place}: the host's value");
    assert_eq!(expected.images.len(), 2, "{place}: both are shown");
    let (result, images) = ok(expected, place, "dynamic to dynamic");
    assert_eq!(result, value, "{place}: the result");
    let mut same = |images_now: &[Vec<u8>], what: &str| {
        same_images(images_now, &images, place, what);
        counts.images += images.len();
    };

    let (result, now) = ok(typed.echo_val(index, &value), place, "dynamic to typed");
    same(&now, "dynamic to typed");
    assert_eq!(result, value, "{place}: what a typed host function gives back");

    let fill = &images[1][echo::DUMP..];
    let (made, _) = ok(dynamic.make_val(index, fill), place, "dynamic result");
    assert_eq!(made, value, "{place}: a result by itself");
    let (made, _) = ok(typed.make_typed(index, case, fill), place, "typed result");

    let outcome = dynamic.echo_typed(index, case, &*made);
    assert_eq!(
        outcome.seen.as_ref(),
        Some(&value),
        "{place}: what a typed caller gives"
    );
    let (back, now) = ok(outcome, place, "typed to dynamic");
    same(&now, "typed to dynamic");
    let (back, now) = ok(typed.echo_typed(index, case, &*back), place, "typed to typed");
    same(&now, "typed to typed");
    let outcome = dynamic.echo_typed(index, case, &*back);
    assert_eq!(
        outcome.seen.as_ref(),
        Some(&value),
        "{place}: what came back typed"
    );
    same(&outcome.images, "typed to dynamic, again");

    counts.values += 1;
    kinds(&value, &mut counts.kinds);
    counts.bytes += images[1].iter().filter(|byte| **byte != echo::POISON).count();
}

fn ok<R>(outcome: Outcome<R>, place: &str, what: &str) -> (R, Vec<Vec<u8>>) {
    match outcome.result {
        Ok(result) => (result, outcome.images),
        Err(error) => panic!("{place}, {what}: {error}"),
    }
}

pub(crate) fn same_images(now: &[Vec<u8>], expected: &[Vec<u8>], place: &str, what: &str) {
    if let Some(difference) = difference(now, expected) {
        panic!("{place}, {what}: {difference}");
    }
}

/// Returns the first difference of two series of images.
pub(crate) fn difference(now: &[Vec<u8>], expected: &[Vec<u8>]) -> Option<String> {
    if now == expected {
        return None;
    }
    if now.len() != expected.len() {
        return Some(format!("{} images, not {}", now.len(), expected.len()));
    }
    let (number, (now, expected)) = now
        .iter()
        .zip(expected)
        .enumerate()
        .find(|(_, (now, expected))| now != expected)?;
    let at = now
        .iter()
        .zip(expected)
        .position(|(now, expected)| now != expected)?;
    let end = (at + 16).min(now.len()).min(expected.len());
    Some(format!(
        "image {number} at {at:#x}: {:02x?}, not {:02x?}",
        &now[at..end],
        &expected[at..end]
    ))
}

fn kinds(value: &Val, found: &mut BTreeSet<&'static str>) {
    found.insert(value.kind_name());
    match value {
        Val::List(vals) | Val::FixedLengthList(vals) | Val::Tuple(vals) => {
            vals.iter().for_each(|val| kinds(val, found));
        }
        Val::Record(fields) => fields.iter().for_each(|(_, val)| kinds(val, found)),
        Val::Variant(_, payload) | Val::Option(payload) | Val::Result(Ok(payload) | Err(payload)) => {
            payload.iter().for_each(|val| kinds(val, found));
        }
        _ => {}
    }
}
