//! The host's own mistakes: the guest does not run, and its instance is unchanged.

use std::sync::Arc;

use crate::{FailureKind, TrapClass};
use airssys_wasm_component::component::Val;

use super::case::{Case, Expected, Reference};

/// Returns a component whose `run` accepts `ty` as core values `core`.
fn taking(definitions: &str, ty: &str, core: &str) -> String {
    format!(
        r#"(component
        {definitions}
        (core module $m
            (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "run") (param {core})))
        (core instance $i (instantiate $m))
        (func (export "run") (param "x" {ty}) (canon lift (core func $i "run")
            (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#
    )
}

fn named(definition: &str) -> String {
    format!(r#"(type $t' {definition}) (export $t "t" (type $t'))"#)
}

/// A case's name, the guest's parts, the arguments, and a part of the message.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, Vec<Val>, &'static str);

pub(super) fn cases() -> Vec<Case> {
    let name = |name: &str| Arc::<str>::from(name);
    let boxed = |value: Val| Some(Box::new(value));
    let enumeration = named(r#"(enum "a" "b")"#);
    let flags = named(r#"(flags "a" "b")"#);
    let variant = named(r#"(variant (case "a" u32) (case "b"))"#);
    let record = named(r#"(record (field "a" u32) (field "b" u8))"#);
    let field = |of: &str, value: Val| (name(of), value);
    let rows: Vec<Row<'_>> = vec![
        (
            "no argument",
            "",
            "u32",
            "i32",
            vec![],
            "expected 1 arguments, got 0",
        ),
        (
            "one too many",
            "",
            "u32",
            "i32",
            vec![Val::U32(1), Val::U32(2)],
            "expected 1 arguments, got 2",
        ),
        (
            "another integer",
            "",
            "u32",
            "i32",
            vec![Val::U64(1)],
            "expected u32",
        ),
        (
            "a string for a char",
            "",
            "char",
            "i32",
            vec![Val::String("a".into())],
            "expected char",
        ),
        (
            "a number for a string",
            "",
            "string",
            "i32 i32",
            vec![Val::U8(1)],
            "expected string",
        ),
        (
            "a list with another element",
            "",
            "(list u16)",
            "i32 i32",
            vec![Val::List(vec![Val::U16(1), Val::Char('b')])],
            "expected u16",
        ),
        (
            "a short tuple",
            "",
            "(tuple u8 u8)",
            "i32 i32",
            vec![Val::Tuple(vec![Val::U8(1)])],
            "expected 2 elements",
        ),
        (
            "a case that is none",
            &enumeration,
            "$t",
            "i32",
            vec![Val::Enum(name("c"))],
            "there is no case `c`",
        ),
        (
            "a flag that is none",
            &flags,
            "$t",
            "i32",
            vec![Val::Flags(vec![name("z")])],
            "there is no flag `z`",
        ),
        (
            "a payload too few",
            &variant,
            "$t",
            "i32 i32",
            vec![Val::Variant(name("a"), None)],
            "needs a payload",
        ),
        (
            "a payload too many",
            &variant,
            "$t",
            "i32 i32",
            vec![Val::Variant(name("b"), boxed(Val::U32(1)))],
            "takes no payload",
        ),
        (
            "a record without a field",
            &record,
            "$t",
            "i32 i32",
            vec![Val::Record(vec![field("a", Val::U32(1))])],
            "field `b` is missing",
        ),
        (
            "an option of another payload",
            "",
            "(option u8)",
            "i32 i32",
            vec![Val::Option(boxed(Val::String("x".into())))],
            "expected u8",
        ),
        (
            "a fixed-length list that is too short",
            "",
            "(list u8 3)",
            "i32 i32 i32",
            vec![Val::List(vec![Val::U8(1)])],
            "",
        ),
    ];
    let cases = rows
        .into_iter()
        .map(|(what, definitions, ty, core, arguments, said)| {
            let text = taking(definitions, ty, core);
            let reference = if LIKE_TRAPS.contains(&what) {
                Reference::Differs(
                    FailureKind::Trap(TrapClass::Other),
                    "it reports a value of the wrong type in the same way as a trap",
                )
            } else {
                Reference::Same
            };
            Case::new(
                "the host's mistakes",
                format!("the host passes {what}"),
                text,
                Expected::Wrong(said),
            )
            .arguments(arguments)
            .reference(reference)
        });
    cases.collect()
}

/// Mistakes that the reference engine only finds while it lowers.
const LIKE_TRAPS: &[&str] = &[
    "another integer",
    "a string for a char",
    "a number for a string",
    "a list with another element",
    "a case that is none",
    "a flag that is none",
    "an option of another payload",
    "a fixed-length list that is too short",
];
