//! Panics from wasmer-wasix: an assertion that a module can reach, and a planted one.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::error::TrapKind;
use airssys_wasm::wasi::preview1::{Ended, Preview1};

use super::guest::{Guest, Kind};
use super::{Scene, engines, program, run};

/// Time that nothing takes.
const LONG: Duration = Duration::from_secs(60);

#[track_caller]
fn panicked_at(place: &str, ended: &airssys_wasm::Result<Ended>) {
    match ended.as_ref().err().and_then(Error::trap).map(|trap| trap.kind()) {
        Some(TrapKind::Panicked { place: found, .. }) => assert_eq!(found, place),
        _ => panic!("{ended:?}"),
    }
}

/// wasmer-wasix 0.704.2 asserts that a link's parent is a folder. Paths of a module with shared memory are not checked.
#[test]
fn an_assertion_that_a_module_breaks_ends_that_module_alone() {
    for engine in engines() {
        let scene = Scene::new("assertion");
        let grants = Preview1::new().folder(scene.granted(), "/data", true).unwrap();
        let mut guest = Guest::new(Kind::Shared);
        let body = guest.symlink("x", "file/x");
        let ended = run(&engine, &guest.program(&body), grants.clone());
        panicked_at("`wasi_snapshot_preview1#path_symlink`", &ended);
        let mut guest = Guest::new(Kind::Shared);
        let body = guest.symlink("x", "inner/x");
        assert_eq!(run(&engine, &guest.program(&body), grants).unwrap().status, 0);
    }
}

#[test]
fn an_assertion_that_a_thread_breaks_ends_the_program() {
    let text = r#"(module
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_symlink"
            (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (export "memory" (memory 0))
        (data (i32.const 100) "file/x")
        (func (export "wasi_thread_start") (param i32 i32)
            (drop (call $symlink (i32.const 100) (i32.const 1) (i32.const 3) (i32.const 100) (i32.const 6)))
            (i32.atomic.store (i32.const 0) (i32.const 1)))
        (func (export "_start")
            (drop (call $spawn (i32.const 0)))
            (loop $on (br_if $on (i32.eqz (i32.atomic.load (i32.const 0)))))))"#;
    let module = wat::parse_str(text).unwrap();
    for engine in engines() {
        let scene = Scene::new("thread-assertion");
        let grants = Preview1::new().folder(scene.granted(), "/", true).unwrap();
        // The event that the first thread waits for never comes: it is stopped, long before the deadline.
        let begin = Instant::now();
        let ended = run(&engine, &module, grants.deadline(begin.checked_add(2 * LONG)));
        panicked_at("`wasi_snapshot_preview1#path_symlink`", &ended);
        assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    }
}

/// A logger that panics on one text, once when it is armed: the rest of a line is logged again when the file is dropped.
struct Planted;

const TEXT: &str = "planted under the file";

static ARMED: AtomicBool = AtomicBool::new(false);

impl log::Log for Planted {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let planted = record.args().to_string().contains(TEXT);
        assert!(!(planted && ARMED.swap(false, Ordering::Relaxed)), "planted");
    }

    fn flush(&self) {}
}

#[test]
fn a_panic_of_a_file_ends_the_module_alone() {
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_logger(&Planted).expect("there is no other logger");
        log::set_max_level(log::LevelFilter::Info);
    });
    let write = |text: &str| {
        let body = format!(
            "(i32.store (i32.const 0) (i32.const 1024))
             (i32.store (i32.const 4) (i32.const {}))
             (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))",
            text.len() - 1
        );
        program(&body, text)
    };
    for engine in engines() {
        ARMED.store(true, Ordering::Relaxed);
        let ended = run(&engine, &write(&format!("{TEXT}\\n")), Preview1::new());
        panicked_at("`wasi_snapshot_preview1#fd_write`", &ended);
        assert_eq!(
            run(&engine, &write("good\\n"), Preview1::new()).unwrap().status,
            0
        );
    }
}
