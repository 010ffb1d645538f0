//! The commands of the socket.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use airssys_wasm::actors::{
    ActorCounters, ActorError, ActorPhase, ReplaceOptions, SendOptions, StateTransfer,
};
use airssys_wasm::runtime::RuntimeError;
use airssys_wasm::{ComponentId, Error};
use serde_json::{Value, json};

use super::cluster::Joined;
use super::protocol::{self, MAX_ANSWER_BYTES, from_hex};
use super::running::{ClusterNames, Host};
use super::socket::is_closed;
use super::wait::{LOOK, wait};
use crate::exit::{Exit, Failure, Outcome};
use crate::load;
use crate::logging::EVENTS;

/// Lines of a log that are read at once.
const BATCH: usize = 256;

/// Runs the command of a request. Returns the result; `None` if the client is gone.
pub(super) fn answer(host: &Host, request: &Value, stream: &mut UnixStream) -> Outcome<Option<Value>> {
    match request["command"].as_str() {
        Some("ps") => return Ok(Some(ps(host))),
        Some("logs") => return logs(host, request, stream),
        _ => host.check_joined()?,
    }
    match request["command"].as_str() {
        Some("send") => send(host, request, stream),
        Some("replace") => replace(host, request, stream),
        Some("rollback") => {
            let id = id(host, request)?;
            let rolled_back = wait(host.runtime.rollback(&id), || is_closed(stream)).transpose()?;
            Ok(rolled_back.map(|replaced| json!({ "id": id.as_str(), "version": replaced.version })))
        }
        Some("publish") => publish(host, request, stream),
        Some("stop") => {
            let id = id(host, request)?;
            withdraw(host, &id)?;
            let stopped = wait(host.runtime.stop_actor(&id), || is_closed(stream));
            Ok(stopped.transpose()?.map(|()| json!({ "id": id.as_str() })))
        }
        Some("undeclare") => undeclare(host, request, stream),
        _ => Err(Failure::usage(
            "the request has no `command` that the host knows: ps, logs, send, replace, rollback, publish, stop, undeclare",
        )),
    }
}

/// Removes a component that is to be stopped from the registry of the cluster.
///
/// # Errors
/// The cluster decides where the component runs.
fn withdraw(host: &Host, id: &ComponentId) -> Outcome<()> {
    if host.is_placed(id) {
        return Err(Failure::usage(format!(
            "the cluster places `{id}`, and would start it again: remove it from the host files, and withdraw its declaration \
             with `airssys-wasm host undeclare {id}`"
        )));
    }
    let part = host.declared(id).and_then(|declared| declared.cluster.as_ref());
    let is_entered = part.is_some_and(|part| part.announce || part.accept_durable);
    if let Some(joined) = host.joined.get()
        && is_entered
        && let Err(failure) = joined.withdraw(id)
    {
        // The cluster tries again with each renewal of the host's lease.
        log::warn!(target: EVENTS, component = id.as_str(); "it is still in the registry of the cluster: {failure}");
    }
    Ok(())
}

fn ps(host: &Host) -> Value {
    let rows = host
        .components
        .iter()
        .map(|id| match host.runtime.actor_status(id) {
            Ok(status) => json!({
                "id": id.as_str(),
                "state": phase(status.phase),
                "instances": status.instances,
                "restarts": status.restarts,
                "waiting": status.waiting,
                "waiting-bytes": status.waiting_bytes,
                "waiting-senders": status.waiting_senders,
                "messages": counters(&status.counters),
            }),
            Err(_) if host.is_placed(id) => json!({ "id": id.as_str(), "state": "elsewhere" }),
            // It was stopped and is unloaded, or waits for its artifact while the host joins.
            Err(_) => json!({ "id": id.as_str(), "state": "unloaded" }),
        });
    json!({
        "name": host.name,
        "process": std::process::id(),
        "running-seconds": host.started.elapsed().as_secs(),
        "workers": host.system.workers(),
        "cluster": cluster(host),
        "components": rows.collect::<Vec<_>>(),
        "messages": counters(&host.system.counters()),
    })
}

/// Returns the state in the cluster; `None` for a host without one.
fn cluster(host: &Host) -> Option<Value> {
    let joining =
        |names: &ClusterNames| json!({ "name": names.cluster, "host": names.host, "state": "joining" });
    let joined = || host.joined.get().map(Joined::ps);
    host.joining().map(joining).or_else(joined)
}

fn phase(phase: ActorPhase) -> &'static str {
    match phase {
        ActorPhase::Ready => "ready",
        ActorPhase::Restarting => "restarting",
        ActorPhase::Stopping => "stopping",
        ActorPhase::Stopped => "stopped",
        ActorPhase::GaveUp => "gave-up",
        _ => "other",
    }
}

