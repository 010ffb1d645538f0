//! Core modules with this host's own WASI: programs, and each function alone.

#[path = "driver.rs"]
mod driver;

use std::fs;
use std::time::{Duration, Instant};

use airssys_wasm::adapt::{self, AdaptError, ModuleKind, Preview1, World};
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::{
    self, Exit, FsPerms, MemoryOutputPipe, Stdout, WasiCtxBuilder, WasiLimits, WasiState,
};
use driver::{Driver, world};

use crate::Scene;
use crate::common::engines;

const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const ISDIR: u32 = 31;
const NOMEM: u32 = 48;
const NOTDIR: u32 = 54;
const PERM: u32 = 63;
const ROFS: u32 = 69;
const SPIPE: u32 = 70;

/// Runs a program in text form.
fn run(engine: &Engine, text: &str, grants: &WasiCtxBuilder) -> airssys_wasm::Result<Exit> {
    run_module(engine, &wat::parse_str(text).expect("the text parses"), grants)
}

pub(crate) fn run_module(
    engine: &Engine,
    module: &[u8],
    grants: &WasiCtxBuilder,
) -> airssys_wasm::Result<Exit> {
    let bytes = adapt::lift(module, &World::Contract, Preview1::Auto).expect("it is lifted");
    let component = Component::from_binary(engine, &bytes)?;
    assert!(wasi::is_command(&component));
    let mut linker = Linker::new(engine);
    wasi::add_to_linker(&mut linker)?;
    wasi::run_command(
        &mut Store::new(engine, WasiState::from(grants.build())),
        &component,
        &linker,
        None,
    )
}

/// wasi-testsuite `proc_exit-failure`: an exit code of 33 came out as 1.
#[test]
fn every_exit_code_comes_through() {
    for (given, expected) in [(0, 0), (1, 1), (2, 2), (33, 33), (255, 255), (256, 0), (-1, 255)] {
        let text = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {given})) unreachable))"#
        );
        for engine in engines() {
            let exit = run(&engine, &text, &WasiCtxBuilder::new()).unwrap();
            assert_eq!(exit.code, expected, "{given}, {}", engine.backend());
        }
    }
    let returns = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let traps = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;
    for engine in engines() {
        assert_eq!(run(&engine, returns, &WasiCtxBuilder::new()).unwrap().code, 0);
        let error = run(&engine, traps, &WasiCtxBuilder::new()).unwrap_err();
        assert!(error.trap().is_some(), "{error}");
    }
}

/// wasi-testsuite `args_get-multiple-arguments` and `environ_get-multiple-variables`: AssemblyScript's allocator uses all
/// existing memory on its first call, including an adapter's pages.
#[test]
fn a_program_that_takes_all_memory_it_finds_gets_its_arguments() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args-sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env-sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
        (func $take
            (memory.fill (i32.const 64) (i32.const 0xaa)
                (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 64))))
        (func (export "_start")
            (call $check (i32.eqz (call $args-sizes (i32.const 0) (i32.const 4))))
            (call $take)
            (call $check (i32.eqz (call $args (i32.const 1024) (i32.const 2048))))
            (call $check (i32.eqz (call $env-sizes (i32.const 8) (i32.const 12))))
            (call $take)
            (call $check (i32.eqz (call $args (i32.const 1024) (i32.const 2048))))
            (call $check (i32.eqz (call $env (i32.const 1536) (i32.const 4096))))
            ;; 4 arguments, "name" "first" "the \"second\" arg" "3": the second byte of the third is `h`.
            (call $check (i32.eq (i32.load (i32.const 0)) (i32.const 4)))
            (call $check (i32.eq (i32.load (i32.const 4)) (i32.const 30)))
            (call $check (i32.eq (i32.load8_u offset=1 (i32.load (i32.const 1032))) (i32.const 104)))
            (call $check (i32.eqz (i32.load8_u offset=1 (i32.load (i32.const 1036)))))
            ;; 3 variables, `a=text` `b=escap " ing` `c=new\nline`
            (call $check (i32.eq (i32.load (i32.const 8)) (i32.const 3)))
            (call $check (i32.eq (i32.load (i32.const 12)) (i32.const 32)))
            (call $check (i32.eq (i32.load offset=0 (i32.load (i32.const 1544))) (i32.const 0x656e3d63)))
            (call $exit (i32.const 7))))"#;
    let mut grants = WasiCtxBuilder::new();
    grants.args(["name", "first", "the \"second\" arg", "3"]);
    grants
        .env("a", "text")
        .env("b", "escap \" ing")
        .env("c", "new\nline");
    for engine in engines() {
        assert_eq!(
            run(&engine, text, &grants).unwrap().code,
            7,
            "{}",
            engine.backend()
        );
    }
}

