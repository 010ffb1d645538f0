//! Asynchronous functions, streams and futures that are misused. `tests/wast/async-*.wast` has more of them.

use airssys_wasm_component::component::Val;
use airssys_wasm_component::error::{AsyncTrap, ResourceError, TrapKind};

use super::case::{Case, Expected, Reference};
use crate::TrapClass;

/// Built-ins of a stream and a future of bytes, and of tasks, under the names that [`guest`] imports.
const BUILTINS: &[(&str, &str, &str)] = &[
    ("yield", "(canon thread.yield)", "(result i32)"),
    ("cancel", "(canon task.cancel)", ""),
    ("set-new", "(canon waitable-set.new)", "(result i32)"),
    ("set-drop", "(canon waitable-set.drop)", "(param i32)"),
    (
        "wait",
        r#"(canon waitable-set.wait (memory (core memory $l "m")))"#,
        "(param i32 i32) (result i32)",
    ),
    ("join", "(canon waitable.join)", "(param i32 i32)"),
    ("subtask-drop", "(canon subtask.drop)", "(param i32)"),
    ("new", "(canon stream.new $bytes)", "(result i64)"),
    (
        "write",
        r#"(canon stream.write $bytes async (memory (core memory $l "m")))"#,
        "(param i32 i32 i32) (result i32)",
    ),
    (
        "read",
        r#"(canon stream.read $bytes async (memory (core memory $l "m")))"#,
        "(param i32 i32 i32) (result i32)",
    ),
    (
        "read-words",
        r#"(canon stream.read $words async (memory (core memory $l "m")))"#,
        "(param i32 i32 i32) (result i32)",
    ),
    (
        "cancel-read",
        "(canon stream.cancel-read $bytes)",
        "(param i32) (result i32)",
    ),
    (
        "drop-readable",
        "(canon stream.drop-readable $bytes)",
        "(param i32)",
    ),
    ("future-new", "(canon future.new $byte)", "(result i64)"),
    (
        "future-cancel-read",
        "(canon future.cancel-read $byte)",
        "(param i32) (result i32)",
    ),
    (
        "future-cancel-write",
        "(canon future.cancel-write $byte)",
        "(param i32) (result i32)",
    ),
    (
        "future-drop-writable",
        "(canon future.drop-writable $byte)",
        "(param i32)",
    ),
];

/// Returns a component that has [`BUILTINS`], with functions that use them.
fn guest(functions: &str, exports: &str) -> String {
    let mut text = String::from(
        r#"(component
        (core module $libc (memory (export "m") 1))
        (core instance $l (instantiate $libc))
        (type $bytes (stream u8)) (type $words (stream u16)) (type $byte (future u8))
"#,
    );
    for (name, canon, _) in BUILTINS {
        let canon = canon.trim_start_matches('(').trim_end_matches(')');
        let closing = canon.matches('(').count() - canon.matches(')').count();
        text.push_str(&format!(
            "        (core func ${name} ({canon}{}))\n",
            ")".repeat(closing)
        ));
    }
    text.push_str("        (core module $m\n            (import \"\" \"m\" (memory 1))\n");
    for (name, _, ty) in BUILTINS {
        text.push_str(&format!(
            "            (import \"\" \"{name}\" (func ${name} {ty}))\n"
        ));
    }
    text.push_str(functions);
    text.push_str(
        ")\n        (core instance $i (instantiate $m (with \"\" (instance\n            (export \"m\" (memory $l \"m\"))\n",
    );
    for (name, ..) in BUILTINS {
        text.push_str(&format!("            (export \"{name}\" (func ${name}))\n"));
    }
    text.push_str("        ))))\n");
    text.push_str(exports);
    text.push(')');
    text
}

