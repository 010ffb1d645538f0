//! Components with asynchronous functions, streams and futures.

use std::collections::BTreeSet;

use airssys_wasm_abi::{CoreType, Type};

use crate::component::compile::features;
use crate::component::compile::translate::translate;
use crate::component::ir::{
    AdapterFunc, Builtin, CoreDef, End, Export, ExternType, Initializer, Ir, Trampoline, Transmit,
};
use crate::component::load::portable;
use crate::engine::{Backend, Config, Engine};
use crate::error::Error;

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model_async_builtins(true)
        .wasm_component_model_async_stackful(true)
        .wasm_component_model_error_context(true);
    config
}

fn engine() -> Engine {
    Engine::new(&config()).expect("a backend")
}

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text parses")
}

fn translated(text: &str) -> Ir {
    translate(&engine(), &binary(text)).expect("it is supported")
}

fn builtins(ir: &Ir) -> Vec<&Builtin> {
    let concurrent = ir.trampolines.iter().filter_map(|trampoline| match trampoline {
        Trampoline::Concurrent(builtin) => Some(builtin),
        _ => None,
    });
    concurrent.collect()
}

fn adapters(ir: &Ir) -> &[AdapterFunc] {
    &ir.concurrency.as_ref().expect("it is asynchronous").adapters
}

/// Two components. The first has an asynchronous function with a callback, one without, and a synchronous one with a post-return; the
/// second calls each of them synchronously and asynchronously.
const CALLS: &str = r#"(component
    (component $callee
        (core module $libc (memory (export "m") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256)))
        (core instance $libc (instantiate $libc))
        (core func $return (canon task.return (result string) (memory (core memory $libc "m"))))
        (core func $none (canon task.return))
        (core func $get (canon context.get i32 0))
        (core func $set (canon context.set i32 0))
        (core module $m
            (import "" "return" (func $return (param i32 i32))) (import "" "none" (func $none))
            (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
            (func (export "greet") (param i32 i32) (result i32) (call $return (local.get 0) (call $get)) (i32.const 0))
            (func (export "callback") (param i32 i32 i32) (result i32) (i32.const 0))
            (func (export "stackful") (param i64 f32 f64) (call $set (i32.const 1)) (call $none))
            (func (export "sync") (param i32) (result i32) (i32.const 16))
            (func (export "after") (param i32)))
        (core instance $i (instantiate $m (with "" (instance
            (export "return" (func $return)) (export "none" (func $none)) (export "get" (func $get)) (export "set" (func $set))))))
        (func (export "greet") async (param "name" string) (result string) (canon lift (core func $i "greet") async
            (callback (core func $i "callback")) (memory (core memory $libc "m")) (realloc (core func $libc "realloc"))))
        (func (export "stackful") async (param "a" u64) (param "b" f32) (param "c" f64)
            (canon lift (core func $i "stackful") async))
        (func (export "sync") async (param "n" u32) (result string) (canon lift (core func $i "sync")
            (memory (core memory $libc "m")) (realloc (core func $libc "realloc")) (post-return (core func $i "after")))))
    (component $caller
        (import "greet" (func $greet async (param "name" string) (result string)))
        (import "stackful" (func $stackful async (param "a" u64) (param "b" f32) (param "c" f64)))
        (import "sync" (func $sync async (param "n" u32) (result string)))
        (core module $libc (memory (export "m") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256)))
        (core instance $libc (instantiate $libc))
        (alias core export $libc "m" (core memory $m)) (alias core export $libc "realloc" (core func $realloc))
        (core func $greet-a (canon lower (func $greet) async (memory $m) (realloc $realloc)))
        (core func $greet-s (canon lower (func $greet) (memory $m) (realloc $realloc)))
        (core func $stackful-a (canon lower (func $stackful) async (memory $m)))
        (core func $stackful-s (canon lower (func $stackful)))
        (core func $sync-a (canon lower (func $sync) async (memory $m) (realloc $realloc)))
        (core func $sync-s (canon lower (func $sync) (memory $m) (realloc $realloc)))
        (core func $new (canon waitable-set.new))
        (core func $wait (canon waitable-set.wait (memory $m)))
        (core func $poll (canon waitable-set.poll (memory $m)))
        (core func $drop (canon waitable-set.drop))
        (core func $join (canon waitable.join))
        (core func $subtask (canon subtask.drop))
        (core func $cancel (canon subtask.cancel async))
        (core module $m
            (import "" "greet-a" (func (param i32 i32 i32) (result i32))) (import "" "greet-s" (func (param i32 i32 i32)))
            (import "" "stackful-a" (func (param i64 f32 f64) (result i32)))
            (import "" "stackful-s" (func (param i64 f32 f64)))
            (import "" "sync-a" (func (param i32 i32) (result i32))) (import "" "sync-s" (func (param i32 i32)))
            (import "" "new" (func (result i32))) (import "" "wait" (func (param i32 i32) (result i32)))
            (import "" "poll" (func (param i32 i32) (result i32))) (import "" "drop" (func (param i32)))
            (import "" "join" (func (param i32 i32))) (import "" "subtask" (func (param i32)))
            (import "" "cancel" (func (param i32) (result i32)))
            (func (export "run")))
        (core instance $i (instantiate $m (with "" (instance
            (export "greet-a" (func $greet-a)) (export "greet-s" (func $greet-s))
            (export "stackful-a" (func $stackful-a)) (export "stackful-s" (func $stackful-s))
            (export "sync-a" (func $sync-a)) (export "sync-s" (func $sync-s))
            (export "new" (func $new)) (export "wait" (func $wait)) (export "poll" (func $poll)) (export "drop" (func $drop))
            (export "join" (func $join)) (export "subtask" (func $subtask)) (export "cancel" (func $cancel))))))
        (func (export "run") async (canon lift (core func $i "run"))))
    (instance $callee (instantiate $callee))
    (instance $caller (instantiate $caller (with "greet" (func $callee "greet"))
        (with "stackful" (func $callee "stackful")) (with "sync" (func $callee "sync"))))
    (export "run" (func $caller "run")))"#;

