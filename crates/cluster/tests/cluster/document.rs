//! `docs/hosting.md`, "Several hosts": its example runs.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use airssys_wasm::actors::ActorSystem;
use airssys_wasm::{ComponentId, ComponentRuntime};
use airssys_wasm_cluster::{Address, Cluster, ClusterKey, ClusterOptions, Name};

use crate::{Host, LONG, name, said};
use airssys_wasm_test_support::nats::Server;

const DOCUMENT: &str = include_str!("../../../../docs/hosting.md");

fn example(
    runtime: ComponentRuntime,
    system: ActorSystem,
    key: &Path,
    server: String,
    operation: Vec<u8>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let options = ClusterOptions::new(
        Name::new("shop")?,
        Name::new("eu-1")?,
        ClusterKey::from_file(key)?,
    )
    .with_server(server);
    let cluster = Cluster::join(&runtime, options).wait()?;

    let counter = Address::new(Name::new("eu-2")?, ComponentId::new("counter")?);
    let answer = cluster.send(&counter, operation).wait()?;

    cluster.leave(Duration::from_secs(10)).wait()?;
    system.shutdown(Duration::from_secs(5)).wait()?;
    Ok(answer)
}

#[test]
fn the_example_runs_as_it_is_written() {
    let server = Server::start();
    let file = server.folder.0.join("cluster.key");
    std::fs::write(&file, [5; 32]).unwrap();
    let second = Host::with(&["counter"], |_, message| message[0]);
    let key = ClusterKey::from_file(&file).unwrap();
    let options = ClusterOptions::new(name("shop"), name("eu-2"), key).with_server(server.url());
    let other = second.join(options);
    let first = Host::new(|_, _| 0);
    let answer = example(first.runtime, first.system, &file, server.url(), vec![9]).unwrap();
    assert_eq!(answer, said(9));
    other.leave(LONG).wait().unwrap();

    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let (_, part) = DOCUMENT.split_once("\n## Several hosts\n").expect("the part");
    let (_, rest) = part.split_once("```rust\n").expect("an example");
    let (written, rest) = rest.split_once("```\n").expect("its end");
    assert!(!rest.contains("```rust"), "a second example, which no test runs");
    let source = trimmed(include_str!("document.rs"));
    assert!(
        source.contains(&trimmed(written)),
        "the example differs from this file's:\n{written}"
    );
}
