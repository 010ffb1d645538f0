//! Components from artifacts that import functions of wasmer-wasix: their modules run in code that the engine has loaded, beside
//! the code that was mapped.

use std::sync::atomic::{AtomicBool, Ordering};

use airssys_wasm::artifact::{self, Artifact, SecretKey, Trust};

use super::*;

/// A component with this body of `run`, whose module imports a function of wasmer-wasix, and a second module whose function `fails`
/// it can call.
fn component_of(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "airssys:core-imports/wasi-snapshot-preview1@1.0.0"
                (instance $i (export "sched-yield" (func (result u32)))))
            (core func $f (canon lower (func $i "sched-yield")))
            (core module $second (func $fails (export "fails") unreachable))
            (core instance $second (instantiate $second))
            (core module $m
                (import "a" "f" (func $f (result i32)))
                (import "a" "fails" (func $fails))
                (memory (export "memory") 1)
                (func $runs (export "run") (result i32) (drop (call $f)) {body}))
            (core instance $c (instantiate $m (with "a" (instance
                (export "f" (func $f)) (export "fails" (func $second "fails"))))))
            (func (export "run") (result u32) (canon lift (core func $c "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

/// Loads a component from an artifact, as one that this process has not seen.
fn loaded(engine: &Engine, component: &[u8]) -> Component {
    let key = SecretKey::generate().expect("random numbers");
    let file = artifact::compile(engine, component, Some(&key)).expect("it compiles");
    let artifact = Artifact::open(&file).expect("it is whole");
    artifact.load(&Trust::new([key.public()])).expect("it loads")
}

/// Calls `run`; `with` gets the store before.
fn run_of(
    engine: &Engine,
    component: &Component,
    with: impl FnOnce(&Store<Preview1Guest>),
) -> airssys_wasm::Result<u32> {
    let mut linker = Linker::new(engine);
    preview1::add_to_linker(&mut linker, component)?;
    let mut store = Store::new(engine, Preview1Guest::new(Preview1::new()));
    let instance = linker.instantiate(&mut store, component)?;
    let run = instance.try_get_func(&mut store, ["run"])?;
    let run = run.typed::<(), (u32,)>(&store)?;
    with(&store);
    Ok(run.call(&mut store, ())?.0)
}

#[test]
fn a_component_from_an_artifact_answers() {
    for engine in engines() {
        let component = loaded(&engine, &component_of("(i32.const 5)"));
        assert_eq!(run_of(&engine, &component, |_| ()).expect("it answers"), 5);
    }
}

#[test]
fn a_component_from_an_artifact_that_computes_without_end_is_interrupted() {
    for engine in engines() {
        let component = loaded(&engine, &component_of("(loop $on (br $on)) (i32.const 0)"));
        let ended = AtomicBool::new(false);
        let error = std::thread::scope(|scope| {
            let result = run_of(&engine, &component, |store| {
                let (handle, ended) = (store.interrupt_handle(), &ended);
                scope.spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(20));
                        handle.interrupt();
                    }
                });
            });
            ended.store(true, Ordering::Relaxed);
            result.expect_err("it has no end")
        });
        let trap = error.trap().unwrap_or_else(|| panic!("{error}"));
        assert_eq!(
            *trap.kind(),
            TrapKind::Core(CoreTrap::Interrupted),
            "{}",
            engine.backend()
        );
    }
}

#[test]
fn traps_of_a_component_from_an_artifact_have_their_causes_and_frames() {
    for engine in engines() {
        for (body, first) in [
            ("unreachable", "m!runs"),
            ("(call $fails) (i32.const 0)", "second!fails"),
        ] {
            let bytes = component_of(body);
            let told = |component: &Component| {
                let error = run_of(&engine, component, |_| ()).expect_err("it traps");
                let trap = error.trap().unwrap_or_else(|| panic!("{error}"));
                assert_eq!(*trap.kind(), TrapKind::Core(CoreTrap::Unreachable));
                let name = |frame: &String| frame.split(" (offset 0x").next().unwrap_or_default().to_owned();
                trap.frames().iter().map(name).collect::<Vec<_>>()
            };
            let expected = told(&Component::from_binary(&engine, &bytes).expect("it compiles"));
            assert_eq!(expected.first().map(String::as_str), Some(first));
            assert_eq!(told(&loaded(&engine, &bytes)), expected, "{}", engine.backend());
        }
    }
}