/// A component that gives a stream to another, with all built-ins of streams and futures.
const STREAMS: &str = r#"(component
    (component $taker
        (type $s (stream (list u8)))
        (core module $libc (memory (export "m") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256)))
        (core instance $libc (instantiate $libc))
        (alias core export $libc "m" (core memory $m)) (alias core export $libc "realloc" (core func $realloc))
        (core func $read (canon stream.read $s async (memory $m) (realloc $realloc)))
        (core func $drop (canon stream.drop-readable $s))
        (core func $message (canon error-context.debug-message (memory $m) (realloc $realloc)))
        (core module $m
            (import "" "read" (func (param i32 i32 i32) (result i32))) (import "" "drop" (func (param i32)))
            (import "" "message" (func (param i32 i32)))
            (func (export "take") (param i32 i32 i32)))
        (core instance $i (instantiate $m (with "" (instance
            (export "read" (func $read)) (export "drop" (func $drop)) (export "message" (func $message))))))
        (func (export "take") (param "s" (stream (list u8))) (param "f" (future)) (param "e" error-context)
            (canon lift (core func $i "take"))))
    (component $giver
        (import "take" (func $take (param "s" (stream (list u8))) (param "f" (future)) (param "e" error-context)))
        (type $s (stream (list u8))) (type $f (future)) (type $bytes (stream u8)) (type $nested (stream $bytes))
        (core module $libc (memory (export "m") 1))
        (core instance $libc (instantiate $libc))
        (alias core export $libc "m" (core memory $m))
        (core func $take (canon lower (func $take)))
        (core func $new (canon stream.new $s)) (core func $future (canon future.new $f))
        (core func $nested (canon stream.new $nested))
        (core func $write (canon stream.write $s async (memory $m)))
        (core func $cancel (canon stream.cancel-write $s async))
        (core func $drop (canon stream.drop-writable $s))
        (core func $put (canon future.write $f (memory $m)))
        (core func $stop (canon future.cancel-read $f))
        (core func $error (canon error-context.new (memory $m))) (core func $yield (canon thread.yield))
        (core module $m
            (import "" "take" (func (param i32 i32 i32)))
            (import "" "new" (func (result i64))) (import "" "future" (func (result i64))) (import "" "nested" (func (result i64)))
            (import "" "write" (func (param i32 i32 i32) (result i32))) (import "" "cancel" (func (param i32) (result i32)))
            (import "" "drop" (func (param i32))) (import "" "put" (func (param i32 i32) (result i32)))
            (import "" "stop" (func (param i32) (result i32)))
            (import "" "error" (func (param i32 i32) (result i32))) (import "" "yield" (func (result i32)))
            (func (export "run")))
        (core instance $i (instantiate $m (with "" (instance
            (export "take" (func $take)) (export "new" (func $new)) (export "future" (func $future)) (export "nested" (func $nested))
            (export "write" (func $write)) (export "cancel" (func $cancel)) (export "drop" (func $drop)) (export "put" (func $put))
            (export "stop" (func $stop)) (export "error" (func $error)) (export "yield" (func $yield))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $taker (instantiate $taker))
    (instance $giver (instantiate $giver (with "take" (func $taker "take"))))
    (export "run" (func $giver "run")))"#;

#[test]
fn calls_between_components_name_functions_of_the_adapters() {
    let ir = translated(CALLS);
    // Five calls are asynchronous on one side; the host calls three functions for each, and each function of a callee has one number.
    let found = adapters(&ir);
    let count = |prefix: &str| {
        let names = found.iter().map(|adapter| &adapter.export.name);
        names.filter(|name| name.starts_with(prefix)).count()
    };
    assert_eq!(
        ["[async-start]", "[async-return]", "[adapter-callee]"].map(count),
        [5, 5, 3]
    );
    let mut signatures: Vec<(Vec<CoreType>, Vec<CoreType>)> = Vec::new();
    for adapter in found {
        let Some(Initializer::InstantiateModule { module, .. }) = ir
            .initializers
            .iter()
            .filter(|initializer| matches!(initializer, Initializer::InstantiateModule { .. }))
            .nth(adapter.export.instance as usize)
        else {
            panic!("no instance {}", adapter.export.instance)
        };
        assert!(
            exports(&ir.modules[*module as usize]).contains(&adapter.export.name),
            "{adapter:?}"
        );
        signatures.push((
            adapter.signature.params.clone(),
            adapter.signature.results.clone(),
        ));
    }
    let (i32, i64, f32, f64) = (CoreType::I32, CoreType::I64, CoreType::F32, CoreType::F64);
    let passed = (vec![i64, f32, f64], vec![i64, f32, f64]);
    assert!(signatures.contains(&passed), "{signatures:?}");
    let callee = (vec![i32, i32], vec![i32]);
    assert!(signatures.contains(&callee), "{signatures:?}");
}

#[test]
fn calls_between_components_use_the_host_s_functions() {
    let ir = translated(CALLS);
    let (mut params, mut results, mut starts, mut returns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for builtin in builtins(&ir) {
        match builtin {
            Builtin::PrepareCall { params: more, .. } => params.push(more.len()),
            Builtin::SyncStartCall { callback, result } => results.push((callback.is_some(), *result)),
            Builtin::AsyncStartCall {
                callback,
                post_return,
            } => {
                starts.push((callback.is_some(), post_return.is_some()));
            }
            Builtin::TaskReturn { function, .. } => returns.push(function.ty.params.len()),
            _ => {}
        }
    }
    params.sort_unstable();
    assert_eq!(params, [2, 3, 3], "one for each memory and signature");
    results.sort_by_key(|(callback, _)| *callback);
    assert_eq!(results, [(false, None), (true, None)]);
    starts.sort_unstable();
    assert_eq!(starts, [(false, false), (false, true), (true, false)]);
    returns.sort_unstable();
    assert_eq!(returns, [0, 1]);
    let callbacks = ir
        .initializers
        .iter()
        .filter(|initializer| matches!(initializer, Initializer::ExtractCallback { .. }));
    assert_eq!(callbacks.count(), 1);
    assert_eq!(
        ir.concurrency.as_ref().map(|concurrency| concurrency.callbacks),
        Some(1)
    );
    let Some((_, Export::Func { function, .. })) = ir.exports.first() else {
        panic!("{:?}", ir.exports)
    };
    assert!(function.is_async);
}

#[test]
fn waitable_sets_and_subtasks_are_built_in() {
    let ir = translated(CALLS);
    let found = format!("{:?}", builtins(&ir));
    for name in [
        "WaitableSetNew",
        "WaitableSetWait",
        "WaitableSetPoll",
        "WaitableSetDrop",
        "WaitableJoin",
        "SubtaskDrop",
        "SubtaskCancel",
    ] {
        assert!(found.contains(name), "{name}: {found}");
    }
}

#[test]
fn context_comes_from_a_module_of_its_own() {
    let ir = translated(CALLS);
    let Some(Initializer::InstantiateModule { module, args }) = ir.initializers.first() else {
        panic!("{:?}", ir.initializers)
    };
    assert!(
        matches!(args.as_slice(), [CoreDef::Context(0), CoreDef::Context(1)]),
        "{args:?}"
    );
    let module = &ir.modules[*module as usize];
    wasmparser::validate(module).expect("it is valid");
    assert_eq!(exports(module), ["get-0", "set-0"], "those that are used");
    let instances = ir
        .initializers
        .iter()
        .filter(|initializer| matches!(initializer, Initializer::InstantiateModule { .. }));
    assert_eq!(instances.count(), ir.counts.core_instances as usize);
    // Without it, the translator's instances come first.
    let ir = translated(STREAMS);
    let contexts = ir.initializers.iter().flat_map(Initializer::args);
    assert!(!contexts.into_iter().any(|def| matches!(def, CoreDef::Context(_))));
}

fn exports(module: &[u8]) -> Vec<String> {
    let sections = wasmparser::Parser::new(0).parse_all(module);
    let exports = sections.filter_map(|payload| match payload {
        Ok(wasmparser::Payload::ExportSection(section)) => Some(section),
        _ => None,
    });
    let exports = exports.flat_map(|section| section.into_iter().flatten());
    exports.map(|export| export.name.to_owned()).collect()
}

#[test]
fn streams_and_futures_have_tables() {
    let ir = translated(STREAMS);
    let concurrency = ir.concurrency.as_ref().expect("it is asynchronous");
    let list = Type::List(Type::U8.into());
    let lists: Vec<_> = concurrency
        .streams
        .iter()
        .filter(|table| table.payload.as_ref() == Some(&list))
        .collect();
    let instances: BTreeSet<u32> = lists.iter().map(|table| table.instance).collect();
    assert_eq!(
        instances,
        BTreeSet::from([0, 1, 2]),
        "the component itself and those within"
    );
    assert!(lists.iter().all(|table| table.ty == lists[0].ty));
    assert!(concurrency.futures.iter().all(|table| table.payload.is_none()));
    assert_eq!(concurrency.futures.len(), 3);
    let nested = concurrency.streams.iter().find_map(|table| match &table.payload {
        Some(Type::Stream(stream)) => Some(stream.table),
        _ => None,
    });
    let nested = nested.and_then(|table| concurrency.streams.get(table as usize));
    assert_eq!(nested.and_then(|table| table.payload.clone()), Some(Type::U8));
    let found = builtins(&ir);
    let copies = |wanted: End| {
        let copies = found.iter().filter(
            |builtin| matches!(builtin, Builtin::Copy { end, transmit: Transmit::Stream(_), .. } if *end == wanted),
        );
        copies.count()
    };
    assert_eq!((copies(End::Readable), copies(End::Writable)), (1, 1));
    let text = format!("{found:?}");
    for name in [
        "New {",
        "CancelCopy {",
        "DropEnd {",
        "StreamTransfer",
        "FutureTransfer",
        "ErrorContextTransfer",
        "ErrorContextNew",
        "ErrorContextDebugMessage",
        "ThreadYield",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn rewritten_modules_compile_on_every_compiler() {
    for text in [CALLS, STREAMS] {
        let ir = translated(text);
        for module in &ir.modules {
            let mut validator = wasmparser::Validator::new_with_features(features::supported());
            validator.validate_all(module).expect("it stays valid");
        }
        for backend in [Backend::Cranelift, Backend::Singlepass] {
            if !backend.is_available() {
                continue;
            }
            let engine = Engine::new(config().backend(backend)).expect("it is available");
            for (module, source) in ir.modules.iter().enumerate() {
                engine
                    .check_imports("it", source)
                    .expect("no import has two results");
                let code = engine
                    .compiler(crate::engine::CodeForm::Memory)
                    .expect("a compiler");
                let compiled = crate::engine::Work::new(&engine, &ir.modules).compile(&code, source);
                assert!(compiled.is_ok(), "{backend}: module {module}");
            }
        }
    }
}

#[test]
fn adapters_read_that_the_task_may_block() {
    let ir = translated(CALLS);
    let arguments = |initializer: &Initializer| initializer.args().cloned().collect::<Vec<_>>();
    let mut rewritten = 0;
    for initializer in &ir.initializers {
        let Initializer::InstantiateModule { module, .. } = initializer else {
            continue;
        };
        let is_global = |def: &CoreDef| !matches!(def, CoreDef::Export(_) | CoreDef::Trampoline(_));
        let mut globals = arguments(initializer).into_iter().filter(is_global);
        let Some(global) = globals.position(|def| matches!(def, CoreDef::TaskMayBlock)) else {
            continue;
        };
        rewritten += 1;
        for payload in wasmparser::Parser::new(0).parse_all(&ir.modules[*module as usize]) {
            let Ok(wasmparser::Payload::CodeSectionEntry(body)) = payload else {
                continue;
            };
            for operator in body.get_operators_reader().expect("it is read") {
                use wasmparser::Operator as O;
                match operator.expect("it is read") {
                    O::GlobalGet { global_index } | O::GlobalSet { global_index } => {
                        assert_ne!(global_index as usize, global);
                    }
                    O::RefFunc { .. } => panic!("a reference is left"),
                    _ => {}
                }
            }
        }
    }
    assert!(rewritten > 0);
}

#[test]
fn synchronous_components_are_translated_as_without_the_settings() {
    let text = r#"(component
        (component $a (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))
        (component $b (import "f" (func $f)) (core func $l (canon lower (func $f)))
            (core module $m (import "" "f" (func $f)) (export "f" (func $f)))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $l))))))
            (func (export "f") (canon lift (core func $i "f"))))
        (instance $a (instantiate $a)) (instance $b (instantiate $b (with "f" (func $a "f"))))
        (export "f" (func $b "f")))"#;
    let with = translated(text);
    let without = Engine::new(Config::new().wasm_component_model_async(false)).expect("a backend");
    let without = translate(&without, &binary(text)).expect("it is supported");
    assert!(with.concurrency.is_none());
    assert_eq!(format!("{with:?}"), format!("{without:?}"));
    assert_eq!(portable::write(with), portable::write(without));
}

