//! The life cycle of components: call order, answers, failures, versions.

mod answers;
mod failures;
use airssys_wasm_test_support::host as host_support;
mod loading;
mod orders;
mod side_by_side;

use std::time::Duration;

use airssys_wasm::codec::Codec;
use airssys_wasm::runtime::Call;
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, ExecuteOptions, RuntimeError};
use host_support::{Guest, fixture, id, operation};
use serde_json::json;

fn options(name: &str) -> ComponentOptions {
    ComponentOptions::new().with_id(id(name))
}

fn text_processor(runtime: &ComponentRuntime) -> ComponentId {
    runtime
        .load_component(&fixture("text-processor.wasm"), ComponentOptions::new())
        .expect("it loads")
}

fn call(runtime: &ComponentRuntime, id: &ComponentId, call: Call) -> Result<(), RuntimeError> {
    match call {
        Call::Init => runtime.init(id),
        Call::Execute => {
            let operation = operation(Codec::Json, "reverse", json!({"text": "abc"}));
            runtime.execute(id, &operation).map(drop)
        }
        Call::Metadata => runtime.metadata(id).map(drop),
        Call::Health => runtime.health(id).map(drop),
        Call::SupportedCodecs => runtime.supported_codecs(id).map(drop),
        Call::Shutdown => runtime.shutdown(id),
        Call::Instantiate | Call::Snapshot => unreachable!("the runtime makes it itself"),
    }
}

const CALLS: [Call; 6] = [
    Call::Init,
    Call::Execute,
    Call::Metadata,
    Call::Health,
    Call::SupportedCodecs,
    Call::Shutdown,
];

fn sleeper() -> Vec<u8> {
    Guest {
        execute: "(call $sleep (i64.const 600000)) i32.const 0",
        ..Guest::default()
    }
    .build()
}

fn within(timeout: Duration) -> ExecuteOptions {
    ExecuteOptions::new().with_timeout(timeout)
}
