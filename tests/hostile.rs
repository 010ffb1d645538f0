//! Hostile bytes: a component loads or is refused with an error, without a panic and with less than a gigabyte of memory.

use airssys_wasm_test_support as common;

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::{Config, Engine, StoreLimits};
use airssys_wasm::error::Fault;
use common::{component, default_engine, engine, engines, fixture, try_component};

/// Number of flips in each of the three fixtures: 10,002 in all.
const FLIPS: u32 = 3_334;

/// Returns the engine that compiles fastest among those of this build: thousands of modules are compiled here.
fn fast_engine() -> Engine {
    use airssys_wasm::engine::Backend;
    if Backend::Singlepass.is_available() {
        engine(Backend::Singlepass)
    } else {
        default_engine()
    }
}

/// A pseudo-random sequence with a fixed seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Returns this process's peak memory, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("VmHWM");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number");
    kib * 1024
}

/// Loads and, on success, links and instantiates with trapping imports.
fn load(engine: &Engine, bytes: &[u8]) -> Result<(), Error> {
    let component = Component::from_binary(engine, bytes)?;
    let mut linker: Linker<()> = Linker::new(engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(engine, ());
    linker.instantiate(&mut store, &component)?;
    Ok(())
}

fn check_error(error: &Error, what: &dyn Fn() -> String) {
    assert_ne!(error.fault(), Fault::Library, "{}: {error}", what());
    assert!(!error.to_string().is_empty(), "{}", what());
}

fn every_prefix_is_refused_or_loads(name: &str) {
    let engine = fast_engine();
    let bytes = fixture(name);
    let mut loaded = 0;
    for length in 0..bytes.len() {
        match load(&engine, &bytes[..length]) {
            Err(error) => check_error(&error, &|| format!("{name}, {length} bytes")),
            // A prefix that ends between two sections is a component itself.
            Ok(()) => loaded += 1,
        }
    }
    assert!(loaded < bytes.len() / 20, "{name}: {loaded} prefixes load");
    load(&engine, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(peak_memory() < 1 << 30, "{} bytes at the peak", peak_memory());
}

fn byte_flips_load_or_fail(name: &str, seed: u64) {
    let engine = fast_engine();
    let mut random = Random(seed);
    let (mut loaded, mut refused) = (0u32, 0u32);
    let original = fixture(name);
    for flip in 0..FLIPS {
        let mut bytes = original.clone();
        let at = random.below(bytes.len());
        let change = (random.next() % 255 + 1) as u8;
        bytes[at] ^= change;
        match load(&engine, &bytes) {
            Ok(()) => loaded += 1,
            Err(error) => {
                check_error(&error, &|| {
                    format!("{name}, flip {flip}: byte {at} ^ {change:#x}")
                });
                refused += 1;
            }
        }
    }
    assert!(
        loaded > 0 && refused > 0,
        "{loaded} loaded, {refused} refused: the flips do not reach both"
    );
    assert!(peak_memory() < 1 << 30, "{} bytes at the peak", peak_memory());
}

#[test]
fn every_prefix_of_checksum() {
    every_prefix_is_refused_or_loads("checksum.wasm");
}

#[test]
fn every_prefix_of_types() {
    every_prefix_is_refused_or_loads("types.wasm");
}

#[test]
fn every_prefix_of_composed() {
    every_prefix_is_refused_or_loads("composed.wasm");
}

#[test]
fn byte_flips_in_checksum() {
    byte_flips_load_or_fail("checksum.wasm", 0x00c0_ffee);
}

#[test]
fn byte_flips_in_types() {
    byte_flips_load_or_fail("types.wasm", 0x0bad_cafe);
}

#[test]
fn byte_flips_in_composed() {
    byte_flips_load_or_fail("composed.wasm", 0x5eed_f00d);
}

#[test]
fn foreign_bytes_are_told_apart() {
    let engine = default_engine();
    let load = |bytes: &[u8]| Component::from_binary(&engine, bytes).unwrap_err();
    assert!(matches!(load(b""), Error::NotWasm(_)));
    assert!(matches!(load(b"#!/bin/sh\n"), Error::NotWasm(_)));
    assert!(matches!(load(&[0xff; 100]), Error::NotWasm(_)));
    assert!(matches!(load(b"\0asm\x01\0\0\0"), Error::CoreModule));
    assert!(
        load(b"\0asm\x01\0\0\0")
            .to_string()
            .contains("lift it to a component")
    );
    assert!(matches!(load(b"\0asm\x0d\0"), Error::InvalidComponent { .. }));
    assert!(matches!(
        load(b"\0asm\xff\0\x01\0"),
        Error::InvalidComponent { .. }
    ));
    let mut random = Random(7);
    for length in 0..2_000usize {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend((0..length % 200).map(|_| random.next() as u8));
        if let Err(error) = Component::from_binary(&engine, &bytes) {
            check_error(&error, &|| format!("random bytes, round {length}"));
        }
    }
}

#[test]
fn an_invalid_component_names_the_byte() {
    let bytes =
        wat::parse_str("(component (core module (func (export \"f\") (result i32) i32.const 1)))").unwrap();
    // Make the constant a 64-bit one.
    let at = bytes
        .windows(2)
        .position(|window| window == [0x41, 0x01])
        .expect("i32.const 1");
    let mut bytes = bytes;
    bytes[at] = 0x42;
    match Component::from_binary(&default_engine(), &bytes).unwrap_err() {
        Error::InvalidComponent { offset, message } => {
            assert!(
                offset as usize >= at && offset as usize <= at + 3,
                "{offset:#x} for {at:#x}"
            );
            assert!(message.contains("i32"), "{message}");
        }
        other => panic!("{other}"),
    }
}

/// componentize-qjs 0.4.5 generates asynchronous functions by default, also for worlds without them.
#[test]
fn what_componentize_qjs_makes_asynchronous_is_refused_with_the_remedy_where_it_is_disabled() {
    let text = |import: &str| {
        format!(
            r#"(component
                (core module (import "env" "{import}" (global i32)))
                (core func (canon task.cancel)))"#
        )
    };
    for engine in engines() {
        let without = Config::new()
            .backend(engine.backend())
            .wasm_component_model_async(false)
            .clone();
        let engine = Engine::new(&without).expect("it is available");
        let refused = |import: &str| {
            let bytes = wat::parse_str(text(import)).expect("the text parses");
            let error = Component::from_binary(&engine, &bytes).expect_err("it is asynchronous");
            assert!(matches!(error, Error::MissingFeatures { .. }), "{error}");
            error.to_string()
        };
        let qjs = refused("componentize_qjs_runtime.wasm:memory_base");
        assert!(
            qjs.contains("component-model-async") && qjs.contains("--sync"),
            "{qjs}"
        );
        let other = refused("memory_base");
        assert!(
            other.contains("component-model-async") && !other.contains("--sync"),
            "{other}"
        );
    }
}

#[test]
fn features_outside_the_supported_set_are_named() {
    let engine = default_engine();
    let refused = [
        ("(component (type error-context))", "error-context"),
        ("(component (core func (canon thread.index)))", "threading"),
        ("(component (core module (memory i64 1)))", "memory64"),
        ("(component (core module (memory 1 1 shared)))", "threads"),
        ("(component (core module (tag)))", "exceptions"),
    ];
    for (text, word) in refused {
        let error = try_component(&engine, text).expect_err(text);
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
    // Components at the edges of a component.
    let exported = r#"(component (component $c) (export "c" (component $c)))"#;
    let error = try_component(&engine, exported).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
}

#[test]
fn what_a_component_asks_for_is_limited() {
    let engine = default_engine();
    let memory = r#"(component (core module $m (memory 65536)) (core instance (instantiate $m)))"#;
    let table = r#"(component (core module $m (table 9000000 funcref)) (core instance (instantiate $m)))"#;
    let mut limits = StoreLimits::default();
    limits.core_instances = 10;
    limits.memories = 5;
    let many = format!(
        "(component (core module $m (memory 1)) {})",
        "(core instance (instantiate $m))".repeat(6)
    );
    let instances = format!(
        "(component (core module $m) {})",
        "(core instance (instantiate $m))".repeat(11)
    );
    for (text, limit) in [
        (memory, "memory_bytes"),
        (table, "table_elements"),
        (many.as_str(), "memories"),
        (instances.as_str(), "core_instances"),
    ] {
        let component = component(&engine, text);
        let mut store = Store::with_limits(&engine, (), limits.clone());
        let error = Linker::new(&engine)
            .instantiate(&mut store, &component)
            .unwrap_err();
        assert!(matches!(error, Error::LimitExceeded(_)), "{error}");
        assert!(error.to_string().contains(limit), "{limit}: {error}");
    }
}

#[test]
fn shared_types_and_long_import_lists_cost_what_they_weigh() {
    use std::fmt::Write;

    // Types of 2^10 leaves each, built from ten pairs, used by three hundred functions of different types: close to the
    // limits of validation.
    let mut text = String::from("(component (type $t0 (tuple u8 u8))");
    for level in 1..10 {
        let below = level - 1;
        write!(text, "(type $t{level} (tuple $t{below} $t{below}))").unwrap();
    }
    for function in 0..300 {
        write!(
            text,
            "(import \"f{function}\" (func (param \"p{function}\" $t9)))"
        )
        .unwrap();
    }
    // Plus twenty thousand imports of an instance.
    text.push_str("(import \"i\" (instance ");
    for function in 0..20_000 {
        write!(text, "(export \"g{function}\" (func))").unwrap();
    }
    text.push_str(")))");
    let engine = default_engine();
    let component = component(&engine, &text);
    let mut linker: Linker<()> = Linker::new(&engine);
    let error = linker
        .instantiate_pre(&component)
        .expect_err("nothing is defined");
    assert!(matches!(error, Error::MissingImport { .. }), "{error}");
    linker.root().func_wrap("f0", |_, (): ()| Ok(())).unwrap();
    let error = linker.instantiate_pre(&component).expect_err("of another type");
    assert!(matches!(error, Error::ImportType { .. }), "{error}");
    assert!(
        error.to_string().len() < 10_000,
        "{} bytes",
        error.to_string().len()
    );
    linker.allow_shadowing(true);
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    linker.instantiate_pre(&component).unwrap();
    assert!(peak_memory() < 1 << 30, "{} bytes at the peak", peak_memory());
}

#[test]
fn a_module_without_a_proper_name_loads() {
    // Found by fuzzing: the engine panics on module names that are empty or contain a NUL.
    for engine in common::engines() {
        for name in [r#"(@name "")"#, r#"(@name "a\00b")"#, r#"(@name "plain")"#] {
            let text = format!(
                r#"(component (core module $m {name} (func $f (export "f"))) (core instance (instantiate $m)))"#
            );
            let component = component(&engine, &text);
            let linker: Linker<()> = Linker::new(&engine);
            let mut store = Store::new(&engine, ());
            linker
                .instantiate(&mut store, &component)
                .expect("the component links");
        }
    }
}

#[test]
fn a_module_with_malformed_names_and_floats_runs() {
    // Found by fuzzing: on Singlepass, floats kept their types at the border of a module whose names cannot be read.
    for engine in common::engines() {
        let text = r#"(component
            (core module $m
                (@custom "name" (after last) "\01\03\02\00\ff")
                (func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5))))
            (core instance $i (instantiate $m))
            (func (export "half") (param "x" f64) (result f64) (canon lift (core func $i "half"))))"#;
        let component = component(&engine, text);
        let linker: Linker<()> = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        let instance = linker
            .instantiate(&mut store, &component)
            .expect("the component links");
        let half = instance
            .get_typed_func::<(f64,), (f64,)>(&mut store, ["half"])
            .expect("it is exported");
        assert_eq!(
            half.call(&mut store, (3.0,)).expect("it runs"),
            (1.5,),
            "{engine:?}"
        );
    }
}

#[test]
fn types_that_nest_without_end_are_refused() {
    // Declared in the type of an instance, and unnoticed until the component uses them.
    let mut text = String::from("(component (import \"i\" (instance $i (type (option u8))");
    for below in 0..50_000 {
        text.push_str(&format!("(type (option {below}))"));
    }
    text.push_str("(export \"t\" (type (eq 50000))))) (alias export $i \"t\" (type $t)) (type (option $t)))");
    let error = try_component(&default_engine(), &text).expect_err("it is refused");
    assert!(matches!(error, Error::InvalidComponent { .. }), "{error}");
    assert!(error.to_string().contains("nesting is too deep"), "{error}");
}
