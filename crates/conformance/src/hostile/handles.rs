//! Handles that are stale, forged, of another type, dropped twice, or transferred or kept although lent.

use crate::TrapClass;
use airssys_wasm_component::error::{CoreTrap, ResourceError, TrapKind};

use super::case::{Case, Expected};
use super::handle_guests::{borrowed_text, composed_text, of_the_host, own_text};

type Row = (&'static str, &'static str, TrapKind, TrapClass);

fn row(name: &'static str, body: &'static str, error: ResourceError) -> Row {
    let class = if matches!(error, ResourceError::Lent(_)) {
        TrapClass::Lent
    } else {
        TrapClass::BadHandle
    };
    (name, body, TrapKind::Resource(error), class)
}

fn expected((_, _, kind, class): &Row) -> Expected {
    Expected::Trap(kind.clone(), *class)
}

use ResourceError::{Lent, NotOwned, UnknownHandle, WrongType};

/// One instance and the resources that it defines: `$new`, `$rep`, `$drop` of `r`, `$new-s` and so on of `s`. Local 0 is
/// free.
fn own_resources() -> Vec<Row> {
    const MAX: u32 = u32::MAX;
    vec![
        row(
            "rep of index 0",
            "(drop (call $rep (i32.const 0)))",
            UnknownHandle(0),
        ),
        row(
            "rep of an index that never was",
            "(drop (call $rep (i32.const 77)))",
            UnknownHandle(77),
        ),
        row(
            "rep of the last index",
            "(drop (call $rep (i32.const -1)))",
            UnknownHandle(MAX),
        ),
        row(
            "rep of a sign bit",
            "(drop (call $rep (i32.const 0x80000001)))",
            UnknownHandle(0x8000_0001),
        ),
        row("drop of index 0", "(call $drop (i32.const 0))", UnknownHandle(0)),
        row(
            "drop of an index that never was",
            "(call $drop (i32.const 77))",
            UnknownHandle(77),
        ),
        row(
            "drop of the last index",
            "(call $drop (i32.const -1))",
            UnknownHandle(MAX),
        ),
        row(
            "drop twice",
            "(local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "rep after drop",
            "(local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0)) (drop (call $rep (local.get 0)))",
            UnknownHandle(1),
        ),
        row(
            "the representation as a handle",
            "(drop (call $new (i32.const 7))) (drop (call $rep (i32.const 7)))",
            UnknownHandle(7),
        ),
        row(
            "one beyond the last handle",
            "(drop (call $new (i32.const 7))) (drop (call $rep (i32.const 2)))",
            UnknownHandle(2),
        ),
        row(
            "rep of another type",
            "(drop (call $rep (call $new-s (i32.const 7))))",
            WrongType(1),
        ),
        row(
            "drop of another type",
            "(call $drop (call $new-s (i32.const 7)))",
            WrongType(1),
        ),
        row(
            "an index that another type has now",
            "(local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0))
             (drop (call $new-s (i32.const 8))) (drop (call $rep (local.get 0)))",
            WrongType(1),
        ),
        (
            "a destructor that gives up",
            "(call $drop-s (call $new-s (i32.const 0)))",
            TrapKind::Core(CoreTrap::Unreachable),
            TrapClass::Unreachable,
        ),
        (
            "a destructor that divides by zero",
            "(call $drop-s (call $new-s (i32.const 1)))",
            TrapKind::Core(CoreTrap::DivisionByZero),
            TrapClass::DivisionByZero,
        ),
        (
            "a destructor that recurses",
            "(call $drop-s (call $new-s (i32.const 2)))",
            TrapKind::Core(CoreTrap::StackOverflow),
            TrapClass::StackExhausted,
        ),
    ]
}

fn own() -> Vec<Case> {
    let plain = r#"(canon lift (core func $i "run"))"#;
    let rows = own_resources();
    let cases = rows.iter().map(|row| {
        Case::new(
            "handles",
            format!("own resources: {}", row.0),
            own_text("", row.1, plain),
            expected(row),
        )
    });
    cases.collect()
}