/// Returns a component whose `run` is the body of a function that is not asynchronous, with two locals: an `i64` and an `i32`.
fn running(body: &str) -> String {
    guest(
        &format!(r#"(func (export "run") (result i32) (local $ends i64) (local $n i32) {body})"#),
        r#"(func (export "run") (result u32) (canon lift (core func $i "run")))"#,
    )
}

/// Returns a component whose `run` is asynchronous, and returns `code` at once, and then that of its callback.
fn calling_back(code: &str, callback: &str) -> String {
    guest(
        &format!(
            r#"(func (export "run") (result i32) {code})
               (func (export "back") (param i32 i32 i32) (result i32) {callback})"#
        ),
        r#"(func (export "run") async (result u32) (canon lift (core func $i "run") async (callback (core func $i "back"))))"#,
    )
}

/// The start of a body: a stream, its readable end below, and its writable end above.
const STREAM: &str = "(local.set $ends (call $new))";
const FUTURE: &str = "(local.set $ends (call $future-new))";
const READABLE: &str = "(i32.wrap_i64 (local.get $ends))";
const WRITABLE: &str = "(i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32)))";

fn asynchronous(trap: AsyncTrap) -> Expected {
    Expected::Trap(TrapKind::Async(trap), TrapClass::Other)
}

fn handle(error: ResourceError) -> Expected {
    Expected::Trap(TrapKind::Resource(error), TrapClass::BadHandle)
}

/// The end at the limit of handles.
fn full() -> Expected {
    Expected::Trap(
        TrapKind::Resource(ResourceError::TableFull(1_000)),
        TrapClass::Limit,
    )
}

pub(super) fn cases() -> Vec<Case> {
    let word = |value: u32| Expected::Value(Some(Val::U32(value)));
    let rows = [
        (
            "a callback of another type",
            r#"(component
                (core module $m (func (export "run") (result i32) (i32.const 0)) (func (export "back") (result i64) (i64.const 0)))
                (core instance $i (instantiate $m))
                (func (export "run") async (result u32)
                    (canon lift (core func $i "run") async (callback (core func $i "back")))))"#
                .to_owned(),
            Expected::Invalid("callback"),
        ),
        (
            "an asynchronous function called as a synchronous one",
            r#"(component
                (component $callee
                    (core module $m (func (export "f") (result i32) (i32.const 1)) (func (export "back") (param i32 i32 i32) (result i32) (i32.const 1)))
                    (core instance $i (instantiate $m))
                    (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "back")))))
                (component $caller
                    (import "f" (func $imported async))
                    (core func $f (canon lower (func $imported)))
                    (core module $m (import "" "f" (func $f)) (func (export "run") (call $f)))
                    (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
                    (func (export "run") (canon lift (core func $i "run"))))
                (instance $callee (instantiate $callee))
                (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
                (export "run" (func $caller "run")))"#
                .to_owned(),
            asynchronous(AsyncTrap::CannotBlock),
        ),
        (
            "an asynchronous function with the type of a synchronous one",
            r#"(component
                (component $callee
                    (core module $m (func (export "f") (result i32) (i32.const 0)) (func (export "back") (param i32 i32 i32) (result i32) (i32.const 0)))
                    (core instance $i (instantiate $m))
                    (func (export "f") (canon lift (core func $i "f") async (callback (core func $i "back"))))))"#
                .to_owned(),
            Expected::Invalid("async"),
        ),
        (
            "a yield in a start function",
            r#"(component
                (core func $y (canon thread.yield))
                (core module $s (import "" "y" (func $y (result i32))) (func $s (drop (call $y))) (start $s))
                (core instance (instantiate $s (with "" (instance (export "y" (func $y))))))
                (core module $m (func (export "run") (result i32) (i32.const 7)))
                (core instance $i (instantiate $m))
                (func (export "run") (result u32) (canon lift (core func $i "run"))))"#
                .to_owned(),
            word(7),
        ),
        (
            "a callback that returns an impossible code",
            calling_back("(i32.const 1)", "(i32.const 0x7ffffff9)"),
            asynchronous(AsyncTrap::CallbackCode(9)),
        ),
        (
            "a task that ends without a result",
            calling_back("(i32.const 0)", "unreachable"),
            asynchronous(AsyncTrap::NotReturned),
        ),
        (
            "a task that waits for an empty set",
            calling_back(
                "(i32.or (i32.const 2) (i32.shl (call $set-new) (i32.const 4)))",
                "unreachable",
            ),
            asynchronous(AsyncTrap::Deadlock),
        ),
        (
            "a wait in a function that is not asynchronous",
            running("(call $wait (call $set-new) (i32.const 0))"),
            asynchronous(AsyncTrap::CannotBlock),
        ),
        (
            "nothing written to a stream from outside of memory",
            running(&format!(
                "{STREAM} (call $write {WRITABLE} (i32.const 0xfffffff0) (i32.const 0))"
            )),
            // Blocked: an empty range has no address.
            word(0xffff_ffff),
        ),
        (
            "a byte written to a stream from outside of memory",
            running(&format!(
                "{STREAM} (call $write {WRITABLE} (i32.const 0xfffffff0) (i32.const 1))"
            )),
            Expected::Trap(
                TrapKind::Abi(airssys_wasm_abi::AbiError::PointerOutOfBounds {
                    ptr: 0xffff_fff0,
                    len: 1,
                    memory: 65_536,
                }),
                TrapClass::PointerOutOfBounds,
            ),
        ),
        (
            "a stream of another payload",
            running(&format!(
                "{STREAM} (call $read-words {READABLE} (i32.const 0) (i32.const 1))"
            )),
            handle(ResourceError::WrongType(1)),
        ),
        (
            "a stream read by its writable end",
            running(&format!(
                "{STREAM} (call $read {WRITABLE} (i32.const 0) (i32.const 1))"
            )),
            handle(ResourceError::WrongType(2)),
        ),
        (
            "a copy canceled on the wrong end of a stream",
            running(&format!(
                "{STREAM} (drop (call $write {WRITABLE} (i32.const 0) (i32.const 1))) (call $cancel-read {WRITABLE})"
            )),
            handle(ResourceError::WrongType(2)),
        ),
        (
            "a copy canceled on the wrong end of a future",
            running(&format!("{FUTURE} (call $future-cancel-read {WRITABLE})")),
            handle(ResourceError::WrongType(2)),
        ),
        (
            "a copy canceled that did not begin",
            running(&format!("{FUTURE} (call $future-cancel-write {WRITABLE})")),
            asynchronous(AsyncTrap::Transmit("stream or future write or read cancelled without one in progress")),
        ),
        (
            "a future dropped before it is written",
            running(&format!(
                "{FUTURE} (call $future-drop-writable {WRITABLE}) (i32.const 0)"
            )),
            asynchronous(AsyncTrap::Transmit("cannot drop future write end without first writing a value")),
        ),
        (
            "a forged end of a stream",
            running("(call $drop-readable (i32.const 77)) (i32.const 0)"),
            handle(ResourceError::UnknownHandle(77)),
        ),
        (
            "a waitable set as a subtask",
            running("(call $subtask-drop (call $set-new)) (i32.const 0)"),
            handle(ResourceError::WrongType(1)),
        ),
        (
            "a forged waitable set",
            running("(call $set-drop (i32.const 1000000)) (i32.const 0)"),
            handle(ResourceError::UnknownHandle(1_000_000)),
        ),
        (
            "a set joined to a set",
            running("(call $join (call $set-new) (call $set-new)) (i32.const 0)"),
            handle(ResourceError::WrongType(1)),
        ),
        (
            "a cancellation by a task that was not cancelled",
            calling_back("(call $cancel) (i32.const 0)", "unreachable"),
            asynchronous(AsyncTrap::NotCancelled),
        ),
        (
            "more streams than there may be handles",
            running("(loop (drop (call $new)) (br 0)) unreachable"),
            full(),
        ),
        (
            "more waitable sets than there may be handles",
            running("(loop (drop (call $set-new)) (br 0)) unreachable"),
            full(),
        ),
    ];
    let reference = Reference::Not("it is built without asynchronous functions");
    let cases = rows
        .map(|(name, text, expected)| Case::new("async", name, text, expected).reference(reference.clone()));
    cases.into()
}
