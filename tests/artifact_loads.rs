//! Loading and dropping components leaks nothing, nor do their traps.
#![cfg(target_os = "linux")]

use std::path::PathBuf;

use airssys_wasm::artifact::{self, ArtifactFile, SecretKey, Trust};
use airssys_wasm::component::{HostResult, Linker, Store, StoreContextMut, Val};
use airssys_wasm::engine::{Backend, Config, Engine};

/// Resources of this process at one moment.
#[derive(Clone, Copy, Debug)]
struct Holdings {
    /// Resident memory, in bytes.
    resident: u64,
    mappings: usize,
    descriptors: usize,
}

fn holdings() -> Holdings {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("the system tells");
    let pages: u64 = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("a number");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells");
    Holdings {
        resident: pages * 4096,
        mappings: maps.lines().count(),
        descriptors: std::fs::read_dir("/proc/self/fd")
            .expect("the system tells")
            .count(),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = airssys_wasm_test_support::root()
        .join("tests/fixtures")
        .join(name);
    std::fs::read(path).expect("it is committed")
}

/// Of several pages of code.
const LARGE: &str = "text-processor.wasm";
const SMALL: &str = "bench.wasm";

/// Functions that end in an exception of the processor, in a check of the code, deep in calls, and in the host.
const TRAPS: &str = r#"(component
    (import "fail" (func $fail))
    (core func $fail' (canon lower (func $fail)))
    (core module $m
        (import "host" "fail" (func $fail))
        (memory 1)
        (func (export "outside") (drop (i32.load (i32.const 0x7fffffff))))
        (func (export "check") unreachable)
        (func $deep (export "deep") (param i32)
            (if (local.get 0)
                (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
                (else unreachable)))
        (func (export "host") (call $fail)))
    (core instance $i (instantiate $m (with "host" (instance (export "fail" (func $fail'))))))
    (func (export "outside") (canon lift (core func $i "outside")))
    (func (export "check") (canon lift (core func $i "check")))
    (func (export "deep") (param "calls" u32) (canon lift (core func $i "deep")))
    (func (export "host") (canon lift (core func $i "host"))))"#;

/// Traps of a component before it is loaded again.
const TRAPS_EACH: usize = 1000;

/// Counts what is held before and after `rounds` calls of `step`, which follow a tenth of that for what is set up once.
fn nothing_is_left(what: &str, rounds: usize, mut step: impl FnMut(usize)) {
    (0..rounds / 10).for_each(&mut step);
    let before = holdings();
    (0..rounds).for_each(step);
    let after = holdings();
    println!("{what}: before {before:?}, after {after:?}");
    assert_eq!(after.descriptors, before.descriptors, "{what}");
    // The allocator may map a region more or less.
    assert!(
        after.mappings <= before.mappings + 8,
        "{what}: {before:?} {after:?}"
    );
    assert!(
        after.resident <= before.resident + (8 << 20),
        "{what}: {before:?} {after:?}"
    );
}

// A single test, since resources are counted per process and tests run in parallel.
#[test]
fn ten_thousand_components_and_a_million_traps_leave_nothing() {
    loads();
    for backend in Backend::available() {
        traps(*backend);
    }
}

/// Loads an artifact, and instantiates it until it has trapped many times, in a store of its own each time.
fn traps(backend: Backend) {
    const ALL: usize = 1_000_000;
    let engine = Engine::new(Config::new().backend(backend)).expect("it is available");
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    let bytes = wat::parse_str(TRAPS).expect("the text parses");
    let file = artifact::compile(&engine, &bytes, Some(&key)).expect("it compiles");
    let path = std::env::temp_dir().join(format!("airssys-wasm-traps-{}-{backend}", std::process::id()));
    std::fs::write(&path, file).expect("it is written");
    let mut linker: Linker<()> = Linker::new(&engine);
    let fail = |_: StoreContextMut<'_, ()>, (): ()| -> HostResult<()> { Err("it fails".into()) };
    linker.root().func_wrap("fail", fail).expect("it is new");
    nothing_is_left(
        &format!("traps, {backend}"),
        ALL / TRAPS_EACH / Backend::available().len(),
        |_| {
            let file = ArtifactFile::open(&path).expect("it is whole");
            let component = file.load(&trust).expect("it loads");
            let pre = linker.instantiate_pre(&component).expect("it links");
            for trap in 0..TRAPS_EACH {
                let mut store = Store::new(&engine, ());
                let instance = pre.instantiate(&mut store).expect("it is instantiated");
                let (name, params) = match trap % 4 {
                    0 => ("outside", None),
                    1 => ("check", None),
                    2 => ("deep", Some(Val::U32(50))),
                    _ => ("host", None),
                };
                let function = instance.get_func(&mut store, [name]).expect("it is exported");
                let params: Vec<Val> = params.into_iter().collect();
                let ended = function.call_dynamic(&mut store, &params);
                assert!(ended.is_err(), "{name}");
            }
        },
    );
    std::fs::remove_file(&path).expect("it was made here");
}

fn loads() {
    let folder = std::env::temp_dir().join(format!("airssys-wasm-loads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    let mut files = Vec::new();
    for backend in Backend::available() {
        let engine = Engine::new(Config::new().backend(*backend)).expect("it is available");
        for name in [SMALL, LARGE] {
            let path = folder.join(format!("{backend}-{name}"));
            let file = artifact::compile(&engine, &fixture(name), Some(&key)).expect("it compiles");
            std::fs::write(&path, file).expect("it is written");
            files.push((engine.clone(), path));
        }
    }
    let load = |(engine, path): &(Engine, PathBuf)| {
        let component = ArtifactFile::open(path)
            .and_then(|file| file.load(&trust))
            .expect("it loads");
        let mut linker: Linker<()> = Linker::new(engine);
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("functions and types");
        let mut store = Store::new(engine, ());
        linker
            .instantiate(&mut store, &component)
            .expect("it is instantiated");
    };
    nothing_is_left("loads", 10_000, |round| {
        if let Some(file) = files.get(round % files.len()) {
            load(file);
        }
    });
    std::fs::remove_dir_all(&folder).expect("it was made here");
}
