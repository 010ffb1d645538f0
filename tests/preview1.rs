//! Core modules with wasmer-wasix: programs, and components that were core modules.

#[path = "preview1/answers.rs"]
mod answers;
use airssys_wasm_test_support as common;
#[path = "preview1/artifacts.rs"]
mod artifacts;
#[path = "preview1/different.rs"]
mod different;
#[path = "preview1/guest.rs"]
mod guest;
#[path = "preview1/names.rs"]
mod names;
#[path = "preview1/own.rs"]
mod own;
#[path = "preview1/panics.rs"]
mod panics;
#[path = "preview1/right.rs"]
mod right;
#[path = "preview1/waiting.rs"]
mod waiting;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::{Engine, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::wasi::preview1::{self, Ended, Preview1, Preview1Guest, Preview1Limits, Program};
use airssys_wasm::wasi::{MemoryOutputPipe, Stdin, Stdout};
use common::engines;

/// Returns a program with these imports and this body, which has 64 KiB of memory with `data` from byte 1024 on.
fn program(body: &str, data: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 1024) "{data}")
            (func (export "_start") {body}))"#
    );
    wat::parse_str(text).expect("the text parses")
}

fn run(engine: &Engine, bytes: &[u8], grants: Preview1) -> airssys_wasm::Result<Ended> {
    Program::from_binary(engine, bytes)?.run(grants)
}

fn status(bytes: &[u8], grants: &Preview1) -> Vec<u32> {
    engines()
        .iter()
        .map(|engine| run(engine, bytes, grants.clone()).expect("it ends").status)
        .collect()
}

/// Returns the common result of all backends.
#[track_caller]
fn same(found: Vec<u32>) -> u32 {
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    found[0]
}

#[test]
fn the_exit_status_is_handed_through() {
    let none = Preview1::new();
    assert_eq!(
        same(status(&program("(call $exit (i32.const 33))", ""), &none)),
        33
    );
    assert_eq!(
        // wasmer-wasix keeps 16 bits of a status.
        same(status(&program("(call $exit (i32.const -1))", ""), &none)),
        u32::from(u16::MAX)
    );
    assert_eq!(same(status(&program("", ""), &none)), 0);
}

#[test]
fn arguments_and_environment_are_those_that_are_granted() {
    let counts = program(
        "(drop (call $args (i32.const 0) (i32.const 4)))
         (drop (call $env (i32.const 8) (i32.const 12)))
         (call $exit (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 16)) (i32.load (i32.const 8))))",
        "",
    );
    assert!(std::env::vars().count() > 0, "this process has an environment");
    // The name is the first argument.
    assert_eq!(same(status(&counts, &Preview1::new().name("program"))), 0x10);
    let granted = Preview1::new().name("program").arg("one").arg("two");
    let granted = granted.env("A", "1").env("B", "2").env("A", "3");
    assert_eq!(same(status(&counts, &granted)), 0x32);
}

#[test]
fn output_goes_where_it_is_sent() {
    let hello = program(
        "(i32.store (i32.const 0) (i32.const 1024))
         (i32.store (i32.const 4) (i32.const 6))
         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
         (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $exit (i32.load (i32.const 8)))",
        "hello\\n",
    );
    for engine in engines() {
        let (out, err) = (MemoryOutputPipe::new(100), MemoryOutputPipe::new(100));
        let grants = Preview1::new()
            .stdout(Stdout::Pipe(out.clone()))
            .stderr(Stdout::Pipe(err.clone()));
        assert_eq!(run(&engine, &hello, grants).unwrap().status, 6);
        assert_eq!(
            (&*out.contents(), &*err.contents()),
            (&b"hello\n"[..], &b"hello\n"[..])
        );
    }
}

#[test]
fn there_is_no_input_unless_it_is_granted() {
    let read = program(
        "(i32.store (i32.const 0) (i32.const 64))
         (i32.store (i32.const 4) (i32.const 8))
         (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $exit (i32.add (i32.load (i32.const 8)) (i32.load8_u (i32.const 64))))",
        "",
    );
    assert_eq!(same(status(&read, &Preview1::new())), 0);
    let granted = Preview1::new().stdin(Stdin::Bytes(vec![100, 1, 2]));
    assert_eq!(same(status(&read, &granted)), 103);
}

/// A folder to grant, with a secret beside it.
struct Scene(PathBuf);

