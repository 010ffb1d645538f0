//! Our side of actors under load.

use super::actors::{config, security};
use airssys_wasm::actors::{ActorError, ActorOptions, ActorSystem, GuestMessages, Pending, ReplaceOptions};
use airssys_wasm::artifact::{PublicKey, Trust};
use airssys_wasm::engine::Backend;
use airssys_wasm::load::{LoadOptions, Loaded, Source};
use airssys_wasm::runtime::ComponentId;
use airssys_wasm::{ComponentOptions, ComponentRuntime};
use anyhow::{Result, anyhow};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Actors that are flooded, each by a thread: one for each worker, so that the actor with few requests has none of its own.
const FLOODED: usize = 2;
/// Messages that a mailbox of theirs holds: several turns of an actor.
const MAILBOX: usize = 64;
/// Messages of each flood that are under way at the same time.
const FLOOD: usize = 10 * MAILBOX;

/// A form of the next version of a component.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    /// Precompiled, and loaded before.
    Artifact,
    /// Compiled while it is replaced.
    Component,
}

/// Actors of one guest: one gets requests and is replaced, one gets few requests, the others are flooded.
#[derive(Debug)]
pub(crate) struct LoadedActors {
    runtime: ComponentRuntime,
    _system: ActorSystem,
    loaded: Loaded,
    guest: Vec<u8>,
    asked: ComponentId,
    quiet: ComponentId,
    flooded: [ComponentId; FLOODED],
}

/// A message that is not passed on.
fn message() -> Vec<u8> {
    vec![0; 1024]
}

impl LoadedActors {
    pub(crate) fn new(
        backend: Backend,
        file: &Path,
        signer: PublicKey,
        guest: &[u8],
    ) -> Result<LoadedActors> {
        let config = config(backend).with_host_function("done", |_, _| Ok(Vec::new()));
        let runtime = ComponentRuntime::new(config.build()?)?;
        let source = Source::open_artifact(file)?;
        let trust = Trust::new([signer]);
        let loaded = runtime.loader().load(&source, &trust, &LoadOptions::default())?;
        let system = ActorSystem::builder().with_workers(FLOODED).build()?;
        let mut mailbox = airssys_wasm::messaging::MailboxLimits::default();
        mailbox.messages = MAILBOX;
        let start = |id: &str| {
            let id: ComponentId = id.parse()?;
            let component = ComponentOptions::new()
                .with_security(security()?)
                .with_id(id.clone());
            let actor = ActorOptions::new()
                .with_guest_messages(GuestMessages::Execute)
                .with_mailbox(mailbox.clone());
            runtime.start_actor(&loaded, component, &system, actor).wait()?;
            anyhow::Ok(id)
        };
        let (asked, quiet) = (start("asked")?, start("quiet")?);
        let flooded = [start("flooded-1")?, start("flooded-2")?];
        Ok(LoadedActors {
            runtime,
            _system: system,
            loaded,
            guest: guest.to_vec(),
            asked,
            quiet,
            flooded,
        })
    }

    /// Sends a request to the actor that is replaced, and waits for its answer.
    pub(crate) fn request(&self) -> Result<()> {
        self.runtime
            .send_message_to_component(&self.asked, message())
            .wait()?;
        Ok(())
    }

    /// Sends a request to the actor that gets few, and waits for its answer.
    pub(crate) fn quiet_request(&self) -> Result<()> {
        self.runtime
            .send_message_to_component(&self.quiet, message())
            .wait()?;
        Ok(())
    }

    /// Puts the next version in place of the current one.
    pub(crate) fn replace(&self, version: Version) -> Result<()> {
        let component = ComponentOptions::new()
            .with_security(security()?)
            .with_id(self.asked.clone());
        let options = ReplaceOptions::new().with_component(component);
        let replaced = match version {
            Version::Artifact => self
                .runtime
                .replace_component(&self.asked, self.loaded.clone(), options),
            Version::Component => self
                .runtime
                .replace_component(&self.asked, self.guest.clone(), options),
        };
        replaced.wait()?;
        Ok(())
    }

    /// Floods actors until `ended`: some messages are handled, the others are refused. Each that has ended is followed by the next.
    pub(crate) fn flood(&self, ended: &AtomicBool) -> Result<()> {
        thread::scope(|scope| {
            let flood = |actor| move || self.flood_one(actor, ended);
            let threads: Vec<_> = self
                .flooded
                .iter()
                .map(|actor| scope.spawn(flood(actor)))
                .collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a flood has panicked"))?)
        })
    }

    fn flood_one(&self, actor: &ComponentId, ended: &AtomicBool) -> Result<()> {
        let mut sent = VecDeque::new();
        while !ended.load(Ordering::Relaxed) {
            sent.push_back(self.runtime.send_message_to_component(actor, message()));
            while sent.len() >= FLOOD || sent.front().is_some_and(Pending::is_done) {
                let Some(pending) = sent.pop_front() else { break };
                match pending.wait() {
                    Ok(_) | Err(ActorError::Full { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
