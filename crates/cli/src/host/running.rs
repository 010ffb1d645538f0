//! A host that runs, and the start of one of its components.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Instant;

use airssys_wasm::actors::{ActorGroup, ActorSystem};
use airssys_wasm::host_file::DeclaredComponent;
use airssys_wasm::{ComponentId, ComponentRuntime};

use super::cluster::Joined;
use super::logs::Logs;
use super::start::Starter;
use super::wait::wait;
use crate::exit::{Failure, Outcome};

/// A host that runs.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) started: Instant,
    pub(super) runtime: ComponentRuntime,
    pub(super) system: ActorSystem,
    /// The declared components, in the order of the file.
    pub(super) components: Vec<ComponentId>,
    /// Their declarations.
    pub(super) declared: Vec<DeclaredComponent>,
    /// The declared groups, by their names.
    pub(super) groups: HashMap<String, ActorGroup>,
    pub(super) starter: Starter,
    /// Its cluster, once it has joined one.
    pub(super) joined: OnceLock<Joined>,
    pub(super) logs: Logs,
}

impl Host {
    /// Returns the declaration of a component.
    pub(super) fn declared(&self, id: &ComponentId) -> Option<&DeclaredComponent> {
        self.declared.iter().find(|declared| declared.id == *id)
    }

    /// Reports whether the cluster decides on which host a component runs.
    pub(super) fn is_placed(&self, id: &ComponentId) -> bool {
        let part = self.declared(id).and_then(|declared| declared.cluster.as_ref());
        part.is_some_and(|part| part.place_on.is_some())
    }
}

/// Starts a component. Returns false if the host was asked to end meanwhile.
pub(super) fn start_component(
    host: &Host,
    declared: &DeclaredComponent,
    stopped: &dyn Fn() -> bool,
) -> Outcome<bool> {
    let group = declared.group.as_deref().and_then(|group| host.groups.get(group));
    let actor = declared.actor_options();
    let actor = match group {
        Some(group) => actor.with_group(group),
        None => actor,
    };
    let failed =
        |failure: Failure| failure.context(format!("the component `{}` cannot be started", declared.id));
    if stopped() {
        return Ok(false);
    }
    let (loaded, options) = host.starter.load(declared).map_err(failed)?;
    let started = host.runtime.start_actor(&loaded, options, &host.system, actor);
    match wait(started, stopped) {
        Some(started) => started.map(|_| true).map_err(|error| failed(error.into())),
        None => Ok(false),
    }
}
