//! Joining a cluster: its components are started, entered, and placed.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use airssys_wasm::ComponentId;
use airssys_wasm::host_file::DeclaredComponent;
use airssys_wasm_cluster::{ArtifactDigest, Cluster, ClusterError, ClusterState, Pending, Placer};

use super::cluster::{Joined, Joining, names};
use super::running::{Host, begin_component, not_started, start_component};
use super::wait::wait;
use crate::exit::{Exit, Failure, Outcome};
use crate::logging::EVENTS;

/// Joins the cluster, starts the components whose artifacts it has, and enters those that the file says. Returns false if the
/// host was asked to end meanwhile.
pub(super) fn join(host: &Arc<Host>, joining: Joining, stopped: &dyn Fn() -> bool) -> Outcome<bool> {
    let Joining {
        options,
        name,
        labels,
    } = joining;
    let cannot = |error: ClusterError| {
        let is_time = matches!(error, ClusterError::Timeout { .. });
        let failure = Failure::from(error).context(format!("the host cannot join the cluster `{name}`"));
        match is_time {
            true => failure.advised(
                "check that the `servers` of [cluster] can be reached and have JetStream, or raise `connect-time` and \
                 `call-time`",
            ),
            false => failure,
        }
    };
    log::info!(target: EVENTS, "joining the cluster {name}");
    let Some(joined) = wait(Cluster::join(&host.runtime, options), stopped) else {
        return Ok(false);
    };
    let cluster = joined.map_err(cannot)?;
    let joined = host.joined.get_or_init(|| Joined {
        cluster,
        name: name.clone(),
    });
    let mut is_placed = false;
    for declared in &host.declared {
        let entered = match declared
            .cluster
            .as_ref()
            .is_some_and(|part| part.place_on.is_some())
        {
            true => {
                is_placed = true;
                joined.declare(declared, stopped)
            }
            false => joined.enter(host, declared, stopped),
        };
        let entered = entered.map_err(|failure| {
            failure.context(format!(
                "the component `{}` cannot be entered in the cluster",
                declared.id
            ))
        })?;
        if !entered {
            return Ok(false);
        }
    }
    if is_placed {
        let placer = Places(Arc::downgrade(host));
        return done(joined.cluster.place_components(labels, placer), stopped);
    }
    Ok(true)
}

/// Awaits an operation. Returns false if the host was asked to end meanwhile.
fn done<T>(
    pending: impl Future<Output = Result<T, ClusterError>> + Unpin,
    stopped: &dyn Fn() -> bool,
) -> Outcome<bool> {
    match wait(pending, stopped) {
        Some(result) => Ok(result.map(|_| true)?),
        None => Ok(false),
    }
}

impl Joined {
    /// Fetches the artifact of a component and starts it, if it has one, and enters the component.
    fn enter(&self, host: &Host, declared: &DeclaredComponent, stopped: &dyn Fn() -> bool) -> Outcome<bool> {
        let Some(part) = &declared.cluster else {
            return Ok(true);
        };
        let id = &declared.id;
        if part.artifact.is_some() {
            let fetched = match self.fetch(host, declared) {
                Some(fetch) => done(fetch?, stopped)?,
                None => true,
            };
            if !fetched || !start_component(host, declared, stopped)? {
                return Ok(false);
            }
        }
        let entered = match (part.accept_durable, part.announce) {
            (true, _) => done(self.cluster.accept_durable(id), stopped)?,
            (false, true) => done(self.cluster.announce(id), stopped)?,
            (false, false) => true,
        };
        Ok(entered && self.subscribe(declared, stopped)?)
    }

    /// Declares a component that is placed.
    fn declare(&self, declared: &DeclaredComponent, stopped: &dyn Fn() -> bool) -> Outcome<bool> {
        let labels = declared
            .cluster
            .as_ref()
            .and_then(|part| part.place_on.as_deref());
        let labels = names(labels.unwrap_or_default())?;
        let done = match wait(self.cluster.declare_component(&declared.id, labels), stopped) {
            Some(Err(error @ ClusterError::PlacementFull { .. })) => {
                return Err(Failure::from(error).advised(
                    "withdraw declarations that no host file has any more: airssys-wasm host undeclare ID",
                ));
            }
            Some(result) => result.map(|()| true)?,
            None => false,
        };
        Ok(done && self.subscribe(declared, stopped)?)
    }

