//! One guest in five languages, built by six toolchains: all pass the same cases, on every backend.
//!
//! Guests that are too large to commit are built by `cargo xtask guests`.

mod cases;
use airssys_wasm_test_support as common;

use std::time::{Duration, Instant};

use airssys_wasm::adapt::{self, AdaptError, Preview1, World};
use airssys_wasm::codec;
use airssys_wasm::component::Component;
use airssys_wasm::engine::{Backend, Config, Engine, OptLevel};
use airssys_wasm::runtime::{ComponentError, ExecutionError, HealthState, RuntimeError};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use cases::{Case, Expected};
use common::{built_bytes, engines, fixture};
use serde_json::Value;

/// Size of a guest, in bytes, from which on LLVM does not optimize it: that takes minutes, and finds no other faults.
const LARGE: usize = 4 << 20;

/// Bytes of the longest text, and of the longest one for an interpreter on slow code, which would come close to the time that
/// the guests set themselves.
const LONGEST: usize = 1 << 20;
const LONGEST_INTERPRETED: usize = 128 << 10;

fn longest_text(backend: Backend, guest: &[u8]) -> usize {
    match backend == Backend::Cranelift || guest.len() < LARGE {
        true => LONGEST,
        false => LONGEST_INTERPRETED,
    }
}

fn runtime(backend: Backend, guest: &[u8]) -> ComponentRuntime {
    let mut engine = Config::new();
    engine.backend(backend);
    if backend == Backend::Llvm && guest.len() >= LARGE {
        engine.opt_level(OptLevel::None);
    }
    let config = RuntimeConfig::builder()
        .with_engine(engine)
        .with_default_timeout(Duration::from_secs(60));
    ComponentRuntime::new(config.build().unwrap()).unwrap()
}

/// Runs all cases on a guest, on every backend.
fn check(bytes: &[u8], language: &str) {
    check_with(bytes, language, &ComponentOptions::new());
}