#[test]
fn refused_components_name_the_setting() {
    let refused = |config: &mut Config, text: &str| {
        let engine = Engine::new(config).expect("a backend");
        translate(&engine, &binary(text))
            .expect_err("it is refused")
            .to_string()
    };
    let new = "(component (core func (canon waitable-set.new)))";
    let error = refused(Config::new().wasm_component_model_async(false), new);
    assert!(error.contains("it needs component-model-async,"), "{error}");
    assert!(
        error.ends_with("`Config::wasm_component_model_async` enables it"),
        "{error}"
    );
    let cancel = "(component (core func (canon subtask.cancel async)))";
    let error = refused(Config::new().wasm_component_model_async(false), cancel);
    let both =
        "`Config::wasm_component_model_async` and `Config::wasm_component_model_async_builtins` enable them";
    assert!(error.ends_with(both), "{error}");
    let error = refused(&mut Config::new(), cancel);
    assert!(
        error.contains("it needs component-model-more-async-builtins,"),
        "{error}"
    );
    let context = "(component (type error-context))";
    let error = refused(&mut Config::new(), context);
    assert!(!error.contains("Config::"), "{error}");
    let stackful = r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func (export "f") async (canon lift (core func $i "f") async)))"#;
    let error = refused(&mut Config::new(), stackful);
    assert!(
        error.contains("`Config::wasm_component_model_async_stackful`"),
        "{error}"
    );
    let threads = "(component (core func (canon thread.index)))";
    let error = refused(&mut config(), threads);
    assert!(
        error.contains("it needs component-model-threading,")
            && error.ends_with("`Config::wasm_component_model_threading` enables it"),
        "{error}"
    );
}

