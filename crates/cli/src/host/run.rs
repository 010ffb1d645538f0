//! `host run`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use airssys_wasm::actors::{ActorEvent, ActorEventKind, ActorEvents, ActorSystem, ActorSystemError};
use airssys_wasm::host_file::{DeclaredComponent, HostFile};
#[cfg(feature = "durable")]
use airssys_wasm::store::{Store, StoreOptions};

#[cfg(feature = "nats")]
use super::join::join;
use super::logs::{self, Logs};
use super::running::{ClusterNames, Host, start_component};
use super::socket::Socket;
use super::start::{DRAIN_TIME, Starter};
use super::{cluster, file, server};
use crate::args::HostRunArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;
use crate::logging::{self, EVENTS};

/// Lines of the log and their bytes that are kept of each component without a setting.
const LOG: (usize, usize) = (1000, 1 << 20);

/// Longest time that clients have to read the last lines after all components have ended.
const SETTLE: Duration = Duration::from_secs(2);

/// Events that wait until they are logged.
const KEPT_EVENTS: usize = 10_000;

/// Runs `host run`.
pub(super) fn run(args: &HostRunArgs) -> Outcome {
    let file = file(&args.file)?;
    let joining = cluster::read(&file)?;
    let starter = Starter::new(&args.file, &file)?;
    let path = match &args.socket {
        Some(path) => path.clone(),
        None => file.host.socket_of(&args.file),
    };
    let socket = Socket::listen(&path)?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let host = Host {
        name: file.host.name.clone().unwrap_or_else(|| stem.into_owned()),
        started: Instant::now(),
        runtime: starter.runtime.clone(),
        system: system(&file)?,
        components: file
            .components
            .iter()
            .map(|component| component.id.clone())
            .collect(),
        declared: file.components.clone(),
        groups: file
            .groups
            .iter()
            .map(|group| (group.name.clone(), group.group()))
            .collect(),
        starter,
        joined: OnceLock::new(),
        cluster: file.cluster.as_ref().map(ClusterNames::of),
        is_joining: AtomicBool::new(joining.is_some()),
        logs: Logs::new(
            file.components.iter().map(|component| &component.id),
            file.host.log_lines.unwrap_or(LOG.0),
            file.host.log_bytes.unwrap_or(LOG.1),
        ),
    };
    logging::keep(Box::new(host.logs.clone()), logs::LEVEL.to_level_filter());
    let stop = Stop::watch()?;
    let events = watch(host.system.subscribe(KEPT_EVENTS))?;
    let host = Arc::new(host);
    let drain_time = file.host.drain_time.map_or(DRAIN_TIME, |time| time.duration());
    let mut connections = None;
    let stopped = || stop.asked();
    let started = start(&host, &stopped).and_then(|started| {
        if !started {
            return Ok(false);
        }
        // Joining may take as long as the lease of a host that was killed: a client reads that.
        connections = Some(server::start(&socket, host.clone())?);
        match joining {
            Some(joining) => join(&host, joining, &stopped),
            None => Ok(true),
        }
    });
    let result = started.map(|started| {
        if started {
            host.starter.forget();
            host.is_joining.store(false, Ordering::Release);
            let joined = host.joined.get().map(|joined| format!("{}, ", joined.told()));
            eprintln!(
                "running {}: {} components, {}socket {}",
                crate::text::line(&host.name),
                host.components.len(),
                joined.unwrap_or_default(),
                crate::text::line(&socket.path().to_string_lossy())
            );
            stop.wait();
        }
    });
    let drained = drain(&host, drain_time, events);
    host.logs.close();
    if let Some(connections) = connections {
        connections.settle(SETTLE);
    }
    // The error that ended the host is the one to report.
    result.and(drained).map(|()| Exit::Done)
}

fn system(file: &HostFile) -> Outcome<ActorSystem> {
    let mut system = ActorSystem::builder();
    if let Some(workers) = file.host.workers {
        system = system.with_workers(workers);
    }
    if let Some(messages) = file.host.turn_messages {
        system = system.with_turn_messages(messages);
    }
    #[cfg(feature = "durable")]
    if let Some(path) = &file.host.store {
        let store = Store::open(StoreOptions::new(path.clone()));
        system = system.with_store(store.map_err(|error| Failure::new(Exit::Host, error))?);
    }
    #[cfg(not(feature = "durable"))]
    if file.host.store.is_some() {
        return Err(Failure::usage(
            "this program was built without the feature `durable`: remove `store` of [host], or use one that has it",
        ));
    }
    system.build().map_err(|error| match error {
        ActorSystemError::Options(_) => Failure::new(Exit::Usage, error),
        error => Failure::new(Exit::Host, error),
    })
}

/// Never called: without the feature, there is no cluster to join.
#[cfg(not(feature = "nats"))]
fn join(_: &Arc<Host>, joining: cluster::Joining, _: &dyn Fn() -> bool) -> Outcome<bool> {
    match joining {}
}

