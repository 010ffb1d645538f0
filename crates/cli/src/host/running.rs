//! A host that runs, and the start of one of its components.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use airssys_wasm::actors::{ActorGroup, ActorSystem, Pending};
use airssys_wasm::host_file::{ClusterSettings, DeclaredComponent};
use airssys_wasm::{ComponentId, ComponentRuntime};

use super::cluster::Joined;
use super::logs::Logs;
use super::start::Starter;
use super::wait::wait;
use crate::exit::{Exit, Failure, Outcome};

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
    /// The names of the cluster and of the host in it, if it is to join one.
    pub(super) cluster: Option<ClusterNames>,
    /// It has a cluster to join, and its components are not all entered there yet.
    pub(super) is_joining: AtomicBool,
    pub(super) logs: Logs,
}

/// The names of a cluster and of the host in it.
pub(super) struct ClusterNames {
    pub(super) cluster: String,
    pub(super) host: String,
}

impl ClusterNames {
    pub(super) fn of(settings: &ClusterSettings) -> ClusterNames {
        ClusterNames {
            cluster: settings.name.clone(),
            host: settings.host.clone(),
        }
    }
}

impl Host {
    /// Returns the names of the cluster that the host is joining.
    pub(super) fn joining(&self) -> Option<&ClusterNames> {
        let is_joining = self.is_joining.load(Ordering::Acquire);
        self.cluster.as_ref().filter(|_| is_joining)
    }

    /// Refuses a command that changes components or sends to them while the host joins its cluster.
    pub(super) fn check_joined(&self) -> Outcome<()> {
        match self.joining() {
            None => Ok(()),
            Some(names) => Err(Failure::new(
                Exit::Host,
                anyhow::Error::msg(format!(
                    "the host is still joining its cluster `{}`: try again when `host ps` shows its state as joined",
                    names.cluster
                )),
            )),
        }
    }

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
    let Some(starting) = begin_component(host, declared, stopped)? else {
        return Ok(false);
    };
    match wait(starting, stopped) {
        Some(started) => started
            .map(|_| true)
            .map_err(|error| not_started(declared, error.into())),
        None => Ok(false),
    }
}

/// Loads a component, and begins to start it. `None` if the host was asked to end meanwhile.
pub(super) fn begin_component(
    host: &Host,
    declared: &DeclaredComponent,
    stopped: &dyn Fn() -> bool,
) -> Outcome<Option<Pending<ComponentId>>> {
    let group = declared.group.as_deref().and_then(|group| host.groups.get(group));
    let actor = declared.actor_options();
    let actor = match group {
        Some(group) => actor.with_group(group),
        None => actor,
    };
    if stopped() {
        return Ok(None);
    }
    let loaded = host.starter.load(declared);
    let (loaded, options) = loaded.map_err(|failure| not_started(declared, failure))?;
    // Compiling may have taken long.
    if stopped() {
        return Ok(None);
    }
    Ok(Some(host.runtime.start_actor(
        &loaded,
        options,
        &host.system,
        actor,
    )))
}

/// Says of a failure which component it kept from starting.
pub(super) fn not_started(declared: &DeclaredComponent, failure: Failure) -> Failure {
    failure.context(format!("the component `{}` cannot be started", declared.id))
}
