//! Traps: each has its kind, ends its instance, and leaves the host and other instances unaffected.

use airssys_wasm_test_support as common;
#[cfg(all(target_os = "linux", feature = "interrupt"))]
mod cpu_time;
mod fuel;
#[cfg(all(unix, feature = "interrupt"))]
mod interrupted;
mod names;
mod stack;
mod totals;

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Linker, Store, Val};
use airssys_wasm::engine::{Engine, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};
use common::{Host, call, component, engines, fixture, types_instance, types_linker};

fn kind(error: &Error) -> TrapKind {
    error
        .trap()
        .unwrap_or_else(|| panic!("no trap: {error}"))
        .kind()
        .clone()
}

#[test]
fn core_traps_have_their_kind_and_poison_the_instance() {
    let cases = [
        ("trap", CoreTrap::Unreachable),
        ("recurse-forever", CoreTrap::StackOverflow),
        ("out-of-bounds", CoreTrap::MemoryOutOfBounds),
    ];
    for engine in engines() {
        for (function, expected) in cases {
            let (mut store, instance) = types_instance(&engine);
            let error = call(&mut store, &instance, "failing", function, &[]).unwrap_err();
            assert_eq!(
                kind(&error),
                TrapKind::Core(expected),
                "{}: {function}",
                engine.backend()
            );
            assert!(instance.is_poisoned());
            for _ in 0..2 {
                let again = call(&mut store, &instance, "echoes", "nothing", &[]).unwrap_err();
                assert_eq!(kind(&again), TrapKind::Poisoned);
            }
            // The same component works in another instance of the same store.
            let component = Component::from_binary(&engine, &fixture("types.wasm")).unwrap();
            let other = types_linker(&engine).instantiate(&mut store, &component).unwrap();
            call(&mut store, &other, "echoes", "nothing", &[]).unwrap();
        }
    }
}

fn run(engine: &Engine, text: &str) -> Error {
    let component = component(engine, text);
    let mut linker: Linker<()> = Linker::new(engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(engine, ());
    match linker.instantiate(&mut store, &component) {
        Ok(instance) => {
            let run = instance.get_func(&mut store, ["run"]).unwrap();
            let error = run.call_dynamic(&mut store, &[]).unwrap_err();
            assert!(instance.is_poisoned());
            error
        }
        Err(error) => error,
    }
}

/// Returns a component whose `run` returns the result of `body`, as `ty`, from a memory of one page.
fn giving(ty: &str, body: &str, extra: &str) -> String {
    format!(
        r#"(component
            (core module $m
                (memory (export "mem") 1)
                {extra}
                (func (export "run") (result i32) {body}))
            (core instance $i (instantiate $m))
            (func (export "run") (result {ty})
                (canon lift (core func $i "run") (memory (core memory $i "mem")))))"#
    )
}

#[test]
fn malformed_results_are_abi_traps() {
    let cases = [
        // A result pointer beyond memory, and a misaligned one.
        ("string", "(i32.const 65534)", ""),
        ("string", "(i32.const -4)", ""),
        ("string", "(i32.const 2)", ""),
        // A string beyond memory; one with a length that overflows.
        (
            "string",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\ff\ff\00\00\02\00\00\00")"#,
        ),
        (
            "string",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\00\00\00\00\ff\ff\ff\ff")"#,
        ),
        (
            "(list u64)",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\00\00\00\00\00\00\00\20")"#,
        ),
        // Misaligned elements.
        (
            "(list u64)",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\04\00\00\00\01\00\00\00")"#,
        ),
        // Bytes that are not UTF-8.
        (
            "string",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\20\00\00\00\02\00\00\00") (data (i32.const 32) "\c3\28")"#,
        ),
        // Characters in the surrogate range and beyond the last.
        ("char", "(i32.const 0xd800)", ""),
        ("char", "(i32.const 0x110000)", ""),
        ("char", "(i32.const -1)", ""),
        // A list whose one element is an option with discriminant 2.
        (
            "(list (option u8))",
            "(i32.const 8)",
            r#"(data (i32.const 8) "\20\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00") (data (i32.const 32) "\02")"#,
        ),
    ];
    for engine in engines() {
        for (ty, body, extra) in cases {
            let error = run(&engine, &giving(ty, body, extra));
            assert!(
                matches!(kind(&error), TrapKind::Abi(_)),
                "{}: {ty} {body} {extra}: {error}",
                engine.backend()
            );
        }
    }
}

