//! The host application of the architecture document, with its names: a component is loaded with exactly the capabilities
//! that its manifest declares and a policy allows, and each decision is in an audit.
//!
//! `cargo run --release --example host-application`
//!
//! Differences from the document:
//!
//! - `SecurityContext` is in `airssys_wasm::security`, since there is no crate airssys-osl. `HostApplication::new` gets it:
//!   `SecurityContext::new()` would deny everything.
//! - There is no crate airssys-rt, and no `ActorSystem` here: the runtime itself gives each component its mailbox and one
//!   call at a time. So `load_component_as_actor` and `send_message_to_component` are methods of this example, the first
//!   without the parameters of both systems. They load and initialize, and call `execute`.
//! - The functions are not `async`: a component runs on its caller's thread, until its deadline at the latest.
//! - `execute_component` borrows the identity, so that it can be used again.

use std::path::Path;
use std::sync::Arc;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::security::{MemorySink, Policy, SecurityContext};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use anyhow::Result;
use serde_json::json;

pub(crate) struct HostApplication {
    wasm_runtime: ComponentRuntime,
    security_context: SecurityContext,
}

impl HostApplication {
    pub(crate) fn new(security_context: SecurityContext) -> Result<Self> {
        let runtime_config = RuntimeConfig::builder()
            .with_osl_security_integration() // Each component needs a security context.
            .with_rt_actor_integration() // Each has a mailbox, and one call at a time: always so.
            .with_multicodec_support() // Always so, too.
            .with_capability_enforcement() // And nothing turns it off.
            .build()?;
        Ok(Self {
            wasm_runtime: ComponentRuntime::new(runtime_config)?,
            security_context,
        })
    }

    pub(crate) fn load_component(&mut self, path: &Path) -> Result<ComponentId> {
        // The manifest inside the component, or beside it.
        let manifest = ComponentManifest::from_wasm_file(path)?;
        // All that it requires must be allowed; the error lists what is not.
        self.security_context
            .validate_capabilities(&manifest.capabilities)?;
        self.load_component_as_actor(path, &manifest)
    }

    pub(crate) fn execute_component(&self, component_id: &ComponentId, operation: &[u8]) -> Result<Vec<u8>> {
        self.send_message_to_component(component_id, operation)
    }

    /// Loads a component with what its manifest declares and the policy allows, and initializes it.
    fn load_component_as_actor(&self, path: &Path, manifest: &ComponentManifest) -> Result<ComponentId> {
        let options = ComponentOptions::new()
            .with_manifest(manifest)
            .with_security(self.security_context.clone());
        let component_id = self.wasm_runtime.load_component_from_file(path, options)?;
        self.wasm_runtime.init(&component_id)?;
        Ok(component_id)
    }

    /// Runs an operation, and returns the answer.
    fn send_message_to_component(&self, component_id: &ComponentId, operation: &[u8]) -> Result<Vec<u8>> {
        Ok(self.wasm_runtime.execute(component_id, operation)?)
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
    let ended = run_with(&path);
    std::fs::remove_file(&path)?;
    ended
}

fn run_with(path: &Path) -> Result<[String; 3]> {
    let audit = Arc::new(MemorySink::default());
    let context = |policy: Policy| {
        let context = SecurityContext::builder().principal("alice").policy(policy);
        context.audit(audit.clone()).build()
    };

    let policy = Policy::builder().allow("filesystem:read:/models").build()?;
    let mut host = HostApplication::new(context(policy))?;
    let id = host.load_component(path)?;
    let params = json!({"text": "to be or not to be"});
    let operation = codec::operation(Codec::Json, "word-count", &params)?;
    let answer = host.execute_component(&id, &operation)?;
    let answer = format!("{id}: {}", codec::to_json(&codec::decode(&answer)?)?);

    let mut strict = HostApplication::new(context(Policy::empty()))?;
    let refused = match strict.load_component(path) {
        Ok(id) => format!("{id} is loaded"),
        Err(error) => error.to_string(),
    };
    let denials = audit.records().into_iter();
    let denials =
        denials.map(|record| format!("{} {} {}", record.component, record.verdict, record.capability));
    Ok([answer, refused, denials.collect::<Vec<_>>().join(", ")])
}

fn main() -> Result<()> {
    run().map(|told| told.iter().for_each(|line| println!("{line}")))
}
