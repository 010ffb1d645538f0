//! Tests with a panic behind each import into wasmer-wasix, and on its threads: it becomes a typed error, and the next
//! module runs.

use std::collections::BTreeSet;
use std::fmt::Write;

use wasmer_wasix::wasmer::{FunctionEnv, FunctionType, Type};

use super::border::Border;
use super::{Ended, Preview1, Preview1Guest, Program, add_to_linker, guest, host};
use airssys_wasm_component::component::{Component, Linker, Store};
use airssys_wasm_component::engine::{Config, Deadlines, Engine};
use airssys_wasm_component::error::{Error, Result, TrapKind};
use airssys_wasm_component::internal::planted;

fn engine() -> Engine {
    Engine::new(&Config::new()).expect("an engine")
}

fn name_of(ty: Type) -> &'static str {
    match ty {
        Type::I64 => "i64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        _ => "i32",
    }
}

/// Returns all functions that wasmer-wasix provides to modules, with their types.
fn imports() -> Vec<(guest::Key, FunctionType)> {
    let _context = crate::executor::enter().unwrap();
    let (builder, surroundings) =
        host::environment(Preview1::new(), Deadlines::new(None), None, true).unwrap();
    let mut store = wasmer_wasix::Runtime::new_store(&*surroundings);
    let environment = builder.build().unwrap();
    let environment = FunctionEnv::new(&mut store, environment);
    let functions = guest::functions(
        &mut wasmer_wasix::wasmer::AsStoreMut::as_store_mut(&mut store),
        &environment,
    );
    let mut found: Vec<_> = functions
        .into_iter()
        .map(|(key, function)| (key, function.ty(&store)))
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Builds a core module whose export `export` calls an import with zeros.
fn caller((module, name): &guest::Key, ty: &FunctionType, export: &str) -> Vec<u8> {
    let (mut params, mut results, mut zeros) = (String::new(), String::new(), String::new());
    for ty in ty.params() {
        let ty = name_of(*ty);
        write!(params, " {ty}").unwrap();
        write!(zeros, " ({ty}.const 0)").unwrap();
    }
    for ty in ty.results() {
        write!(results, " {}", name_of(*ty)).unwrap();
    }
    let drops = "(drop)".repeat(ty.results().len());
    let text = format!(
        r#"(module (import "{module}" "{name}" (func $f (param{params}) (result{results})))
            (memory (export "memory") 1)
            (func (export "{export}") {zeros} call $f {drops}))"#
    );
    wat::parse_str(text).expect("the text parses")
}

fn run(module: &[u8]) -> Result<Ended> {
    Program::from_binary(&engine(), module)?.run(Preview1::new())
}

#[track_caller]
fn panicked_at<T: std::fmt::Debug>(place: &str, result: &Result<T>) {
    match result
        .as_ref()
        .err()
        .and_then(Error::trap)
        .map(|trap| trap.kind())
    {
        Some(TrapKind::Panicked {
            place: found,
            message,
        }) => {
            assert_eq!((&**found, &**message), (place, "planted"));
        }
        _ => panic!("{place}: {result:?}"),
    }
}

#[track_caller]
fn the_next_module_runs() {
    assert!(!planted::is_left(), "the place is never reached");
    let good = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
    assert_eq!(run(&good).unwrap().status, 0);
}

#[test]
fn a_panic_behind_each_import_ends_its_program_alone() {
    let imports = imports();
    assert!(imports.len() > 200, "{}", imports.len());
    let mut open = BTreeSet::new();
    for (key, ty) in &imports {
        let (module, name) = (&*key.0, &*key.1);
        let border = Border::new([(module, name)].into_iter(), std::sync::Arc::default());
        if border.is_open(name) {
            open.insert(name);
            continue;
        }
        let place = format!("`{module}#{name}`");
        planted::at(&place);
        panicked_at(&place, &run(&caller(key, ty, "_start")));
        the_next_module_runs();
    }
    // Their panics are contained at the call of the module, as the next test shows.
    let expected = ["context_switch", "proc_exec", "proc_exec2", "proc_exec3"];
    let others = ["proc_fork", "proc_snapshot", "stack_checkpoint", "stack_restore"];
    let expected: BTreeSet<_> = expected.iter().chain(&others).copied().collect();
    assert!(
        open.is_superset(&expected) && open.len() <= expected.len() + 1,
        "{open:?}"
    );
}

