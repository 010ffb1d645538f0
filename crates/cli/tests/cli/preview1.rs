//! `run` of core modules: the selection of the WASI preview 1 provider.

use crate::process::{airssys, scratch_file};

/// Writes a program's file.
fn program(name: &str, imports: &str, body: &str) -> String {
    let text = format!(
        r#"(module {imports} (memory (export "memory") 1) (data (i32.const 64) "hello\n") (func (export "_start") {body}))"#
    );
    scratch_file(name, &wat::parse_str(text).expect("the text parses"))
}

const EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

/// wasi-testsuite `proc_exit-failure`.
#[test]
fn exit_codes_come_through_unless_the_adapter_has_none() {
    for (given, expected) in [(0, 0), (1, 1), (2, 2), (33, 33), (255, 255), (256, 0)] {
        let body = format!("(call $exit (i32.const {given}))");
        let file = program(&format!("exit-{given}.wasm"), EXIT, &body);
        assert_eq!(airssys(&["run", &file]).code, expected, "{given}");
        for provider in ["auto", "own", "host"] {
            let ran = airssys(&["run", &file, "--preview1", provider]);
            assert_eq!((ran.code, &*ran.stderr), (expected, ""), "{given}, {provider}");
        }
        // The published adapter only distinguishes success from failure, without a number.
        let ran = airssys(&["run", &file, "--preview1", "adapter"]);
        assert_eq!(ran.code, i32::from(given != 0), "{given}");
    }
}

#[test]
fn a_plain_program_has_streams_arguments_and_grants() {
    let imports = format!(
        r#"{EXIT} (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))"#
    );
    let body = "(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 6))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $args (i32.const 16) (i32.const 20)))
        (drop (call $env (i32.const 24) (i32.const 28)))
        (call $exit (i32.add (i32.mul (i32.load (i32.const 16)) (i32.const 16)) (i32.load (i32.const 24))))";
    let file = program("hello.wasm", &imports, body);
    let grants = [
        "--inherit-stdio",
        "--env",
        "A=1",
        "--env",
        "B=2",
        "--net",
        "127.0.0.1:9",
    ];
    let ran = airssys(&[&["run", &*file][..], &grants, &["--", "x", "--y"]].concat());
    // The name is the first argument.
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0x32, "hello\n", ""));
    let ran = airssys(&["run", &file, "--net", "127.0.0.1:9", "--preview1", "host"]);
    ran.ended(2).says("no network");
    airssys(&["run", &file, "--operation", "x"])
        .ended(2)
        .says("does not apply to the program");
    let forever = program("forever.wasm", "", "(loop $on (br $on))");
    let ran = airssys(&["run", &forever, "--timeout", "200"]);
    ran.ended(4).says("interrupted");
}

/// The refusal of network access reveals the provider.
#[test]
fn a_program_of_wasix_goes_by_wasmer_wasix() {
    let imports = format!(r#"{EXIT} (import "wasix_32v1" "thread_id" (func $id (param i32) (result i32)))"#);
    let body = "(drop (call $id (i32.const 0))) (call $exit (i32.const 5))";
    let file = program("wasix.wasm", &imports, body);
    assert_eq!(airssys(&["run", &file]).code, 5);
    airssys(&["run", &file, "--net", "127.0.0.1:9"])
        .ended(2)
        .says("wasmer-wasix");
    airssys(&["run", &file, "--preview1", "own"])
        .ended(3)
        .says("wasix_32v1");
}

/// Go uses all memory behind its own, including an adapter's pages.
#[test]
fn a_go_module_without_memory_for_an_adapter_is_refused_with_the_remedy() {
    let module = |exports: &str| {
        let text = format!(
            r#"(module (@custom "go:buildid" "x") (memory (export "memory") 1) (func (export "_start")) {exports})"#
        );
        wat::parse_str(text).expect("the text parses")
    };
    let realloc = |name: &str| {
        format!(r#"(func (export "{name}") (param i32 i32 i32 i32) (result i32) (i32.const 1024))"#)
    };
    for (name, exports) in [
        ("go-none.wasm", String::new()),
        ("go-general.wasm", realloc("cabi_realloc")),
    ] {
        let file = scratch_file(name, &module(&exports));
        assert_eq!(airssys(&["run", &file]).code, 0, "{name}");
        for args in [
            &["run", &*file, "--preview1", "adapter"][..],
            &["component", "new", &*file],
        ] {
            airssys(args).ended(3).says("cabi_realloc_adapter");
        }
    }
    let file = scratch_file("go-both.wasm", &module(&realloc("cabi_realloc_adapter")));
    assert_eq!(airssys(&["run", &file, "--preview1", "adapter"]).code, 0);
}

/// A regression: a trap printed 1,712 frames.
#[test]
fn a_deep_call_stack_is_shown_by_its_ends() {
    let body = "(call $deep (i32.const 300))";
    let text = format!(
        r#"(module (memory (export "memory") 1)
            (func $deep (param i32)
                (if (i32.eqz (local.get 0)) (then unreachable))
                (call $deep (i32.sub (local.get 0) (i32.const 1))))
            (func (export "_start") {body}))"#
    );
    let file = scratch_file("deep.wasm", &wat::parse_str(text).expect("the text parses"));
    for provider in ["own", "host", "adapter"] {
        let ran = airssys(&["run", &file, "--preview1", provider]);
        let lines = ran.stderr.lines().count();
        assert!((20..40).contains(&lines), "{provider}: {lines}: {ran:?}");
        ran.ended(4).says("frames are left out");
    }
}
