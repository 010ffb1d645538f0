//! Core modules that components import: what fits, what is refused with which words, and how long their code lives.

use airssys_wasm::Error;
use airssys_wasm::artifact::{self, Artifact, SecretKey, Trust};
use airssys_wasm::component::{Component, InstancePool, Linker, Module, Store};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits, Target};
use airssys_wasm::error::{CoreTrap, TrapKind};

use crate::linking::common::{component, engines};

fn module(engine: &Engine, text: &str) -> Module {
    Module::from_binary(engine, &wat::parse_str(text).expect("the text parses")).expect("it compiles")
}

/// Counts calls, in a global and in its memory.
const COUNTER: &str = r#"(module
    (memory (export "memory") 1 2)
    (data (i32.const 0) "\64")
    (global $calls (mut i32) (i32.const 0))
    (func (export "next") (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
        (i32.add (global.get $calls) (i32.load8_u (i32.const 0)))))"#;

/// Makes an instance of `counter`, and lifts its function.
const USER: &str = r#"(component
    (import "counter" (core module $counter (export "next" (func (result i32)))))
    (core instance $i (instantiate $counter))
    (func (export "next") (result u32) (canon lift (core func $i "next"))))"#;

/// Exports a counter, and instantiates none.
fn provider() -> String {
    format!(
        r#"(component (core {} (export "counter" (core module $counter)))"#,
        COUNTER
            .trim_start_matches('(')
            .replacen("module", "module $counter", 1)
    )
}

fn linker(engine: &Engine, counter: &Module) -> Linker<()> {
    let mut linker = Linker::new(engine);
    linker.root().module("counter", counter).expect("defined once");
    linker
}

fn next(linker: &Linker<()>, engine: &Engine, component: &Component) -> Vec<u32> {
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let next = instance
        .get_typed_func::<(), (u32,)>(&mut store, ["next"])
        .expect("it is exported");
    let mut call = || next.call(&mut store, ()).expect("it runs").0;
    vec![call(), call()]
}

