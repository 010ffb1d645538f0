//! The end of an actor system.

use std::time::Duration;

use airssys_wasm::actors::{ActorError, ActorOptions, GuestMessages};

use super::host_support::Guest;
use super::{Gate, LONG, answer, commanded, first, id, load, names, obedient, start, start_loaded, system};

#[test]
fn a_shutdown_handles_the_messages_that_were_accepted() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message == b"first" {
            held.pass();
        }
        5
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(2);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    let idle = start(&runtime, &system, "idle", ActorOptions::new()).unwrap();
    let first = runtime.send_message_to_component(&actor, b"first");
    gate.wait_for(1);
    let waiting: Vec<_> = (0..100)
        .map(|_| runtime.send_message_to_component(&actor, b""))
        .collect();
    let report = system.shutdown(LONG);
    let refused = runtime.tell(&actor, b"").wait();
    assert!(matches!(refused, Err(ActorError::ShutDown)), "{refused:?}");
    let guest = load(&runtime, &obedient());
    let refused = start_loaded(&runtime, &guest, &system, "late", ActorOptions::new()).wait();
    assert!(matches!(refused, Err(ActorError::ShutDown)), "{refused:?}");
    gate.open();
    let report = report.wait().unwrap();
    assert_eq!(
        (
            report.unfinished,
            report.counters.delivered,
            report.counters.refused
        ),
        (0, 101, 1)
    );
    assert!(report.counters.add_up());
    assert!(first.is_done() && waiting.iter().all(|pending| pending.is_done()));
    for id in [actor, idle] {
        let unknown = runtime.tell(&id, b"").wait();
        assert!(matches!(unknown, Err(ActorError::Unknown(_))), "{unknown:?}");
    }
    assert!(runtime.list_components().is_empty());
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_shutdown_of_flooded_actors_ends_at_its_deadline() {
    use airssys_wasm::actors::DeadLetterReason;
    use airssys_wasm::engine::Backend;

    for backend in Backend::available() {
        let runtime = commanded(*backend, |_, _| super::LOOP, |_| 3);
        let system = system(1);
        let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
        let other = start(&runtime, &system, "b", ActorOptions::new()).unwrap();
        let sent: Vec<_> = (0..200)
            .map(|number| {
                let to = if number % 2 == 0 { &actor } else { &other };
                runtime.send_message_to_component(to, b"")
            })
            .collect();
        let forced = system.shutdown(Duration::from_millis(100));
        for pending in sent {
            let ended = pending.wait();
            assert!(matches!(ended, Err(ActorError::ShutDown)), "{ended:?}");
        }
        assert!(forced.wait().unwrap().counters.add_up());
        // On a busy machine, a call may outlast the first report.
        let report = system.shutdown(LONG).wait().unwrap();
        assert_eq!((report.unfinished, report.counters.dead_lettered), (0, 200));
        assert!(report.counters.add_up());
        let dead = system.take_dead_letters();
        assert!(
            dead.iter()
                .all(|letter| letter.reason == DeadLetterReason::ShutDown)
        );
        assert_eq!(dead.len(), 200);
        assert!(runtime.list_components().is_empty());
    }
}

#[test]
fn dropping_the_system_handles_its_messages_and_ends_its_threads() {
    let runtime = commanded(first(), |_, _| 5, |_| 3);
    let system = system(1);
    let mut events = system.subscribe(100);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    let sent: Vec<_> = (0..20)
        .map(|_| runtime.send_message_to_component(&actor, b""))
        .collect();
    drop(system);
    assert!(sent.into_iter().all(|pending| matches!(answer(pending), Ok(5))));
    assert_eq!(names(&events, 3), ["started", "ready", "stopped"]);
    // The subscription has ended with the system.
    assert_eq!(events.wait_next(LONG), None);
    let mut next = Box::pin(events.next());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        next.as_mut().poll(&mut context),
        std::task::Poll::Ready(None)
    ));
    drop(next);
    assert!(runtime.list_components().is_empty());
}

#[test]
fn a_load_that_is_given_up_leaves_nothing() {
    let gate = Gate::default();
    let held = gate.clone();
    let init = move |_: &str| {
        held.pass();
        3
    };
    let runtime = commanded(first(), |_, _| 5, init);
    let system = system(1);
    let events = system.subscribe(100);
    let guest = load(&runtime, &obedient());
    let started = start_loaded(&runtime, &guest, &system, "a", ActorOptions::new());
    gate.wait_for(1);
    drop(started);
    gate.open();
    assert_eq!(names(&events, 3), ["started", "ready", "stopped"]);
    system.shutdown(LONG).wait().unwrap();
    assert!(runtime.list_components().is_empty());
}

#[test]
fn messages_that_components_send_on_are_handled_before_the_end() {
    // A message goes from stage to stage, as many times as its first byte says.
    let runtime = commanded(first(), |_, message| message[0], |_| 0);
    let system = system(2);
    let executes = || ActorOptions::new().with_guest_messages(GuestMessages::Execute);
    let passes_on = |target: &str| load(&runtime, &relay(target));
    for (name, target) in [("first", "second"), ("second", "third"), ("third", "nobody")] {
        start_loaded(&runtime, &passes_on(target), &system, name, executes())
            .wait()
            .unwrap();
    }
    for _ in 0..200 {
        drop(runtime.tell(&id("first"), [1]));
    }
    let events = system.subscribe(100);
    let report = system.shutdown(LONG);
    let refused = runtime.tell(&id("first"), [1]).wait();
    assert!(
        matches!(refused, Err(ActorError::ShutDown | ActorError::Unknown(_))),
        "{refused:?}"
    );
    let report = report.wait().unwrap();
    let refused = u64::from(report.counters.refused == 1);
    assert_eq!(report.counters.sent, 600 + refused, "{report:?}");
    assert_eq!(report.counters.delivered, 600, "each stage handled each message");
    assert_eq!(names(&events, 3), ["stopped"; 3]);
    assert!(report.counters.add_up() && report.unfinished == 0);
}

/// A guest that sends each message on.
fn relay(target: &str) -> Vec<u8> {
    let more = format!(
        r#"
        (data (i32.const 3016) "{target}")
        (func $pass (param $payload i32) (param $bytes i32) (result i32)
          (call $send-message (i32.const 3016) (i32.const {}) (local.get $payload) (local.get $bytes) (i32.const 3200))
          (call $answer (i32.const 0)))"#,
        target.len()
    );
    Guest {
        execute: "(call $pass (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))",
        more: &more,
        ..Guest::default()
    }
    .build()
}
