//! The smallest host: loads a component, runs one operation, prints the result.
//!
//! `cargo run --release --example execute`

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let config = RuntimeConfig::builder()
        .with_multicodec_support()
        .with_capability_enforcement()
        .build()?;
    let runtime = ComponentRuntime::new(config)?;

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/text-processor.wasm");
    let id = runtime.load_component_from_file(path, ComponentOptions::new())?;
    runtime.init(&id)?;

    let params = json!({"text": "to be or not to be"});
    let operation = codec::operation(Codec::Json, "word-count", &params)?;
    let answer = runtime.execute(&id, &operation)?;
    println!("{id}: {}", codec::to_json(&codec::decode(&answer)?)?);

    runtime.shutdown(&id)?;
    Ok(())
}
