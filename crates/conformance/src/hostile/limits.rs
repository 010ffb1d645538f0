//! Guests that request more resources than a host allows.

use crate::TrapClass;
use airssys_wasm_component::error::{ResourceError, TrapKind};

use super::case::{Case, Expected, limits};

fn instantiate() -> Vec<Case> {
    let module = |inside: &str, instances: usize| {
        let instances = "(core instance (instantiate $m))".repeat(instances);
        format!("(component (core module $m {inside}) {instances})")
    };
    let rows = [
        ("a memory of 4 GiB", module("(memory 65536)", 1), "memory_bytes"),
        (
            "a memory of one page too many",
            module("(memory 257)", 1),
            "memory_bytes",
        ),
        ("21 memories", module("(memory 1)", 21), "memories"),
        (
            "a table of 2^32 - 1 elements",
            module("(table 4294967295 funcref)", 1),
            "table_elements",
        ),
        (
            "a table of one element too many",
            module("(table 10001 funcref)", 1),
            "table_elements",
        ),
        ("51 tables", module("(table 1 funcref)", 51), "tables"),
        ("101 core instances", module("", 101), "core_instances"),
    ];
    let cases = rows
        .map(|(name, text, limit)| Case::new("limits", name, text, Expected::Instantiate(limit)).limited());
    cases.into()
}

/// Returns a list whose elements are all the same string or list of the guest.
fn aliased(ty: &str, count: u32, length: u32) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "mem") 4)
            (func (export "run") (result i32) (local $at i32)
                (local.set $at (i32.const 65536))
                (loop $l
                    (i32.store (local.get $at) (i32.const 1024))
                    (i32.store offset=4 (local.get $at) (i32.const {length}))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $l (i32.lt_u (local.get $at) (i32.const {end}))))
                (i32.store (i32.const 0) (i32.const 65536))
                (i32.store (i32.const 4) (i32.const {count}))
                (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "run") (result {ty}) (canon lift (core func $i "run") (memory (core memory $i "mem")))))"#,
        end = 65536 + 8 * count
    )
}

/// Passes such a list to an import.
fn aliased_argument(ty: &str, count: u32, length: u32) -> String {
    format!(
        r#"(component
        (import "host" (instance $host (export "take" (func (param "x" {ty})))))
        (core module $libc (memory (export "mem") 4))
        (core instance $libc (instantiate $libc))
        (core func $take (canon lower (func $host "take") (memory (core memory $libc "mem"))))
        (core module $m
            (import "" "mem" (memory 4))
            (import "" "take" (func $take (param i32 i32)))
            (func (export "run") (local $at i32)
                (local.set $at (i32.const 65536))
                (loop $l
                    (i32.store (local.get $at) (i32.const 1024))
                    (i32.store offset=4 (local.get $at) (i32.const {length}))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $l (i32.lt_u (local.get $at) (i32.const {end}))))
                (call $take (i32.const 65536) (i32.const {count}))))
        (core instance $i (instantiate $m (with "" (instance
            (export "mem" (memory $libc "mem")) (export "take" (func $take))))))
        (func (export "run") (canon lift (core func $i "run"))))"#,
        end = 65536 + 8 * count
    )
}

fn taker(ty: &str) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "take") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "take") (param "x" {ty}) (canon lift (core func $i "take")
            (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#
    )
}

fn lifted() -> Vec<Case> {
    let over = || Expected::Trap(TrapKind::Limit("lift_bytes".into()), TrapClass::Limit);
    let rows = [
        ("1000 names of one string", "(list string)", 1000, 60_000),
        ("1000 names of one list of u8", "(list (list u8))", 1000, 60_000),
        ("1000 names of one list of u64", "(list (list u64))", 1000, 7_000),
        (
            "1000 names of one list of options",
            "(list (list (option u8)))",
            1000,
            30_000,
        ),
        ("20000 names of a short string", "(list string)", 20_000, 500),
    ];
    let mut cases = Vec::new();
    for (name, ty, count, length) in rows {
        let text = aliased(ty, count, length);
        cases.push(Case::new("limits", format!("{name} as a result"), text, over()).limited());
        let text = aliased_argument(ty, count, length);
        let case = Case::new("limits", format!("{name} as an argument"), text, over());
        cases.push(case.provider(taker(ty)).limited());
    }
    cases
}