fn check_with(bytes: &[u8], language: &str, options: &ComponentOptions) {
    for engine in engines() {
        let backend = engine.backend();
        let start = Instant::now();
        let runtime = runtime(backend, bytes);
        let id = runtime.load_component(bytes, options.clone()).unwrap();
        let loaded = start.elapsed();
        check_life(&runtime, &id, language);
        let (mut count, mut wrong) = (0, Vec::new());
        for case in cases::all(longest_text(backend, bytes)) {
            count += 1;
            if let Err(what) = check_case(&runtime, &id, &case) {
                wrong.push(format!("{}: {what}", case.name));
            }
        }
        assert!(
            wrong.is_empty(),
            "{language}, {backend}: {} of {count} cases are wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert_eq!(runtime.health(&id).unwrap().state, HealthState::Healthy);
        runtime.shutdown(&id).unwrap();
        eprintln!(
            "{language}, {backend}: {count} cases in {:.1?}, loaded in {loaded:.1?}",
            start.elapsed()
        );
    }
}

/// Checks the metadata, and calls `init`.
fn check_life(runtime: &ComponentRuntime, id: &ComponentId, language: &str) {
    let metadata = runtime.metadata(id).unwrap();
    assert_eq!(metadata.name, "text-processor");
    assert_eq!(metadata.version, "1.0.0");
    assert_eq!(metadata.license, "MIT OR Apache-2.0");
    assert_eq!(metadata.language, language);
    assert_eq!(
        metadata.supported_operations,
        ["word-count", "reverse", "statistics"]
    );
    assert_eq!(metadata.supported_codecs, [0x0200, 0x0201]);
    assert_eq!(metadata.tags, ["text", "example"]);
    assert!(!metadata.stateful && metadata.homepage.is_none() && metadata.required_capabilities.is_empty());
    let custom = [
        ("text:word-separator", "Unicode white space"),
        ("text:reverse-unit", "Unicode scalar value"),
    ];
    let custom = custom.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(metadata.custom_metadata.as_deref(), Some(custom.as_slice()));
    let health = runtime.health(id).unwrap();
    assert_eq!(
        (health.state, health.message.as_deref()),
        (HealthState::Degraded, Some("not initialised"))
    );
    runtime.init(id).unwrap();
    let health = runtime.health(id).unwrap();
    assert_eq!((health.state, health.message), (HealthState::Healthy, None));
    assert_eq!(runtime.supported_codecs(id).unwrap(), [0x0200, 0x0201]);
}

fn check_case(runtime: &ComponentRuntime, id: &ComponentId, case: &Case) -> Result<(), String> {
    let answer = runtime.execute(id, &case.payload);
    let error = match (&case.expected, answer) {
        (Expected::Answer(expected), Ok(answer)) => {
            let (question, answer) = (codec::decode(&case.payload), codec::decode(&answer));
            let answer = answer.map_err(|error| error.to_string())?;
            if question.map(|question| question.codec) != Ok(answer.codec) {
                return Err("another codec than the question's".into());
            }
            let value = codec::to_json(&answer).map_err(|error| error.to_string())?;
            return match same(&value, expected) {
                true => Ok(()),
                false => Err(format!("{}\nand not {}", shortened(&value), shortened(expected))),
            };
        }
        (Expected::NoTrap, Ok(_)) => return Ok(()),
        (_, Ok(answer)) => return Err(format!("it answers {} bytes", answer.len())),
        (_, Err(RuntimeError::Execution(error))) => error,
        (_, Err(error)) => return Err(error.to_string()),
    };
    match (&case.expected, &error) {
        (Expected::UnsupportedOperation(name), ExecutionError::UnsupportedOperation(got)) if name == got => {
            Ok(())
        }
        (
            Expected::UnsupportedCodec(id) | Expected::UnsupportedCodecIfNamed(id),
            ExecutionError::UnsupportedCodec(got),
        ) if id == got => Ok(()),
        (
            Expected::InvalidInput | Expected::NoTrap | Expected::UnsupportedCodecIfNamed(_),
            ExecutionError::InvalidInput(text),
        ) if !text.is_empty() => Ok(()),
        _ => Err(format!("it answers with the error {error:?}")),
    }
}

/// Reports whether two answers are the same. Numbers are compared by value, not by notation.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(300).collect()
}

#[test]
fn there_are_cases_enough_and_each_has_a_payload_of_its_own() {
    let cases = cases::all(LONGEST);
    assert!(cases.len() >= 40, "{}", cases.len());
    let payloads: std::collections::HashSet<_> = cases.iter().map(|case| &case.payload).collect();
    assert_eq!(payloads.len(), cases.len());
    assert!(cases.iter().any(|case| case.payload.len() > LONGEST));
}

#[test]
fn rust_passes() {
    check(&fixture("text-processor.wasm"), "rust");
}

#[test]
fn c_passes() {
    check(&fixture("text-processor-c.wasm"), "c");
}

#[test]
fn javascript_by_componentize_qjs_passes() {
    let Some(bytes) = built_bytes("text-processor-qjs") else {
        return;
    };
    check(&bytes, "javascript");
}

/// With asynchronous functions, which the toolchain generates by default.
#[test]
fn javascript_by_componentize_qjs_with_asynchronous_functions_passes() {
    let Some(bytes) = built_bytes("text-processor-qjs-async") else {
        return;
    };
    check_asynchronous(&bytes, "javascript");
}

/// Checks that a guest uses asynchronous functions, and runs all cases on it.
fn check_asynchronous(bytes: &[u8], language: &str) {
    let without = Engine::new(Config::new().wasm_component_model_async(false)).unwrap();
    let refused = Component::from_binary(&without, bytes).unwrap_err();
    assert!(
        matches!(refused, airssys_wasm::Error::MissingFeatures { .. }),
        "it uses no asynchronous functions, so this tests nothing: {refused:?}"
    );
    check(bytes, language);
}