/// Values that a guest returns to the host as handles.
fn returned() -> Vec<Case> {
    let memory = r#"(canon lift (core func $i "run") (memory (core memory $i "mem")))"#;
    let plain = r#"(canon lift (core func $i "run"))"#;
    let pair = |first: &str, second: &str| {
        format!("(i32.store (i32.const 8) {first}) (i32.store (i32.const 12) {second}) (i32.const 8)")
    };
    let new = "(local.tee 0 (call $new (i32.const 7)))";
    let rows = [
        (
            "index 0",
            "(result (own $r))",
            plain,
            "(i32.const 0)".to_owned(),
            UnknownHandle(0),
        ),
        (
            "an index that never was",
            "(result (own $r))",
            plain,
            "(i32.const 99)".to_owned(),
            UnknownHandle(99),
        ),
        (
            "of another type",
            "(result (own $r))",
            plain,
            "(call $new-s (i32.const 7))".to_owned(),
            WrongType(1),
        ),
        (
            "dropped before",
            "(result (own $r))",
            plain,
            format!("(call $drop {new}) (local.get 0)"),
            UnknownHandle(1),
        ),
        (
            "the same twice",
            "(result (tuple (own $r) (own $r)))",
            memory,
            pair(new, "(local.get 0)"),
            UnknownHandle(1),
        ),
        (
            "one of another type behind a good one",
            "(result (tuple (own $r) (own $r)))",
            memory,
            pair(new, "(call $new-s (i32.const 7))"),
            WrongType(2),
        ),
        (
            "a stale one within an option",
            "(result (option (own $r)))",
            memory,
            pair("(i32.const 1)", "(i32.const 44)"),
            UnknownHandle(44),
        ),
        (
            "an error's",
            "(result (result (error (own $s))))",
            memory,
            pair("(i32.const 1)", "(call $new (i32.const 3))"),
            WrongType(1),
        ),
    ];
    let cases = rows.map(|(name, result, lift, body, error)| {
        let row = row(name, "", error);
        let text = own_text("(result i32)", &body, &format!("{result} {lift}"));
        Case::new(
            "handles",
            format!("returned to the host: {name}"),
            text,
            expected(&row),
        )
    });
    cases.into()
}

const MAKE: &str = "(local.set 0 (call $make))";

fn composed() -> Vec<Case> {
    let rows = [
        row("lent: index 0", "(call $look (i32.const 0))", UnknownHandle(0)),
        row(
            "lent: an index that never was",
            "(call $look (i32.const 31))",
            UnknownHandle(31),
        ),
        row(
            "lent: the last index",
            "(call $look (i32.const -1))",
            UnknownHandle(u32::MAX),
        ),
        row(
            "lent: of another type",
            "(call $look (call $make-s))",
            WrongType(1),
        ),
        row(
            "lent after it was dropped",
            "(call $drop (local.get 0)) (call $look (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "lent after it was given",
            "(call $take (local.get 0)) (call $look (local.get 0))",
            UnknownHandle(1),
        ),
        row("given: index 0", "(call $take (i32.const 0))", UnknownHandle(0)),
        row(
            "given: an index that never was",
            "(call $take (i32.const 31))",
            UnknownHandle(31),
        ),
        row(
            "given: of another type",
            "(call $take (call $make-s))",
            WrongType(1),
        ),
        row(
            "given twice",
            "(call $take (local.get 0)) (call $take (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "given after it was dropped",
            "(call $drop (local.get 0)) (call $take (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "dropped after it was given",
            "(call $take (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "dropped twice",
            "(call $drop (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "dropped: of another type",
            "(call $drop (call $make-s))",
            WrongType(1),
        ),
        row(
            "lent and given in one call",
            "(call $both (local.get 0) (local.get 0))",
            Lent(1),
        ),
        row(
            "given and lent in one call",
            "(call $both2 (local.get 0) (local.get 0))",
            UnknownHandle(1),
        ),
    ];
    let of = |row: &Row| {
        let needs_one = row.1.contains("(local.get 0)");
        let body = if needs_one {
            format!("{MAKE} {}", row.1)
        } else {
            row.1.to_owned()
        };
        Case::new(
            "handles",
            format!("of another component: {}", row.0),
            composed_text(&body),
            expected(row),
        )
    };
    let mut cases: Vec<Case> = rows.iter().map(of).collect();
    let body =
        format!("{MAKE} (call $look (local.get 0)) (call $look (local.get 0)) (call $take (local.get 0))");
    let good = Expected::Value(None);
    cases.push(Case::new(
        "handles",
        "of another component: lent twice, then given",
        composed_text(&body),
        good,
    ));
    cases
}

