//! WebAssembly features that backends lack, and worlds that this host does not support: each refusal names its reason.

use airssys_wasm::engine::Backend;

use crate::process::{airssys, scratch_file};

/// A vector in the third function, and in a type before it: the case of a public report on products of vectors in wasmtime
/// (its x64 lowering of `extmul`).
const SIMD: &str = r#"(component
    (core module (func $other))
    (core module $m
        (func $plain)
        (func $lane (param v128) (result i32) (i32x4.extract_lane 0 (local.get 0)))
        (func (export "hs") (param i32) (result i32)
            (call $lane (i32x4.extmul_high_i16x8_s
                (v128.const i16x8 0 0 0 0 -300 1 1 1) (v128.const i16x8 0 0 0 0 300 1 1 1)))))
    (core instance $i (instantiate $m))
    (func (export "hs") (param "n" s32) (result s32) (canon lift (core func $i "hs"))))"#;

fn binary(name: &str, text: &str) -> String {
    scratch_file(name, &wat::parse_str(text).expect("the text parses"))
}

#[test]
fn simd_runs_or_is_refused_with_the_function_and_the_backends_that_have_it() {
    let path = binary("simd.wasm", SIMD);
    for backend in Backend::available() {
        let ran = airssys(&[
            "invoke",
            &path,
            "hs(0)",
            "--backend",
            backend.name(),
            "--cache",
            "off",
        ]);
        if *backend != Backend::Singlepass {
            assert_eq!(ran.ended(0).stdout, "-90000\n", "{backend}");
            continue;
        }
        let ran = ran.ended(3);
        ran.says("singlepass does not compile simd, which function `lane` (index 1) of core module 1, at byte offset 0x");
        assert!(!ran.stderr.contains("not yet implemented"), "{ran:?}");
        for other in [Backend::Cranelift, Backend::Llvm] {
            match other.is_available() {
                true => assert!(ran.stderr.contains(other.name()), "{ran:?}"),
                false => ran.says(&format!("{other} does, in a build with `--features {other}`")),
            }
        }
    }
}

#[test]
fn a_program_of_a_core_module_is_refused_in_the_same_words() {
    let program = r#"(module (memory (export "memory") 1)
        (func (export "_start") (drop (i32x4.splat (i32.const 1)))))"#;
    let path = binary("simd-program.wasm", program);
    for backend in Backend::available() {
        let ran = airssys(&["run", &path, "--backend", backend.name(), "--cache", "off"]);
        if *backend == Backend::Singlepass {
            let ran = ran.ended(3);
            ran.says("singlepass does not compile simd, which function `_start` (index 0)");
        } else {
            ran.ended(0);
        }
    }
}

#[test]
fn imports_with_several_results_are_named() {
    let path = binary(
        "several.wasm",
        r#"(component
            (core module $m (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2)))
            (core module $n (import "m" "two" (func $two (result i32 i64)))
                (func (export "run") (result i32) (call $two) (drop)))
            (core instance $i (instantiate $m))
            (core instance $j (instantiate $n (with "m" (instance $i))))
            (func (export "run") (result u32) (canon lift (core func $j "run"))))"#,
    );
    for backend in Backend::available() {
        let ran = airssys(&[
            "invoke",
            &path,
            "run()",
            "--backend",
            backend.name(),
            "--cache",
            "off",
        ]);
        if *backend == Backend::Singlepass {
            ran.ended(3).says(
                "singlepass does not compile imports with several results, which core module 1, in its import `m#two`, uses",
            );
        } else {
            assert_eq!(ran.ended(0).stdout, "1\n");
        }
    }
}