/// The words of a refusal to link.
fn refused(engine: &Engine, module: &Module, declared: &str) -> String {
    let user = component(
        engine,
        &format!(r#"(component (import "counter" (core module {declared})))"#),
    );
    match linker(engine, module).instantiate_pre(&user) {
        Err(Error::ImportType { name, message }) => {
            assert_eq!(name, "counter");
            message
        }
        other => panic!("{declared}: {other:?}"),
    }
}

#[test]
fn each_instance_has_its_own_state() {
    for engine in engines() {
        let counter = module(&engine, COUNTER);
        assert_eq!(counter.backends().collect::<Vec<_>>(), [engine.backend()]);
        let linker = linker(&engine, &counter);
        let user = component(&engine, USER);
        assert_eq!(next(&linker, &engine, &user), [102, 104], "{}", engine.backend());
        assert_eq!(next(&linker, &engine, &user), [102, 104], "{}", engine.backend());
    }
}

#[test]
fn refusals_show_both_types() {
    for engine in engines() {
        let counter = module(&engine, COUNTER);
        let cases = [
            (
                r#"(export "f" (func))"#,
                "export `f` of the type (func), and the linker's has none",
            ),
            (
                r#"(export "next" (func (param i64) (result i32)))"#,
                "`next` is (func (param i64) (result i32)), but the linker's has (func (result i32))",
            ),
            (
                r#"(export "memory" (memory 2))"#,
                "`memory` is (memory 2), but the linker's has (memory 1 2)",
            ),
            (
                r#"(export "memory" (global (mut f64)))"#,
                "`memory` is (global (mut f64)), but the linker's has (memory 1 2)",
            ),
        ];
        for (declared, words) in cases {
            let message = refused(&engine, &counter, declared);
            assert!(message.contains(words), "{message}");
        }
        let importer = module(
            &engine,
            r#"(module (import "env" "table" (table 2 4 funcref)) (import "env" "g" (global f32)))"#,
        );
        let cases = [
            (
                "",
                "imports `env#table`, of type (table 2 4 funcref), which the component does not provide",
            ),
            (
                r#"(import "env" "table" (table 2 funcref)) (import "env" "g" (global f32))"#,
                "imports `env#table` as (table 2 4 funcref), but the component provides (table 2 funcref)",
            ),
            (
                r#"(import "env" "table" (table 2 4 externref)) (import "env" "g" (global f32))"#,
                "imports `env#table` as (table 2 4 funcref), but the component provides (table 2 4 externref)",
            ),
            (
                r#"(import "env" "table" (table 3 3 funcref)) (import "env" "g" (global f64))"#,
                "imports `env#g` as (global f32), but the component provides (global f64)",
            ),
        ];
        for (declared, words) in cases {
            let message = refused(&engine, &importer, declared);
            assert!(message.contains(words), "{message}");
        }
    }
}

#[test]
fn what_is_missing_or_something_else_is_named() {
    for engine in engines() {
        let user = component(&engine, USER);
        let mut linker: Linker<()> = Linker::new(&engine);
        let error = linker.instantiate_pre(&user).expect_err("nothing is there");
        assert!(
            error.to_string().contains("the component needs this core module"),
            "{error}"
        );
        let error = linker
            .define_unknown_imports_as_traps(&user)
            .expect_err("a module is no function");
        assert!(matches!(error, Error::MissingImport { .. }), "{error}");
        linker
            .root()
            .func_wrap("counter", |_, ()| Ok(()))
            .expect("defined once");
        let error = linker.instantiate_pre(&user).expect_err("a function is there");
        assert!(
            error
                .to_string()
                .contains("needs a core module, but the linker has a function"),
            "{error}"
        );
        let counter = module(&engine, COUNTER);
        assert!(matches!(
            linker.root().module("counter", &counter),
            Err(Error::Redefined(_))
        ));
        let host = component(&engine, r#"(component (import "counter" (func)))"#);
        let error = self::linker(&engine, &counter)
            .instantiate_pre(&host)
            .expect_err("a module is there");
        assert!(
            error
                .to_string()
                .contains("needs a function, but the linker has a core module"),
            "{error}"
        );
    }
}

#[test]
fn bytes_that_are_no_core_module_are_refused() {
    for engine in engines() {
        let load = |bytes: &[u8]| Module::from_binary(&engine, bytes).expect_err("it is refused");
        assert!(matches!(load(b""), Error::NotWasm(_)));
        assert!(matches!(load(b"\x7fELF"), Error::NotWasm(_)));
        assert!(matches!(load(b"\0asm\x0d\0\x01\0"), Error::Component));
        let invalid = load(&wat::parse_str("(module (func (result i32)))").expect("the text parses"));
        assert!(matches!(invalid, Error::InvalidModule { .. }), "{invalid}");
        assert!(
            invalid
                .to_string()
                .starts_with("invalid core module at byte offset 0x"),
            "{invalid}"
        );
        let cut = wat::parse_str(COUNTER).expect("the text parses");
        assert!(matches!(load(&cut[..cut.len() - 1]), Error::InvalidModule { .. }));
        let long = load(&wat::parse_str("(module (memory i64 1))").expect("the text parses"));
        assert!(matches!(long, Error::MissingFeatures { .. }), "{long}");
        let file = Module::from_file(&engine, "no-such-file.wasm").expect_err("it is not there");
        assert!(file.to_string().contains("no-such-file.wasm"), "{file}");
    }
}

#[cfg(feature = "singlepass")]
#[test]
fn a_feature_that_the_backend_lacks_is_named() {
    let engine = crate::linking::common::engine(Backend::Singlepass);
    for (text, words) in [
        ("(module (func $v (drop (v128.const i64x2 0 0))))", "simd"),
        (
            r#"(module (import "a" "b" (func (result i32 i32))))"#,
            "the core module, in its import `a#b`",
        ),
    ] {
        let bytes = wat::parse_str(text).expect("the text parses");
        let error = Module::from_binary(&engine, &bytes).expect_err("it lacks this");
        assert!(matches!(error, Error::BackendFeature(_)), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn code_of_another_backend_or_machine_is_refused() {
    let engines = engines();
    for (index, engine) in engines.iter().enumerate() {
        let counter = module(engine, COUNTER);
        for other in engines.iter().enumerate().filter(|(other, _)| *other != index) {
            let (_, other) = other;
            let message = refused(other, &counter, r#"(export "next" (func (result i32)))"#);
            let words = [engine.backend().name(), other.backend().name()];
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
        }
    }
    let engine = Engine::new(Config::new().backend(Backend::Headless)).expect("always there");
    let bytes = wat::parse_str(COUNTER).expect("the text parses");
    assert!(matches!(
        Module::from_binary(&engine, &bytes),
        Err(Error::NoCompiler)
    ));
    let foreign = match cfg!(target_arch = "x86_64") {
        true => "aarch64-unknown-linux-gnu",
        false => "x86_64-unknown-linux-gnu",
    };
    let target: Target = foreign.parse().expect("a target");
    for backend in Backend::available() {
        // Not every backend compiles for it.
        let Ok(engine) = Engine::new(Config::new().backend(*backend).target(target.clone())) else {
            continue;
        };
        let error = Module::from_binary(&engine, &bytes).expect_err("it runs elsewhere");
        assert!(matches!(error, Error::ForeignTarget { .. }), "{error}");
    }
}

#[test]
fn an_instance_outlives_what_it_was_made_of() {
    for engine in engines() {
        let counter = module(&engine, COUNTER);
        let linker = linker(&engine, &counter);
        let user = component(&engine, USER);
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &user).expect("it links");
        let next = instance
            .get_typed_func::<(), (u32,)>(&mut store, ["next"])
            .expect("it is exported");
        drop((instance, user, linker, counter));
        assert_eq!(next.call(&mut store, ()).expect("it runs"), (102,));
        assert_eq!(next.call(&mut store, ()).expect("it runs"), (104,));
    }
}

#[test]
fn what_a_component_exports_another_imports() {
    for engine in engines() {
        let provider = component(&engine, &provider());
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate(&mut store, &provider)
            .expect("it needs nothing");
        let counter = instance
            .get_module(&mut store, "counter")
            .expect("it is exported");
        assert_eq!(counter.ty().exports.len(), 2);
        assert!(instance.get_module(&mut store, "other").is_none());
        drop((instance, store, provider));
        let linker = linker(&engine, &counter);
        drop(counter);
        assert_eq!(next(&linker, &engine, &component(&engine, USER)), [102, 104]);
    }
}

/// Needs no compiler: both components come out of artifacts.
#[test]
fn artifacts_import_modules_of_artifacts() {
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for engine in engines() {
        let load = |text: &str| {
            let bytes = wat::parse_str(text).expect("the text parses");
            let file = artifact::compile(&engine, &bytes, Some(&key)).expect("it compiles");
            let artifact = Artifact::open(&file).expect("it is whole");
            artifact.load(&trust).expect("it is signed")
        };
        let (provider, user) = (load(&provider()), load(USER));
        assert_eq!((provider.core_modules(), user.core_modules()), (1, 0));
        let headless = Engine::new(Config::new().backend(Backend::Headless)).expect("always there");
        let mut store = Store::new(&headless, ());
        let instance = Linker::new(&headless)
            .instantiate(&mut store, &provider)
            .expect("it needs nothing");
        let exported = linker(
            &headless,
            &instance
                .get_module(&mut store, "counter")
                .expect("it is exported"),
        );
        assert_eq!(
            next(&exported, &headless, &user),
            [102, 104],
            "{}",
            engine.backend()
        );
        // What this host compiles fits as well, and types are checked as before.
        let compiled = linker(&engine, &module(&engine, COUNTER));
        assert_eq!(next(&compiled, &engine, &user), [102, 104]);
        let other = linker(&engine, &module(&engine, "(module)"));
        assert!(matches!(
            other.instantiate_pre(&user),
            Err(Error::ImportType { .. })
        ));
    }
}

#[test]
fn pooled_instances_begin_again_with_the_modules_state() {
    for engine in engines() {
        let linker = linker(&engine, &module(&engine, COUNTER));
        let pre = linker
            .instantiate_pre(&component(&engine, USER))
            .expect("it links");
        let pool = InstancePool::new(&engine, pre, StoreLimits::default(), 1);
        for _ in 0..3 {
            let mut pooled = pool.get(()).expect("it is made");
            let (store, instance) = pooled.parts();
            let next = instance
                .get_typed_func::<(), (u32,)>(&mut *store, ["next"])
                .expect("it is exported");
            assert_eq!(next.call(&mut *store, ()).expect("it runs"), (102,));
            assert_eq!(next.call(&mut *store, ()).expect("it runs"), (104,));
            drop(next);
            drop(pooled);
            #[cfg(unix)]
            assert_eq!(pool.idle(), 1, "{}", engine.backend());
        }
    }
}

#[test]
fn its_instances_count_against_the_stores_limits() {
    for engine in engines() {
        let linker = linker(&engine, &module(&engine, COUNTER));
        let user = component(&engine, USER);
        let none = |limits: StoreLimits| {
            let mut store = Store::with_limits(&engine, (), limits);
            linker
                .instantiate(&mut store, &user)
                .expect_err("there is no room")
                .to_string()
        };
        let instances = none({
            let mut limits = StoreLimits::default();
            limits.core_instances = 0;
            limits
        });
        assert!(instances.contains("core_instances"), "{instances}");
        let memories = none({
            let mut limits = StoreLimits::default();
            limits.memories = 0;
            limits
        });
        assert!(memories.contains("memories"), "{memories}");
    }
}

/// A module of stubs stays where an imported module might call them before the table is full.
#[test]
fn stubs_stay_for_imported_modules_that_start_early() {
    let user = r#"(component
                (import "log" (func $log))
                (import "counter" (core module $main (import "" "log" (func)) (export "run" (func))))
                (core module $stubs
                    (type $t (func))
                    (table (export "table") 1 1 funcref)
                    (func (export "0") (type $t) (call_indirect (type $t) (i32.const 0))))
                (core module $filler
                    (import "" "0" (func)) (import "" "table" (table 1 1 funcref)) (elem (i32.const 0) func 0))
                (core instance $s (instantiate $stubs))
                (core instance $m (instantiate $main (with "" (instance (export "log" (func $s "0"))))))
                (core func $lowered (canon lower (func $log)))
                (core instance (instantiate $filler
                    (with "" (instance (export "0" (func $lowered)) (export "table" (table $s "table"))))))
                (func (export "run") (canon lift (core func $m "run"))))"#;
    for engine in engines() {
        let instantiate = |main: &str| {
            let mut linker: Linker<u32> = Linker::new(&engine);
            let log = |mut cx: airssys_wasm::component::StoreContextMut<'_, u32>, ()| {
                *cx.data_mut() += 1;
                Ok(())
            };
            linker.root().func_wrap("log", log).expect("defined once");
            linker
                .root()
                .module("counter", &module(&engine, main))
                .expect("defined once");
            let mut store = Store::new(&engine, 0);
            let instance = linker.instantiate(&mut store, &component(&engine, user))?;
            let run = instance.get_typed_func::<(), ()>(&mut store, ["run"])?;
            run.call(&mut store, ())?;
            Ok::<u32, Error>(*store.data())
        };
        let late = r#"(module (import "" "log" (func $log)) (func (export "run") (call $log)))"#;
        assert_eq!(instantiate(late).expect("the table is full"), 1);
        let early = r#"(module (import "" "log" (func $log)) (func (export "run")) (start $log))"#;
        let error = instantiate(early).expect_err("the table is empty");
        let kind = error.trap().map(|trap| trap.kind().clone());
        assert!(
            matches!(kind, Some(TrapKind::Core(CoreTrap::IndirectCallToNull))),
            "{error}"
        );
    }
}

/// Indirect calls compare types by a hash of 32 bits; these two have the same one.
#[test]
fn function_types_that_indirect_calls_cannot_tell_apart_do_not_link() {
    let integers = "i32 ".repeat(36);
    let mixed = "i64 i32 i32 i32 i32 i32 i64 i32 i32 i64 i64 i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i64 i64 i32 i64 i64 \
                 i32 i64 i64 i32 i64 i64 i64 i32 i32 i32";
    let exporting = |types: &str| {
        format!(
            r#"(module (table (export "table") 1 1 funcref) (elem (i32.const 0) $f) (func $f (param {types})))"#
        )
    };
    let caller = |types: &str| {
        format!(
            r#"(core module $caller
                (type $t (func (param {types})))
                (import "" "table" (table 1 1 funcref))
                (func (export "run") {} (call_indirect (type $t) (i32.const 0))))"#,
            types
                .split_whitespace()
                .map(|ty| format!("({ty}.const 0)"))
                .collect::<String>()
        )
    };
    let user = format!(
        r#"(component
            (import "counter" (core module $m (export "table" (table 1 1 funcref))))
            (core instance $m (instantiate $m))
            {}
            (core instance $c (instantiate $caller (with "" (instance $m))))
            (func (export "run") (canon lift (core func $c "run"))))"#,
        caller(mixed)
    );
    for engine in engines() {
        let user = component(&engine, &user);
        let run = |types: &str| {
            let linker = linker(&engine, &module(&engine, &exporting(types)));
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &user)?;
            let run = instance.get_typed_func::<(), ()>(&mut store, ["run"])?;
            run.call(&mut store, ())
        };
        run(mixed).expect("it is called by its own type");
        let error = run("i32").expect_err("it is called by another type");
        let kind = error.trap().map(|trap| trap.kind().clone());
        assert!(
            matches!(kind, Some(TrapKind::Core(CoreTrap::BadSignature))),
            "{error}"
        );
        let error = run(&integers).expect_err("nothing would tell them apart");
        assert!(matches!(error, Error::ImportType { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("cannot distinguish the function types"),
            "{error}"
        );
        // The same within one component.
        let both = format!(
            r#"(component
                (core module $a (type (func (param {integers}))) (table (export "table") 1 1 funcref))
                {}
                (core instance $a (instantiate $a))
                (core instance (instantiate $caller (with "" (instance $a)))))"#,
            caller(mixed)
        );
        let error =
            crate::linking::common::try_component(&engine, &both).expect_err("nothing would tell them apart");
        assert!(matches!(error, Error::Compile { .. }), "{error}");
    }
}