#[test]
fn error_contexts_between_host_and_component_are_refused() {
    for text in [
        r#"(component (import "a:b/c" (instance (export "f" (func (param "s" error-context))))))"#,
        r#"(component (import "a:b/c" (instance (export "f" (func async (result (stream error-context)))))))"#,
    ] {
        let error = translate(&engine(), &binary(text)).expect_err("it is refused");
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert!(error.to_string().contains("its function `a:b/c#f`: "), "{error}");
    }
    let types = r#"(component (type $s (stream error-context)) (export "s" (type $s)))"#;
    let ir = translated(types);
    assert!(
        matches!(
            ir.exports.first().map(|(_, export)| export.extern_type()),
            Some(ExternType::Type(Type::Stream(_)))
        ),
        "a type alone is not a call"
    );
}

/// Writes a component without its core modules, and returns its text too.
fn written(text: &str) -> (String, Vec<u8>) {
    let mut ir = translated(text);
    ir.modules.clear();
    (format!("{ir:?}"), portable::write(ir))
}

#[test]
fn artifacts_keep_everything() {
    for text in [CALLS, STREAMS] {
        let (before, bytes) = written(text);
        let read = portable::read(&bytes).expect("it is well-formed");
        assert_eq!(format!("{read:?}"), before);
    }
}