/// Starts the components in their order, without those that the cluster has or places. Returns false if the host was asked to end
/// meanwhile.
fn start(host: &Host, stopped: &dyn Fn() -> bool) -> Outcome<bool> {
    let of_cluster = |declared: &DeclaredComponent| {
        let part = declared.cluster.as_ref();
        part.is_some_and(|part| part.place_on.is_some() || part.artifact.is_some())
    };
    for declared in host.declared.iter().filter(|declared| !of_cluster(declared)) {
        if !start_component(host, declared, stopped)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Leaves the cluster, then shuts all components down: messages of other hosts are answered by components that run.
///
/// # Errors
/// Messages were not handled, or a call could not be stopped.
fn drain(host: &Host, time: Duration, events: JoinHandle<()>) -> Outcome<()> {
    let before = host.system.counters();
    log::info!(target: EVENTS, "draining, at most {time:?}: {} messages wait or are handled", before.in_flight);
    let end = Instant::now().checked_add(time);
    if let Some(joined) = host.joined.get() {
        joined.leave(time / 2);
        log::info!(target: EVENTS, "left the cluster: {}", joined.told());
    }
    let left = end.map_or(time, |end| end.saturating_duration_since(Instant::now()));
    let report = host.system.shutdown(left).wait()?;
    if report.unfinished > 0 {
        return Err(limit(format!(
            "{} components did not end within {time:?} and one second: they are in functions that cannot be interrupted",
            report.unfinished
        )));
    }
    // The last events are logged before the host ends.
    let _ = events.join();
    match report.counters.dead_lettered.saturating_sub(before.dead_lettered) {
        0 => Ok(()),
        unhandled => Err(limit(format!(
            "{unhandled} messages were not handled, and became dead letters while the host drained: raise `drain-time` if its \
             {time:?} were too short"
        ))),
    }
}

fn limit(message: String) -> Failure {
    Failure::new(Exit::Trap, anyhow::Error::msg(message))
}

/// Logs the events of all actors, on a thread that ends with their system.
fn watch(events: ActorEvents) -> Outcome<JoinHandle<()>> {
    let work = move || {
        let mut lost = 0;
        while let Some(event) = events.wait_next(Duration::MAX) {
            if events.lost() > lost {
                log::warn!(target: EVENTS, "{} events were dropped", events.lost() - lost);
                lost = events.lost();
            }
            tell(&event);
        }
    };
    let started = thread::Builder::new().name("host-events".to_owned()).spawn(work);
    started.map_err(|error| Failure::new(Exit::Host, error).context("the events cannot be logged"))
}

fn tell(event: &ActorEvent) {
    let id = event.id.as_str();
    match &event.kind {
        ActorEventKind::Started => log::info!(target: EVENTS, component = id; "started"),
        ActorEventKind::Ready => log::info!(target: EVENTS, component = id; "ready"),
        ActorEventKind::Trapped { error } => {
            log::warn!(target: EVENTS, component = id; "ended: {}", crate::text::line(error));
        }
        ActorEventKind::Restarted { restarts } => {
            log::info!(target: EVENTS, component = id; "restarted ({restarts} so far)");
        }
        ActorEventKind::GaveUp { restarts, error } => {
            let error = crate::text::line(error);
            log::error!(target: EVENTS, component = id; "gave up after {restarts} restarts: {error}");
        }
        ActorEventKind::Stopped => log::info!(target: EVENTS, component = id; "stopped"),
        ActorEventKind::Replaced { version } => {
            log::info!(target: EVENTS, component = id; "replaced by version {version}");
        }
        ActorEventKind::RolledBack { version, error } => {
            let error = crate::text::line(error);
            log::warn!(target: EVENTS, component = id; "version {version} failed its trial: {error}");
        }
        other => log::info!(target: EVENTS, component = id; "{}", crate::text::line(&format!("{other:?}"))),
    }
}

/// Requests of signals to end.
struct Stop {
    asked: Arc<AtomicBool>,
    wake: Receiver<()>,
}

impl Stop {
    /// Installs the handler of Ctrl-C and SIGTERM. The second signal ends the process.
    fn watch() -> Outcome<Stop> {
        let asked = Arc::new(AtomicBool::new(false));
        let seen = asked.clone();
        let (wake, woken) = channel();
        let handle = move || {
            if seen.swap(true, Ordering::SeqCst) {
                std::process::exit(Exit::Interrupted.code().into());
            }
            // The other side may be gone, while the components start.
            let _ = wake.send(());
        };
        ctrlc::set_handler(handle).map_err(interrupt::unwatched)?;
        Ok(Stop { asked, wake: woken })
    }

    fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    fn wait(&self) {
        // The handler keeps the other side.
        let _ = self.wake.recv();
    }
}
