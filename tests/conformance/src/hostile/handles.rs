//! Handles that are stale, forged, of another type, dropped twice, given away or kept though they are lent.

use airssys_wasm::conformance::TrapClass;
use airssys_wasm::error::{CoreTrap, ResourceError, TrapKind};

use super::case::{Case, Expected, Reference};

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

/// One instance and the resources that it defines: `$new`, `$rep`, `$drop` of `r`, `$new-s` and so on of `s`.
/// Local 0 is free to use.
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

/// Definitions of `r` and `s`, and a core module whose `run` has `results` and this body.
fn own_text(results: &str, body: &str, lift: &str) -> String {
    format!(
        r#"(component
        (core module $dtors
            (func $deeper (param i32) (call $deeper (local.get 0)) (call $deeper (local.get 0)))
            (func (export "s") (param i32)
                (if (i32.eqz (local.get 0)) (then unreachable))
                (if (i32.eq (local.get 0) (i32.const 1)) (then (drop (i32.div_u (i32.const 1) (i32.const 0)))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (call $deeper (i32.const 0))))))
        (core instance $dtors (instantiate $dtors))
        (type $r' (resource (rep i32)))
        (type $s' (resource (rep i32) (dtor (core func $dtors "s"))))
        (export $r "r" (type $r'))
        (export $s "s" (type $s'))
        (core func $new (canon resource.new $r'))
        (core func $rep (canon resource.rep $r'))
        (core func $drop (canon resource.drop $r'))
        (core func $new-s (canon resource.new $s'))
        (core func $drop-s (canon resource.drop $s'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "new-s" (func $new-s (param i32) (result i32)))
            (import "" "drop-s" (func $drop-s (param i32)))
            (memory (export "mem") 1)
            (func (export "run") {results} (local i32) {body}))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))
            (export "new-s" (func $new-s)) (export "drop-s" (func $drop-s))))))
        (func (export "run") {lift}))"#
    )
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

/// What a guest returns to the host as handles.
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

/// A component that defines `r` and takes it in every way; another that has `$make`, `$look` (borrows), `$take`
/// (owns), `$both` (borrows and owns), `$both2` (owns and borrows), `$drop`, and `$make-s` of a second type.
fn composed_text(body: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (type $r' (resource (rep i32)))
            (type $s' (resource (rep i32)))
            (export $r "r" (type $r'))
            (export $s "s" (type $s'))
            (core func $new (canon resource.new $r'))
            (core func $new-s (canon resource.new $s'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (import "" "new-s" (func $new-s (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 70)))
                (func (export "make-s") (result i32) (call $new-s (i32.const 80)))
                (func (export "one") (param i32))
                (func (export "two") (param i32 i32)))
            (core instance $i (instantiate $m
                (with "" (instance (export "new" (func $new)) (export "new-s" (func $new-s))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "make-s") (result (own $s)) (canon lift (core func $i "make-s")))
            (func (export "look") (param "x" (borrow $r)) (canon lift (core func $i "one")))
            (func (export "take") (param "x" (own $r)) (canon lift (core func $i "one")))
            (func (export "both") (param "x" (borrow $r)) (param "y" (own $r)) (canon lift (core func $i "two")))
            (func (export "both2") (param "x" (own $r)) (param "y" (borrow $r)) (canon lift (core func $i "two"))))
        (component $caller
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "s" (type $s (sub resource)))
                (export "make" (func (result (own $r))))
                (export "make-s" (func (result (own $s))))
                (export "look" (func (param "x" (borrow $r))))
                (export "take" (func (param "x" (own $r))))
                (export "both" (func (param "x" (borrow $r)) (param "y" (own $r))))
                (export "both2" (func (param "x" (own $r)) (param "y" (borrow $r))))))
            (alias export $host "r" (type $r))
            (core func $make (canon lower (func $host "make")))
            (core func $make-s (canon lower (func $host "make-s")))
            (core func $look (canon lower (func $host "look")))
            (core func $take (canon lower (func $host "take")))
            (core func $both (canon lower (func $host "both")))
            (core func $both2 (canon lower (func $host "both2")))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "make" (func $make (result i32)))
                (import "" "make-s" (func $make-s (result i32)))
                (import "" "look" (func $look (param i32)))
                (import "" "take" (func $take (param i32)))
                (import "" "both" (func $both (param i32 i32)))
                (import "" "both2" (func $both2 (param i32 i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (local i32) {body}))
            (core instance $i (instantiate $m (with "" (instance
                (export "make" (func $make)) (export "make-s" (func $make-s)) (export "look" (func $look))
                (export "take" (func $take)) (export "both" (func $both)) (export "both2" (func $both2))
                (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $c (instantiate $caller (with "host" (instance $p))))
        (export "run" (func $c "run")))"#
    )
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

/// `provider` defines `r`; `$middle` borrows one of it for the call that does `body`; `$look`, `$take` and `$drop` are
/// at hand, local 0 is the borrow, and the global `$kept` is 0 at first. `run` calls it twice.
fn borrowed_text(body: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (type $r' (resource (rep i32)))
            (export $r "r" (type $r'))
            (core func $new (canon resource.new $r'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 70)))
                (func (export "one") (param i32)))
            (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "look") (param "x" (borrow $r)) (canon lift (core func $i "one")))
            (func (export "take") (param "x" (own $r)) (canon lift (core func $i "one"))))
        (component $middle
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "look" (func (param "x" (borrow $r))))
                (export "take" (func (param "x" (own $r))))))
            (alias export $host "r" (type $r))
            (core func $look (canon lower (func $host "look")))
            (core func $take (canon lower (func $host "take")))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "look" (func $look (param i32)))
                (import "" "take" (func $take (param i32)))
                (import "" "drop" (func $drop (param i32)))
                (global $kept (mut i32) (i32.const 0))
                (func (export "use") (param i32) {body}))
            (core instance $i (instantiate $m (with "" (instance
                (export "look" (func $look)) (export "take" (func $take)) (export "drop" (func $drop))))))
            (func (export "use") (param "x" (borrow $r)) (canon lift (core func $i "use"))))
        (component $caller
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "make" (func (result (own $r))))))
            (alias export $host "r" (type $r))
            (import "use" (func $use (param "x" (borrow $r))))
            (core func $make (canon lower (func $host "make")))
            (core func $use (canon lower (func $use)))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "make" (func $make (result i32)))
                (import "" "use" (func $use (param i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (local i32)
                    (local.set 0 (call $make))
                    (call $use (local.get 0))
                    (call $use (local.get 0))
                    (call $drop (local.get 0))))
            (core instance $i (instantiate $m (with "" (instance
                (export "make" (func $make)) (export "use" (func $use)) (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $q (instantiate $middle (with "host" (instance $p))))
        (instance $c (instantiate $caller (with "host" (instance $p)) (with "use" (func $q "use"))))
        (export "run" (func $c "run")))"#
    )
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

/// Resources of the host's: `$make`, `$look`, `$take`, `$drop`.
fn of_the_host(body: &str) -> String {
    format!(
        r#"(component
        (import "host" (instance $host
            (export "resource1" (type $r (sub resource)))
            (export "[constructor]resource1" (func (param "rep" u32) (result (own $r))))
            (export "[method]resource1.simple" (func (param "self" (borrow $r)) (param "rep" u32)))
            (export "[method]resource1.take-own" (func (param "self" (borrow $r)) (param "b" (own $r))))))
        (alias export $host "resource1" (type $r))
        (core func $make (canon lower (func $host "[constructor]resource1")))
        (core func $look (canon lower (func $host "[method]resource1.simple")))
        (core func $take (canon lower (func $host "[method]resource1.take-own")))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "look" (func $look (param i32 i32)))
            (import "" "take" (func $take (param i32 i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "run") (local i32) {body}))
        (core instance $i (instantiate $m (with "" (instance
            (export "make" (func $make)) (export "look" (func $look)) (export "take" (func $take))
            (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run"))))"#
    )
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
        Case::new("handles", name, of_the_host(&body), expected(row))
            .host_resources()
            .reference(Reference::Not(
                "host-defined resources are set up for the library's own backends only",
            ))
    };
    rows.iter().map(of).collect()
}

pub(super) fn cases() -> Vec<Case> {
    [own(), returned(), composed(), borrowed(), host()]
        .into_iter()
        .flatten()
        .collect()
}
