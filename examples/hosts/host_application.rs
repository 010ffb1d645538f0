//! The host application of the architecture document, with its names: a component is loaded with exactly the capabilities
//! that its manifest declares and a policy allows, and each decision is in an audit.
//!
//! `cargo run --release --example host-application`
//!
//! Differences from the document:
//!
//! - `SecurityContext` is in `airssys_wasm::security`, and `ActorSystem` in `airssys_wasm::actors`, since there are no crates
//!   airssys-osl and airssys-rt. `HostApplication::new` gets the context: `SecurityContext::new()` would deny everything.
//! - `execute_component` borrows the identity, so that it can be used again.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use airssys_wasm::actors::ActorSystem;
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::security::{MemorySink, Policy, SecurityContext};
use airssys_wasm::{ComponentId, ComponentRuntime, RuntimeConfig};
use anyhow::Result;
use serde_json::json;

pub(crate) struct HostApplication {
    wasm_runtime: ComponentRuntime,
    actor_system: ActorSystem,
    security_context: SecurityContext,
}

impl HostApplication {
    pub(crate) fn new(security_context: SecurityContext) -> Result<Self> {
        let runtime_config = RuntimeConfig::builder()
            .with_osl_security_integration() // Each component needs a security context.
            .with_rt_actor_integration() // Each is an actor, with a mailbox, supervised.
            .with_multicodec_support() // Always so.
            .with_capability_enforcement() // And nothing turns it off.
            .build()?;
        Ok(Self {
            wasm_runtime: ComponentRuntime::new(runtime_config)?,
            actor_system: ActorSystem::new()?,
            security_context,
        })
    }

    pub(crate) async fn load_component(&mut self, path: &Path) -> Result<ComponentId> {
        // The manifest inside the component, or beside it.
        let manifest = ComponentManifest::from_wasm_file(path)?;
        // All that it requires must be allowed; the error lists what is not.
        self.security_context
            .validate_capabilities(&manifest.capabilities)?;
        let component_id = self
            .wasm_runtime
            .load_component_as_actor(path, &manifest, &self.actor_system, &self.security_context)
            .await?;
        Ok(component_id)
    }

    pub(crate) async fn execute_component(
        &self,
        component_id: &ComponentId,
        operation: &[u8],
    ) -> Result<Vec<u8>> {
        let answer = self
            .wasm_runtime
            .send_message_to_component(component_id, operation);
        Ok(answer.await?)
    }
}

/// Runs the text processor, whose manifest requests a folder: with a policy that allows it, and with one that does not.
/// Returns the answer, the error, and the audit.
pub(crate) fn run() -> Result<[String; 3]> {
    // A component that is deployed has its manifest inside, or in its folder.
    let manifest = ComponentManifest::from_toml(include_str!("host_application.toml"))?;
    let component = manifest.embed(include_bytes!("../../tests/fixtures/text-processor.wasm"))?;
    let path = std::env::temp_dir().join(format!("host-application-{}.wasm", std::process::id()));
    std::fs::write(&path, component)?;
    let ended = block_on(run_with(&path));
    std::fs::remove_file(&path)?;
    ended
}

async fn run_with(path: &Path) -> Result<[String; 3]> {
    let audit = Arc::new(MemorySink::default());
    let context = |policy: Policy| {
        let context = SecurityContext::builder().principal("alice").policy(policy);
        context.audit(audit.clone()).build()
    };

    let policy = Policy::builder().allow("filesystem:read:/models").build()?;
    let mut host = HostApplication::new(context(policy))?;
    let id = host.load_component(path).await?;
    let params = json!({"text": "to be or not to be"});
    let operation = codec::operation(Codec::Json, "word-count", &params)?;
    let answer = host.execute_component(&id, &operation).await?;
    let answer = format!("{id}: {}", codec::to_json(&codec::decode(&answer)?)?);

    let mut strict = HostApplication::new(context(Policy::empty()))?;
    let refused = match strict.load_component(path).await {
        Ok(id) => format!("{id} is loaded"),
        Err(error) => error.to_string(),
    };
    // The component shuts down after its last message.
    host.actor_system.shutdown(Duration::from_secs(5)).await?;
    let denials = audit.records().into_iter();
    let denials =
        denials.map(|record| format!("{} {} {}", record.component, record.verdict, record.capability));
    Ok([answer, refused, denials.collect::<Vec<_>>().join(", ")])
}

/// Runs a future on this thread. A host has an executor for that, whichever it is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn main() -> Result<()> {
    run().map(|told| told.iter().for_each(|line| println!("{line}")))
}
