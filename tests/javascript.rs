//! The JavaScript guest, which `cargo xtask guests json-transform` builds: too large to commit.

mod common;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use common::{built_bytes, engines};
use serde_json::{Value, json};

#[test]
fn the_javascript_guest_answers_on_every_backend() {
    let Some(bytes) = built_bytes("json-transform") else {
        return;
    };
    let value = json!({"b": 1, "a": {"y": [1, {"z": 2, "c": 3}], "x": {}}, "s": "ü😀"});
    for engine in engines() {
        let config = RuntimeConfig::builder()
            .with_backend(engine.backend())
            .build()
            .unwrap();
        let runtime = ComponentRuntime::new(config).unwrap();
        let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
        runtime.init(&id).unwrap();
        let execute = |operation: &str, params: Value| {
            let payload = codec::operation(Codec::Json, operation, &params).unwrap();
            let answer = runtime.execute(&id, &payload).unwrap();
            codec::to_json(&codec::decode(&answer).unwrap()).unwrap()
        };
        let picked = execute("pick", json!({"value": value, "keys": ["s", "b", "q"]}));
        assert_eq!(picked, json!({"s": "ü😀", "b": 1}), "{}", engine.backend());
        let flat = execute("flatten", json!({"value": value}));
        assert_eq!(
            flat,
            json!({"b": 1, "a.y.0": 1, "a.y.1.z": 2, "a.y.1.c": 3, "a.x": {}, "s": "ü😀"})
        );
        let metadata = runtime.metadata(&id).unwrap();
        assert_eq!(metadata.language, "javascript");
        runtime.shutdown(&id).unwrap();
    }
}
