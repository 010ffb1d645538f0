//! `docs/hosting.md`: its example runs, and its defaults are those of the types.

use std::error::Error;
use std::time::Duration;

use airssys_wasm::actors::{ActorSystem, Backpressure, MAX_WAITING_SENDERS, RestartPolicy};
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::security::SecurityContext;
use airssys_wasm::{ComponentRuntime, RuntimeConfig};
use serde_json::{Value, json};

use super::host_support::fixture;

const DOCUMENT: &str = include_str!("../../../docs/hosting.md");

const MANIFEST: &str = r#"
    [component]
    name = "counter"
    version = "1.0.0"

    [wit-dependencies]
    airssys-component-core = "1.0.0"
    airssys-host-core = "1.0.0"
    airssys-multicodec-core = "1.0.0"
"#;

fn example(path: std::path::PathBuf) -> Result<(), Box<dyn Error>> {
    let config = RuntimeConfig::builder().with_rt_actor_integration().build()?;
    let runtime = ComponentRuntime::new(config)?;
    let system = ActorSystem::builder().with_workers(4).build()?;
    let manifest = ComponentManifest::from_wasm_file(&path)?;
    let security = SecurityContext::new();

    let id = runtime
        .load_component_as_actor(&path, &manifest, &system, &security)
        .wait()?;
    let operation = codec::operation(Codec::Json, "increment", &Value::Null)?;
    let answer = runtime.send_message_to_component(&id, operation).wait()?;
    assert_eq!(codec::to_json(&codec::decode(&answer)?)?, json!({"count": 1}));

    system.shutdown(Duration::from_secs(5)).wait()?;
    Ok(())
}

#[test]
fn the_example_runs_as_it_is_written() {
    let manifest = ComponentManifest::from_toml(MANIFEST).unwrap();
    let path = std::env::temp_dir().join(format!("hosting-{}.wasm", std::process::id()));
    std::fs::write(&path, manifest.embed(&fixture("counter.wasm")).unwrap()).unwrap();
    let ended = example(path.clone());
    std::fs::remove_file(&path).unwrap();
    ended.unwrap();

    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    // The example of the other part is run by the package that it is about.
    let (document, _) = DOCUMENT.split_once("\n## Several hosts\n").expect("both parts");
    let (_, rest) = document.split_once("```rust\n").expect("an example");
    let (written, rest) = rest.split_once("```\n").expect("its end");
    assert!(!rest.contains("```rust"), "a second example, which no test runs");
    let source = trimmed(include_str!("document.rs"));
    assert!(
        source.contains(&trimmed(written)),
        "the example differs from the test's"
    );
}

#[test]
fn the_defaults_are_those_of_the_types() {
    let (policy, mailbox) = (RestartPolicy::default(), MailboxLimits::default());
    let rows = [
        format!("| `restart` | `{:?}` |", policy.restart),
        format!("| `intensity` | {} |", policy.intensity),
        format!("| `period` | {:?} |", policy.period),
        format!("| `first_pause` | {:?} |", policy.first_pause),
        format!("| `longest_pause` | {:?} |", policy.longest_pause),
        format!("| `jitter_percent` | {} |", policy.jitter_percent),
        format!("| `max_tries` | {} |", policy.max_tries),
        format!("| messages that wait | {} |", mailbox.messages),
        format!("| their bytes | {} |", mailbox.bytes),
        format!("| bytes of one message | {} |", mailbox.message_bytes),
        format!("| `{:?}` (default) |", Backpressure::default()),
        format!("{MAX_WAITING_SENDERS} senders can wait"),
    ];
    for row in rows {
        assert!(DOCUMENT.contains(&row), "docs/hosting.md does not say {row:?}");
    }
}
