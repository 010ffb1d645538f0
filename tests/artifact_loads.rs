//! Loading and dropping components leaks nothing.
#![cfg(target_os = "linux")]

use std::path::PathBuf;

use airssys_wasm::artifact::{self, ArtifactFile, SecretKey, Trust};
use airssys_wasm::component::{Linker, Store};
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

// A single test, since resources are counted per process and tests run in parallel.
#[test]
fn ten_thousand_components_leave_nothing() {
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
    // One-time setup happens before the count.
    files.iter().cycle().take(500).for_each(load);
    let before = holdings();
    files.iter().cycle().take(10_000).for_each(load);
    let after = holdings();
    println!("before {before:?}, after {after:?}");
    assert_eq!(after.descriptors, before.descriptors);
    // The allocator may map a region more or less.
    assert!(after.mappings <= before.mappings + 8, "{before:?} {after:?}");
    assert!(
        after.resident <= before.resident + (8 << 20),
        "{before:?} {after:?}"
    );
    std::fs::remove_dir_all(&folder).expect("it was made here");
}