#[test]
fn discriminants_out_of_range_are_abi_traps() {
    let text = r#"(component
        (type $e' (enum "a" "b"))
        (export $e "e" (type $e'))
        (core module $m (func (export "run") (result i32) (i32.const 2)))
        (core instance $i (instantiate $m))
        (func (export "run") (result $e) (canon lift (core func $i "run"))))"#;
    for engine in engines() {
        assert!(matches!(kind(&run(&engine, text)), TrapKind::Abi(_)));
    }
}

#[test]
fn what_realloc_returns_is_checked() {
    let text = |result: &str| {
        format!(
            r#"(component
                (import "give" (func $give (result string)))
                (core module $libc
                    (memory (export "mem") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {result}))
                (core instance $libc (instantiate $libc))
                (core func $give (canon lower (func $give)
                    (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) string-encoding=utf16))
                (core module $m
                    (import "" "give" (func $give (param i32)))
                    (func (export "run") (call $give (i32.const 16))))
                (core instance $i (instantiate $m (with "" (instance (export "give" (func $give))))))
                (func (export "run") (canon lift (core func $i "run"))))"#
        )
    };
    let cases = [
        ("(i32.const -2)", "abi"),
        ("(i32.const 65535)", "abi"),
        ("(i32.const 65534)", "abi"),
        ("(i32.const 33)", "abi"),
        ("unreachable", "core"),
    ];
    for engine in engines() {
        for (result, expected) in cases {
            let component = component(&engine, &text(result));
            let mut linker: Linker<()> = Linker::new(&engine);
            linker
                .root()
                .func_wrap("give", |_, (): ()| Ok(("four".to_owned(),)))
                .unwrap();
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            let run = instance.get_func(&mut store, ["run"]).unwrap();
            let error = run.call_dynamic(&mut store, &[]).unwrap_err();
            let got = match kind(&error) {
                TrapKind::Abi(_) => "abi",
                TrapKind::Core(CoreTrap::Unreachable) => "core",
                other => panic!("{other}"),
            };
            assert_eq!(got, expected, "{result}: {error}");
        }
    }
}

#[test]
fn a_guest_may_not_call_out_of_realloc_or_post_return() {
    let post_return = r#"(component
        (import "out" (func $out))
        (core func $out (canon lower (func $out)))
        (core module $m
            (import "" "out" (func $out))
            (func (export "run") (result i32) (i32.const 1))
            (func (export "post") (param i32) (call $out)))
        (core instance $i (instantiate $m (with "" (instance (export "out" (func $out))))))
        (func (export "run") (result u32) (canon lift (core func $i "run") (post-return (core func $i "post")))))"#;
    for engine in engines() {
        assert_eq!(kind(&run(&engine, post_return)), TrapKind::CannotLeave);
    }
}

#[test]
fn start_functions_run_and_their_traps_are_traps() {
    let text = r#"(component
        (core module $m (func $start unreachable) (start $start))
        (core instance (instantiate $m)))"#;
    for engine in engines() {
        assert_eq!(kind(&run(&engine, text)), TrapKind::Core(CoreTrap::Unreachable));
    }
}

#[test]
fn an_import_that_nothing_provides_traps_by_name_when_it_is_called() {
    let text = r#"(component
        (import "a:b/c@1.2.3" (instance $c (export "f" (func))))
        (alias export $c "f" (func $f))
        (core func $f (canon lower (func $f)))
        (core module $m (import "" "f" (func $f)) (func (export "run") (call $f)))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    for engine in engines() {
        assert_eq!(
            kind(&run(&engine, text)),
            TrapKind::UnresolvedImport("a:b/c@1.2.3#f".into())
        );
    }
}

#[test]
fn a_host_function_that_fails_ends_the_guest_with_its_error() {
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct DiskFull;
    for engine in engines() {
        let component = Component::from_binary(&engine, &fixture("types.wasm")).unwrap();
        let mut linker = types_linker(&engine);
        linker.allow_shadowing(true);
        linker
            .instance("fixtures:types/host-functions")
            .unwrap()
            .func_wrap("host-add", |_, _: (u32, u32)| Err::<(u32,), _>(DiskFull.into()))
            .unwrap();
        let mut store = Store::new(&engine, Host::default());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let error = call(
            &mut store,
            &instance,
            "calling",
            "call-add",
            &[Val::U32(1), Val::U32(2)],
        )
        .unwrap_err();
        match &error {
            Error::Host { name, source } => {
                assert_eq!(name, "fixtures:types/host-functions#host-add");
                assert!(source.is::<DiskFull>());
            }
            other => panic!("{other}"),
        }
        assert!(instance.is_poisoned());
    }
}

#[test]
fn a_guests_memory_stays_within_its_limit() {
    for engine in engines() {
        let component = Component::from_binary(&engine, &fixture("types.wasm")).unwrap();
        let mut limits = StoreLimits::default();
        limits.memory_bytes = 4 << 20;
        let mut store = Store::with_limits(&engine, Host::default(), limits);
        let instance = types_linker(&engine).instantiate(&mut store, &component).unwrap();
        let mut grow = |pages| {
            call(
                &mut store,
                &instance,
                "failing",
                "grow-memory",
                &[Val::U32(pages)],
            )
            .unwrap()
        };
        assert!(matches!(grow(1), Some(Val::Option(Some(_)))));
        assert_eq!(
            grow(64),
            Some(Val::Option(None)),
            "64 pages are all that it may have"
        );
    }
}

#[test]
fn what_the_host_allocates_for_one_call_is_limited() {
    // A list of 65,536 strings, each the same 60,000 bytes: 4 GB from one page of memory and a bit.
    let text = r#"(component
        (core module $m
            (memory (export "mem") 10)
            (func (export "run") (result i32) (local $at i32)
                (local.set $at (i32.const 65536))
                (loop $l
                    (i32.store (local.get $at) (i32.const 16))
                    (i32.store offset=4 (local.get $at) (i32.const 60000))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $l (i32.lt_u (local.get $at) (i32.const 589824))))
                (i32.store (i32.const 0) (i32.const 65536))
                (i32.store (i32.const 4) (i32.const 65536))
                (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "run") (result (list string))
            (canon lift (core func $i "run") (memory (core memory $i "mem")))))"#;
    for engine in engines() {
        let error = run(&engine, text);
        assert!(matches!(kind(&error), TrapKind::Limit(_)), "{error}");
        assert!(error.to_string().contains("lift_bytes"), "{error}");
    }
}
