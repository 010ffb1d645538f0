//! Dynamic values and Rust types are equivalent for a guest: for types of every constructor, including random ones, both
//! paths write the same bytes, read the same values, and refuse with the same messages. All seeds are fixed.

use airssys_wasm_test_support as common;
use airssys_wasm_test_support::echo;

mod cases;
mod catalogue;
mod good;
mod guest;
mod handles;
mod hostile;
mod random;
mod too_long;
mod typed;

/// The types, generated from the WIT.
mod types {
    airssys_wasm::component::bindgen!("values-only" in "library/equality/wit");
}

use std::collections::BTreeSet;

use airssys_wasm::engine::{Backend, Engine};
use catalogue::{Catalogue, TYPES};
use guest::Group;
use wit_component::StringEncoding;

/// Number of types in one component.
const GROUP: usize = 25;

#[test]
fn the_files_are_those_of_the_seed() {
    let folder = airssys_wasm_test_support::root().join("tests/library/equality");
    let catalogue = Catalogue::new();
    for (name, text) in [
        ("wit/values.wit", catalogue.wit()),
        ("cases.rs", catalogue.cases()),
    ] {
        let path = folder.join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("the file is written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{name} is not what the seed gives: run with BLESS=1"
        );
    }
}

fn groups(encoding: StringEncoding, mut each: impl FnMut(&Group, &[typed::Case])) {
    let engine = fast_engine();
    let wit = Catalogue::new().wit();
    let cases = cases::cases();
    assert_eq!(cases.len(), TYPES);
    for first in (0..TYPES).step_by(GROUP) {
        let range = first..(first + GROUP).min(TYPES);
        each(&Group::new(&engine, &wit, &cases, range, encoding), &cases);
    }
}

#[test]
fn both_paths_write_the_same_bytes_and_read_the_same_values() {
    let mut counts = good::Counts::default();
    groups(StringEncoding::UTF8, |group, cases| {
        good::compare(group, cases, 1, 20, &mut counts)
    });
    assert!(counts.types >= 200 && counts.values >= 20 * 200, "{counts:?}");
    assert_eq!(
        counts.images,
        counts.values * 8,
        "two of each pairing, and one again"
    );
    assert!(
        counts.bytes > 50 * counts.values,
        "there is something in them: {counts:?}"
    );
    assert_eq!(
        counts.kinds.len(),
        23,
        "each kind of value but handles: {:?}",
        counts.kinds
    );
    println!("{counts:?}");
}

#[test]
fn both_paths_agree_in_every_encoding_of_strings() {
    for encoding in [StringEncoding::UTF16, StringEncoding::CompactUTF16] {
        let mut counts = good::Counts::default();
        groups(encoding, |group, cases| {
            good::compare(group, cases, 2, 4, &mut counts)
        });
        assert!(counts.types >= 200 && counts.values >= 4 * 200, "{counts:?}");
    }
}

#[test]
fn both_paths_read_the_same_from_arbitrary_bytes_or_refuse_with_the_same_words() {
    let mut counts = hostile::Counts::default();
    groups(StringEncoding::UTF8, |group, cases| {
        hostile::compare(group, cases, 3, 100, &mut counts)
    });
    report(&counts);
    assert!(counts.types >= 200, "{counts:?}");
    assert!(
        counts.accepted > 2000 && counts.refused > 2000,
        "both happen often: {counts:?}"
    );
    for refusal in hostile::REFUSALS {
        let types = counts.refusals.get(refusal).map_or(0, |types| types.len());
        assert!(types >= 30, "`{refusal}` for {types} types");
    }
    assert!(counts.limited * 100 < counts.read, "{counts:?}");
}

#[test]
fn both_paths_refuse_strings_of_other_encodings_alike() {
    for encoding in [StringEncoding::UTF16, StringEncoding::CompactUTF16] {
        let mut counts = hostile::Counts::default();
        groups(encoding, |group, cases| {
            hostile::compare(group, cases, 4, 10, &mut counts)
        });
        report(&counts);
        assert!(counts.types >= 200 && counts.refused > 200, "{counts:?}");
    }
}

#[test]
fn both_paths_find_a_list_too_long_at_the_same_place() {
    let all = too_long::all(&fast_engine());
    let mut seen = BTreeSet::new();
    for (ty, [dynamic, typed]) in &all {
        assert_eq!(dynamic, typed, "{ty}");
        let size = "the value takes 268435456 bytes in the guest";
        assert!(
            typed.argument.contains("argument 0: ") && typed.argument.contains(size),
            "{ty}: {typed:?}"
        );
        assert!(
            typed.result.contains("result: ") && typed.result.contains(size),
            "{ty}: {typed:?}"
        );
        seen.insert(typed.argument.clone());
    }
    assert!(all.len() >= 30, "{} types", all.len());
    assert!(seen.len() >= 20, "places differ: {seen:?}");
}

#[test]
fn both_paths_give_and_take_the_same_handles() {
    let handles = handles::Handles::new(&fast_engine());
    handles.good();
    let refused = handles.hostile();
    assert!(refused > 100, "{refused}");
}

fn fast_engine() -> Engine {
    common::engine(*Backend::available().last().expect("a backend"))
}

fn report(counts: &hostile::Counts) {
    let refusals: Vec<_> = counts
        .refusals
        .iter()
        .map(|(refusal, types)| (refusal, types.len()))
        .collect();
    println!(
        "{} types, {} images, {} accepted, {} refused, {} limited; types by refusal: {refusals:?}; others: {:?}",
        counts.types, counts.read, counts.accepted, counts.refused, counts.limited, counts.others
    );
    assert!(
        counts.differences.is_empty(),
        "{} differences:\n{}",
        counts.differences.len(),
        counts.differences[..counts.differences.len().min(20)].join("\n")
    );
}
