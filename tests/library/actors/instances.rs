//! Actors with several instances of a component without state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::ComponentOptions;
use airssys_wasm::actors::{
    ActorError, ActorOptions, ActorPhase, HealthProbe, InvalidActorOptions, MAX_INSTANCES, ReplaceOptions,
    RestartPolicy, SendOptions,
};
use airssys_wasm::security::Capability;

use super::host_support::{Guest, fixture, id, runtime};
use super::{Gate, LONG, LOOP, TRAP, answer, commanded, first, load, obedient, start, start_loaded, system};

/// Held at the gate.
const HELD: u8 = 100;

fn several(instances: usize) -> ActorOptions {
    let restarts = RestartPolicy::default()
        .with_intensity(10_000, Duration::from_secs(60))
        .with_pauses(Duration::from_micros(100), Duration::from_millis(1))
        .with_max_tries(1);
    ActorOptions::new()
        .with_instances(instances)
        .with_restarts(restarts)
}

/// A guest that reports `shutdown` with an empty message.
fn reporting() -> Vec<u8> {
    let more = r#"
        (data (i32.const 3000) "step")
        (data (i32.const 3008) "init")
        (func $report (param $name i32) (result i32)
          (call $call-host-function (local.get $name) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 3100))
          (i32.const 0))"#;
    Guest {
        init: "(call $report (i32.const 3008))",
        shutdown: "(call $report (i32.const 3000))",
        execute: "(call $answer (i32.const 42))",
        more,
        ..Guest::default()
    }
    .build()
}

#[test]
fn calls_of_one_component_run_at_the_same_time() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        held.pass();
        message[0]
    };
    let (runtime, system) = (commanded(first(), step, |_| 0), system(3));
    let actor = start(&runtime, &system, "a", several(3)).unwrap();
    assert_eq!(runtime.actor_status(&actor).unwrap().instances, 3);
    let sent: Vec<_> = (10..15)
        .map(|number| runtime.send_message_to_component(&actor, [number]))
        .collect();
    // Each waits in its call for the others.
    gate.wait_for(3);
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!((status.waiting, status.counters.in_flight), (2, 5));
    gate.open();
    let answers: Vec<_> = sent.into_iter().map(|sent| answer(sent).unwrap()).collect();
    assert_eq!(answers, [10, 11, 12, 13, 14]);
    let report = system.shutdown(LONG).wait().unwrap();
    assert_eq!((report.counters.delivered, report.unfinished), (5, 0));
}

/// An instance whose call ends with its sender's time, or is given up, after the actor gave up does not bring it back.
#[test]
fn an_actor_that_gave_up_stays_so_when_its_last_calls_end() {
    let step = |_: &str, message: &[u8]| message[0];
    let (runtime, system) = (commanded(first(), step, |_| 0), system(3));
    let restarts = RestartPolicy::default()
        .with_intensity(0, Duration::from_secs(60))
        .with_max_tries(1);
    for round in 0..6_u32 {
        let options = several(2).with_restarts(restarts.clone());
        let actor = start(&runtime, &system, &format!("a{round}"), options).unwrap();
        let timeout = SendOptions::new().with_timeout(Duration::from_millis(300));
        let options = match round % 2 {
            0 => timeout,
            _ => SendOptions::new(),
        };
        let looping = runtime.send_message_to_component_with(&actor, [LOOP], options);
        while runtime.actor_status(&actor).unwrap().waiting > 0 {
            thread::yield_now();
        }
        let trapped = answer(runtime.send_message_to_component(&actor, [TRAP]));
        assert!(matches!(trapped, Err(ActorError::Poison { .. })), "{trapped:?}");
        match round % 2 {
            0 => drop(answer(looping)),
            _ => drop(looping),
        }
        let end = Instant::now() + LONG;
        let status = loop {
            let status = runtime.actor_status(&actor).unwrap();
            if status.counters.in_flight == 0 {
                break status;
            }
            assert!(Instant::now() < end, "{status:?}");
            thread::yield_now();
        };
        assert_eq!(
            (status.phase, status.instances),
            (ActorPhase::GaveUp, 0),
            "{status:?}"
        );
        let refused = answer(runtime.send_message_to_component(&actor, [10]));
        assert!(matches!(refused, Err(ActorError::GaveUp { .. })), "{refused:?}");
    }
    let report = system.shutdown(LONG).wait().unwrap();
    assert_eq!(report.unfinished, 0);
}

#[test]
fn messages_are_taken_in_their_order() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let of_step = taken.clone();
    let step = move |_: &str, message: &[u8]| {
        of_step.lock().unwrap().push(message[0]);
        message[0]
    };
    let (runtime, system) = (commanded(first(), step, |_| 0), system(1));
    let actor = start(&runtime, &system, "a", several(4)).unwrap();
    let sent: Vec<_> = (10..90)
        .map(|number| runtime.send_message_to_component(&actor, [number]))
        .collect();
    for sent in sent {
        answer(sent).unwrap();
    }
    // One worker: the calls do not overlap.
    assert!(taken.lock().unwrap().is_sorted());
}

