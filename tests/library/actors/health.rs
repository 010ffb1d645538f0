//! Health probes: degraded and unhealthy components, and calls of `health` that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm::actors::{
    ActorError, ActorEventKind, ActorOptions, ActorPhase, HealthProbe, InvalidActorOptions, ReplaceOptions,
    RestartPolicy,
};
use airssys_wasm::engine::Backend;
use airssys_wasm::{ComponentId, ComponentRuntime, RuntimeConfig};

use super::host_support::Guest;
use super::{LONG, answer, first, load, names, next, start_loaded, system};

const HEALTHY: u8 = 0;
const DEGRADED: u8 = 1;
const UNHEALTHY: u8 = 2;
const TRAPS: u8 = 3;
const HANGS: u8 = 4;

/// A guest whose health is that of its host, and that answers messages with 9.
fn patient() -> Vec<u8> {
    patient_that_answers(9)
}

fn patient_that_answers(number: u8) -> Vec<u8> {
    patient_of("(i32.const 0)", number)
}

/// A guest that asks for its health with as many bytes, and answers messages with a number.
fn patient_of(bytes: &str, number: u8) -> Vec<u8> {
    let more = HEALTH.replace("BYTES", bytes);
    Guest {
        execute: &format!("(call $answer (i32.const {number}))"),
        health: "(call $state)",
        more: &more,
        ..Guest::default()
    }
    .build()
}

const HEALTH: &str = r#"
    (data (i32.const 3000) "health")
    (func $state (result i32)
      (local $order i32)
      (call $call-host-function (i32.const 3000) (i32.const 6) (i32.const 3000) BYTES (i32.const 3100))
      (if (i32.load8_u (i32.const 3100)) (then unreachable))
      (local.set $order (i32.load8_u (i32.load (i32.const 3104))))
      (if (i32.eq (local.get $order) (i32.const 3)) (then unreachable))
      (if (i32.eq (local.get $order) (i32.const 4)) (then (loop $forever (br $forever))))
      (i32.store8 (i32.const 3200) (local.get $order))
      (i32.const 3200))"#;

struct Clinic {
    runtime: ComponentRuntime,
    /// The health that guests report.
    state: Arc<AtomicU8>,
    probes: Arc<AtomicU32>,
    /// The health that was reported last.
    last: Arc<AtomicU8>,
}

fn clinic(backend: Backend) -> Clinic {
    let (state, probes) = (Arc::new(AtomicU8::new(HEALTHY)), Arc::new(AtomicU32::new(0)));
    let last = Arc::new(AtomicU8::new(HEALTHY));
    let (now, count, reported) = (state.clone(), probes.clone(), last.clone());
    let config = RuntimeConfig::builder()
        .with_backend(backend)
        .with_host_function("health", move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            let state = now.load(Ordering::SeqCst);
            reported.store(state, Ordering::SeqCst);
            Ok(vec![state])
        });
    Clinic {
        runtime: ComponentRuntime::new(config.build().unwrap()).unwrap(),
        state,
        probes,
        last,
    }
}

impl Clinic {
    fn becomes(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
    }

