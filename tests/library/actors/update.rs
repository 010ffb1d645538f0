//! Versions of a component that take each other's place while messages come.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use airssys_wasm::actors::{
    ActorError, ActorEventKind, ActorOptions, ActorSystem, InvalidActorOptions, MAX_EARLIER_VERSIONS,
    ReplaceOptions, StateTransfer,
};
use airssys_wasm::artifact::{self, ArtifactError, SecretKey};
use airssys_wasm::engine::Backend;
use airssys_wasm::security::{Capability, Policy, SecurityContext};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeError};

use super::host_support::Guest;
use super::{Gate, LONG, TRAP, answer, commanded, first, load, names, obedient, start, start_loaded, system};

/// An order that only a guest of [`version`] has: its answer is its number.
const VERSION: u8 = 202;

/// A guest that does what its host orders, and answers [`VERSION`] with a number.
fn version(number: u8) -> Vec<u8> {
    version_with(number, "", "i32.const 0")
}

fn version_with(number: u8, more: &str, health: &str) -> Vec<u8> {
    let more = OBEY.replace("NUMBER", &number.to_string()) + more;
    Guest {
        init: "(drop (call $obey (i32.const 3008) (i32.const 0) (i32.const 0))) i32.const 0",
        execute: "(call $work (call $obey (i32.const 3000) (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))",
        shutdown: "(drop (call $obey (i32.const 3024) (i32.const 0) (i32.const 0))) i32.const 0",
        more: &more,
        health,
        ..Guest::default()
    }
    .build()
}

const OBEY: &str = r#"
    (data (i32.const 3000) "step")
    (data (i32.const 3008) "init")
    (data (i32.const 3024) "down")
    (func $obey (param $name i32) (param $args i32) (param $bytes i32) (result i32)
      (call $call-host-function (local.get $name) (i32.const 4) (local.get $args) (local.get $bytes) (i32.const 3100))
      (if (i32.load8_u (i32.const 3100)) (then unreachable))
      (if (i32.eq (i32.load8_u (i32.load (i32.const 3104))) (i32.const 1)) (then unreachable))
      (i32.load8_u (i32.load (i32.const 3104))))
    ;; An execution error: `invalid-operation`, without a text.
    (func $error (result i32)
      (i32.store8 (i32.const 3400) (i32.const 1))
      (i32.const 3400))
    (func $work (param $order i32) (result i32)
      (if (i32.eq (local.get $order) (i32.const 202)) (then (return (call $answer (i32.const NUMBER)))))
      (if (i32.eq (local.get $order) (i32.const 203)) (then (return (call $error))))
      (call $answer (local.get $order)))"#;

/// Orders an error of the component's own.
const ERROR: u8 = 203;

/// A runtime whose guests do what their messages say; the last has the number of guests that were shut down.
fn obeying() -> (ComponentRuntime, Arc<AtomicU32>) {
    let down = Arc::new(AtomicU32::new(0));
    let count = down.clone();
    let config = airssys_wasm::RuntimeConfig::builder()
        .with_backend(first())
        .with_host_function("step", |_, message| Ok(vec![message[0]]))
        .with_host_function("init", |_, _| Ok(vec![0]))
        .with_host_function("down", move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(vec![0])
        });
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    (runtime, down)
}

fn start_version(runtime: &ComponentRuntime, system: &ActorSystem, number: u8) -> ComponentId {
    let loaded = load(runtime, &version(number));
    start_loaded(runtime, &loaded, system, "a", ActorOptions::new())
        .wait()
        .unwrap()
}

fn asked(runtime: &ComponentRuntime, id: &ComponentId) -> u8 {
    answer(runtime.send_message_to_component(id, [VERSION])).unwrap()
}

fn numbers(runtime: &ComponentRuntime, id: &ComponentId) -> Vec<(u64, bool)> {
    let versions = runtime.versions(id).unwrap().into_iter();
    versions
        .map(|version| (version.number, version.current))
        .collect()
}