/// Two components in Rust, with streams and futures between them.
#[test]
fn rust_with_asynchronous_functions_passes() {
    check_asynchronous(&fixture("text-processor-async.wasm"), "rust");
}

/// The same in C.
#[test]
fn c_with_asynchronous_functions_passes() {
    check_asynchronous(&fixture("text-processor-c-async.wasm"), "c");
}

/// Python on top of a component in Rust.
#[test]
fn python_with_asynchronous_functions_passes() {
    let Some(bytes) = built_bytes("text-processor-py-async") else {
        return;
    };
    check_asynchronous(&bytes, "python");
}

#[test]
fn javascript_by_componentize_js_passes() {
    let Some(bytes) = built_bytes("text-processor-js") else {
        return;
    };
    check(&bytes, "javascript");
}

#[test]
fn python_by_componentize_py_passes() {
    let Some(bytes) = built_bytes("text-processor-py") else {
        return;
    };
    check(&bytes, "python");
}

/// The output of `go build`, whose imports of preview 1 this host's WASI provides.
#[test]
fn go_passes_as_it_is() {
    let Some(bytes) = built_bytes("text-processor-go") else {
        return;
    };
    let options = ComponentOptions::new().with_core_module(World::Contract, Preview1::Auto);
    check_with(&bytes, "go", &options);
}

/// The same, with wasmer-wasix as the provider of preview 1.
#[test]
fn go_passes_by_wasmer_wasix() {
    let Some(bytes) = built_bytes("text-processor-go") else {
        return;
    };
    let options = ComponentOptions::new().with_core_module(World::Contract, Preview1::Host);
    check_with(&bytes, "go", &options);
}

/// The same, with the published adapter as the provider of preview 1, on top of WASI 0.2.
#[test]
fn go_passes_with_the_adapter() {
    let Some(bytes) = built_bytes("text-processor-go") else {
        return;
    };
    let options = ComponentOptions::new().with_core_module(World::Contract, Preview1::Adapter);
    check_with(&bytes, "go", &options);
}

#[test]
fn core_modules_are_taken_where_that_is_asked_for() {
    let Some(bytes) = built_bytes("text-processor-go") else {
        return;
    };
    let runtime = runtime(Backend::available()[0], b"");
    let refused = runtime.load_component(&bytes, ComponentOptions::new());
    assert!(
        matches!(refused, Err(RuntimeError::Load(airssys_wasm::Error::CoreModule))),
        "{refused:?}"
    );
    let component = adapt::lift(&bytes, &World::Contract, Preview1::Adapter).unwrap();
    let again = adapt::lift(&component, &World::Contract, Preview1::Adapter);
    assert!(matches!(again, Err(AdaptError::Component)), "{again:?}");
    let id = runtime
        .load_component(&component, ComponentOptions::new())
        .unwrap();
    assert_eq!(runtime.metadata(&id).unwrap().language, "go");
}

#[test]
fn a_second_init_and_a_configuration_are_refused() {
    let mut guests = vec![
        fixture("text-processor.wasm"),
        fixture("text-processor-c.wasm"),
        fixture("text-processor-async.wasm"),
        fixture("text-processor-c-async.wasm"),
    ];
    guests.extend(
        [
            "text-processor-qjs",
            "text-processor-js",
            "text-processor-py",
            "text-processor-py-async",
            "text-processor-go",
        ]
        .into_iter()
        .filter_map(built_bytes),
    );
    for bytes in guests {
        let runtime = runtime(Backend::available()[0], b"");
        let options = ComponentOptions::new()
            .with_config_data(b"\x80\x04{}".to_vec())
            .with_core_module(World::Contract, Preview1::Auto);
        let id = runtime.load_component(&bytes, options).unwrap();
        let refused = runtime.init(&id).unwrap_err();
        let told = matches!(
            &refused,
            RuntimeError::Component(ComponentError::InvalidConfig(_))
        );
        assert!(told, "{refused:?}");
    }
}