#[test]
fn a_trap_ends_one_instance_and_no_other() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message[0] == HELD {
            held.pass();
        }
        message[0]
    };
    let (runtime, system) = (commanded(first(), step, |_| 0), system(2));
    let actor = start(&runtime, &system, "a", several(2)).unwrap();
    let send = |order: u8| runtime.send_message_to_component(&actor, [order]);
    let waits = send(HELD);
    gate.wait_for(1);
    for round in 1..=10 {
        assert!(matches!(answer(send(TRAP)), Err(ActorError::Poison { .. })));
        // By the instance that takes the place of the one that trapped.
        assert_eq!(answer(send(7)).unwrap(), 7);
        assert_eq!(runtime.actor_status(&actor).unwrap().restarts, round);
    }
    gate.open();
    assert_eq!(answer(waits).unwrap(), HELD);
    let counters = system.shutdown(LONG).wait().unwrap().counters;
    assert!(counters.add_up() && counters.in_flight == 0, "{counters:?}");
    assert_eq!((counters.delivered, counters.dead_lettered), (11, 10));
}

#[test]
fn counters_add_up_while_instances_trap() {
    let seen = AtomicUsize::new(0);
    let step = move |_: &str, message: &[u8]| match seen.fetch_add(1, Ordering::Relaxed) % 20 {
        0 => TRAP,
        _ => message[0],
    };
    let init = AtomicUsize::new(1);
    let init = move |_: &str| match init.fetch_add(1, Ordering::Relaxed) % 10 {
        0 => TRAP,
        _ => 0,
    };
    let (runtime, system) = (commanded(first(), step, init), system(3));
    let options = several(4).with_health(HealthProbe::every(Duration::from_millis(1)));
    let actor = start(&runtime, &system, "a", options).unwrap();
    let (answered, poison, full) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let sent: Vec<_> = (0..20)
                        .map(|_| runtime.send_message_to_component(&actor, [9]))
                        .collect();
                    for sent in sent {
                        let count = match answer(sent) {
                            Ok(_) => &answered,
                            Err(ActorError::Poison { .. }) => &poison,
                            Err(ActorError::Full { .. }) => &full,
                            Err(error) => panic!("{error}"),
                        };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let report = system.shutdown(LONG).wait().unwrap();
    let counters = report.counters;
    assert!(
        counters.add_up() && counters.in_flight == 0 && report.unfinished == 0,
        "{report:?}"
    );
    let read = |count: &AtomicUsize| u64::try_from(count.load(Ordering::SeqCst)).unwrap();
    assert_eq!(counters.sent, 2000);
    assert_eq!(counters.delivered, read(&answered));
    assert_eq!(counters.dead_lettered, read(&poison));
    assert_eq!(counters.refused, read(&full));
    assert!(counters.dead_lettered > 0);
}

#[cfg(unix)]
#[test]
fn a_sender_that_gives_up_stops_its_call_in_any_instance() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message[0] == LOOP {
            held.pass();
        }
        message[0]
    };
    let (runtime, system) = (commanded(first(), step, |_| 0), system(3));
    let actor = start(&runtime, &system, "a", several(3)).unwrap();
    gate.open();
    let loops: Vec<_> = (0..3)
        .map(|_| runtime.send_message_to_component(&actor, [LOOP]))
        .collect();
    gate.wait_for(3);
    let last = runtime.send_message_to_component(&actor, [7]);
    drop(loops);
    assert_eq!(answer(last).unwrap(), 7);
    let counters = system.shutdown(LONG).wait().unwrap().counters;
    assert_eq!((counters.canceled, counters.delivered), (3, 1));
    assert!(counters.add_up());
}

#[test]
fn an_actor_that_gives_up_does_so_with_all_instances() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message[0] == HELD {
            held.pass();
        }
        message[0]
    };
    let (runtime, system) = (commanded(first(), step, |_| 0), system(2));
    let policy = RestartPolicy::default().with_intensity(0, LONG).with_max_tries(1);
    let options = ActorOptions::new().with_instances(3).with_restarts(policy);
    let actor = start(&runtime, &system, "a", options).unwrap();
    let waits = runtime.send_message_to_component(&actor, [HELD]);
    gate.wait_for(1);
    let trapped = answer(runtime.send_message_to_component(&actor, [TRAP]));
    assert!(matches!(trapped, Err(ActorError::Poison { .. })), "{trapped:?}");
    let refused = answer(runtime.send_message_to_component(&actor, [7]));
    assert!(matches!(refused, Err(ActorError::GaveUp { .. })), "{refused:?}");
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!((status.phase, status.instances), (ActorPhase::GaveUp, 0));
    gate.open();
    assert_eq!(answer(waits).unwrap(), HELD);
    runtime.stop_actor(&actor).wait().unwrap();
    assert!(system.counters().add_up());
    // The name is free again.
    start(&runtime, &system, "a", several(2)).unwrap();
}