/// Waits until the number of guests that were shut down is this.
fn wait_down(down: &AtomicU32, count: u32) {
    let begin = std::time::Instant::now();
    while down.load(Ordering::SeqCst) < count {
        assert!(
            begin.elapsed() < LONG,
            "{} were shut down",
            down.load(Ordering::SeqCst)
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_new_version_takes_the_place_of_the_one_before_on_each_backend() {
    for backend in Backend::available() {
        let config = airssys_wasm::RuntimeConfig::builder()
            .with_backend(*backend)
            .with_host_function("step", |_, message| Ok(vec![message[0]]))
            .with_host_function("init", |_, _| Ok(vec![0]))
            .with_host_function("down", |_, _| Ok(vec![0]));
        let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
        let system = system(2);
        let events = system.subscribe(100);
        let id = start_version(&runtime, &system, 11);
        assert_eq!(asked(&runtime, &id), 11, "{backend}");
        let replaced = runtime.replace_component(&id, version(12), ReplaceOptions::new());
        assert_eq!(replaced.wait().unwrap().version, 2);
        assert_eq!(asked(&runtime, &id), 12, "{backend}");
        assert_eq!(names(&events, 3), ["started", "ready", "replaced"]);
        assert_eq!(runtime.list_components(), std::slice::from_ref(&id));
        assert_eq!(numbers(&runtime, &id), [(1, false), (2, true)]);
        runtime.stop_actor(&id).wait().unwrap();
        assert!(runtime.list_components().is_empty());
    }
}

#[test]
fn queued_messages_survive_and_keep_their_order() {
    let gate = Gate::default();
    let (passing, seen) = (gate.clone(), Arc::new(Mutex::new(Vec::new())));
    let log = seen.clone();
    let config = airssys_wasm::RuntimeConfig::builder()
        .with_backend(first())
        .with_host_function("step", move |_, message| {
            passing.pass();
            log.lock().unwrap().push(message[1]);
            Ok(vec![message[0]])
        })
        .with_host_function("init", |_, _| Ok(vec![0]))
        .with_host_function("down", |_, _| Ok(vec![0]));
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let answers: Vec<_> = (0..50)
        .map(|number| runtime.send_message_to_component(&id, [VERSION, number]))
        .collect();
    gate.wait_for(1);
    let replaced = runtime.replace_component(&id, version(12), ReplaceOptions::new());
    // It is prepared while the first message is handled; it takes over behind it.
    thread::sleep(Duration::from_millis(50));
    gate.open();
    replaced.wait().unwrap();
    let answers: Vec<u8> = answers
        .into_iter()
        .map(|pending| answer(pending).unwrap())
        .collect();
    assert_eq!(answers.len(), 50);
    assert!(answers.is_sorted(), "first the one, then the other: {answers:?}");
    assert_eq!(
        (answers[0], *seen.lock().unwrap() == (0..50).collect::<Vec<u8>>()),
        (11, true)
    );
    assert_eq!(system.counters().delivered, 50);
}

#[test]
fn the_version_before_is_shut_down_once_and_after_its_last_message() {
    let (runtime, down) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    runtime
        .replace_component(&id, version(12), ReplaceOptions::new())
        .wait()
        .unwrap();
    wait_down(&down, 1);
    runtime.stop_actor(&id).wait().unwrap();
    wait_down(&down, 2);
    system.shutdown(LONG).wait().unwrap();
    assert_eq!(down.load(Ordering::SeqCst), 2);
}

#[test]
fn a_version_on_trial_gets_its_share_and_then_all() {
    let (runtime, down) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let canary = ReplaceOptions::new().with_share(25).with_trial(5, LONG);
    let replaced = runtime.replace_component(&id, version(12), canary);
    let mut answers = Vec::new();
    while !replaced.is_done() {
        answers.push(asked(&runtime, &id));
        assert!(answers.len() < 1_000_000);
    }
    let first_new = answers
        .iter()
        .position(|answer| *answer == 12)
        .expect("it had its share");
    // The fifth passes it. Messages may be handled before the result is there: they get the new version.
    let trial = &answers[first_new..];
    let (on_trial, after) = trial.split_at(17);
    let shared: Vec<bool> = on_trial.iter().map(|answer| *answer == 12).collect();
    let each_fourth: Vec<bool> = (0..17).map(|number| number % 4 == 0).collect();
    assert_eq!(shared, each_fourth, "{trial:?}");
    assert!(after.iter().all(|answer| *answer == 12), "{trial:?}");
    replaced.wait().unwrap();
    assert!((0..20).all(|_| asked(&runtime, &id) == 12));
    wait_down(&down, 1);
}

#[test]
fn a_version_that_traps_on_trial_is_rolled_back_and_no_message_is_lost() {
    let (runtime, down) = obeying();
    let system = system(2);
    let events = system.subscribe(100);
    let id = start_version(&runtime, &system, 11);
    let trial = ReplaceOptions::new().with_trial(10, LONG);
    let replaced = runtime.replace_component(&id, trapping(), trial);
    let mut count = 0;
    while !replaced.is_done() {
        assert_eq!(asked(&runtime, &id), 11);
        count += 1;
        // The guests never free memory.
        thread::sleep(Duration::from_millis(1));
    }
    let Err(ActorError::RolledBack {
        version: 2, reason, ..
    }) = replaced.wait()
    else {
        panic!("it was not rolled back");
    };
    assert!(reason.contains("unreachable"), "{reason}");
    assert!((0..10).all(|_| asked(&runtime, &id) == 11));
    assert_eq!(system.counters().delivered, count + 10);
    assert!(system.take_dead_letters().is_empty());
    assert_eq!(names(&events, 4), ["started", "ready", "trapped", "rolled back"]);
    assert_eq!(runtime.actor_status(&id).unwrap().restarts, 0);
    assert_eq!(numbers(&runtime, &id), [(1, true)]);
    // The number is not used again.
    let next = runtime.replace_component(&id, version(14), ReplaceOptions::new());
    assert_eq!(next.wait().unwrap().version, 3);
    wait_down(&down, 1);
}

/// A version that traps at each message.
fn trapping() -> Vec<u8> {
    Guest {
        execute: "unreachable",
        ..Guest::default()
    }
    .build()
}

#[test]
fn the_rate_of_errors_decides() {
    let (runtime, _) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let ask_with = |order| answer(runtime.send_message_to_component(&id, [order]));
    for (errors, passes) in [(2, true), (3, false)] {
        let trial = ReplaceOptions::new().with_trial(10, LONG).with_max_errors(20);
        let before = asked(&runtime, &id);
        let replaced = runtime.replace_component(&id, version(before + 1), trial);
        while asked(&runtime, &id) == before {
            thread::sleep(Duration::from_millis(1));
        }
        // One was handled.
        for _ in 0..errors {
            assert!(matches!(
                ask_with(ERROR),
                Err(ActorError::Runtime(RuntimeError::Execution(_)))
            ));
        }
        for _ in 0..10 {
            asked(&runtime, &id);
        }
        match (replaced.wait(), passes) {
            (Ok(_), true) => assert_eq!(asked(&runtime, &id), before + 1),
            (Err(ActorError::RolledBack { reason, .. }), false) => {
                assert!(reason.starts_with("3 of "), "{reason}");
                assert_eq!(asked(&runtime, &id), before);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_trial_without_messages_ends_with_its_time() {
    let (runtime, _) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let trial = ReplaceOptions::new().with_trial(1000, Duration::from_millis(20));
    runtime.replace_component(&id, version(12), trial).wait().unwrap();
    assert_eq!(asked(&runtime, &id), 12);
}

#[test]
fn versions_that_cannot_run_are_refused_and_change_nothing() {
    let (runtime, down) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let replace = |bytes: Vec<u8>, options| runtime.replace_component(&id, bytes, options).wait();
    let plain = ReplaceOptions::new;

    assert!(matches!(
        replace(b"garbage".to_vec(), plain()),
        Err(ActorError::Runtime(_))
    ));
    let component = wat::parse_str("(component)").unwrap();
    let refused = replace(component, plain());
    assert!(
        matches!(
            refused,
            Err(ActorError::Runtime(RuntimeError::NoLifecycle { .. }))
        ),
        "{refused:?}"
    );

    let needs_more = ComponentOptions::new()
        .with_security(
            SecurityContext::builder()
                .policy(Policy::builder().build().unwrap())
                .build(),
        )
        .with_required_capability(Capability::new("host-function:call").unwrap());
    let refused = replace(version(12), plain().with_component(needs_more));
    assert!(
        matches!(
            refused,
            Err(ActorError::Runtime(RuntimeError::Capabilities { .. }))
        ),
        "{refused:?}"
    );

    // Unhealthy, with a text.
    let health = r#"
        (data (i32.const 3300) "\02\00\00\00\01\00\00\00\00\0d\00\00\04\00\00\00")
        (data (i32.const 3328) "sick")"#;
    let refused = replace(version_with(12, health, "i32.const 3300"), plain());
    assert!(
        matches!(&refused, Err(ActorError::Unhealthy { reason, .. }) if reason == "sick"),
        "{refused:?}"
    );

    let refused = replace(version_with(12, "", "unreachable"), plain());
    assert!(
        matches!(refused, Err(ActorError::Runtime(RuntimeError::Stopped { .. }))),
        "{refused:?}"
    );

    // An artifact by a key that is not trusted.
    let key = SecretKey::generate().unwrap();
    let engine = runtime.config().engine();
    let artifact = artifact::compile(engine, &version(12), Some(&key)).unwrap();
    let refused = replace(artifact, plain());
    let Err(ActorError::Runtime(RuntimeError::Artifact { source, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(source, ArtifactError::UnknownSigner(_)), "{source:?}");

    let missing = runtime.replace_component(&id, std::path::PathBuf::from("/nowhere.wasm"), plain());
    assert!(matches!(
        missing.wait(),
        Err(ActorError::Runtime(RuntimeError::Read { .. }))
    ));

    assert_eq!(asked(&runtime, &id), 11);
    assert_eq!(numbers(&runtime, &id), [(1, true)]);
    assert_eq!(runtime.list_components(), std::slice::from_ref(&id));
    // The unhealthy one was shut down; the one that trapped could not be.
    assert_eq!(down.load(Ordering::SeqCst), 1);
    let unknown = runtime.replace_component(&super::id("nobody"), version(1), plain());
    assert!(matches!(unknown.wait(), Err(ActorError::Unknown(_))));
}

#[test]
fn options_outside_their_ranges_are_refused() {
    let (runtime, _) = obeying();
    let system = system(1);
    let id = start_version(&runtime, &system, 11);
    let plain = ReplaceOptions::new;
    for refused in [
        plain().with_share(0),
        plain().with_share(101),
        plain().with_trial(1_000_001, LONG),
        plain().with_max_errors(101),
    ] {
        let refused = runtime.replace_component(&id, version(12), refused).wait();
        assert!(
            matches!(
                refused,
                Err(ActorError::Options(InvalidActorOptions::Range { .. }))
            ),
            "{refused:?}"
        );
    }
    let shared = plain()
        .with_share(50)
        .with_trial(1, LONG)
        .with_state(StateTransfer::Operations);
    let refused = runtime.replace_component(&id, version(12), shared).wait();
    assert!(matches!(
        refused,
        Err(ActorError::Options(InvalidActorOptions::SharedState(50)))
    ));
    assert_eq!(asked(&runtime, &id), 11);
}

#[test]
fn one_replacement_at_a_time() {
    let (runtime, _) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let trial = ReplaceOptions::new().with_trial(1, LONG);
    let first = runtime.replace_component(&id, version(12), trial);
    let second = runtime.replace_component(&id, version(13), ReplaceOptions::new());
    assert!(matches!(second.wait(), Err(ActorError::Replacing(_))));
    while asked(&runtime, &id) == 11 {
        thread::sleep(Duration::from_millis(1));
    }
    first.wait().unwrap();
    runtime
        .replace_component(&id, version(13), ReplaceOptions::new())
        .wait()
        .unwrap();
    assert_eq!(asked(&runtime, &id), 13);
}

#[test]
fn a_rollback_goes_back_version_by_version() {
    let (runtime, _) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    for number in 12..=14 {
        runtime
            .replace_component(&id, version(number), ReplaceOptions::new())
            .wait()
            .unwrap();
    }
    for expected in [13, 12, 11] {
        runtime.rollback(&id).wait().unwrap();
        assert_eq!(asked(&runtime, &id), expected);
    }
    assert!(matches!(
        runtime.rollback(&id).wait(),
        Err(ActorError::NoEarlierVersion(_))
    ));
    assert_eq!(asked(&runtime, &id), 11);
}

#[test]
fn a_thousand_replacements_leave_a_bounded_history() {
    let (runtime, down) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let versions = [load(&runtime, &version(12)), load(&runtime, &version(13))];
    for number in 0..1000 {
        let next = versions[number % 2].clone();
        runtime
            .replace_component(&id, next, ReplaceOptions::new())
            .wait()
            .unwrap();
        if number % 100 == 0 {
            assert_eq!(asked(&runtime, &id), 12 + u8::try_from(number % 2).unwrap());
        }
    }
    assert_eq!(numbers(&runtime, &id).len(), MAX_EARLIER_VERSIONS + 1);
    wait_down(&down, 1000);
    assert_eq!(asked(&runtime, &id), 13);
}

#[test]
fn a_failed_instance_is_replaced_by_the_new_version_at_once() {
    let runtime = commanded(first(), |_, message| message[0], |_| 0);
    let system = system(2);
    let restarts = airssys_wasm::actors::RestartPolicy::default()
        .with_pauses(LONG, LONG)
        .with_jitter(0)
        .with_max_tries(1);
    let id = start(
        &runtime,
        &system,
        "a",
        ActorOptions::new().with_restarts(restarts),
    )
    .unwrap();
    assert!(matches!(
        answer(runtime.send_message_to_component(&id, [TRAP])),
        Err(ActorError::Poison { .. })
    ));
    let waits = runtime.send_message_to_component(&id, [7]);
    assert!(!waits.is_done());
    runtime
        .replace_component(&id, obedient(), ReplaceOptions::new())
        .wait()
        .unwrap();
    assert_eq!(answer(waits).unwrap(), 7);
}

#[test]
fn stopping_an_actor_ends_the_trial_of_its_new_version() {
    let (runtime, down) = obeying();
    let system = system(2);
    let events = system.subscribe(10);
    let id = start_version(&runtime, &system, 11);
    let trial = ReplaceOptions::new().with_share(1).with_trial(1000, LONG);
    let replaced = runtime.replace_component(&id, version(12), trial);
    // The trial has begun once the new version has handled a message.
    while asked(&runtime, &id) == 11 {
        thread::sleep(Duration::from_millis(1));
    }
    runtime.stop_actor(&id).wait().unwrap();
    assert!(matches!(replaced.wait(), Err(ActorError::Stopped(_))));
    wait_down(&down, 2);
    assert_eq!(names(&events, 3), ["started", "ready", "stopped"]);
}

#[test]
fn no_request_fails_while_versions_change_under_load() {
    let (runtime, _) = obeying();
    let system = system(2);
    let id = start_version(&runtime, &system, 11);
    let ended = AtomicBool::new(false);
    let sent = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let answer = asked(&runtime, &id);
                    assert!((11..=13).contains(&answer), "{answer}");
                    sent.fetch_add(1, Ordering::SeqCst);
                    // The guests never free memory.
                    thread::sleep(Duration::from_micros(200));
                }
            });
        }
        for number in 0..40 {
            let trial = ReplaceOptions::new().with_share(50).with_trial(10, LONG);
            let replaced = match number % 2 {
                0 => runtime
                    .replace_component(&id, version(12 + number / 2 % 2), trial)
                    .wait()
                    .map(drop),
                _ => runtime.replace_component(&id, trapping(), trial).wait().map(drop),
            };
            match (number % 2, replaced) {
                (0, Ok(())) | (1, Err(ActorError::RolledBack { .. })) => {}
                other => panic!("{other:?}"),
            }
        }
        ended.store(true, Ordering::SeqCst);
    });
    let counters = system.counters();
    assert_eq!(
        counters.delivered,
        u64::from(sent.load(Ordering::SeqCst)),
        "{counters:?}"
    );
    assert!(counters.add_up() && counters.dead_lettered == 0, "{counters:?}");
}

#[test]
fn a_new_version_has_the_event_of_its_number() {
    let (runtime, _) = obeying();
    let system = system(2);
    let events = system.subscribe(10);
    let id = start_version(&runtime, &system, 11);
    runtime
        .replace_component(&id, version(12), ReplaceOptions::new())
        .wait()
        .unwrap();
    let kinds = super::next(&events, 3);
    assert_eq!(kinds[2], ActorEventKind::Replaced { version: 2 });
}
