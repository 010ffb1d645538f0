//! Failed instances: restarts, poison, giving up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use airssys_wasm::actors::{
    ActorError, ActorEventKind, ActorOptions, ActorPhase, DeadLetterReason, Restart, RestartPolicy,
};
use airssys_wasm::engine::Backend;
use airssys_wasm::runtime::{Call, ComponentError};
use airssys_wasm::{ComponentOptions, RuntimeError};

use super::host_support::{Guest, runtime};
use super::{
    Gate, LONG, RECEIVE, SEND, TRAP, answer, commanded, first, fixture, id, load, names, next, start,
    start_loaded, system,
};

const MS: Duration = Duration::from_millis(1);

fn quick() -> RestartPolicy {
    RestartPolicy::default().with_pauses(MS, MS)
}

#[test]
fn a_trapped_instance_is_replaced_and_the_mailbox_survives() {
    for backend in Backend::available() {
        let (starts, traps) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
        let begun = starts.clone();
        // The message is handled at the second try.
        let step = move |_: &str, message: &[u8]| match message {
            b"trap" if traps.fetch_add(1, Ordering::Relaxed) == 0 => TRAP,
            _ => 5,
        };
        let init = move |_: &str| {
            begun.fetch_add(1, Ordering::Relaxed);
            3
        };
        let runtime = commanded(*backend, step, init);
        let system = system(1);
        let events = system.subscribe(100);
        let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(quick())).unwrap();
        let trap = runtime.send_message_to_component(&actor, b"trap");
        let after = runtime.send_message_to_component(&actor, b"after");
        assert_eq!((answer(trap).unwrap(), answer(after).unwrap()), (5, 5));
        assert_eq!(
            names(&events, 5),
            ["started", "ready", "trapped", "restarted", "ready"]
        );
        assert_eq!(
            starts.load(Ordering::Relaxed),
            2,
            "`init` is called for each instance"
        );
        let status = runtime.actor_status(&actor).unwrap();
        assert_eq!((status.phase, status.restarts), (ActorPhase::Ready, 1));
        assert_eq!((status.counters.delivered, status.counters.dead_lettered), (2, 0));
    }
}

#[test]
fn a_message_that_always_traps_is_poison_after_its_tries() {
    let tries = Arc::new(AtomicUsize::new(0));
    let tried = tries.clone();
    let step = move |_: &str, message: &[u8]| match message {
        b"poison" => {
            tried.fetch_add(1, Ordering::Relaxed);
            TRAP
        }
        _ => 5,
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(quick())).unwrap();
    let poison = runtime.send_message_to_component(&actor, b"poison");
    let after = runtime.send_message_to_component(&actor, b"after");
    let error = poison.wait().unwrap_err();
    let ActorError::Poison { tries: 3, source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(
            **source,
            ActorError::Runtime(RuntimeError::Stopped {
                call: Call::Execute,
                ..
            })
        ),
        "{source:?}"
    );
    assert_eq!(answer(after).unwrap(), 5);
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    let dead = system.take_dead_letters();
    assert_eq!(dead[0].payload, b"poison");
    assert!(
        matches!(&dead[0].reason, DeadLetterReason::Poison { tries: 3, error } if error.contains("unreachable")),
        "{dead:?}"
    );
    let counters = system.counters();
    assert_eq!((counters.delivered, counters.dead_lettered), (1, 1));
}

/// The contract's mailbox is another than the actor's, and outlasts the instance as well.
#[test]
fn messages_of_other_components_and_of_its_own_survive_a_restart() {
    let step = |_: &str, message: &[u8]| message[0];
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let guest = load(&runtime, &super::obedient());
    let options = ActorOptions::new().with_restarts(quick().with_max_tries(1));
    let start = |name| {
        start_loaded(&runtime, &guest, &system, name, options.clone())
            .wait()
            .unwrap()
    };
    let (receiver, sender) = (start("a"), start("b"));
    let ask = |actor, order: u8| answer(runtime.send_message_to_component(actor, [order]));
    assert_eq!(ask(&sender, SEND).unwrap(), 0);
    assert_eq!(ask(&receiver, SEND).unwrap(), 0);
    assert!(matches!(ask(&receiver, TRAP), Err(ActorError::Poison { .. })));
    let received: Vec<_> = (0..3).map(|_| ask(&receiver, RECEIVE).unwrap()).collect();
    assert_eq!(received, [1, 1, 0]);
    assert_eq!(runtime.actor_status(&receiver).unwrap().restarts, 1);
    // Not so the end.
    runtime.stop_actor(&receiver).wait().unwrap();
    assert_ne!(ask(&sender, SEND).unwrap(), 0);
}