fn counters(counters: &ActorCounters) -> Value {
    json!({
        "sent": counters.sent,
        "delivered": counters.delivered,
        "refused": counters.refused,
        "dead-lettered": counters.dead_lettered,
        "canceled": counters.canceled,
        "in-flight": counters.in_flight,
    })
}

fn logs(host: &Host, request: &Value, stream: &mut UnixStream) -> Outcome<Option<Value>> {
    let id = id(host, request)?;
    let follow = request["follow"].as_bool().unwrap_or_default();
    let (mut next, mut lost) = (0, 0);
    loop {
        let time = if follow { LOOK } else { Duration::ZERO };
        let Some(read) = host.logs.read(id.as_str(), next, BATCH, time) else {
            return Err(unknown(host, id.as_str()));
        };
        // A log does not begin with its first line.
        lost += read.lost;
        for line in &read.lines {
            if protocol::write_line(stream, "line", line.json()).is_err() {
                return Ok(None);
            }
        }
        next = read.next;
        if read.closed || (!follow && read.lines.len() < BATCH) {
            return Ok(Some(json!({ "lost": lost })));
        }
        if is_closed(stream) {
            return Ok(None);
        }
    }
}

fn send(host: &Host, request: &Value, stream: &mut UnixStream) -> Outcome<Option<Value>> {
    let payload = request["payload"].as_str().and_then(from_hex);
    let Some(payload) = payload else {
        return Err(Failure::usage(
            "`payload` of the request is not a text of hexadecimal digits",
        ));
    };
    let time = match &request["timeout-ms"] {
        Value::Null => None,
        time => match time.as_u64() {
            Some(millis) => Some(Duration::from_millis(millis)),
            None => {
                return Err(Failure::usage(
                    "`timeout-ms` of the request is not a whole number",
                ));
            }
        },
    };
    let to = request["id"].as_str().unwrap_or_default();
    let is_durable = match &request["durable"] {
        Value::Null => false,
        Value::Bool(is_durable) => *is_durable,
        _ => return Err(Failure::usage("`durable` of the request is not true or false")),
    };
    if is_durable {
        let message_id = match &request["message-id"] {
            Value::Null => None,
            Value::String(id) => Some(id.as_str()),
            _ => return Err(Failure::usage("`message-id` of the request is not a text")),
        };
        return joined(host)?.send_durable(to, payload, message_id, time, || is_closed(stream));
    }
    let options = match time {
        Some(time) => SendOptions::new().with_timeout(time),
        None => SendOptions::new(),
    };
    let answer = match receiver(host, to)? {
        Receiver::Here(id) => {
            let answer = host.runtime.send_message_to_component_with(&id, payload, options);
            wait(answer, || is_closed(stream)).transpose()?
        }
        Receiver::Elsewhere(joined) => joined.send(to, payload, options, || is_closed(stream))?,
    };
    let Some(answer) = answer else {
        return Ok(None);
    };
    if answer.len() > MAX_ANSWER_BYTES {
        let message = format!(
            "the answer of `{to}` has {} bytes, more than the {MAX_ANSWER_BYTES} that the socket passes on",
            answer.len()
        );
        return Err(Failure::new(Exit::Trap, anyhow::Error::msg(message)));
    }
    Ok(Some(json!({ "payload": crate::run::hex(&answer) })))
}

/// The place of the component that a message is for.
enum Receiver<'h> {
    Here(ComponentId),
    Elsewhere(&'h Joined),
}

/// Finds a component of this host, or else of the cluster. One that the cluster places is where it runs.
fn receiver<'h>(host: &'h Host, named: &str) -> Outcome<Receiver<'h>> {
    let found = host.components.iter().find(|id| id.as_str() == named);
    let is_elsewhere = match found {
        Some(id) => host.is_placed(id) && host.runtime.actor_status(id).is_err(),
        None => true,
    };
    match (host.joined.get(), found) {
        (Some(joined), _) if is_elsewhere => Ok(Receiver::Elsewhere(joined)),
        (_, Some(id)) => Ok(Receiver::Here(id.clone())),
        (_, None) => Err(unknown(host, named)),
    }
}

fn publish(host: &Host, request: &Value, stream: &UnixStream) -> Outcome<Option<Value>> {
    let Some(path) = request["path"].as_str() else {
        return Err(Failure::usage("`path` of the request is not a text"));
    };
    let published = joined(host)?.publish(path.as_ref(), || is_closed(stream))?;
    Ok(published.map(|digest| json!({ "digest": digest })))
}

