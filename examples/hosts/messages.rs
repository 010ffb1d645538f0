//! Two components of one runtime exchange messages. The host only calls their operations.
//!
//! `cargo run --release --example messages`

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let config = RuntimeConfig::builder().with_mailbox_capacity(16).build()?;
    let runtime = ComponentRuntime::new(config)?;
    let alice = counter(&runtime, "alice", "1")?;
    let bob = counter(&runtime, "bob", "10")?;

    for _ in 0..2 {
        ask(&runtime, &alice, "increment", Value::Null)?;
        ask(&runtime, &alice, "send", json!({"target": "bob"}))?;
    }
    ask(&runtime, &bob, "increment", Value::Null)?;
    ask(&runtime, &bob, "send", json!({"target": "alice"}))?;

    ask(&runtime, &bob, "receive", Value::Null)?;
    ask(&runtime, &alice, "receive", Value::Null)?;

    runtime.shutdown(&alice)?;
    runtime.shutdown(&bob)?;
    Ok(())
}

/// Loads a counter that counts in steps of `step`.
fn counter(runtime: &ComponentRuntime, name: &str, step: &str) -> anyhow::Result<ComponentId> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/counter.wasm");
    let options = ComponentOptions::new()
        .with_id(name.parse()?)
        .with_config("step", step);
    let id = runtime.load_component_from_file(path, options)?;
    runtime.init(&id)?;
    Ok(id)
}

/// Runs an operation, and prints the result.
fn ask(runtime: &ComponentRuntime, id: &ComponentId, name: &str, params: Value) -> anyhow::Result<()> {
    let answer = runtime.execute(id, &codec::operation(Codec::Json, name, &params)?)?;
    println!("{id} {name}: {}", codec::to_json(&codec::decode(&answer)?)?);
    Ok(())
}