#[test]
fn an_actor_gives_up_and_refuses_until_it_is_loaded_again() {
    let gate = Gate::default();
    let trap = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message != b"trap" {
            return 5;
        }
        trap.pass();
        TRAP
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let events = system.subscribe(100);
    let policy = quick().with_intensity(2, LONG).with_max_tries(1000);
    let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(policy)).unwrap();
    assert_eq!(names(&events, 2), ["started", "ready"]);
    let trap = runtime.send_message_to_component(&actor, b"trap");
    let waiting = runtime.send_message_to_component(&actor, b"waiting");
    gate.open();
    let error = trap.wait().unwrap_err();
    assert!(matches!(error, ActorError::Poison { tries: 3, .. }), "{error:?}");
    let error = waiting.wait().unwrap_err();
    assert!(
        matches!(error, ActorError::GaveUp { restarts: 2, .. }),
        "{error:?}"
    );
    let twice = ["trapped", "restarted", "ready", "trapped", "restarted", "ready"];
    assert_eq!(names(&events, 6), twice);
    let last = next(&events, 2);
    assert!(
        matches!(&last[1], ActorEventKind::GaveUp { restarts: 2, error } if error.contains("unreachable")),
        "{last:?}"
    );
    let refused = runtime.tell(&actor, b"").wait();
    assert!(matches!(refused, Err(ActorError::GaveUp { .. })), "{refused:?}");
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!(status.phase, ActorPhase::GaveUp);
    let counters = status.counters;
    assert_eq!(
        (counters.dead_lettered, counters.refused, counters.in_flight),
        (2, 1, 0)
    );
    let reasons: Vec<_> = system
        .take_dead_letters()
        .into_iter()
        .map(|letter| letter.reason)
        .collect();
    assert!(
        matches!(
            &reasons[..],
            [
                DeadLetterReason::Poison { tries: 3, .. },
                DeadLetterReason::GaveUp
            ]
        ),
        "{reasons:?}"
    );
    // Its identity is free once it is stopped.
    runtime.stop_actor(&actor).wait().unwrap();
    let again = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    assert_eq!(answer(runtime.send_message_to_component(&again, b"")).unwrap(), 5);
}

#[test]
fn a_temporary_actor_is_not_restarted() {
    let runtime = commanded(
        first(),
        |_, message| if message == b"trap" { TRAP } else { 5 },
        |_| 3,
    );
    let system = system(1);
    let events = system.subscribe(100);
    let options = ActorOptions::new().with_restarts(RestartPolicy::new(Restart::Temporary));
    let actor = start(&runtime, &system, "a", options).unwrap();
    assert_eq!(answer(runtime.send_message_to_component(&actor, b"")).unwrap(), 5);
    let error = runtime
        .send_message_to_component(&actor, b"trap")
        .wait()
        .unwrap_err();
    assert!(matches!(error, ActorError::Poison { tries: 1, .. }), "{error:?}");
    assert_eq!(names(&events, 4), ["started", "ready", "trapped", "stopped"]);
    let refused = runtime.send_message_to_component(&actor, b"").wait();
    assert!(matches!(refused, Err(ActorError::Stopped(_))), "{refused:?}");
    assert_eq!(runtime.actor_status(&actor).unwrap().phase, ActorPhase::Stopped);
    runtime.stop_actor(&actor).wait().unwrap();
}

#[test]
fn a_transient_actor_ends_with_exit_status_0_and_is_restarted_after_another() {
    for (code, expected) in [
        ("(call $exit (i32.const 0)) i32.const 0", &["stopped"][..]),
        (
            "(call $exit (i32.const 1)) i32.const 0",
            &["restarted", "ready"][..],
        ),
    ] {
        let guest = Guest {
            execute: code,
            ..Guest::default()
        };
        let runtime = runtime();
        let system = system(1);
        let events = system.subscribe(100);
        let policy = RestartPolicy::new(Restart::Transient)
            .with_pauses(MS, MS)
            .with_max_tries(1);
        let options = ActorOptions::new().with_restarts(policy);
        let actor = start_loaded(&runtime, &load(&runtime, &guest.build()), &system, "a", options);
        let actor = actor.wait().unwrap();
        let error = runtime.send_message_to_component(&actor, b"").wait().unwrap_err();
        assert!(matches!(error, ActorError::Poison { tries: 1, .. }), "{error:?}");
        assert_eq!(names(&events, 3), ["started", "ready", "trapped"]);
        assert_eq!(names(&events, expected.len()), expected);
    }
}

