//! Random values of random types are the same on wasmtime and on our backends, with fixed seeds; and the comparison detects
//! it if they are not.

use std::path::PathBuf;

use airssys_wasm_component::engine::Backend;
use airssys_wasm_conformance::differential::compare::{Exchange, Side, difference, exchange};
use airssys_wasm_conformance::differential::generate::MAX_DEPTH;
use airssys_wasm_conformance::differential::guest::{self, Encoding};
use airssys_wasm_conformance::differential::ours::{Compiled, Ours};
use airssys_wasm_conformance::differential::reference::Reference;
use airssys_wasm_conformance::differential::types::{Batch, Label, Scalar, Type};
use airssys_wasm_conformance::differential::values::Value;
use airssys_wasm_conformance::differential::{Counts, Options, run, typed};

/// Number of values from each seed.
const VALUES: u64 = 10_000;
const SEEDS: [u64; 2] = [1, 2];

#[test]
fn twenty_thousand_values_are_the_same_on_every_engine() {
    let backends = Backend::available();
    assert!(!backends.is_empty(), "this build has no backend");
    let from = |seed| {
        let options = Options {
            seed,
            values: VALUES,
            duration: None,
            backends: backends.to_vec(),
        };
        run(&options, &mut |_| {}).expect("it runs")
    };
    let (mut counts, mut differences) = (Counts::default(), Vec::new());
    std::thread::scope(|scope| {
        let runs = SEEDS.map(|seed| scope.spawn(move || from(seed)));
        for run in runs {
            let report = run.join().expect("it ends");
            counts.add(&report.counts);
            differences.extend(report.differences.iter().map(ToString::to_string));
        }
    });
    println!("{counts}");
    assert_eq!(counts.differences, 0, "{}", differences.join("\n\n"));

    let values = VALUES * SEEDS.len() as u64;
    assert_eq!(counts.values, values);
    // Two from each engine, and four more from Rust types on each backend.
    let engines = 1 + backends.len() as u64;
    assert_eq!(
        counts.compared,
        values * 2 * engines + counts.typed_values * 4 * backends.len() as u64
    );
    assert!(counts.typed_values >= 2_000 && counts.answered >= 4_000 && counts.nans >= 2_000);
    assert!(counts.functions >= 500 && counts.params_in_memory >= 50 && counts.results_in_memory >= 200);
    assert!(counts.wide_discriminants >= 10);
    for bytes in [1, 2, 4] {
        assert!(
            counts.flags.get(&bytes).is_some_and(|types| *types >= 10),
            "flags of {bytes} bytes"
        );
    }
    for depth in 0..=MAX_DEPTH as u64 {
        assert!(
            counts.depths.get(&depth).is_some_and(|types| *types >= 5),
            "depth {depth}"
        );
    }
    // The twelve scalars, strings, and ten constructors.
    assert_eq!(counts.constructors.len(), 23, "{:?}", counts.constructors);
    for (constructor, types) in &counts.constructors {
        assert!(*types >= 50, "{constructor}: {types}");
    }
    for encoding in Encoding::ALL {
        let alone = encoding.to_string();
        assert!(
            counts.encodings.get(&alone).is_some_and(|values| *values >= 500),
            "{alone}"
        );
    }
    let composed: Vec<_> = counts
        .encodings
        .keys()
        .filter(|names| names.contains(','))
        .collect();
    assert!(composed.len() >= 6, "{composed:?}");
}

#[test]
fn the_rust_types_are_those_of_the_seed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wit/differential/values.wit");
    let wit = typed::wit();
    let found = std::fs::read_to_string(&path).expect("the file is read");
    if found != wit && std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &wit).expect("the file is written");
        return;
    }
    assert!(
        found == wit,
        "values.wit is not what the seed gives: run with BLESS=1"
    );
}

fn label(name: &str) -> Label {
    Label::from(name)
}

