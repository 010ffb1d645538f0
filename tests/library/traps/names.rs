//! Names in the frames of traps: the same, however the component's code got here.

use std::path::PathBuf;

use airssys_wasm::Error;
use airssys_wasm::artifact::{
    self, Artifact, ArtifactFile, CacheConfig, ComponentCache, MemoryLimits, SecretKey, Trust,
};
use airssys_wasm::component::{Component, Linker, Module, Store};
use airssys_wasm::engine::{Backend, Config, Engine};
use airssys_wasm::error::TrapKind;
use airssys_wasm::tiered::TieredComponent;

use super::common::engines;

/// Characters of a function's name that is not shown whole.
const LONG: usize = 300;

/// Returns a component whose `run` calls through modules and functions with names and without, and traps in the last. `size`
/// is that of the data of one of them.
fn calling(size: usize) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $innermost.only (func (export "f") unreachable))
            (core module
                (import "" "f" (func $f))
                (memory 4) (data (i32.const 8) "{data}")
                (func $unused) (func $"fün f" (export "f") (call $f)))
            (core module (import "" "f" (func)) (func (export "f") (call 0)))
            (core module $outer
                (import "" "f" (func $f))
                (func $run (export "run") (call 2))
                (func (call ${long}))
                (func ${long} (call $f)))
            (core instance $a (instantiate 0))
            (core instance $b (instantiate 1 (with "" (instance $a))))
            (core instance $c (instantiate 2 (with "" (instance $b))))
            (core instance $d (instantiate 3 (with "" (instance $c))))
            (func (export "run") (canon lift (core func $d "run"))))"#,
        data = "d".repeat(size),
        long = "n".repeat(LONG),
    );
    wat::parse_str(text).expect("the text parses")
}