#[test]
fn a_start_function_runs_once_the_memory_is_there() {
    let start = r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func $begin
            (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
            (drop (call $random (i32.const 0) (i32.const 8))))
        (start $begin)"#;
    let program = format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) {start}
            (func (export "_start")
                (if (i64.eqz (i64.load (i32.const 0))) (then unreachable))
                (call $exit (i32.load (i32.const 16)))))"#
    );
    let value = r#"(func (export "value") (result i32) (i32.load (i32.const 16)))"#;
    let library = format!("(module {start} {value})");
    let both = format!(
        r#"(module {start} {value}
            (func (export "_initialize")
                (i32.store (i32.const 16) (i32.mul (i32.load (i32.const 16)) (i32.const 10)))))"#
    );
    let world = world("start", "export value: func() -> u32;");
    for engine in engines() {
        assert_eq!(run(&engine, &program, &WasiCtxBuilder::new()).unwrap().code, 1);
        for (text, expected) in [(&library, 1), (&both, 10)] {
            let mut driver = Driver::of(
                &engine,
                &wat::parse_str(text).unwrap(),
                &world,
                &WasiCtxBuilder::new(),
            );
            assert_eq!(driver.call("value", &[]), expected, "{}", engine.backend());
        }
    }
}

#[test]
fn a_module_of_wasix_goes_by_wasmer_wasix() {
    let module = |from: &str| {
        let text = format!(r#"(module (import "{from}" "f" (func)) (memory (export "memory") 1))"#);
        wat::parse_str(text).unwrap()
    };
    for wasix in ["wasix_32v1", "wasix_64v1", "wasi_unstable", "wasi"] {
        let provider = adapt::provider(&module(wasix), Preview1::Auto).unwrap();
        assert_eq!(provider, Preview1::Host, "{wasix}");
    }
    for plain in ["wasi_snapshot_preview1", "env", "wasi:cli/exit@0.2.0"] {
        let provider = adapt::provider(&module(plain), Preview1::Auto).unwrap();
        assert_eq!(provider, Preview1::Own, "{plain}");
    }
    let asked = adapt::provider(&module("wasix_32v1"), Preview1::Adapter).unwrap();
    assert_eq!(asked, Preview1::Adapter);
    let program = wat::parse_str(
        r#"(module (import "wasix_32v1" "f" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    let program = program.unwrap();
    assert_eq!(adapt::kind(&program).unwrap(), ModuleKind::Program);
    let refused = adapt::lift(&program, &World::Contract, Preview1::Auto);
    assert!(matches!(refused, Err(AdaptError::WasixProgram)), "{refused:?}");
}

#[test]
fn what_preview_1_has_not_is_missing() {
    let missing = r#"(module (import "wasi_snapshot_preview1" "fd_fly" (func (param i32) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"#;
    let other = r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"#;
    let memoryless = r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (func (export "_start")))"#;
    for engine in engines() {
        let refused = |text: &str| {
            run(&engine, text, &WasiCtxBuilder::new())
                .unwrap_err()
                .to_string()
        };
        assert!(refused(missing).contains("fd-fly"), "{}", refused(missing));
        assert!(refused(other).contains("fd-close"), "{}", refused(other));
        assert!(refused(memoryless).contains("memory"), "{}", refused(memoryless));
    }
}

/// Returns every backend's driver, with a granted folder as descriptor 3.
fn drivers(scene: &Scene, access: FsPerms) -> Vec<Driver> {
    let mut grants = WasiCtxBuilder::new();
    grants.preopened_dir(scene.granted(), "/data", access).unwrap();
    engines()
        .iter()
        .map(|engine| Driver::new(engine, &grants))
        .collect()
}

#[test]
fn files_are_written_sought_and_read() {
    let scene = Scene::new("own-files");
    for mut it in drivers(&scene, FsPerms::ReadWrite) {
        let fd = it.open(3, "new", 1 | 8, 0).unwrap();
        assert_eq!(it.write(fd, &[b"hello ", b"", b"world"]), Ok(11));
        // A refused seek keeps the offset (wasmer-wasix changes it).
        assert_eq!(it.seek(fd, -12, 1), Err(INVAL));
        assert_eq!(it.seek(fd, 0, 1), Ok(11));
        assert_eq!(it.seek(fd, -5, 2), Ok(6));
        assert_eq!(it.read(fd, &[2, 0, 10]), Ok(b"world".to_vec()));
        assert_eq!(it.read(fd, &[10]), Ok(Vec::new()));
        assert_eq!(it.seek(fd, i64::MAX, 0), Ok(i64::MAX as u64));
        assert_eq!(it.seek(fd, 1, 1), Err(INVAL));
        assert_eq!(it.call("fd-close", &[fd.into()]), 0);
        assert_eq!(it.call("fd-close", &[fd.into()]), BADF);
        assert_eq!(fs::read(scene.granted().join("new")).unwrap(), b"hello world");
        // Appends regardless of the offset.
        let fd = it.open(3, "new", 0, 1).unwrap();
        assert_eq!(it.write(fd, &[b"!"]), Ok(1));
        assert_eq!(it.seek(fd, 0, 1), Ok(12));
        assert_eq!(it.seek(fd, 0, 0), Ok(0));
        assert_eq!(it.write(fd, &[b"?"]), Ok(1));
        assert_eq!(fs::read(scene.granted().join("new")).unwrap(), b"hello world!?");
        assert_eq!(it.call("fd-allocate", &[fd.into(), 10, 90]), 0);
        assert_eq!(fs::metadata(scene.granted().join("new")).unwrap().len(), 100);
        assert_eq!(it.call("fd-close", &[fd.into()]), 0);
        fs::remove_file(scene.granted().join("new")).unwrap();
    }
}

#[test]
fn a_long_folder_is_listed_with_a_short_buffer() {
    let scene = Scene::new("own-listing");
    let folder = scene.granted().join("inner");
    let mut names: Vec<String> = (0..60)
        .map(|number| format!("{}{number}", "n".repeat(number * 3)))
        .collect();
    for name in &names {
        fs::write(folder.join(name), "").unwrap();
    }
    names.extend([".".to_owned(), "..".to_owned()]);
    names.sort();
    for mut it in drivers(&scene, FsPerms::ReadOnly) {
        let fd = it.open(3, "inner", 2, 0).unwrap();
        for room in [213, 256, 4096] {
            let mut found = it.list(fd, room);
            found.sort();
            assert_eq!(found, names, "{room}");
        }
        assert_eq!(it.call("fd-readdir", &[0, 0, 64, 0, 100]), NOTDIR);
    }
}

#[test]
fn descriptors_are_what_they_are() {
    let scene = Scene::new("own-descriptors");
    for mut it in drivers(&scene, FsPerms::ReadWrite) {
        // wasi-testsuite `fd_write-to-invalid-fd`, with no buffers.
        assert_eq!(
            it.call("fd-write", &[u64::from(u32::MAX - 31336), 0, 0, 64]),
            BADF
        );
        assert_eq!(it.write(3, &[b"x"]), Err(ISDIR));
        assert_eq!(it.write(0, &[b"x"]), Err(BADF));
        assert_eq!(it.read(1, &[1]), Err(BADF));
        assert_eq!(it.seek(0, 0, 1), Err(SPIPE));
        assert_eq!(it.seek(3, 0, 1), Err(ISDIR));
        // The granted folder has a path; an opened one has none.
        assert_eq!(it.call("fd-prestat-get", &[3, 64]), 0);
        assert_eq!((it.u32(64), it.u32(68)), (0, 5));
        assert_eq!(it.call("fd-prestat-dir-name", &[3, 64, 4]), 37);
        assert_eq!(it.call("fd-prestat-dir-name", &[3, 64, 5]), 0);
        assert_eq!(it.bytes(64, 5), b"/data");
        let inner = it.open(3, "inner", 2, 0).unwrap();
        assert_eq!(inner, 4);
        assert_eq!(it.call("fd-prestat-get", &[4, 64]), BADF);
        // `.` opens with the folder's own rights.
        assert_eq!(it.call("fd-fdstat-get", &[3, 64]), 0);
        let rights = (u64::from_le_bytes(it.bytes(72, 8).try_into().unwrap()), 0);
        assert_eq!(rights.0 & (1 << 6), 0, "a folder is not written to");
        assert_eq!(it.open_with(3, ".", 0, 0, rights.0), Ok(5));
        // A renumbered descriptor is open under its new number only.
        let file = it.open(3, "file", 0, 0).unwrap();
        assert_eq!(it.call("fd-renumber", &[file.into(), inner.into()]), 0);
        assert_eq!(it.call("fd-close", &[file.into()]), BADF);
        assert_eq!(it.read(inner, &[8]), Ok(b"file".to_vec()));
        assert_eq!(it.call("fd-renumber", &[inner.into(), 99]), BADF);
        assert_eq!(it.call("fd-renumber", &[inner.into(), inner.into()]), 0);
        // The lowest free number.
        assert_eq!(it.call("fd-close", &[0]), 0);
        assert_eq!(it.open(3, "file", 0, 0), Ok(0));
        assert_eq!(it.call("sock-shutdown", &[0, 0]), 57);
    }
}

#[test]
fn a_folder_is_not_left_and_not_changed() {
    let scene = Scene::new("own-left");
    for mut it in drivers(&scene, FsPerms::ReadOnly) {
        for path in ["../secret", "/etc/passwd", "inner/../../secret", "..", "/"] {
            assert_eq!(it.open(3, path, 0, 0), Err(PERM), "{path}");
        }
        #[cfg(unix)]
        for path in ["up", "absolute", "parent/secret"] {
            assert_eq!(it.open(3, path, 0, 0), Err(PERM), "{path}");
        }
        assert_eq!(it.open(3, "new", 1, 0), Err(ROFS));
        assert_eq!(it.open(3, "file", 8, 0), Err(ROFS));
        let path = it.text("new");
        assert_eq!(it.call("path-create-directory", &[3, path.0, path.1]), ROFS);
        assert_eq!(it.open_with(3, "file", 0, 0, 1 << 6), Err(ROFS));
    }
    assert_eq!(fs::read_to_string(scene.granted().join("file")).unwrap(), "file");
}

#[test]
fn open_files_are_bounded() {
    let scene = Scene::new("own-bounded");
    let mut grants = WasiCtxBuilder::new();
    grants
        .preopened_dir(scene.granted(), "/", FsPerms::ReadOnly)
        .unwrap();
    grants.limits({
        let mut limits = WasiLimits::default();
        limits.descriptors = 5;
        limits
    });
    for engine in engines() {
        let mut it = Driver::new(&engine, &grants);
        for _ in 0..5 {
            it.open(3, "file", 0, 0).unwrap();
        }
        assert_eq!(it.open(3, "file", 0, 0), Err(NOMEM));
        assert_eq!(it.call("fd-close", &[4]), 0);
        assert_eq!(it.open(3, "file", 0, 0), Ok(4));
    }
}

#[test]
fn addresses_outside_the_memory_are_faults() {
    let scene = Scene::new("own-faults");
    let (end, last) = (u64::from(driver::MEMORY), u64::from(u32::MAX));
    for mut it in drivers(&scene, FsPerms::ReadWrite) {
        it.poke(1024, &[0, 0, 1, 0, 8, 0, 0, 0]);
        for (name, args) in [
            ("args-sizes-get", &[last, 0][..]),
            ("args-sizes-get", &[0, end - 3]),
            ("clock-time-get", &[0, 0, last - 7]),
            ("random-get", &[0, last]),
            ("random-get", &[end, 1]),
            ("fd-write", &[1, last - 7, 1, 0]),
            // A buffer that begins at the end.
            ("fd-write", &[1, 1024, 1, 0]),
            ("fd-read", &[0, 1024, 1, 0]),
            ("fd-fdstat-get", &[1, end - 23]),
            ("fd-filestat-get", &[3, end - 63]),
            ("fd-readdir", &[3, end - 10, 11, 0, 0]),
            ("path-open", &[3, 0, end - 3, 4, 0, 0, 0, 0, 0]),
            ("poll-oneoff", &[0, end - 31, 1, 0]),
            ("poll-oneoff", &[last, 0, 1, 0]),
            ("fd-prestat-get", &[3, end - 4]),
        ] {
            assert_eq!(it.call(name, args), FAULT, "{name} {args:?}");
        }
        // All of memory as a list of empty buffers, and more.
        for count in [1025, 8192, last] {
            assert_eq!(it.call("fd-write", &[1, 0, count, 0]), INVAL, "{count}");
            assert_eq!(it.call("fd-read", &[0, 0, count, 0]), INVAL, "{count}");
        }
        assert_eq!(it.call("poll-oneoff", &[0, 0, 0, 0]), INVAL);
        assert_eq!(it.call("poll-oneoff", &[0, 0, last, 0]), INVAL);
    }
}

#[test]
fn clocks_are_waited_for_each_on_its_own() {
    let scene = Scene::new("own-clocks");
    for mut it in drivers(&scene, FsPerms::ReadOnly) {
        // Of two, the one that is due.
        it.clock(1024, 1, 1, 2_000_000_000_000, false);
        it.clock(1072, 2, 1, 20_000_000, false);
        let start = Instant::now();
        assert_eq!(it.poll(1024, 2), [(2, 0)]);
        assert!(start.elapsed() >= Duration::from_millis(20));
        // An absolute time of the wall clock.
        assert_eq!(it.call("clock-time-get", &[0, 0, 64]), 0);
        let now = u64::from_le_bytes(it.bytes(64, 8).try_into().unwrap());
        it.clock(1024, 3, 0, now + 30_000_000, true);
        let start = Instant::now();
        assert_eq!(it.poll(1024, 1), [(3, 0)]);
        assert!(start.elapsed() < Duration::from_secs(20));
        // One in the past, a clock that does not exist, and a descriptor that does not exist.
        it.clock(1024, 4, 0, 1, true);
        assert_eq!(it.poll(1024, 1), [(4, 0)]);
        it.clock(1024, 5, 9, 1, false);
        it.clock(1072, 6, 1, 2_000_000_000_000, false);
        assert_eq!(it.poll(1024, 2), [(5, INVAL)]);
        it.poke(1032, &[1, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0]);
        assert_eq!(it.poll(1024, 1), [(5, BADF)]);
        assert_eq!(it.resources(), 0, "nothing is left of what was waited for");
    }
}

#[test]
fn output_goes_where_it_is_sent() {
    for engine in engines() {
        let (out, err) = (MemoryOutputPipe::new(10_000), MemoryOutputPipe::new(10));
        let mut grants = WasiCtxBuilder::new();
        grants
            .stdout(Stdout::Pipe(out.clone()))
            .stderr(Stdout::Pipe(err.clone()));
        let mut it = Driver::new(&engine, &grants);
        let long = "x".repeat(9000);
        assert_eq!(it.write(1, &[b"a", long.as_bytes()]), Ok(9001));
        assert_eq!(out.contents().len(), 9001);
        assert_eq!(it.write(2, &[b"err"]), Ok(3));
        assert_eq!(err.contents(), b"err");
        // The host accepts no more: `nospc`.
        assert_eq!(it.write(2, &[b"too much for it"]), Err(51));
    }
}