impl Scene {
    fn new(name: &str) -> Scene {
        let root = std::env::temp_dir().join(format!("airssys-program-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("granted/inner")).unwrap();
        fs::write(root.join("secret"), "secret").unwrap();
        fs::write(root.join("granted/file"), "file").unwrap();
        #[cfg(unix)]
        for (contents, link) in [
            ("../secret", "up"),
            ("/etc/passwd", "absolute"),
            ("file", "good"),
            ("..", "parent"),
        ] {
            std::os::unix::fs::symlink(contents, root.join("granted").join(link)).unwrap();
        }
        Scene(root)
    }

    fn granted(&self) -> PathBuf {
        self.0.join("granted")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns a program that opens a path in descriptor 3, following links, and exits with the error's number.
fn open(path: &str, flags: u32, write: bool) -> Vec<u8> {
    let rights: u64 = if write { 1 << 6 | 1 << 1 } else { 1 << 1 };
    let body = format!(
        "(call $exit (call $open (i32.const 3) (i32.const 1) (i32.const 1024) (i32.const {}) (i32.const {flags})
            (i64.const {rights}) (i64.const {rights}) (i32.const 0) (i32.const 8)))",
        path.len()
    );
    program(&body, path)
}

/// `__WASI_OFLAGS_CREAT`.
const CREATE: u32 = 1;
/// `__WASI_OFLAGS_TRUNC`.
const EMPTY: u32 = 8;

#[test]
fn a_folder_is_not_left() {
    let scene = Scene::new("left");
    let grants = Preview1::new().folder(scene.granted(), "/", true).unwrap();
    assert_eq!(same(status(&open("file", 0, false), &grants)), 0);
    #[cfg(unix)]
    assert_eq!(same(status(&open("good", 0, false), &grants)), 0);
    for path in [
        "../secret",
        "/../secret",
        "inner/../../secret",
        "up",
        "absolute",
        "parent/secret",
        "parent/../secret",
        "/etc/passwd",
        "",
    ] {
        for (flags, write) in [(0, false), (0, true), (EMPTY, true)] {
            let found = same(status(&open(path, flags, write), &grants));
            assert_ne!(found, 0, "{path} is opened with flags {flags}");
        }
        // A file may be created in the folder itself, where `..` of its root is the root.
        status(&open(path, CREATE, true), &grants);
        let _ = fs::remove_file(scene.granted().join("secret"));
    }
    let mut beside: Vec<_> = fs::read_dir(&scene.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    beside.sort();
    assert_eq!(beside, ["granted", "secret"]);
    assert_eq!(fs::read_to_string(scene.0.join("secret")).unwrap(), "secret");
    assert!(fs::metadata("/etc/passwd").is_ok_and(|passwd| passwd.len() > 0));
}

#[test]
fn a_folder_that_is_read_only_stays_as_it_is() {
    let scene = Scene::new("read-only");
    let grants = Preview1::new().folder(scene.granted(), "/", false).unwrap();
    assert_eq!(same(status(&open("file", 0, false), &grants)), 0);
    for (path, flags) in [("file", EMPTY), ("new", CREATE), ("inner/new", CREATE)] {
        status(&open(path, flags, true), &grants);
        status(&open(path, flags, false), &grants);
    }
    assert_eq!(fs::read_to_string(scene.granted().join("file")).unwrap(), "file");
    assert_eq!(fs::read_dir(scene.granted().join("inner")).unwrap().count(), 0);
    assert!(!scene.granted().join("new").exists());
}

#[test]
fn without_a_grant_there_are_no_files() {
    let here = airssys_wasm_test_support::root();
    let names = [
        "Cargo.toml".to_owned(),
        "/etc/passwd".to_owned(),
        here.display().to_string(),
    ];
    for path in names {
        for flags in [0, CREATE] {
            assert_ne!(
                same(status(&open(&path, flags, flags == CREATE), &Preview1::new())),
                0,
                "{path}"
            );
        }
    }
    let fourth = program("(call $exit (call $prestat (i32.const 4) (i32.const 0)))", "");
    assert_ne!(
        same(status(&fourth, &Preview1::new())),
        0,
        "there is no folder but the empty root"
    );
}

#[test]
fn open_files_are_bounded() {
    let scene = Scene::new("bounded");
    for number in 0..20 {
        fs::write(scene.granted().join(format!("{number:02}")), "").unwrap();
    }
    // Opens 00 to 19, and counts the successes.
    let body = "(local $opened i32) (local $number i32)
        (loop $next
            (i32.store8 (i32.const 1024) (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
            (i32.store8 (i32.const 1025) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
            (if (i32.eqz (call $open (i32.const 3) (i32.const 1) (i32.const 1024) (i32.const 2) (i32.const 0)
                    (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 8)))
                (then (local.set $opened (i32.add (local.get $opened) (i32.const 1)))))
            (local.set $number (i32.add (local.get $number) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $number) (i32.const 20))))
        (call $exit (local.get $opened))";
    let mut limits = Preview1Limits::default();
    limits.open_files = 7;
    let grants = Preview1::new().folder(scene.granted(), "/", false).unwrap();
    assert_eq!(same(status(&program(body, "00"), &grants)), 20);
    assert_eq!(same(status(&program(body, "00"), &grants.limits(limits))), 7);
}

#[cfg(unix)]
#[test]
fn what_computes_or_waits_ends_at_its_deadline() {
    // One subscription to a clock that fires after 2^64 - 1 nanoseconds.
    let wait = "(i64.store (i32.const 24) (i64.const -1))
        (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 256)))";
    for body in ["(loop $on (br $on))", wait] {
        for engine in engines() {
            let start = Instant::now();
            let deadline = start.checked_add(Duration::from_millis(200));
            let ended = run(&engine, &program(body, ""), Preview1::new().deadline(deadline));
            let interrupted = TrapKind::Core(CoreTrap::Interrupted);
            match ended {
                Err(Error::Trap(trap)) if *trap.kind() == interrupted => {}
                other => panic!("{}: {other:?}", engine.backend()),
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        }
    }
}

#[test]
fn memory_is_bounded() {
    let grow = program(
        "(call $exit (i32.eq (memory.grow (i32.const 200)) (i32.const -1)))",
        "",
    );
    let mut limits = StoreLimits::default();
    limits.memory_bytes = 100 << 16;
    assert_eq!(same(status(&grow, &Preview1::new())), 0);
    assert_eq!(same(status(&grow, &Preview1::new().store_limits(limits))), 1);
    let mut limits = StoreLimits::default();
    limits.total_memory_bytes = 100 << 16;
    assert_eq!(same(status(&grow, &Preview1::new().store_limits(limits))), 1);
}

#[test]
fn what_is_no_program_is_refused_and_a_trap_is_told() {
    for engine in engines() {
        let run = |text: &str| run(&engine, &wat::parse_str(text).unwrap(), Preview1::new());
        let missing = run(
            r#"(module (import "env" "f" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
        );
        assert!(matches!(missing, Err(Error::Instantiate(_))), "{missing:?}");
        let memoryless = run(r#"(module (func (export "_start")))"#);
        assert!(matches!(memoryless, Err(Error::Instantiate(_))), "{memoryless:?}");
        let startless = run("(module)");
        assert!(
            matches!(startless, Err(Error::MissingExport { .. })),
            "{startless:?}"
        );
        let trap = run(r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#);
        assert!(matches!(trap, Err(Error::Trap(_))), "{trap:?}");
        let broken = Program::from_binary(&engine, b"\0asm\x01\0\0\0\xff");
        assert!(matches!(broken, Err(Error::Compile { .. })), "{broken:?}");
    }
}

/// Returns a component whose core module imports a function of preview 1 with this type.
fn component(name: &str, ty: &str, core: &str, module: &str) -> String {
    format!(
        r#"(component
            (import "airssys:core-imports/wasi-snapshot-preview1@1.0.0" (instance $i (export "{name}" (func {ty}))))
            (core func $f (canon lower (func $i "{name}")))
            (core module $m (import "a" "f" (func $f {core})) {module})
            (core instance $c (instantiate $m (with "a" (instance (export "f" (func $f))))))
            (func (export "run") (result u32) (canon lift (core func $c "run"))))"#
    )
}

fn call(engine: &Engine, text: &str) -> airssys_wasm::Result<u32> {
    let component = Component::from_binary(engine, &wat::parse_str(text).expect("the text parses"))?;
    assert!(preview1::is_imported(&component));
    let mut linker = Linker::new(engine);
    preview1::add_to_linker(&mut linker, &component)?;
    let mut store = Store::new(engine, Preview1Guest::new(Preview1::new()));
    let instance = linker.instantiate(&mut store, &component)?;
    let run = instance
        .try_get_func(&mut store, ["run"])?
        .typed::<(), (u32,)>(&store)?;
    Ok(run.call(&mut store, ())?.0)
}

#[test]
fn a_component_that_was_a_core_module_calls_core_functions() {
    let run = r#"(func (export "run") (result i32) (call $f))"#;
    let memory = format!(r#"(memory (export "memory") 1) {run}"#);
    let start = format!(r#"{memory} (func $s (drop (call $f))) (start $s)"#);
    for engine in engines() {
        let good = component("sched-yield", "(result u32)", "(result i32)", &memory);
        assert_eq!(call(&engine, &good).unwrap(), 0);
        // Modules that have no memory yet cannot call functions that need one.
        for module in [run, &start] {
            let early = call(
                &engine,
                &component("sched-yield", "(result u32)", "(result i32)", module),
            );
            assert!(matches!(early, Err(Error::Instantiate(_))), "{early:?}");
        }
        let unknown = call(
            &engine,
            &component("no-such", "(result u32)", "(result i32)", &memory),
        );
        assert!(matches!(unknown, Err(Error::MissingImport { .. })), "{unknown:?}");
        let other =
            r#"(memory (export "memory") 1) (func (export "run") (result i32) (call $f (i32.const 0)))"#;
        let other = component(
            "sched-yield",
            "(param \"p\" u32) (result u32)",
            "(param i32) (result i32)",
            other,
        );
        let other = call(&engine, &other);
        assert!(matches!(other, Err(Error::Instantiate(_))), "{other:?}");
    }
}
