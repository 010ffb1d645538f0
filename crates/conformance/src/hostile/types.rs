//! Types that are too deep, too large, or not supported.

use std::fmt::Write;

use crate::{FailureKind, TrapClass};
use airssys_wasm_abi::AbiError;
use airssys_wasm_component::component::Val;
use airssys_wasm_component::error::{CoreTrap, TrapKind};

use super::case::{Case, Expected, Reference};
use super::guest::MEMORY;

fn invalid() -> Vec<Case> {
    let flags = |count: u32| {
        let labels: String = (0..count).map(|label| format!(" \"l{label}\"")).collect();
        format!("(type (flags{labels}))")
    };
    let nested = |kind: &str, depth: usize| {
        let mut text = String::from("(type $t0 u8)");
        for level in 1..=depth {
            write!(text, "(type $t{level} ({kind} $t{}))", level - 1).unwrap();
        }
        text
    };
    // Each is twice as large as the one before.
    let mut doubling = String::from("(type $t0 (tuple u64 u64))");
    for level in 1..40 {
        let below = level - 1;
        write!(doubling, "(type $t{level} (tuple $t{below} $t{below}))").unwrap();
    }
    let rows = [
        ("flags of 33 labels", flags(33), "more than 32"),
        ("flags of 1000 labels", flags(1000), "more than 32"),
        ("flags without labels", "(type (flags))".into(), "flags"),
        (
            "flags with a label twice",
            r#"(type (flags "a" "a"))"#.into(),
            "conflicts",
        ),
        ("an enum without cases", "(type (enum))".into(), "enum"),
        (
            "an enum with a case twice",
            r#"(type (enum "a" "A"))"#.into(),
            "conflicts",
        ),
        ("a variant without cases", "(type (variant))".into(), "variant"),
        ("a record without fields", "(type (record))".into(), "record"),
        (
            "a record with a field twice",
            r#"(type (record (field "a" u8) (field "a" u8)))"#.into(),
            "conflicts",
        ),
        ("a tuple of nothing", "(type (tuple))".into(), "tuple"),
        (
            "a fixed-length list of nothing",
            "(type (list u8 0))".into(),
            "list",
        ),
        ("lists within lists, 200 levels", nested("list", 200), "too deep"),
        (
            "options within options, 200 levels",
            nested("option", 200),
            "too deep",
        ),
        (
            "tuples within tuples, 5000 levels",
            nested("tuple", 5000),
            "too deep",
        ),
        ("tuples that double 40 times", doubling, "type size"),
        (
            "a fixed-length list of 2^32 - 1 strings",
            "(type (list string 4294967295))".into(),
            "exceeds limit",
        ),
        (
            "a borrow as a result",
            "(type $r (resource (rep i32))) (type (func (result (borrow $r))))".into(),
            "borrow",
        ),
    ];
    let cases = rows.map(|(name, text, said)| {
        Case::new(
            "types",
            name,
            format!("(component {text})"),
            Expected::Invalid(said),
        )
    });
    cases.into()
}

fn unsupported() -> Vec<Case> {
    let rows = [
        ("a resource of 64 bits", "(type (resource (rep i64)))", "cm64"),
        ("an error context", "(type error-context)", "error-context"),
        ("a 64-bit memory", "(core module (memory i64 1))", "memory64"),
        (
            "a 64-bit table",
            "(core module (table i64 1 funcref))",
            "memory64",
        ),
        ("a shared memory", "(core module (memory 1 1 shared))", "threads"),
        ("a tag", "(core module (tag))", "exceptions"),
        (
            "an exported component",
            r#"(component $c) (export "c" (component $c))"#,
            "component",
        ),
    ];
    let reference = Reference::Not("the reference engine may support features that this library does not");
    let cases = rows.map(|(name, text, said)| {
        Case::new(
            "types",
            name,
            format!("(component {text})"),
            Expected::Unsupported(said),
        )
        .reference(reference.clone())
    });
    cases.into()
}

/// Returns a component whose `run` returns the result of `body`, as `ty`.
fn giving(ty: &str, core: &str, body: &str) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "mem") 1)
            (func (export "run") (result {core}) {body}))
        (core instance $i (instantiate $m))
        (func (export "run") (result {ty}) (canon lift (core func $i "run") (memory (core memory $i "mem")))))"#
    )
}

