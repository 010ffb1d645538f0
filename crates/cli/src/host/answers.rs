//! The commands of the socket.

use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentId;
use airssys_wasm::ComponentRuntime;
use airssys_wasm::actors::{
    ActorCounters, ActorError, ActorPhase, ActorSystem, Pending, ReplaceOptions, SendOptions, StateTransfer,
};
use airssys_wasm::host_file::{DeclaredComponent, DeclaredGroup};
use serde_json::{Value, json};

use super::logs::Logs;
use super::protocol::{self, MAX_ANSWER_BYTES, from_hex};
use super::socket::is_closed;
use super::start::Starter;
use crate::exit::{Exit, Failure, Outcome};

/// Interval at which a command that waits looks whether its client is still there.
const LOOK: Duration = Duration::from_millis(250);

/// Lines of a log that are read at once.
const BATCH: usize = 256;

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
    pub(super) groups: Vec<DeclaredGroup>,
    pub(super) starter: Starter,
    pub(super) logs: Logs,
}

/// Runs the command of a request. Returns the result; `None` if the client is gone.
pub(super) fn answer(host: &Host, request: &Value, stream: &mut UnixStream) -> Outcome<Option<Value>> {
    match request["command"].as_str() {
        Some("ps") => Ok(Some(ps(host))),
        Some("logs") => logs(host, request, stream),
        Some("send") => send(host, request, stream),
        Some("replace") => replace(host, request, stream),
        Some("rollback") => {
            let id = id(host, request)?;
            let rolled_back = wait(host.runtime.rollback(&id), || is_closed(stream)).transpose()?;
            Ok(rolled_back.map(|replaced| json!({ "id": id.as_str(), "version": replaced.version })))
        }
        Some("stop") => {
            let id = id(host, request)?;
            let stopped = wait(host.runtime.stop_actor(&id), || is_closed(stream));
            Ok(stopped.transpose()?.map(|()| json!({ "id": id.as_str() })))
        }
        _ => Err(Failure::usage(
            "the request has no `command` that the host knows: ps, logs, send, replace, rollback, stop",
        )),
    }
}

fn ps(host: &Host) -> Value {
    let rows = host
        .components
        .iter()
        .map(|id| match host.runtime.actor_status(id) {
            Ok(status) => json!({
                "id": id.as_str(),
                "state": phase(status.phase),
                "restarts": status.restarts,
                "waiting": status.waiting,
                "waiting-bytes": status.waiting_bytes,
                "waiting-senders": status.waiting_senders,
                "messages": counters(&status.counters),
            }),
            // It was stopped, and is unloaded.
            Err(_) => json!({ "id": id.as_str(), "state": "unloaded" }),
        });
    json!({
        "name": host.name,
        "process": std::process::id(),
        "running-seconds": host.started.elapsed().as_secs(),
        "workers": host.system.workers(),
        "components": rows.collect::<Vec<_>>(),
        "messages": counters(&host.system.counters()),
    })
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
    let id = id(host, request)?;
    let payload = request["payload"].as_str().and_then(from_hex);
    let Some(payload) = payload else {
        return Err(Failure::usage(
            "`payload` of the request is not a text of hexadecimal digits",
        ));
    };
    let mut options = SendOptions::new();
    match &request["timeout-ms"] {
        Value::Null => {}
        time => match time.as_u64() {
            Some(millis) => options = options.with_timeout(Duration::from_millis(millis)),
            None => {
                return Err(Failure::usage(
                    "`timeout-ms` of the request is not a whole number",
                ));
            }
        },
    }
    let answer = host.runtime.send_message_to_component_with(&id, payload, options);
    let Some(answer) = wait(answer, || is_closed(stream)) else {
        return Ok(None);
    };
    let answer = answer?;
    if answer.len() > MAX_ANSWER_BYTES {
        let message = format!(
            "the answer of `{id}` has {} bytes, more than the {MAX_ANSWER_BYTES} that the socket passes on",
            answer.len()
        );
        return Err(Failure::new(Exit::Trap, anyhow::Error::msg(message)));
    }
    Ok(Some(json!({ "payload": crate::run::hex(&answer) })))
}

fn replace(host: &Host, request: &Value, stream: &UnixStream) -> Outcome<Option<Value>> {
    let id = id(host, request)?;
    let found = host.declared.iter().find(|declared| declared.id == id);
    let mut declared = found.cloned().ok_or_else(|| unknown(host, id.as_str()))?;
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
    let (loaded, component) = host.starter.load_again(&declared)?;
    let mut options = ReplaceOptions::new()
        .with_component(component)
        .with_share(share)
        .with_trial(trial, trial_time)
        .with_max_errors(max_errors);
    if request["keep-state"].as_bool().unwrap_or_default() {
        options = options.with_state(StateTransfer::Operations);
    }
    let replaced = host.runtime.replace_component(&id, loaded, options);
    let replaced = wait(replaced, || is_closed(stream)).transpose()?;
    Ok(replaced.map(|replaced| json!({ "id": id.as_str(), "version": replaced.version })))
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

/// Waits for a result as long as `given_up` is false. `None` then, and the operation is given up.
pub(super) fn wait<T>(mut pending: Pending<T>, given_up: impl Fn() -> bool) -> Option<Result<T, ActorError>> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = Pin::new(&mut pending).poll(&mut context) {
            return Some(result);
        }
        if given_up() {
            return None;
        }
        thread::park_timeout(LOOK);
    }
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