#[test]
fn an_actor_whose_first_init_fails_is_not_loaded() {
    let runtime = commanded(
        first(),
        |_, _| 3,
        |component| if component == "bad" { TRAP } else { 3 },
    );
    let system = system(1);
    let events = system.subscribe(100);
    let error = start(&runtime, &system, "bad", ActorOptions::new()).unwrap_err();
    assert!(
        matches!(
            &error,
            ActorError::Runtime(RuntimeError::Stopped { call: Call::Init, .. })
        ),
        "{error:?}"
    );
    assert_eq!(names(&events, 2), ["started", "stopped"]);
    let unknown = runtime.tell(&id("bad"), b"").wait();
    assert!(matches!(unknown, Err(ActorError::Unknown(_))), "{unknown:?}");
    // A component that refuses its configuration, and one that cannot be loaded.
    let checksum = load(&runtime, &fixture("checksum.wasm"));
    let options = ComponentOptions::new().with_config("algorithm", "rot13");
    let refused = runtime
        .start_actor(&checksum, options, &system, ActorOptions::new())
        .wait();
    assert!(
        matches!(
            refused,
            Err(ActorError::Runtime(RuntimeError::Component(
                ComponentError::InvalidConfig(_)
            )))
        ),
        "{refused:?}"
    );
    let policy = RestartPolicy::default().with_max_tries(0);
    let refused = start(&runtime, &system, "b", ActorOptions::new().with_restarts(policy));
    assert!(matches!(refused, Err(ActorError::Options(_))), "{refused:?}");
    assert!(runtime.list_components().is_empty());
    start(&runtime, &system, "good", ActorOptions::new()).unwrap();
}

#[test]
fn an_init_that_fails_after_a_restart_is_repeated_until_the_actor_gives_up() {
    let starts = Arc::new(AtomicUsize::new(0));
    let begun = starts.clone();
    let init = move |_: &str| match begun.fetch_add(1, Ordering::Relaxed) {
        0 => 3,
        _ => TRAP,
    };
    let runtime = commanded(first(), |_, _| TRAP, init);
    let system = system(1);
    let policy = quick().with_intensity(3, LONG);
    let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(policy)).unwrap();
    let error = runtime.send_message_to_component(&actor, b"").wait().unwrap_err();
    assert!(
        matches!(&error, ActorError::GaveUp { restarts: 3, last, .. } if last.contains("`init`")),
        "{error:?}"
    );
    assert_eq!(starts.load(Ordering::Relaxed), 4);
    assert_eq!(system.take_dead_letters()[0].reason, DeadLetterReason::GaveUp);
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn an_init_that_hangs_ends_with_its_time() {
    use airssys_wasm::{ComponentRuntime, RuntimeConfig};

    let config = RuntimeConfig::builder()
        .with_default_timeout(200 * MS)
        .with_host_function("init", |_, _| Ok(vec![super::LOOP]));
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let system = system(1);
    let error = start(&runtime, &system, "hangs", ActorOptions::new()).unwrap_err();
    assert!(
        matches!(
            &error,
            ActorError::Runtime(RuntimeError::Timeout { call: Call::Init, .. })
        ),
        "{error:?}"
    );
    assert!(runtime.list_components().is_empty());
}

#[test]
fn an_identity_in_use_and_bytes_that_are_no_component_are_errors() {
    let runtime = commanded(first(), |_, _| 3, |_| 3);
    let system = system(1);
    let guest = load(&runtime, &super::obedient());
    start_loaded(&runtime, &guest, &system, "a", ActorOptions::new())
        .wait()
        .unwrap();
    let twice = start_loaded(&runtime, &guest, &system, "a", ActorOptions::new()).wait();
    assert!(
        matches!(twice, Err(ActorError::Runtime(RuntimeError::DuplicateId(_)))),
        "{twice:?}"
    );
    assert!(runtime.send_message_to_component(&id("a"), b"").wait().is_ok());
}