    /// Waits for as many probes more.
    fn wait(&self, probes: u32) {
        let (begin, until) = (Instant::now(), self.probes.load(Ordering::SeqCst) + probes);
        while self.probes.load(Ordering::SeqCst) < until {
            assert!(begin.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn probed() -> ActorOptions {
    let probe = HealthProbe::every(Duration::from_millis(5))
        .with_failures(3)
        .with_timeout(LONG);
    ActorOptions::new().with_health(probe).with_restarts(quick())
}

/// Restarts at once, and as often as a component fails until its test makes it healthy.
fn quick() -> RestartPolicy {
    RestartPolicy::default()
        .with_pauses(Duration::from_millis(1), Duration::from_millis(1))
        .with_intensity(10_000, LONG)
}

#[test]
fn a_degraded_component_is_reported_once_and_again_when_it_recovers() {
    let clinic = clinic(first());
    let system = system(2);
    let events = system.subscribe(100);
    let loaded = load(&clinic.runtime, &patient());
    let id = start_loaded(&clinic.runtime, &loaded, &system, "a", probed())
        .wait()
        .unwrap();
    clinic.wait(3);
    clinic.becomes(DEGRADED);
    assert_eq!(names(&events, 3), ["started", "ready", "degraded"]);
    clinic.wait(3);
    clinic.becomes(HEALTHY);
    assert_eq!(names(&events, 1), ["recovered"]);
    assert_eq!(
        answer(clinic.runtime.send_message_to_component(&id, [0])).unwrap(),
        9
    );
    let status = clinic.runtime.actor_status(&id).unwrap();
    assert_eq!(
        (status.restarts, status.counters.sent),
        (0, 1),
        "probes are no messages"
    );
    assert!(system.counters().add_up());
}

#[test]
fn an_unhealthy_component_is_replaced_on_each_backend() {
    for backend in Backend::available() {
        for state in [UNHEALTHY, TRAPS] {
            let clinic = clinic(*backend);
            let system = system(2);
            let events = system.subscribe(1000);
            let loaded = load(&clinic.runtime, &patient());
            let id = start_loaded(&clinic.runtime, &loaded, &system, "a", probed())
                .wait()
                .unwrap();
            clinic.wait(1);
            clinic.becomes(state);
            let begin = Instant::now();
            while clinic.runtime.actor_status(&id).unwrap().restarts == 0 {
                assert!(begin.elapsed() < LONG, "{backend} {state}");
                std::thread::sleep(Duration::from_millis(1));
            }
            clinic.becomes(HEALTHY);
            assert_eq!(
                answer(clinic.runtime.send_message_to_component(&id, [0])).unwrap(),
                9
            );
            let mut kinds = next(&events, 3);
            if state == UNHEALTHY {
                assert!(matches!(kinds[2], ActorEventKind::Degraded { .. }), "{kinds:?}");
                kinds = next(&events, 1);
            }
            let expected = match state {
                UNHEALTHY => "unhealthy in 3 probes",
                _ => "unreachable",
            };
            let Some(ActorEventKind::Trapped { error }) = kinds.last() else {
                panic!("{kinds:?}");
            };
            assert!(error.contains(expected), "{error}");
            assert!(system.take_dead_letters().is_empty() && system.counters().add_up());
        }
    }
}

#[test]
fn a_component_that_stays_unhealthy_gives_up() {
    let clinic = clinic(first());
    clinic.becomes(UNHEALTHY);
    let system = system(2);
    let loaded = load(&clinic.runtime, &patient());
    let options = probed().with_restarts(quick().with_intensity(2, LONG));
    let id = start_loaded(&clinic.runtime, &loaded, &system, "a", options)
        .wait()
        .unwrap();
    let begin = Instant::now();
    while clinic.runtime.actor_status(&id).unwrap().phase != ActorPhase::GaveUp {
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent = clinic.runtime.send_message_to_component(&id, [0]).wait();
    assert!(
        matches!(&sent, Err(ActorError::GaveUp { last, .. }) if last.contains("unhealthy")),
        "{sent:?}"
    );
    assert_eq!(clinic.runtime.actor_status(&id).unwrap().restarts, 2);
}

#[test]
fn a_call_of_health_that_hangs_ends_with_its_time() {
    let clinic = clinic(first());
    let system = system(2);
    let probe = HealthProbe::every(Duration::from_millis(5)).with_timeout(Duration::from_millis(20));
    let options = probed().with_health(probe);
    let loaded = load(&clinic.runtime, &patient());
    let id = start_loaded(&clinic.runtime, &loaded, &system, "a", options)
        .wait()
        .unwrap();
    clinic.wait(1);
    clinic.becomes(HANGS);
    let begin = Instant::now();
    while clinic.runtime.actor_status(&id).unwrap().restarts == 0 {
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    clinic.becomes(HEALTHY);
    assert_eq!(
        answer(clinic.runtime.send_message_to_component(&id, [0])).unwrap(),
        9
    );
}

#[test]
fn a_shutdown_does_not_wait_for_a_call_of_health_that_hangs() {
    let clinic = clinic(first());
    let system = system(1);
    let probe = HealthProbe::every(Duration::from_millis(5)).with_timeout(LONG);
    let options = probed().with_health(probe);
    let loaded = load(&clinic.runtime, &patient());
    start_loaded(&clinic.runtime, &loaded, &system, "a", options)
        .wait()
        .unwrap();
    clinic.becomes(HANGS);
    let begin = Instant::now();
    while clinic.last.load(Ordering::SeqCst) != HANGS {
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    let report = system.shutdown(Duration::from_millis(10)).wait().unwrap();
    // The call is stopped after the time; its thread may need longer to end.
    let ended = report.unfinished == 0 || system.shutdown(LONG).wait().unwrap().unfinished == 0;
    assert!(ended, "{report:?}");
    assert!(begin.elapsed() < LONG);
}

#[test]
fn an_unhealthy_version_is_rolled_back_on_its_trial() {
    let clinic = clinic(first());
    let system = system(2);
    let loaded = load(&clinic.runtime, &patient());
    let id = start_loaded(&clinic.runtime, &loaded, &system, "a", probed())
        .wait()
        .unwrap();
    let trial = ReplaceOptions::new().with_trial(1000, LONG);
    let candidate = load(&clinic.runtime, &patient_that_answers(10));
    let replaced = clinic.runtime.replace_component(&id, candidate, trial);
    wait_for_trial(&clinic.runtime, &id);
    clinic.becomes(UNHEALTHY);
    let Err(ActorError::RolledBack { reason, .. }) = replaced.wait() else {
        panic!("it was not rolled back");
    };
    clinic.becomes(HEALTHY);
    assert!(reason.contains("unhealthy in 3 probes"), "{reason}");
    assert_eq!(
        answer(clinic.runtime.send_message_to_component(&id, [0])).unwrap(),
        9
    );
}

/// Waits until a version that answers 10 has handled a message: its check of health before the trial is behind it.
fn wait_for_trial(runtime: &ComponentRuntime, id: &ComponentId) {
    let begin = Instant::now();
    loop {
        match answer(runtime.send_message_to_component(id, [0])).unwrap() {
            10 => return,
            other => assert_eq!(other, 9),
        }
        assert!(begin.elapsed() < LONG, "no message goes to the version on trial");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The version before was replaced at its first unhealthy probe, since it began with the failures of the one on trial.
#[test]
fn failures_of_a_version_on_trial_do_not_count_for_the_one_before() {
    let health: Arc<[AtomicU8; 2]> = Arc::new([AtomicU8::new(HEALTHY), AtomicU8::new(HEALTHY)]);
    let of_both = health.clone();
    let config = RuntimeConfig::builder().with_host_function("health", move |_, version| {
        let state = match version {
            // Unhealthy in a single probe.
            [] => of_both[0].swap(HEALTHY, Ordering::SeqCst),
            _ => of_both[1].load(Ordering::SeqCst),
        };
        Ok(vec![state])
    });
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let system = system(2);
    let events = system.subscribe(100);
    let before = load(&runtime, &patient());
    let id = start_loaded(&runtime, &before, &system, "a", probed())
        .wait()
        .unwrap();
    let trial = ReplaceOptions::new().with_trial(1000, LONG);
    let candidate = load(&runtime, &patient_of("(i32.const 6)", 10));
    let replaced = runtime.replace_component(&id, candidate, trial);
    wait_for_trial(&runtime, &id);
    // The version before has no probe during the trial, and this one in the first after it.
    health[0].store(UNHEALTHY, Ordering::SeqCst);
    health[1].store(UNHEALTHY, Ordering::SeqCst);
    let rolled_back = replaced.wait();
    assert!(
        matches!(rolled_back, Err(ActorError::RolledBack { .. })),
        "{rolled_back:?}"
    );
    let expected = ["started", "ready", "degraded", "rolled back", "recovered"];
    assert_eq!(names(&events, 5), expected);
    assert_eq!(runtime.actor_status(&id).unwrap().restarts, 0);
}

#[test]
fn probes_outside_their_ranges_are_refused() {
    let clinic = clinic(first());
    let system = system(1);
    let loaded = load(&clinic.runtime, &patient());
    for probe in [
        HealthProbe::every(Duration::from_micros(999)),
        HealthProbe::default().with_failures(0),
        HealthProbe::default().with_failures(1001),
    ] {
        let options = ActorOptions::new().with_health(probe);
        let refused = start_loaded(&clinic.runtime, &loaded, &system, "a", options).wait();
        let Err(ActorError::Options(
            InvalidActorOptions::ShortInterval(_) | InvalidActorOptions::Range { .. },
        )) = refused
        else {
            panic!("{refused:?}");
        };
    }
}