#[test]
fn features_that_no_backend_has_are_named_with_the_function() {
    let component = |module: &str| format!("(component (core module (func)) (core module {module}))");
    for (name, feature, module, place) in [
        (
            "relaxed-simd",
            "relaxed-simd",
            "(func $mul (drop (i16x8.relaxed_q15mulr_s (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
            Some("function `mul` (index 0) of core module 1"),
        ),
        (
            "tail-call",
            "tail-call",
            "(func $plain) (func $tail (return_call $plain))",
            Some("function `tail` (index 1) of core module 1"),
        ),
        (
            "exceptions",
            "exceptions",
            "(tag $e) (func $raise (throw $e))",
            Some("function `raise` (index 0) of core module 1"),
        ),
        (
            "threads",
            "threads",
            "(memory 1) (func $fence (atomic.fence))",
            Some("function `fence` (index 0) of core module 1"),
        ),
        ("memory64", "memory64", "(memory i64 1)", None),
        (
            "gc",
            "gc",
            "(type (struct)) (func $make (drop (struct.new 0)))",
            Some("function `make` (index 0)"),
        ),
        (
            "wide-arithmetic",
            "wide-arithmetic",
            "(func $add (param i64) (drop (drop (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0)))))",
            Some("function `add` (index 0)"),
        ),
    ] {
        let path = binary(&format!("lacking-{name}.wasm"), &component(module));
        for backend in Backend::available() {
            let ran = airssys(&[
                "invoke",
                &path,
                "run()",
                "--backend",
                backend.name(),
                "--cache",
                "off",
            ])
            .ended(3);
            ran.says("unsupported component: it needs ");
            ran.says(feature);
            ran.says("which no backend of this build supports in components");
            if let Some(place) = place {
                ran.says(place);
            }
        }
    }
}

/// A program that returns success at once, of a version of WASI.
fn program(version: &str) -> String {
    format!(
        r#"(component
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $e (export "run" (func $run)))
            (export "wasi:cli/run@{version}" (instance $e)))"#
    )
}

#[test]
fn programs_of_another_wasi_are_told_what_they_are() {
    let path = binary("run-04.wasm", &program("0.4.0"));
    for args in [
        &["run", &path][..],
        &["run", &path, "--", "argument"],
        &["run", &path, "--operation", "x"],
    ] {
        let ran = airssys(args).ended(3);
        ran.says(
            "it is a program of WASI 0.4.0 (it exports `wasi:cli/run@0.4.0`), but this host has WASI 0.2 and 0.3",
        );
    }
    let candidate = binary("run-candidate.wasm", &program("0.3.0-rc-2026-01-06"));
    airssys(&["run", &candidate])
        .ended(3)
        .says("it is a program of WASI 0.3.0-rc-2026-01-06");
    // For a server, the message names the command that runs it.
    let server = program("0.2.0").replace("wasi:cli/run@", "wasi:http/incoming-handler@");
    airssys(&["run", &binary("server.wasm", &server), "--operation", "x"])
        .ended(3)
        .says("airssys-wasm serve");
}

#[test]
fn programs_of_every_supported_wasi_run() {
    for version in ["0.2.3", "0.3.0", "0.3.2", "0.3.0-rc-2026-03-15"] {
        let path = binary(&format!("run-{version}.wasm"), &program(version));
        assert_eq!(airssys(&["run", &path]).ended(0).stdout, "", "{version}");
        // An asynchronous one, as toolchains compile it: its callback returns the result.
        let asynchronous = format!(
            r#"(component
                (core func $return (canon task.return (result (result))))
                (core module $m
                    (import "" "return" (func $return (param i32)))
                    (func (export "run") (result i32) (i32.const 1))
                    (func (export "back") (param i32 i32 i32) (result i32) (call $return (i32.const 1)) (i32.const 0)))
                (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
                (func $run async (result (result)) (canon lift (core func $i "run") async (callback (core func $i "back"))))
                (instance $e (export "run" (func $run)))
                (export "wasi:cli/run@{version}" (instance $e)))"#
        );
        if version.starts_with("0.3") {
            let path = binary(&format!("run-async-{version}.wasm"), &asynchronous);
            airssys(&["run", &path]).ended(1);
        }
    }
}