    fn subscribe(&self, declared: &DeclaredComponent, stopped: &dyn Fn() -> bool) -> Outcome<bool> {
        let Some(part) = &declared.cluster else {
            return Ok(true);
        };
        for topic in &part.topics {
            if !done(self.cluster.subscribe_durable(&declared.id, topic), stopped)? {
                return Ok(false);
            }
        }
        for topic in &part.left_topics {
            if !done(self.cluster.unsubscribe_durable(&declared.id, topic), stopped)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Begins to fetch the artifact of a component. `None` if it has none.
    fn fetch(&self, host: &Host, declared: &DeclaredComponent) -> Option<Outcome<Pending<PathBuf>>> {
        let digest = declared.cluster.as_ref()?.artifact.as_ref()?;
        let folder = declared.path.parent().unwrap_or(Path::new("."));
        let fetch = || {
            let digest: ArtifactDigest = digest.parse().map_err(|error| Failure::new(Exit::Load, error))?;
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::new(Exit::Host, error).context(format!(
                    "the folder of artifacts, `{}`, cannot be created",
                    folder.display()
                ))
            })?;
            Ok(self.cluster.fetch_artifact(&digest, folder, &host.starter.trust))
        };
        Some(fetch())
    }
}

/// Reasons for which the host file does not allow the cluster to start a component here.
#[derive(Debug)]
enum Unplaceable {
    Undeclared(ComponentId),
    NoPlaceOn(ComponentId),
}

impl StdError for Unplaceable {}

impl fmt::Display for Unplaceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, reason, remedy) = match self {
            Unplaceable::Undeclared(id) => (
                id,
                "does not declare",
                "declare it with `place-on` on all hosts with its labels",
            ),
            Unplaceable::NoPlaceOn(id) => (
                id,
                "does not give `place-on` for",
                "add `place-on` to its [component.cluster]",
            ),
        };
        write!(
            f,
            "the host file {reason} `{id}`: {remedy}, or withdraw its declaration with `airssys-wasm host undeclare {id}`"
        )
    }
}

/// Starts and stops the components that the cluster places on this host.
struct Places(Weak<Host>);

impl Places {
    fn begin(&self, id: &ComponentId) -> Outcome<()> {
        let ended = || Failure::new(Exit::Host, anyhow::Error::msg("the host ends"));
        let host = self.0.upgrade().ok_or_else(ended)?;
        let refused = |reason: Unplaceable| Failure::new(Exit::Usage, reason);
        let declared = host.declared(id);
        let declared = declared.ok_or_else(|| refused(Unplaceable::Undeclared(id.clone())))?;
        if !host.is_placed(id) {
            return Err(refused(Unplaceable::NoPlaceOn(id.clone())));
        }
        let joined = host.joined.get().ok_or_else(ended)?;
        let leaves = || joined.cluster.state() == ClusterState::Left;
        if let Some(fetch) = joined.fetch(&host, declared) {
            wait(fetch?, leaves).ok_or_else(ended)??;
        }
        let begun = begin_component(&host, declared, &leaves);
        // The next start reads the file anew.
        host.starter.forget();
        // The host that leaves waits for this: one that is given up could run while another host starts it.
        let started = begun?.ok_or_else(ended)?.wait();
        started
            .map(drop)
            .map_err(|error| not_started(declared, error.into()))
    }
}

impl Placer for Places {
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.begin(id).map_err(|failure| failure.line().into())
    }

    fn stop(&self, id: &ComponentId) {
        let Some(host) = self.0.upgrade() else { return };
        if let Err(error) = host.runtime.stop_actor(id).wait() {
            log::warn!("`{id}`, which the cluster placed here, was not stopped: {error}");
        }
    }
}