fn borrowed() -> Vec<Case> {
    let remain = |name, body| (name, body, TrapKind::BorrowsRemain(1), TrapClass::BorrowsRemain);
    let rows = [
        remain("kept beyond the call", ""),
        remain("used, then kept", "(call $look (local.get 0))"),
        row(
            "dropped twice",
            "(call $drop (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "used after it was dropped",
            "(call $drop (local.get 0)) (call $look (local.get 0))",
            UnknownHandle(1),
        ),
        row("given away", "(call $take (local.get 0))", NotOwned(1)),
        row(
            "remembered, and used in another call before the new one",
            "(if (global.get $kept) (then (call $drop (local.get 0)) (call $look (global.get $kept))))
             (global.set $kept (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "the owner's index",
            "(call $look (i32.const 2))",
            UnknownHandle(2),
        ),
    ];
    let of = |row: &Row| {
        Case::new(
            "handles",
            format!("borrowed: {}", row.0),
            borrowed_text(row.1),
            expected(row),
        )
    };
    let mut cases: Vec<Case> = rows.iter().map(of).collect();
    let body = "(call $look (local.get 0)) (call $look (local.get 0)) (call $drop (local.get 0))";
    let text = borrowed_text(body);
    cases.push(Case::new(
        "handles",
        "borrowed: used twice, then dropped",
        text,
        Expected::Value(None),
    ));
    cases
}

fn host() -> Vec<Case> {
    let rows = [
        row(
            "lent: index 0",
            "(call $look (i32.const 0) (i32.const 7))",
            UnknownHandle(0),
        ),
        row(
            "lent: the representation",
            "(call $look (i32.const 7) (i32.const 7))",
            UnknownHandle(7),
        ),
        row(
            "lent after drop",
            "(call $drop (local.get 0)) (call $look (local.get 0) (i32.const 7))",
            UnknownHandle(1),
        ),
        row(
            "dropped twice",
            "(call $drop (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "dropped: the last index",
            "(call $drop (i32.const -1))",
            UnknownHandle(u32::MAX),
        ),
        row(
            "lent and given in one call",
            "(call $take (local.get 0) (local.get 0))",
            Lent(1),
        ),
        row(
            "given twice",
            "(call $take (call $make (i32.const 8)) (local.get 0)) (call $take (i32.const 2) (local.get 0))",
            UnknownHandle(1),
        ),
        row(
            "dropped after it was given",
            "(call $take (call $make (i32.const 8)) (local.get 0)) (call $drop (local.get 0))",
            UnknownHandle(1),
        ),
    ];
    let of = |row: &Row| {
        let body = format!("(local.set 0 (call $make (i32.const 7))) {}", row.1);
        let name = format!("of the host: {}", row.0);
        Case::new("handles", name, of_the_host(&body), expected(row)).host_resources()
    };
    rows.iter().map(of).collect()
}

pub(super) fn cases() -> Vec<Case> {
    [own(), returned(), composed(), borrowed(), host()]
        .into_iter()
        .flatten()
        .collect()
}
