//! Guests that call imports while they may not, or that trap in post-return.

use crate::{FailureKind, TrapClass};
use airssys_wasm_component::component::Val;
use airssys_wasm_component::error::{CoreTrap, TrapKind};

use super::case::{Case, Expected, Reference};

/// Behaviors of a post-return or `realloc`: name, instructions, and the trap. `$out` is an import of the component, `$new`
/// creates a resource, `$drop` drops the existing one at index 1.
fn behaviors() -> Vec<(&'static str, &'static str, TrapKind, TrapClass)> {
    let core = TrapKind::Core;
    vec![
        (
            "calls an import",
            "(call $out)",
            TrapKind::CannotLeave,
            TrapClass::CannotLeave,
        ),
        (
            "makes a resource",
            "(drop (call $new (i32.const 1)))",
            TrapKind::CannotLeave,
            TrapClass::CannotLeave,
        ),
        (
            "drops a resource",
            "(call $drop (i32.const 1))",
            TrapKind::CannotLeave,
            TrapClass::CannotLeave,
        ),
        (
            "drops what it has not",
            "(call $drop (i32.const 9))",
            TrapKind::CannotLeave,
            TrapClass::CannotLeave,
        ),
        (
            "gives up",
            "unreachable",
            core(CoreTrap::Unreachable),
            TrapClass::Unreachable,
        ),
        (
            "recurses",
            "(call $deeper)",
            core(CoreTrap::StackOverflow),
            TrapClass::StackExhausted,
        ),
        (
            "writes outside of memory",
            "(i32.store (i32.const 65533) (i32.const 0))",
            core(CoreTrap::MemoryOutOfBounds),
            TrapClass::MemoryOutOfBounds,
        ),
        (
            "calls a table's null",
            "(call_indirect (i32.const 0))",
            core(CoreTrap::IndirectCallToNull),
            TrapClass::UninitializedElement,
        ),
        (
            "calls beyond a table",
            "(call_indirect (i32.const 7))",
            core(CoreTrap::TableOutOfBounds),
            TrapClass::TableOutOfBounds,
        ),
        (
            "calls with another type",
            "(call_indirect (i32.const 1))",
            core(CoreTrap::BadSignature),
            TrapClass::IndirectCallType,
        ),
    ]
}

/// Returns the content of a component with `work: func(s: string) -> u32`.
fn worker(realloc: &str, post_return: &str) -> String {
    format!(
        r#"(import "host" (instance $host (export "out" (func))))
        (alias export $host "out" (func $out))
        (type $r (resource (rep i32)))
        (core func $out (canon lower (func $out)))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "out" (func $out))
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (memory (export "mem") 1)
            (table 3 3 funcref)
            (elem (i32.const 1) func $realloc)
            (func $deeper (call $deeper) (call $out))
            (func $init (drop (call $new (i32.const 5))))
            (start $init)
            (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc} (i32.const 1024))
            (func (export "work") (param i32 i32) (result i32) (i32.const 7))
            (func (export "post") (param i32) {post_return}))
        (core instance $i (instantiate $m (with "" (instance
            (export "out" (func $out)) (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "work") (param "s" string) (result u32) (canon lift (core func $i "work")
            (memory (core memory $i "mem")) (realloc (core func $i "realloc")) (post-return (core func $i "post"))))"#
    )
}

const LEAVES: &str = "its adapters do not clear `may_leave` for post-returns, as `canon lift` requires";

const OUT: &str = r#"(component
    (core module $m (func (export "out")))
    (core instance $i (instantiate $m))
    (func (export "out") (canon lift (core func $i "out"))))"#;

/// Wraps the worker for calls by the host.
fn direct(worker: &str) -> String {
    format!(
        "(component {} )",
        worker.replace(
            "(func (export \"work\") (param \"s\"",
            "(func (export \"run\") (param \"s\""
        )
    )
}

/// Wraps the worker for calls by another component.
fn through_adapter(worker: &str) -> String {
    format!(
        r#"(component
            (import "host" (instance $host (export "out" (func))))
            (component $worker {worker})
            (component $caller
                (import "work" (func $work (param "s" string) (result u32)))
                (core module $libc (memory (export "mem") 1) (data (i32.const 8) "text"))
                (core instance $libc (instantiate $libc))
                (core func $work (canon lower (func $work) (memory (core memory $libc "mem"))))
                (core module $m
                    (import "" "work" (func $work (param i32 i32) (result i32)))
                    (func (export "run") (param i32 i32) (result i32) (call $work (i32.const 8) (i32.const 4))))
                (core instance $i (instantiate $m (with "" (instance (export "work" (func $work))))))
                (core module $heap
                    (memory (export "mem") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
                (core instance $heap (instantiate $heap))
                (func (export "run") (param "s" string) (result u32) (canon lift (core func $i "run")
                    (memory (core memory $heap "mem")) (realloc (core func $heap "realloc")))))
            (instance $w (instantiate $worker (with "host" (instance $host))))
            (instance $c (instantiate $caller (with "work" (func $w "work"))))
            (export "run" (func $c "run")))"#
    )
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut push = |name: String, worker: String, expected: Expected, reference: Reference| {
        let case = |name: String, text: String| {
            let case = Case::new("leaving", name, text, expected.clone());
            case.provider(OUT.into())
                .arguments(vec![Val::String("text".into())])
        };
        cases.push(case(name.clone(), direct(&worker)));
        let name = format!("{name}, for another component");
        cases.push(case(name, through_adapter(&worker)).reference(reference));
    };
    let harmless = Expected::Value(Some(Val::U32(7)));
    push(
        "realloc and post-return without harm".into(),
        worker("", ""),
        harmless,
        Reference::Same,
    );
    for (name, body, kind, class) in behaviors() {
        let reference = match (&kind, name) {
            (TrapKind::CannotLeave, "drops what it has not") => {
                Reference::Differs(FailureKind::Trap(TrapClass::BadHandle), LEAVES)
            }
            (TrapKind::CannotLeave, _) => Reference::Returns(LEAVES),
            _ => Reference::Same,
        };
        let expected = Expected::Trap(kind, class);
        push(
            format!("post-return that {name}"),
            worker("", body),
            expected.clone(),
            reference,
        );
        push(
            format!("realloc that {name}"),
            worker(body, ""),
            expected,
            Reference::Same,
        );
    }
    cases
}
