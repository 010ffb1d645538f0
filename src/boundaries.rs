//! Tests of panics inside third-party libraries: each becomes a typed error, and the next component still works.

use crate::codec::{self, Codec};
use crate::component::{Component, FuncType, Val};
use crate::engine::{Backend, Config, Engine};
use crate::error::Error;
use crate::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};
use airssys_wasm_component::internal::planted;

const EMPTY: &str = "(component)";

fn engine() -> Engine {
    Engine::new(&Config::new()).expect("an engine")
}

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}.wasm", env!("CARGO_MANIFEST_DIR"))
}

fn runtime() -> ComponentRuntime {
    let config = RuntimeConfig::builder().build().expect("a configuration");
    ComponentRuntime::new(config).expect("a runtime")
}

/// Asserts that another component still runs.
#[track_caller]
fn the_next_component_works(runtime: &ComponentRuntime) {
    assert!(!planted::is_left(), "the place is never reached");
    let options = ComponentOptions::new();
    let id = runtime.load_component_from_file(fixture("text-processor"), options);
    let id: ComponentId = id.expect("it is loaded");
    runtime.init(&id).expect("it is initialized");
    let params = serde_json::json!({"text": "to be or not to be"});
    let operation = codec::operation(Codec::Json, "word-count", &params).expect("an operation");
    let answer = runtime.execute(&id, &operation).expect("it answers");
    let answer = codec::to_json(&codec::decode(&answer).expect("a payload")).expect("JSON");
    assert_eq!(answer["count"], 6);
}

#[test]
fn a_panic_of_the_translator() {
    let bytes = wat::parse_str(EMPTY).unwrap();
    planted::at("the translator");
    let error = Component::from_binary(&engine(), &bytes).unwrap_err();
    assert!(matches!(&error, Error::Panicked { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the translator panicked, which is a bug in it: planted"
    );
    let runtime = runtime();
    planted::at("the translator");
    let loaded = runtime.load_component_from_file(fixture("counter"), ComponentOptions::new());
    assert!(
        matches!(loaded, Err(RuntimeError::Load(Error::Panicked { .. }))),
        "{loaded:?}"
    );
    the_next_component_works(&runtime);
}

#[test]
fn a_panic_of_each_compiler() {
    let runtime = runtime();
    for backend in Backend::available() {
        let engine = Engine::new(Config::new().backend(*backend)).unwrap();
        let bytes = wat::parse_str("(component (core module $m) (core instance (instantiate $m)))").unwrap();
        planted::at("the compiler");
        let error = Component::from_binary(&engine, &bytes);
        match error {
            Err(Error::Compile { message, .. }) => assert_eq!(message, "the compiler panicked: planted"),
            other => panic!("{backend}: {other:?}"),
        }
        assert!(Component::from_binary(&engine, &bytes).is_ok());
    }
    the_next_component_works(&runtime);
}

#[cfg(feature = "adapt")]
#[test]
fn a_panic_of_the_encoder() {
    use airssys_wasm_adapt::{self, AdaptError, Preview1, World};
    let module = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
    let lift = || airssys_wasm_adapt::lift(&module, &World::Contract, Preview1::Adapter);
    planted::at("the encoder of components");
    let error = lift().unwrap_err();
    assert!(matches!(error, AdaptError::Encoding(_)), "{error:?}");
    assert!(lift().is_ok());
    the_next_component_works(&runtime());
}

#[cfg(feature = "wave")]
#[test]
fn a_panic_of_waves_parser_and_writer() {
    let none = FuncType {
        params: Box::new([]),
        result: None,
    };
    planted::at("the parser of WAVE");
    let error = crate::wave::arguments("()", &none).unwrap_err();
    assert_eq!(error.message, "the parser of WAVE panicked: planted");
    assert!(crate::wave::arguments("()", &none).is_ok());
    planted::at("the writer of WAVE");
    assert!(crate::wave::to_text(&Val::U32(7)).is_err());
    assert_eq!(crate::wave::to_text(&Val::U32(7)).unwrap(), "7");
}

#[test]
fn a_panic_of_each_codecs_parser() {
    for (codec, data) in [
        (Codec::Json, &b"7"[..]),
        (Codec::MsgPack, b"\x07"),
        (Codec::Yaml, b"7"),
    ] {
        let payload = codec::Payload { codec, data };
        planted::at("the codec's parser");
        let error = codec::to_json(&payload).unwrap_err();
        assert!(error.to_string().ends_with("parser panicked: planted"), "{error}");
        assert_eq!(codec::to_json(&payload).unwrap(), 7);
    }
}

#[cfg(feature = "wai")]
mod wai {
    use super::*;
    use crate::error::TrapKind;

    #[track_caller]
    fn panicked_at<T: std::fmt::Debug>(place: &str, result: Result<T, RuntimeError>) {
        let found = match &result {
            Err(RuntimeError::Load(error) | RuntimeError::Stopped { source: error, .. }) => error.trap(),
            _ => None,
        };
        match found.map(crate::error::Trap::kind) {
            Some(TrapKind::Panicked { place: found, .. }) => assert_eq!(found, place),
            _ => panic!("{result:?}"),
        }
    }

    #[test]
    fn a_panic_of_the_glue() {
        let runtime = runtime();
        let load = || runtime.load_component_from_file(fixture("counter-wai"), ComponentOptions::new());
        // A component is instantiated when it is loaded or when it is initialized.
        let place = "the module's instantiation";
        planted::at(place);
        panicked_at(place, load().and_then(|id| runtime.init(&id)));
        for place in ["the module's exports", "`airssys-host-services-v1#log`"] {
            let id = load().unwrap();
            planted::at(place);
            panicked_at(place, runtime.init(&id));
            assert!(runtime.init(&id).is_err(), "a failed instance is called again");
            runtime.init(&load().unwrap()).unwrap();
        }
        the_next_component_works(&runtime);
    }
}
