//! Flaws of other engines that no other group covers.

use crate::{FailureKind, TrapClass};
use airssys_wasm_component::component::Val;
use airssys_wasm_component::error::{CoreTrap, TrapKind};

use super::case::{Case, Expected, Reference};

/// Lifts `resource.rep` and `resource.drop` as functions of the component: no guest code runs between them and the host.
fn lifted_intrinsics() -> Vec<Case> {
    let text = |intrinsic: &str, result: &str| {
        format!(
            r#"(component
            (type $r (resource (rep i32)))
            (core func $f (canon {intrinsic} $r))
            (func (export "run") (param "x" u32) {result} (canon lift (core func $f))))"#
        )
    };
    let rows = [
        ("rep", text("resource.rep", "(result u32)"), 9),
        ("drop", text("resource.drop", ""), 9),
        ("drop of the last index", text("resource.drop", ""), u32::MAX),
    ];
    let reference = Reference::Differs(
        FailureKind::Trap(TrapClass::BadHandle),
        "it calls the intrinsics, which find no handle",
    );
    let cases = rows.map(|(name, text, index)| {
        let name = format!("a resource intrinsic that is lifted: {name}");
        Case::new(
            "echoes",
            name,
            text,
            Expected::Unsupported("reexports one of its imported functions"),
        )
        .arguments(vec![Val::U32(index)])
        .reference(reference.clone())
    });
    cases.into()
}

/// Returns a component that passes a string to its own function; the string is transcoded onto itself, `shift` bytes
/// further on.
fn overlapping(from: &str, to: &str, units: u32, shift: u32, fill: u8) -> String {
    let fill = format!("\\{fill:02x}\\00").repeat(32);
    format!(
        r#"(component
        (core module $libc
            (memory (export "mem") 1)
            (data (i32.const 256) "{fill}")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {at})))
        (core instance $libc (instantiate $libc))
        (core module $a (func (export "take") (param i32 i32)))
        (core instance $a (instantiate $a))
        (func $take (param "s" string) (canon lift (core func $a "take") (memory (core memory $libc "mem"))
            (realloc (core func $libc "realloc")) string-encoding={to}))
        (component $through
            (import "take" (func $take (param "s" string)))
            (export "take" (func $take)))
        (instance $through (instantiate $through (with "take" (func $take))))
        (core func $take (canon lower (func $through "take") (memory (core memory $libc "mem")) string-encoding={from}))
        (core module $b
            (import "" "take" (func $take (param i32 i32)))
            (func (export "run") (call $take (i32.const 256) (i32.const {units}))))
        (core instance $b (instantiate $b (with "" (instance (export "take" (func $take))))))
        (func (export "run") (canon lift (core func $b "run"))))"#,
        at = 256 + shift
    )
}

/// Memory is shared only where a component calls its own function. The specification allows that; this library and this
/// version of the reference engine treat it as reentrance, so nothing is transcoded.
fn overlaps() -> Vec<Case> {
    let reentrance = || Expected::Trap(TrapKind::Reentrance, TrapClass::CannotEnter);
    let encodings = [
        ("utf8", "utf16"),
        ("utf16", "utf8"),
        ("utf16", "utf16"),
        ("utf16", "latin1+utf16"),
    ];
    let cases = encodings.map(|(from, to)| {
        let name = format!("a string that overlaps what it is transcoded to: {from} to {to}");
        Case::new("echoes", name, overlapping(from, to, 8, 2, b'a'), reentrance())
    });
    cases.into()
}

/// Traps in the middle of bulk operations; the instance is not entered again, and others in the store keep working.
fn bulk() -> Vec<Case> {
    let text = |body: &str| {
        format!(
            r#"(component
            (core module $m
                (memory 1 2)
                (table $t 4 8 funcref)
                (elem $e func $f)
                (data $d "data")
                (func $f)
                (func (export "run") {body}))
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#
        )
    };
    let memory = || {
        Expected::Trap(
            TrapKind::Core(CoreTrap::MemoryOutOfBounds),
            TrapClass::MemoryOutOfBounds,
        )
    };
    let table = || {
        Expected::Trap(
            TrapKind::Core(CoreTrap::TableOutOfBounds),
            TrapClass::TableOutOfBounds,
        )
    };
    let rows = [
        (
            "memory.copy",
            "(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))",
            memory(),
        ),
        (
            "memory.fill",
            "(memory.fill (i32.const 1) (i32.const 0) (i32.const -1))",
            memory(),
        ),
        (
            "memory.init",
            "(memory.init $d (i32.const 0) (i32.const 2) (i32.const 3))",
            memory(),
        ),
        (
            "memory.init after data.drop",
            "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
            memory(),
        ),
        (
            "table.copy",
            "(table.copy (i32.const 2) (i32.const 0) (i32.const 3))",
            table(),
        ),
        (
            "table.fill",
            "(table.fill $t (i32.const 3) (ref.null func) (i32.const 2))",
            table(),
        ),
        (
            "table.init",
            "(table.init $e (i32.const 4) (i32.const 0) (i32.const 1))",
            table(),
        ),
        (
            "table.init after elem.drop",
            "(elem.drop $e) (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))",
            table(),
        ),
    ];
    let cases = rows.map(|(name, body, expected)| {
        Case::new(
            "echoes",
            format!("a trap in a bulk operation: {name}"),
            text(body),
            expected,
        )
    });
    cases.into()
}

pub(super) fn cases() -> Vec<Case> {
    [lifted_intrinsics(), overlaps(), bulk()]
        .into_iter()
        .flatten()
        .collect()
}