#[test]
fn malformed_artifacts_are_refused() {
    for text in [CALLS, STREAMS] {
        let (_, bytes) = written(text);
        for end in 0..bytes.len() {
            if let Ok(cut) = portable::read(&bytes[..end]) {
                panic!("{end} of {} bytes are read: {cut:?}", bytes.len());
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(portable::read(&longer).is_err());
        let mut flipped = bytes.clone();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                flipped[place] ^= 1 << bit;
                // It may be read as another component, but never panics.
                let _ = portable::read(&flipped);
                flipped[place] ^= 1 << bit;
            }
        }
    }
    // Other components have nothing after their tables.
    let mut plain = portable::write(translated("(component)"));
    assert!(portable::read(&plain).is_ok());
    plain.push(0);
    let error = portable::read(&plain).expect_err("it is refused").to_string();
    assert!(error.contains("the bytes at its end are not a table"), "{error}");
}

/// The instance of the module that starts threads comes after that of their table, and those after it keep their exports.
#[test]
fn threads_are_started_by_a_module_that_is_made_for_their_table() {
    let text = r#"(component
        (core module $libc (table (export "t") 1 funcref))
        (core instance $libc (instantiate $libc))
        (core type $start (func (param i32)))
        (core func $get (canon context.get i32 0))
        (core func $new (canon thread.new-indirect $start (core table $libc "t")))
        (core module $m
            (import "" "new" (func (param i32 i32) (result i32))) (import "" "get" (func (result i32)))
            (func (export "f")))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "get" (func $get))))))
        (func (export "f") async (canon lift (core func $i "f"))))"#;
    let engine = Engine::new(config().wasm_component_model_threading(true)).expect("a backend");
    let ir = translate(&engine, &binary(text)).expect("it is supported");
    let take = builtins(&ir).into_iter().find_map(|builtin| match builtin {
        Builtin::ThreadNewIndirect { take, .. } => Some(*take as usize),
        _ => None,
    });
    let take = take.expect("the built-in");
    let functions = adapters(&ir)[take..].iter().map(|adapter| &adapter.export);
    let functions: Vec<(&str, u32)> = functions
        .map(|export| (export.name.as_str(), export.instance))
        .collect();
    // Before it are the instances of the module for storage, and of the table's.
    assert_eq!(functions, [("take", 2), ("start", 2)]);
    assert_eq!(ir.counts.core_instances, 4);
    let Some((_, Export::Func { def, .. })) = ir.exports.first() else {
        panic!("an exported function");
    };
    assert!(
        matches!(def, CoreDef::Export(export) if export.instance == 3),
        "{def:?}"
    );
    let written = format!("{:?}", builtins(&ir));
    let read = portable::read(&portable::write(ir)).expect("it is read");
    assert_eq!(format!("{:?}", builtins(&read)), written);
}