/// Returns a composition in which each of several components creates `count` handles of a resource of its own.
fn handles(components: usize, count: u32) -> String {
    let instances: String = (0..components)
        .map(|index| format!("(instance $c{index} (instantiate $c))"))
        .collect();
    let names: String = (0..components)
        .map(|index| format!("(import \"f{index}\" (func $f{index}))"))
        .collect();
    let lowered: String = (0..components)
        .map(|index| format!("(core func $f{index} (canon lower (func $f{index})))"))
        .collect();
    let imports: String = (0..components)
        .map(|index| format!("(import \"\" \"f{index}\" (func $f{index}))"))
        .collect();
    let calls: String = (0..components).map(|index| format!("(call $f{index})")).collect();
    let exports: String = (0..components)
        .map(|index| format!("(export \"f{index}\" (func $f{index}))"))
        .collect();
    let with: String = (0..components)
        .map(|index| format!("(with \"f{index}\" (func $c{index} \"make\"))"))
        .collect();
    format!(
        r#"(component
        (component $c
            (type $r (resource (rep i32)))
            (core func $new (canon resource.new $r))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "make") (local i32)
                    (loop $l
                        (drop (call $new (local.get 0)))
                        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                        (br_if $l (i32.lt_u (local.get 0) (i32.const {count}))))))
            (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
            (func (export "make") (canon lift (core func $i "make"))))
        (component $all
            {names}
            {lowered}
            (core module $m {imports} (func (export "run") {calls}))
            (core instance $i (instantiate $m (with "" (instance {exports}))))
            (func (export "run") (canon lift (core func $i "run"))))
        {instances}
        (instance $all (instantiate $all {with}))
        (export "run" (func $all "run")))"#
    )
}

/// Returns a component that lends one resource `count` times in one call, to the component that defines it.
fn loans(count: u32) -> String {
    format!(
        r#"(component
        (component $provider
            (type $r' (resource (rep i32)))
            (export $r "r" (type $r'))
            (core func $new (canon resource.new $r'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (memory (export "mem") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
                (func (export "make") (result i32) (call $new (i32.const 70)))
                (func (export "look") (param i32 i32)))
            (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "look") (param "x" (list (borrow $r))) (canon lift (core func $i "look")
                (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
        (component $caller
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "make" (func (result (own $r))))
                (export "look" (func (param "x" (list (borrow $r)))))))
            (core module $libc (memory (export "mem") 1))
            (core instance $libc (instantiate $libc))
            (core func $make (canon lower (func $host "make")))
            (core func $look (canon lower (func $host "look") (memory (core memory $libc "mem"))))
            (core module $m
                (import "" "mem" (memory 1))
                (import "" "make" (func $make (result i32)))
                (import "" "look" (func $look (param i32 i32)))
                (func (export "run") (local i32 i32)
                    (local.set 0 (call $make))
                    (loop $l
                        (i32.store (local.get 1) (local.get 0))
                        (local.set 1 (i32.add (local.get 1) (i32.const 4)))
                        (br_if $l (i32.lt_u (local.get 1) (i32.const {bytes}))))
                    (call $look (i32.const 0) (i32.const {count}))))
            (core instance $i (instantiate $m (with "" (instance
                (export "mem" (memory $libc "mem")) (export "make" (func $make)) (export "look" (func $look))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $c (instantiate $caller (with "host" (instance $p))))
        (export "run" (func $c "run")))"#,
        bytes = 4 * count
    )
}

fn handle_tables() -> Vec<Case> {
    let full = || {
        Expected::Trap(
            TrapKind::Resource(ResourceError::TableFull(1_000)),
            TrapClass::Limit,
        )
    };
    let mut few = limits();
    few.handles = 100_000;
    vec![
        Case::new(
            "limits",
            "a table of handles that is full",
            handles(1, 1_001),
            full(),
        )
        .limited(),
        Case::new(
            "limits",
            "ten tables of handles that are full together",
            handles(10, 101),
            full(),
        )
        .limited(),
        Case::new(
            "limits",
            "ten tables of handles that are not full",
            handles(10, 40),
            Expected::Value(None),
        )
        .limits(few.clone()),
        Case::new(
            "limits",
            "one resource lent more often than there may be handles",
            loans(1_001),
            full(),
        )
        .limited(),
        Case::new(
            "limits",
            "one resource lent a thousand times",
            loans(999),
            Expected::Value(None),
        )
        .limits(few),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [instantiate(), lifted(), handle_tables()]
        .into_iter()
        .flatten()
        .collect()
}