#[test]
fn a_panic_in_the_course_of_a_program_ends_it_alone() {
    let module = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
    for place in ["the module's environment", "the module's imports"] {
        planted::at(place);
        panicked_at(place, &run(&module));
        the_next_module_runs();
    }
}

/// Builds a component whose core module imports a function of preview 1.
fn component(name: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "airssys:core-imports/wasix-32v1@1.0.0" (instance $i (export "{name}" (func (result u32)))))
            (core func $f (canon lower (func $i "{name}")))
            (core module $m
                (import "a" "f" (func $f (result i32)))
                (memory (export "memory") 1)
                (func (export "run") (result i32) (call $f)))
            (core instance $c (instantiate $m (with "a" (instance (export "f" (func $f))))))
            (func (export "run") (result u32) (canon lift (core func $c "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

#[test]
fn a_panic_behind_an_import_ends_its_component_alone() {
    let engine = engine();
    let component = Component::from_binary(&engine, &component("sched-yield")).unwrap();
    let mut linker = Linker::new(&engine);
    add_to_linker(&mut linker, &component).unwrap();
    let instantiate = |store: &mut Store<Preview1Guest>| linker.instantiate(store, &component);
    let store = || Store::new(&engine, Preview1Guest::new(Preview1::new()));

    let (mut failing, mut other) = (store(), store());
    let instances = (
        instantiate(&mut failing).unwrap(),
        instantiate(&mut other).unwrap(),
    );
    let run = instances.0.get_func(&mut failing, ["run"]).unwrap();
    planted::at("`wasix_32v1#sched_yield`");
    panicked_at("`wasix_32v1#sched_yield`", &run.call_dynamic(&mut failing, &[]));
    let again = run.call_dynamic(&mut failing, &[]).unwrap_err();
    assert_eq!(again.trap().map(|trap| trap.kind()), Some(&TrapKind::Poisoned));

    let run = instances.1.get_func(&mut other, ["run"]).unwrap();
    assert!(run.call_dynamic(&mut other, &[]).is_ok());
    let mut surroundings = store();
    planted::at("the module's environment");
    panicked_at(
        "the module's environment",
        &instantiate(&mut surroundings).map(drop),
    );
    the_next_module_runs();
}

#[test]
fn a_panic_on_a_thread_of_the_module_ends_the_program() {
    // The program waits for the thread, and would never end.
    let text = r#"(module
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (import "wasix_32v1" "sched_yield" (func $yield (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (export "memory" (memory 0))
        (func (export "wasi_thread_start") (param i32 i32)
            (drop (call $yield))
            (i32.atomic.store (i32.const 0) (i32.const 1)))
        (func (export "_start")
            (drop (call $spawn (i32.const 0)))
            (loop $on (br_if $on (i32.eqz (i32.atomic.load (i32.const 0)))) )))"#;
    let module = wat::parse_str(text).unwrap();
    assert_eq!(run(&module).unwrap().status, 0, "the thread runs");
    planted::anywhere("a thread of the module");
    let (begin, long) = (std::time::Instant::now(), std::time::Duration::from_secs(60));
    let ended = Program::from_binary(&engine(), &module)
        .unwrap()
        .run(Preview1::new().deadline(begin.checked_add(2 * long)));
    assert!(begin.elapsed() < long, "it is stopped, long before its deadline");
    panicked_at("a thread of the module", &ended);
    the_next_module_runs();
}
