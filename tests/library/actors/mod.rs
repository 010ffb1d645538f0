//! Components as actors: messages, back-pressure, supervision, the end.

mod asynchronous;
mod backpressure;
mod document;
mod durable;
mod groups;
mod guests;
mod health;
mod instances;
use airssys_wasm_test_support::host as host_support;
mod messages;
mod shutdown;
mod soak;
mod supervision;
mod transfer;
mod update;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use airssys_wasm::actors::{ActorError, ActorEventKind, ActorEvents, ActorOptions, ActorSystem, Pending};
use airssys_wasm::artifact::Trust;
use airssys_wasm::engine::Backend;
use airssys_wasm::load::{LoadOptions, Loaded};
use airssys_wasm::security::Capability;
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use host_support::{Guest, fixture, id};

/// Time that nothing takes, for tests that wait.
const LONG: Duration = Duration::from_secs(60);

/// Orders to the guest, as numbers from 3 on are its answers.
const TRAP: u8 = 1;
const LOOP: u8 = 2;
/// Receives a message of another component, and answers 1 if there is one.
const RECEIVE: u8 = 200;
/// Sends a message to the component `a`, and answers 0.
const SEND: u8 = 201;

/// A guest that asks the host in `init` and in `execute` what to do, and then answers, traps or loops.
fn obedient() -> Vec<u8> {
    sending_to("a")
}

/// An obedient guest that sends its messages to `target`.
fn sending_to(target: &str) -> Vec<u8> {
    let more = r#"

            (data (i32.const 3000) "step")
            (data (i32.const 3056) "a")
            (data (i32.const 3008) "init")
            (func $obey (param $name i32) (param $args i32) (param $bytes i32) (result i32)
              (local $order i32)
              (call $call-host-function (local.get $name) (i32.const 4) (local.get $args) (local.get $bytes)
                (i32.const 3100))
              (if (i32.load8_u (i32.const 3100)) (then unreachable))
              (local.set $order (i32.load8_u (i32.load (i32.const 3104))))
              (if (i32.eq (local.get $order) (i32.const 1)) (then unreachable))
              (if (i32.eq (local.get $order) (i32.const 2)) (then (loop $forever (br $forever))))
              (local.get $order))
            (data (i32.const 3016) "TARGET")
            (func $work (param $order i32) (result i32)
              (if (i32.eq (local.get $order) (i32.const 200)) (then
                (call $receive-message (i32.const 3200))
                (return (call $answer (i32.load8_u (i32.const 3208))))))
              (if (i32.eq (local.get $order) (i32.const 201)) (then
                (call $send-message (i32.const 3016) (i32.const LENGTH) (i32.const 3056) (i32.const 1) (i32.const 3200))
                (return (call $answer (i32.load8_u (i32.const 3200))))))
              (call $answer (local.get $order)))"#;
    let more = more.replace("TARGET", target);
    let more = more.replace("LENGTH", &target.len().to_string());
    Guest {
        init: "(drop (call $obey (i32.const 3008) (i32.const 0) (i32.const 0))) i32.const 0",
        execute: "(call $work (call $obey (i32.const 3000) (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))",
        more: &more,
        ..Guest::default()
    }
    .build()
}

/// A runtime whose guests obey two functions: the first gets the component and the message.
fn commanded(
    backend: Backend,
    step: impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static,
    init: impl Fn(&str) -> u8 + Send + Sync + 'static,
) -> ComponentRuntime {
    let config = RuntimeConfig::builder()
        .with_backend(backend)
        .with_rt_actor_integration()
        .with_default_timeout(Duration::from_secs(20))
        .with_host_function("step", move |info, message| {
            Ok(vec![step(info.component.as_str(), message)])
        })
        .with_host_function("init", move |info, _| Ok(vec![init(info.component.as_str())]));
    ComponentRuntime::new(config.build().expect("it is available")).expect("the contract can be linked")
}

/// The default backend.
fn first() -> Backend {
    Backend::available()[0]
}

fn load(runtime: &ComponentRuntime, bytes: &[u8]) -> Loaded {
    let loaded = runtime
        .loader()
        .load(&bytes.into(), &Trust::default(), &LoadOptions::default());
    loaded.expect("it loads")
}

/// Starts an obedient guest.
fn start(
    runtime: &ComponentRuntime,
    system: &ActorSystem,
    name: &str,
    options: ActorOptions,
) -> Result<ComponentId, ActorError> {
    start_loaded(runtime, &load(runtime, &obedient()), system, name, options).wait()
}

fn start_loaded(
    runtime: &ComponentRuntime,
    loaded: &Loaded,
    system: &ActorSystem,
    name: &str,
    options: ActorOptions,
) -> Pending<ComponentId> {
    let component = ComponentOptions::new()
        .with_id(id(name))
        .with_capability(Capability::new("host-function:call").expect("a capability"));
    runtime.start_actor(loaded, component, system, options)
}

fn system(workers: usize) -> ActorSystem {
    ActorSystem::builder()
        .with_workers(workers)
        .build()
        .expect("there are threads")
}

/// Returns the kinds of the next events.
fn next(events: &ActorEvents, count: usize) -> Vec<ActorEventKind> {
    let next = |_| events.wait_next(LONG).expect("an event comes").kind;
    (0..count).map(next).collect()
}

/// Returns the names of the next events.
fn names(events: &ActorEvents, count: usize) -> Vec<&'static str> {
    let kinds = next(events, count).into_iter();
    kinds
        .map(|kind| match kind {
            ActorEventKind::Started => "started",
            ActorEventKind::Ready => "ready",
            ActorEventKind::Trapped { .. } => "trapped",
            ActorEventKind::Restarted { .. } => "restarted",
            ActorEventKind::GaveUp { .. } => "gave up",
            ActorEventKind::Degraded { .. } => "degraded",
            ActorEventKind::Recovered => "recovered",
            ActorEventKind::Escalated { .. } => "escalated",
            ActorEventKind::Replaced { .. } => "replaced",
            ActorEventKind::RolledBack { .. } => "rolled back",
            ActorEventKind::Stopped => "stopped",
            _ => "unknown",
        })
        .collect()
}

/// Holds host functions back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    /// Waits until the gate is open.
    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.1 += 1;
        changed.notify_all();
        drop(
            changed
                .wait_timeout_while(state, LONG, |(open, _)| !*open)
                .unwrap(),
        );
    }

    /// Waits until a number of calls have come to the gate.
    fn wait_for(&self, calls: usize) {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap();
        let (state, _) = changed
            .wait_timeout_while(state, LONG, |(_, came)| *came < calls)
            .unwrap();
        assert!(state.1 >= calls, "{} calls came", state.1);
    }

    fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().0 = true;
        changed.notify_all();
    }
}

/// Returns the number in an obedient guest's answer.
fn answer(pending: Pending<Vec<u8>>) -> Result<u8, ActorError> {
    pending.wait().map(|bytes| bytes[0])
}
