//! The guest: a component that calls every function of WASI 0.3 that there is.

use airssys_wasm_component::Result;
use airssys_wasm_component::component::{Component, Instance, Store};
use airssys_wasm_component::engine::Engine;

use super::{linker, store};
use crate::{WasiCtxBuilder, WasiState};

/// Imports, with `VERSION` for the version.
const IMPORTS: &str = r#"
  (import "wasi:clocks/monotonic-clock@VERSION" (instance $monotonic
    (export "now" (func (result u64)))
    (export "get-resolution" (func (result u64)))
    (export "wait-until" (func async (param "when" u64)))
    (export "wait-for" (func async (param "how-long" u64)))))
  (import "wasi:clocks/system-clock@VERSION" (instance $system
    (type $i (record (field "seconds" s64) (field "nanoseconds" u32)))
    (export "instant" (type $instant (eq $i)))
    (export "now" (func (result $instant)))
    (export "get-resolution" (func (result u64)))))
  (import "wasi:random/random@VERSION" (instance $random
    (export "get-random-bytes" (func (param "max-len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@VERSION" (instance $insecure
    (export "get-insecure-random-bytes" (func (param "max-len" u64) (result (list u8))))
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@VERSION" (instance $seed
    (export "get-insecure-seed" (func (result (tuple u64 u64))))))
  (import "wasi:cli/environment@VERSION" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "get-initial-cwd" (func (result (option string))))))
  (import "wasi:cli/exit@VERSION" (instance $exit
    (export "exit" (func (param "status" (result))))
    (export "exit-with-code" (func (param "status-code" u8)))))
  (import "wasi:cli/types@VERSION" (instance $types
    (type $e (enum "io" "illegal-byte-sequence" "pipe"))
    (export "error-code" (type (eq $e)))))
  (alias export $types "error-code" (type $error-code))
  (import "wasi:cli/stdin@VERSION" (instance $stdin
    (alias outer 1 $error-code (type $e))
    (export "error-code" (type $code (eq $e)))
    (type $end (future (result (error $code))))
    (export "read-via-stream" (func (result (tuple (stream u8) $end))))))
  (import "wasi:cli/stdout@VERSION" (instance $stdout
    (alias outer 1 $error-code (type $e))
    (export "error-code" (type $code (eq $e)))
    (type $end (future (result (error $code))))
    (export "write-via-stream" (func (param "data" (stream u8)) (result $end)))))
  (import "wasi:cli/stderr@VERSION" (instance $stderr
    (alias outer 1 $error-code (type $e))
    (export "error-code" (type $code (eq $e)))
    (type $end (future (result (error $code))))
    (export "write-via-stream" (func (param "data" (stream u8)) (result $end)))))
  (import "wasi:cli/terminal-input@VERSION" (instance $terminal-input
    (export "terminal-input" (type (sub resource)))))
  (alias export $terminal-input "terminal-input" (type $input))
  (import "wasi:cli/terminal-output@VERSION" (instance $terminal-output
    (export "terminal-output" (type (sub resource)))))
  (alias export $terminal-output "terminal-output" (type $output))
  (import "wasi:cli/terminal-stdin@VERSION" (instance $terminal-stdin
    (alias outer 1 $input (type $i))
    (export "terminal-input" (type $input (eq $i)))
    (export "get-terminal-stdin" (func (result (option (own $input)))))))
  (import "wasi:cli/terminal-stdout@VERSION" (instance $terminal-stdout
    (alias outer 1 $output (type $o))
    (export "terminal-output" (type $output (eq $o)))
    (export "get-terminal-stdout" (func (result (option (own $output)))))))
  (import "wasi:cli/terminal-stderr@VERSION" (instance $terminal-stderr
    (alias outer 1 $output (type $o))
    (export "terminal-output" (type $output (eq $o)))
    (export "get-terminal-stderr" (func (result (option (own $output)))))))
  (type $bytes (stream u8))
  (type $end (future (result (error $error-code))))
"#;

/// Core functions that the guest calls: name, definition, type.
const CALLED: &[(&str, &str, &str)] = &[
    ("now", r#"lower (func $monotonic "now")"#, "(result i64)"),
    (
        "resolution",
        r#"lower (func $monotonic "get-resolution")"#,
        "(result i64)",
    ),
    ("wait-for", r#"lower (func $monotonic "wait-for")"#, "(param i64)"),
    (
        "wait-for-async",
        r#"lower (func $monotonic "wait-for") async"#,
        "(param i64) (result i32)",
    ),
    (
        "wait-until",
        r#"lower (func $monotonic "wait-until")"#,
        "(param i64)",
    ),
    (
        "system-now",
        r#"lower (func $system "now") MEMORY"#,
        "(param i32)",
    ),
    (
        "system-resolution",
        r#"lower (func $system "get-resolution")"#,
        "(result i64)",
    ),
    (
        "random",
        r#"lower (func $random "get-random-bytes") REALLOC"#,
        "(param i64 i32)",
    ),
    (
        "random-u64",
        r#"lower (func $random "get-random-u64")"#,
        "(result i64)",
    ),
    (
        "insecure",
        r#"lower (func $insecure "get-insecure-random-bytes") REALLOC"#,
        "(param i64 i32)",
    ),
    (
        "insecure-u64",
        r#"lower (func $insecure "get-insecure-random-u64")"#,
        "(result i64)",
    ),
    (
        "seed",
        r#"lower (func $seed "get-insecure-seed") MEMORY"#,
        "(param i32)",
    ),
    (
        "environment",
        r#"lower (func $environment "get-environment") REALLOC"#,
        "(param i32)",
    ),
    (
        "arguments",
        r#"lower (func $environment "get-arguments") REALLOC"#,
        "(param i32)",
    ),
    (
        "cwd",
        r#"lower (func $environment "get-initial-cwd") REALLOC"#,
        "(param i32)",
    ),
    ("exit", r#"lower (func $exit "exit")"#, "(param i32)"),
    (
        "exit-with-code",
        r#"lower (func $exit "exit-with-code")"#,
        "(param i32)",
    ),
    (
        "stdin",
        r#"lower (func $stdin "read-via-stream") MEMORY"#,
        "(param i32)",
    ),
    (
        "stdout",
        r#"lower (func $stdout "write-via-stream")"#,
        "(param i32) (result i32)",
    ),
    (
        "stderr",
        r#"lower (func $stderr "write-via-stream")"#,
        "(param i32) (result i32)",
    ),
    (
        "terminal-stdin",
        r#"lower (func $terminal-stdin "get-terminal-stdin") MEMORY"#,
        "(param i32)",
    ),
    (
        "terminal-stdout",
        r#"lower (func $terminal-stdout "get-terminal-stdout") MEMORY"#,
        "(param i32)",
    ),
    (
        "terminal-stderr",
        r#"lower (func $terminal-stderr "get-terminal-stderr") MEMORY"#,
        "(param i32)",
    ),
    ("bytes-new", "stream.new $bytes", "(result i64)"),
    (
        "bytes-read",
        "stream.read $bytes MEMORY",
        "(param i32 i32 i32) (result i32)",
    ),
    (
        "bytes-read-async",
        "stream.read $bytes async MEMORY",
        "(param i32 i32 i32) (result i32)",
    ),
    (
        "bytes-cancel-read",
        "stream.cancel-read $bytes",
        "(param i32) (result i32)",
    ),
    (
        "bytes-write",
        "stream.write $bytes MEMORY",
        "(param i32 i32 i32) (result i32)",
    ),
    ("bytes-drop-read", "stream.drop-readable $bytes", "(param i32)"),
    ("bytes-drop-write", "stream.drop-writable $bytes", "(param i32)"),
    (
        "end-read",
        "future.read $end MEMORY",
        "(param i32 i32) (result i32)",
    ),
    ("end-drop", "future.drop-readable $end", "(param i32)"),
    ("subtask-cancel", "subtask.cancel", "(param i32) (result i32)"),
    ("subtask-drop", "subtask.drop", "(param i32)"),
    ("return", "task.return (result u32)", "(param i32)"),
    ("return-run", "task.return (result (result))", "(param i32)"),
];

/// Functions of the guest that are not async: name, type.
const SYNC: &[(&str, &str)] = &[
    ("random", r#"(param "max-len" u64) (result (list u8))"#),
    ("insecure", r#"(param "max-len" u64) (result (list u8))"#),
    ("seed", "(result (tuple u64 u64))"),
    ("system-now", "(result (tuple s64 u32))"),
    ("environment", "(result (list (tuple string string)))"),
    ("arguments", "(result (list string))"),
    ("cwd", "(result (option string))"),
    ("terminals", "(result u32)"),
    ("now", "(result u64)"),
    ("resolution", "(result u64)"),
    ("system-resolution", "(result u64)"),
    ("random-u64", "(result u64)"),
    ("insecure-u64", "(result u64)"),
    ("exit", r#"(param "status" (result))"#),
];

/// Functions of the guest that are async: name, parameters. All but `run` return a number.
const ASYNC: &[(&str, &str)] = &[
    ("wait-for", r#"(param "nanoseconds" u64)"#),
    ("wait-until", r#"(param "when" u64)"#),
    ("cancel-wait", r#"(param "nanoseconds" u64)"#),
    ("copy", r#"(param "chunk" u32) (param "stderr" bool)"#),
    ("drop-input", ""),
    ("drop-result", r#"(param "chunk" u32)"#),
    ("cancel-read", ""),
    ("drop-output", r#"(param "char" u8)"#),
    ("trap", r#"(param "char" u8)"#),
    ("exit-with-code", r#"(param "code" u32)"#),
];

/// Returns the guest, built for a version of WASI.
fn text(version: &str) -> String {
    let mut called = String::new();
    let (mut imports, mut exports) = (String::new(), String::new());
    for (name, canon, signature) in CALLED {
        called += &format!("  (core func ${name} (canon {canon}))\n");
        imports += &format!("    (import \"\" \"{name}\" (func ${name} {signature}))\n");
        exports += &format!("    (export \"{name}\" (func ${name}))\n");
    }
    let mut lifted = String::new();
    for (name, ty) in SYNC {
        lifted +=
            &format!("  (func (export \"{name}\") {ty} (canon lift (core func $i \"{name}\") REALLOC))\n");
    }
    for (name, params) in ASYNC {
        lifted += &format!(
            "  (func (export \"{name}\") async {params} (result u32) (canon lift (core func $i \"{name}\") async))\n"
        );
    }
    let guest = include_str!("guest.wat");
    format!(
        r#"(component
{IMPORTS}
  (core module $libc
    (memory (export "mem") 4)
    (global $next (mut i32) (i32.const 65536))
    ;; Hands out memory from 64 KiB on, again and again.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (if (i32.gt_u (i32.add (local.get $at) (local.get 3)) (i32.const 131072))
        (then (local.set $at (i32.const 65536))))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
{called}
  (core module $m
    (import "" "mem" (memory 4))
{imports}
{guest})
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem"))
{exports}))))
{lifted}
  (func $run async (result (result)) (canon lift (core func $i "run") async))
  (instance (export "wasi:cli/run@VERSION") (export "run" (func $run))))
"#
    )
    .replace("VERSION", version)
    .replace("REALLOC", r#"MEMORY (realloc (core func $libc "realloc"))"#)
    .replace("MEMORY", r#"(memory (core memory $libc "mem"))"#)
}

/// Compiles the guest for a version of WASI.
pub(super) fn compile(engine: &Engine, version: &str) -> Component {
    let bytes = wat::parse_str(text(version)).unwrap_or_else(|error| panic!("{error}"));
    Component::new(engine, bytes).unwrap()
}

/// An instance of the guest, and its store.
pub(super) struct Guest {
    pub(super) store: Store<WasiState>,
    pub(super) instance: Instance,
}

impl Guest {
    pub(super) fn new(engine: &Engine, builder: &WasiCtxBuilder) -> Guest {
        let component = compile(engine, "0.3.0");
        let mut store = store(engine, builder);
        let instance = linker(engine).instantiate(&mut store, &component).unwrap();
        Guest { store, instance }
    }

    /// Calls an async function that returns a number.
    pub(super) fn call<P>(&mut self, name: &str, params: P) -> Result<u32>
    where
        P: airssys_wasm_component::component::ComponentNamedList
            + airssys_wasm_component::component::LowerList,
    {
        let func = self
            .instance
            .get_typed_func::<P, (u32,)>(&mut self.store, name)
            .unwrap();
        let (result,) = func.call(&mut self.store, params)?;
        Ok(result)
    }

    /// Calls a function without parameters.
    pub(super) fn get<R>(&mut self, name: &str) -> R
    where
        (R,): airssys_wasm_component::component::ComponentNamedList
            + airssys_wasm_component::component::LiftList,
    {
        let func = self
            .instance
            .get_typed_func::<(), (R,)>(&mut self.store, name)
            .unwrap();
        func.call(&mut self.store, ()).unwrap().0
    }
}