#[test]
fn one_bit_is_a_difference() {
    let some = |value| Value::Option(Some(Box::new(value)));
    let pairs = [
        (Value::Bool(true), Value::Bool(false)),
        (Value::U8(1), Value::U8(0)),
        (Value::S64(i64::MIN), Value::S64(i64::MIN + 1)),
        (Value::F32(0), Value::F32(0x8000_0000)),
        (Value::F64(1), Value::F64(0)),
        // A NaN for an infinity.
        (Value::F32(0x7f80_0000), Value::F32(0x7f80_0001)),
        (
            Value::F64(0x7ff0_0000_0000_0001),
            Value::F64(0x7ff0_0000_0000_0000),
        ),
        (Value::Char('a'), Value::Char('b')),
        (Value::String("é".into()), Value::String("e\u{301}".into())),
        (Value::Bytes(vec![1, 2]), Value::Bytes(vec![1, 3])),
        (Value::Bytes(vec![1, 2]), Value::Bytes(vec![1])),
        (Value::List(vec![]), Value::Bytes(vec![])),
        (Value::List(vec![Value::U8(0)]), Value::Fixed(vec![Value::U8(0)])),
        (
            Value::Tuple(vec![Value::U8(0), Value::U8(1)]),
            Value::Tuple(vec![Value::U8(0), Value::U8(2)]),
        ),
        (
            Value::Record(vec![(label("a"), Value::U8(0))]),
            Value::Record(vec![(label("b"), Value::U8(0))]),
        ),
        (
            Value::Record(vec![(label("a"), some(Value::U16(0)))]),
            Value::Record(vec![(label("a"), some(Value::U16(1)))]),
        ),
        (Value::Variant(label("a"), None), Value::Variant(label("b"), None)),
        (
            Value::Variant(label("a"), Some(Box::new(Value::U8(0)))),
            Value::Variant(label("a"), Some(Box::new(Value::U8(1)))),
        ),
        (Value::Enum(label("a")), Value::Enum(label("b"))),
        (some(Value::U8(0)), Value::Option(None)),
        (Value::Result(Ok(None)), Value::Result(Err(None))),
        (
            Value::Flags(vec![label("a"), label("b")]),
            Value::Flags(vec![label("b"), label("a")]),
        ),
        (Value::Flags(vec![label("a")]), Value::Flags(vec![])),
    ];
    for (a, b) in &pairs {
        assert_eq!(difference(a, a), None, "{a}");
        assert_eq!(difference(b, b), None, "{b}");
        assert!(difference(a, b).is_some(), "{a} and {b}");
        let list = |value: &Value| Value::List(vec![Value::U8(7), value.clone()]);
        let nested = difference(&list(a), &list(b)).expect("a difference");
        assert!(nested.contains("[1]"), "it says where: {nested}");
    }
    let nans = [0x7fc0_0000, 0x7f80_0001, 0xffff_ffff];
    for (a, b) in nans.iter().zip(nans.iter().rev()) {
        assert_eq!(
            difference(&Value::F32(*a), &Value::F32(*b)),
            None,
            "any NaN is a NaN"
        );
    }
}

/// Returns a function of a number, and one of a list.
fn small_batch() -> Batch {
    Batch {
        declared: Vec::new(),
        functions: vec![
            vec![Type::Scalar(Scalar::U32)],
            vec![Type::List(Box::new(Type::Scalar(Scalar::U16)))],
        ],
    }
}

#[test]
fn a_guest_that_changes_a_value_on_one_engine_is_found() {
    let batch = small_batch();
    let text = guest::text(&batch, &[Encoding::Utf8]);
    // The first parameter of each function with one bit flipped: the number, the list's pointer.
    let changed = text.replace("(local.get 0)", "(i32.xor (local.get 0) (i32.const 2))");
    let (good, bad) = (guest::binary(&text).unwrap(), guest::binary(&changed).unwrap());
    let backend = Backend::available()[0];
    let sides = |for_us: &[u8], for_wasmtime: &[u8]| -> Vec<Box<dyn Side>> {
        let compiled = Compiled::new(backend, for_us, 2).expect("it is accepted");
        vec![
            Box::new(Reference::new(for_wasmtime, 2).expect("it is accepted")),
            Box::new(Ours::new(&compiled).expect("it links")),
        ]
    };
    let exchanges = [
        Exchange {
            params: vec![Value::U32(40)],
            reply: None,
        },
        Exchange {
            params: vec![Value::List(vec![Value::U16(1), Value::U16(2), Value::U16(3)])],
            reply: None,
        },
    ];
    for (function, sent) in exchanges.iter().enumerate() {
        let (none, compared) = exchange(&mut sides(&good, &good), function, sent);
        assert!(none.is_empty() && compared == 4, "{none:?}");
        for (for_us, for_wasmtime, name) in [(&bad, &good, backend.name()), (&good, &bad, "wasmtime")] {
            let (findings, _) = exchange(&mut sides(for_us, for_wasmtime), function, sent);
            assert!(!findings.is_empty(), "function {function} on {name}");
            assert!(
                findings.iter().all(|finding| finding.side == name),
                "{findings:?}"
            );
        }
    }
}

#[test]
fn a_host_that_answers_something_else_is_found() {
    let batch = small_batch();
    let bytes = guest::binary(&guest::text(&batch, &[Encoding::Utf16, Encoding::Utf8])).unwrap();
    let compiled = Compiled::new(Backend::available()[0], &bytes, 2).expect("it is accepted");
    let mut ours = Ours::new(&compiled).expect("it links");
    let answered = Exchange {
        params: vec![Value::U32(1)],
        reply: Some(Value::U32(2)),
    };
    let echoed = Exchange {
        params: vec![Value::U32(1)],
        reply: None,
    };
    let seen = ours.call(0, &answered).expect("it is called");
    let differences = |expected: &Exchange| -> Vec<String> {
        let seen = seen.iter();
        seen.filter_map(|(place, value)| difference(&expected.expected(*place), value))
            .collect()
    };
    assert!(differences(&answered).is_empty());
    assert_eq!(differences(&echoed).len(), 1, "the answer alone");
}