/// The frames of the trap of that component, without offsets.
fn expected() -> Vec<String> {
    let long = format!("outer!{}…", "n".repeat(200));
    [
        "innermost.only!function 0",
        "<module>!fün f",
        "<module>!function 1",
        &long,
        "outer!function 2",
        "outer!run",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn sizes() -> [usize; 2] {
    [100, 200_000]
}

/// Returns frames without their offsets.
fn frames(error: &Error) -> Vec<String> {
    let trap = error.trap().unwrap_or_else(|| panic!("no trap: {error}"));
    assert!(matches!(trap.kind(), TrapKind::Core(_)), "{error}");
    let frames = trap.frames().iter().map(|frame| {
        let (name, offset) = frame.rsplit_once(" (offset 0x").expect("an offset");
        assert!(offset.ends_with(')'), "{frame}");
        name.to_owned()
    });
    frames.collect()
}

fn run(component: &Component) -> Vec<String> {
    run_with(component, &Linker::new(component.engine()))
}

fn run_with(component: &Component, linker: &Linker<()>) -> Vec<String> {
    let mut store = Store::new(component.engine(), ());
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let run = instance.get_func(&mut store, ["run"]).expect("it is exported");
    frames(&run.call_dynamic(&mut store, &[]).expect_err("it traps"))
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("trap-names-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the target folder can be written");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn compiled_components_and_artifacts_have_the_same_names() {
    let folder = Scratch::new("artifacts");
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for engine in engines() {
        for size in sizes() {
            let bytes = calling(size);
            let case = format!("{}, {size}", engine.backend());
            let component = Component::from_binary(&engine, &bytes).expect("it compiles");
            assert_eq!(run(&component), expected(), "{case}: compiled");
            drop(component);
            let file = artifact::compile(&engine, &bytes, Some(&key)).expect("it compiles");
            let path = folder.0.join("calling.cwasm");
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, &file).expect("it can be written");
            let open = ArtifactFile::open(&path).expect("it is an artifact");
            let component = open.load(&trust).expect("it loads");
            assert_eq!(run(&component), expected(), "{case}: out of a file");
            // The names are still there when the file is not.
            std::fs::remove_file(&path).expect("it is there");
            assert_eq!(run(&component), expected(), "{case}: again");
            drop((open, component));
            let component = Artifact::open(&file).expect("it is an artifact").load(&trust);
            assert_eq!(
                run(&component.expect("it loads")),
                expected(),
                "{case}: out of memory"
            );
        }
    }
}

#[test]
fn cached_components_have_their_names() {
    let folder = Scratch::new("cache");
    for engine in engines() {
        for size in sizes() {
            // Of 1 MiB and more, the file is loaded that has just been written.
            let bytes = calling(size);
            let case = format!("{}, {size}", engine.backend());
            let open = || {
                let config = CacheConfig::new(folder.0.join("cache"));
                ComponentCache::open(MemoryLimits::default(), config).expect("a folder of ours")
            };
            for times in 0..3 {
                let cache = open();
                let component = cache.get(&engine, &bytes).expect("it compiles");
                assert_eq!(run(&component), expected(), "{case}: {times}");
                let again = cache.get(&engine, &bytes).expect("it is in memory");
                assert_eq!(run(&again), expected(), "{case}: {times}, in memory");
                let counters = cache.counters();
                let (compiled, from_disk) = (u64::from(times == 0), u64::from(times > 0));
                assert_eq!(
                    (counters.compiled, counters.disk_hits, counters.memory_hits),
                    (compiled, from_disk, 1),
                    "{case}: {times}"
                );
            }
        }
    }
}

#[test]
fn both_stages_of_a_tiered_start_have_the_names() {
    if Backend::available().len() < 2 {
        // The other tests have the only one.
        return;
    }
    let engine = Engine::new(Config::new().backend(Backend::Tiered)).expect("there are two compilers");
    let component = TieredComponent::new(&engine, &calling(100)).expect("it compiles");
    let first = component.current();
    assert_eq!(run(&first), expected(), "{}", first.backend());
    assert!(component.wait(std::time::Duration::from_secs(300)));
    let second = component.current();
    assert_eq!(second.backend(), engine.backend());
    assert_eq!(run(&second), expected(), "{}", second.backend());
}

#[test]
fn imported_core_modules_have_their_names() {
    let user = wat::parse_str(
        r#"(component
            (import "m" (core module $m (export "f" (func))))
            (core module $user
                (import "" "f" (func $f)) (func $run (export "run") (call $f)))
            (core instance $m (instantiate $m))
            (core instance $i (instantiate $user (with "" (instance $m))))
            (func (export "run") (canon lift (core func $i "run"))))"#,
    )
    .expect("the text parses");
    let text = r#"(module $imported (func $fail (export "f") unreachable))"#;
    let provider = wat::parse_str(format!(
        r#"(component (core {} (export "m" (core module $imported)))"#,
        text.trim_start_matches('(')
    ))
    .expect("the text parses");
    let expected = ["imported!fail", "user!run"];
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for engine in engines() {
        let user = Component::from_binary(&engine, &user).expect("it compiles");
        let linking = |module: &Module| {
            let mut linker: Linker<()> = Linker::new(&engine);
            linker.root().module("m", module).expect("defined once");
            linker
        };
        let compiled = Module::from_binary(&engine, &wat::parse_str(text).expect("the text parses"));
        let compiled = linking(&compiled.expect("it compiles"));
        assert_eq!(run_with(&user, &compiled), expected, "{}", engine.backend());
        drop(compiled);
        // Out of an artifact, whose component is dropped.
        let file = artifact::compile(&engine, &provider, Some(&key)).expect("it compiles");
        let linker = {
            let provider = Artifact::open(&file).expect("an artifact").load(&trust);
            let provider = provider.expect("it loads");
            let mut store = Store::new(&engine, ());
            let instance = Linker::new(&engine).instantiate(&mut store, &provider);
            let instance = instance.expect("it needs nothing");
            linking(&instance.get_module(&mut store, "m").expect("it is exported"))
        };
        assert_eq!(run_with(&user, &linker), expected, "{}", engine.backend());
    }
}

#[test]
fn names_on_both_sides_of_an_adapter_are_there() {
    let text = r#"(component
        (component $inner
            (core module $callee
                (memory (export "memory") 1)
                (func $fail (export "fail") (param i32 i32) unreachable)
                (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
            (core instance $i (instantiate $callee))
            (func (export "fail") (param "s" string)
                (canon lift (core func $i "fail")
                    (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
        (component $outer
            (import "fail" (func $fail (param "s" string)))
            (core module $memory (memory (export "memory") 1))
            (core instance $m (instantiate $memory))
            (core func $fail' (canon lower (func $fail) (memory (core memory $m "memory"))))
            (core module $caller
                (import "" "fail" (func $fail (param i32 i32)))
                (func $run (export "run") (call $fail (i32.const 0) (i32.const 4))))
            (core instance $c (instantiate $caller (with "" (instance (export "fail" (func $fail'))))))
            (func (export "run") (canon lift (core func $c "run"))))
        (instance $inner (instantiate $inner))
        (instance $outer (instantiate $outer (with "fail" (func $inner "fail"))))
        (export "run" (func $outer "run")))"#;
    let bytes = wat::parse_str(text).expect("the text parses");
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for engine in engines() {
        let compiled = run(&Component::from_binary(&engine, &bytes).expect("it compiles"));
        assert_eq!(
            compiled.first().map(String::as_str),
            Some("callee!fail"),
            "{compiled:?}"
        );
        assert_eq!(
            compiled.last().map(String::as_str),
            Some("caller!run"),
            "{compiled:?}"
        );
        let adapter = &compiled[1..compiled.len() - 1];
        let unnamed = adapter
            .iter()
            .all(|frame| frame.starts_with("<module>!function "));
        assert!(!adapter.is_empty() && unnamed, "{compiled:?}");
        let file = artifact::compile(&engine, &bytes, Some(&key)).expect("it compiles");
        let loaded = Artifact::open(&file).expect("an artifact").load(&trust);
        assert_eq!(run(&loaded.expect("it loads")), compiled, "{}", engine.backend());
    }
}