#[test]
fn each_instance_is_initialized_and_shut_down_once() {
    let (ends, begins) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (of_step, of_init) = (ends.clone(), begins.clone());
    let step = move |_: &str, message: &[u8]| {
        assert!(message.is_empty());
        of_step.fetch_add(1, Ordering::SeqCst);
        0
    };
    let init = move |_: &str| {
        of_init.fetch_add(1, Ordering::SeqCst);
        0
    };
    let (runtime, system) = (commanded(first(), step, init), system(2));
    let loaded = load(&runtime, &reporting());
    let actor = start_loaded(&runtime, &loaded, &system, "a", several(3))
        .wait()
        .unwrap();
    let sent: Vec<_> = (0..50)
        .map(|_| runtime.send_message_to_component(&actor, [1]))
        .collect();
    runtime.stop_actor(&actor).wait().unwrap();
    for sent in sent {
        assert_eq!(
            answer(sent).unwrap(),
            42,
            "those in the mailbox are handled first"
        );
    }
    let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    assert_eq!((read(&begins), read(&ends)), (3, 3));
    assert!(runtime.list_components().is_empty());
}

#[test]
fn a_component_with_state_has_one_instance() {
    let (runtime, system) = (runtime(), system(2));
    let start = |file: &str, instances| {
        let component = ComponentOptions::new().with_id(id("a"));
        let options = ActorOptions::new().with_instances(instances);
        let loaded = load(&runtime, &fixture(file));
        runtime.start_actor(&loaded, component, &system, options).wait()
    };
    let refused = start("counter.wasm", 2);
    assert!(
        matches!(
            &refused,
            Err(ActorError::Options(InvalidActorOptions::Stateful {
                instances: 2,
                ..
            }))
        ),
        "{refused:?}"
    );
    assert!(runtime.list_components().is_empty(), "nothing remains");
    for instances in [0, MAX_INSTANCES + 1] {
        let refused = start("text-processor.wasm", instances);
        assert!(
            matches!(
                &refused,
                Err(ActorError::Options(InvalidActorOptions::Range { .. }))
            ),
            "{refused:?}"
        );
    }
    let actor = start("text-processor.wasm", 2).unwrap();
    let replaced = runtime
        .replace_component(&actor, fixture("counter.wasm"), ReplaceOptions::new())
        .wait();
    assert!(
        matches!(
            &replaced,
            Err(ActorError::Options(InvalidActorOptions::Stateful { .. }))
        ),
        "{replaced:?}"
    );
    assert_eq!(runtime.actor_status(&actor).unwrap().instances, 2);
}

#[test]
fn all_instances_are_replaced_by_the_new_version() {
    let step = |_: &str, message: &[u8]| message.first().copied().unwrap_or(0);
    let (runtime, system) = (commanded(first(), step, |_| 0), system(3));
    let actor = start(&runtime, &system, "a", several(3)).unwrap();
    let send_all = |order: u8| -> Vec<u8> {
        let sent: Vec<_> = (0..60)
            .map(|_| runtime.send_message_to_component(&actor, [order]))
            .collect();
        sent.into_iter().map(|sent| answer(sent).unwrap()).collect()
    };
    assert!(send_all(7).iter().all(|answer| *answer == 7));
    for trial in [0, 10] {
        let options = ReplaceOptions::new().with_trial(trial, LONG);
        let replacing = runtime.replace_component(&actor, reporting(), options);
        // Some decide on the trial.
        while !replacing.is_done() {
            assert!(send_all(42).iter().all(|answer| *answer == 42));
            // The guests never free memory.
            thread::sleep(Duration::from_millis(10));
        }
        replacing.wait().unwrap();
        assert!(
            send_all(7).iter().all(|answer| *answer == 42),
            "no old instance answers"
        );
        runtime.rollback(&actor).wait().unwrap();
        assert!(
            send_all(7).iter().all(|answer| *answer == 7),
            "no new instance answers"
        );
    }
    let deadline = Instant::now() + LONG;
    while runtime.actor_status(&actor).unwrap().instances < 3 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(1));
    }
    let report = system.shutdown(LONG).wait().unwrap();
    assert!(report.counters.add_up() && report.unfinished == 0);
    assert_eq!(report.counters.delivered, report.counters.sent);
}

#[test]
fn an_instance_that_cannot_be_initialized_leaves_nothing_of_the_actor() {
    let inits = AtomicUsize::new(0);
    let init = move |_: &str| match inits.fetch_add(1, Ordering::SeqCst) {
        2 => TRAP,
        _ => 0,
    };
    let (runtime, system) = (commanded(first(), |_, _| 0, init), system(2));
    let failed = start(&runtime, &system, "a", several(3));
    assert!(matches!(failed, Err(ActorError::Runtime(_))), "{failed:?}");
    assert!(runtime.list_components().is_empty());
    let loaded = load(&runtime, &obedient());
    let component = ComponentOptions::new()
        .with_id(id("a"))
        .with_capability(Capability::new("host-function:call").unwrap());
    let again = runtime.start_actor(&loaded, component, &system, several(3));
    assert_eq!(again.wait().unwrap(), id("a"));
}