/// Withdraws the declaration of a component that the cluster places. No host needs to have it in its file.
fn undeclare(host: &Host, request: &Value, stream: &UnixStream) -> Outcome<Option<Value>> {
    let id = ComponentId::new(request["id"].as_str().unwrap_or_default())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let undeclared = joined(host)?.undeclare(&id, || is_closed(stream))?;
    Ok(undeclared.map(|()| json!({ "id": id.as_str() })))
}

fn joined(host: &Host) -> Outcome<&Joined> {
    let joined = host.joined.get();
    joined.ok_or_else(|| Failure::usage("the host is in no cluster: declare one with [cluster] in its file"))
}

fn replace(host: &Host, request: &Value, stream: &UnixStream) -> Outcome<Option<Value>> {
    let id = id(host, request)?;
    let mut declared = host
        .declared(&id)
        .cloned()
        .ok_or_else(|| unknown(host, id.as_str()))?;
    let Some(path) = request["path"].as_str() else {
        return Err(Failure::usage("`path` of the request is not a text"));
    };
    declared.path = path.into();
    declared.manifest = request["manifest"].as_str().map(Into::into);
    let number = |key: &str, default: u64| match &request[key] {
        Value::Null => Ok(default),
        number => number
            .as_u64()
            .ok_or_else(|| Failure::usage(format!("`{key}` of the request is not a whole number"))),
    };
    // The library refuses numbers outside their ranges.
    let small =
        |key: &str, default| Ok::<_, Failure>(u32::try_from(number(key, default)?).unwrap_or(u32::MAX));
    let (share, trial) = (small("share", 100)?, small("trial-messages", 0)?);
    let trial_time = Duration::from_millis(number("trial-time-ms", 60_000)?);
    let max_errors = small("max-error-percent", 0)?;
    let (version, component) = host.starter.new_version(&declared)?;
    let mut options = ReplaceOptions::new()
        .with_component(component)
        .with_trust(host.starter.trust.clone())
        .with_share(share)
        .with_trial(trial, trial_time)
        .with_max_errors(max_errors);
    if request["keep-state"].as_bool().unwrap_or_default() {
        options = options.with_state(StateTransfer::Operations);
    }
    let replaced = host.runtime.replace_component(&id, version, options);
    let replaced = wait(replaced, || is_closed(stream)).transpose();
    let replaced = replaced.map_err(|error| not_replaced(&declared.path, error))?;
    Ok(replaced.map(|replaced| json!({ "id": id.as_str(), "version": replaced.version })))
}

/// Says of a new version that is not compiled which file it is of.
fn not_replaced(path: &Path, error: ActorError) -> Failure {
    match error {
        ActorError::Runtime(RuntimeError::Load(error))
            if !matches!(
                error,
                Error::MissingImport { .. }
                    | Error::ImportType { .. }
                    | Error::Instantiate(_)
                    | Error::Trap(_)
            ) =>
        {
            load::cannot(path, error.into())
        }
        #[cfg(feature = "adapt")]
        ActorError::Runtime(RuntimeError::CoreModule(error)) => {
            load::cannot(path, Failure::new(Exit::Load, error))
        }
        error => error.into(),
    }
}

/// Returns the component that a request names.
fn id(host: &Host, request: &Value) -> Outcome<ComponentId> {
    let named = request["id"].as_str().unwrap_or_default();
    let found = host.components.iter().find(|id| id.as_str() == named);
    found.cloned().ok_or_else(|| unknown(host, named))
}

fn unknown(host: &Host, named: &str) -> Failure {
    const SHOWN: usize = 20;
    let known: Vec<_> = host.components.iter().take(SHOWN).map(|id| id.as_str()).collect();
    let more = if host.components.len() > SHOWN {
        ", …"
    } else {
        ""
    };
    Failure::usage(format!(
        "the host has no component `{}`; it has {}{more}",
        named.chars().take(128).collect::<String>(),
        known.join(", ")
    ))
}

impl From<ActorError> for Failure {
    fn from(error: ActorError) -> Failure {
        let exit = match error {
            ActorError::Runtime(error) => return error.into(),
            ActorError::Unknown(_)
            | ActorError::Options(_)
            | ActorError::Replacing(_)
            | ActorError::NoEarlierVersion(_)
            | ActorError::Stopped(_) => Exit::Usage,
            ActorError::Unhealthy { .. } | ActorError::Transfer { .. } | ActorError::RolledBack { .. } => {
                Exit::Answered
            }
            ActorError::Full { .. }
            | ActorError::TooLarge { .. }
            | ActorError::Displaced(_)
            | ActorError::Expired { .. }
            | ActorError::Poison { .. }
            | ActorError::GaveUp { .. } => Exit::Trap,
            _ => Exit::Host,
        };
        Failure::new(exit, error)
    }
}