/// Types of 2^28 bytes and more, which are invalid by the specification.
fn too_large() -> Vec<Case> {
    let reference = Reference::Differs(
        FailureKind::Trap(TrapClass::PointerOutOfBounds),
        "its validator lacks the rule, so the value is out of bounds of memory",
    );
    let rows = [
        (
            "fixed-length lists of fixed-length lists, 2^32 bytes",
            "(list (list u8 65536) 65536)",
        ),
        ("a fixed-length list of 2^28 u64", "(list u64 268435456)"),
        ("a tuple of 2^28 bytes", "(tuple (list u8 268435455) u8)"),
    ];
    let cases = rows.map(|(name, ty)| {
        let text = giving(ty, "i32", "(i32.const 8)");
        Case::new(
            "types",
            name,
            text,
            Expected::Invalid("exceeds maximum byte size"),
        )
        .reference(reference.clone())
    });
    cases.into()
}

/// Types as deep and as large as allowed.
fn extreme() -> Vec<Case> {
    let depth = 95;
    let options = format!("{}u8{}", "(option ".repeat(depth), ")".repeat(depth));
    let lists = format!("{}u8{}", "(list ".repeat(depth), ")".repeat(depth));
    let tuples = format!("{}u8{}", "(tuple ".repeat(depth), ")".repeat(depth));
    let mut nested = Val::U8(9);
    for _ in 0..depth {
        nested = Val::Tuple(vec![nested]);
    }
    let length = (1 << 24) - 1;
    let large = AbiError::PointerOutOfBounds {
        ptr: 8,
        len: length,
        memory: u64::from(MEMORY),
    };
    let all = Val::FixedLengthList(vec![Val::U8(0); 1000]);
    vec![
        Case::new(
            "types",
            "95 options, the outermost none",
            giving(&options, "i32", "(i32.const 8)"),
            Expected::Value(Some(Val::Option(None))),
        ),
        Case::new(
            "types",
            "95 lists, the outermost empty",
            giving(&lists, "i32", "(i32.const 8)"),
            Expected::Value(Some(Val::List(Vec::new()))),
        ),
        Case::new(
            "types",
            "95 tuples",
            giving(&tuples, "i32", "(i32.const 9)"),
            Expected::Value(Some(nested)),
        ),
        Case::new(
            "types",
            "a fixed-length list larger than memory",
            giving(&format!("(list u8 {length})"), "i32", "(i32.const 8)"),
            Expected::Trap(TrapKind::Abi(large), TrapClass::PointerOutOfBounds),
        ),
        Case::new(
            "types",
            "a fixed-length list of 1000",
            giving("(list u8 1000)", "i32", "(i32.const 8)"),
            Expected::Value(Some(all)),
        ),
        Case::new(
            "types",
            "flags of 32 labels, every bit",
            flags(32),
            Expected::Value(Some(Val::Flags(
                (0..32).map(|label| format!("l{label}").into()).collect(),
            ))),
        ),
        Case::new(
            "types",
            "flags of 3 labels, every bit",
            flags(3),
            Expected::Value(Some(Val::Flags(
                (0..3).map(|label| format!("l{label}").into()).collect(),
            ))),
        ),
        Case::new(
            "types",
            "a start function that gives up",
            "(component (core module $m (func $s unreachable) (start $s)) (core instance (instantiate $m)))"
                .into(),
            Expected::Trap(TrapKind::Core(CoreTrap::Unreachable), TrapClass::Unreachable),
        ),
        Case::new(
            "types",
            "300 imported functions of large types, nothing provided",
            importing_many(),
            Expected::Missing,
        ),
    ]
}

/// Returns flags with all 32 bits set.
fn flags(count: u32) -> String {
    let labels: String = (0..count).map(|label| format!(" \"l{label}\"")).collect();
    format!(
        r#"(component
        (type $f' (flags{labels}))
        (export $f "f" (type $f'))
        (core module $m (func (export "run") (result i32) (i32.const -1)))
        (core instance $i (instantiate $m))
        (func (export "run") (result $f) (canon lift (core func $i "run"))))"#
    )
}

fn importing_many() -> String {
    let mut text = String::from("(component (type $t0 (tuple u8 u8))");
    for level in 1..10 {
        let below = level - 1;
        write!(text, "(type $t{level} (tuple $t{below} $t{below}))").unwrap();
    }
    for function in 0..300 {
        write!(text, "(import \"f{function}\" (func (param \"p\" $t9)))").unwrap();
    }
    text.push(')');
    text
}

pub(super) fn cases() -> Vec<Case> {
    [
        invalid(),
        too_large(),
        unsupported(),
        extreme(),
        vec![unlinkable()],
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unlinkable() -> Case {
    let text = r#"(component (import "f" (func (param "x" (list string)))))"#;
    Case::new(
        "types",
        "an import that nothing provides",
        text.into(),
        Expected::Missing,
    )
}
