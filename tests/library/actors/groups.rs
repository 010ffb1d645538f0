//! Groups of actors: who restarts with whom, and giving up together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentRuntime;
use airssys_wasm::actors::{
    ActorError, ActorEventKind, ActorEvents, ActorGroup, ActorOptions, ActorPhase, GroupStrategy,
    RestartPolicy,
};

use super::{Gate, LONG, TRAP, answer, commanded, first, id, start, system};

/// Numbers of `init` by component.
type Inits = Arc<Mutex<BTreeMap<String, u32>>>;

fn counted(inits: &Inits) -> ComponentRuntime {
    let inits = inits.clone();
    commanded(
        first(),
        |_, message| message[0],
        move |component| {
            *inits.lock().unwrap().entry(component.to_owned()).or_default() += 1;
            0
        },
    )
}

fn member(group: &ActorGroup) -> ActorOptions {
    let restarts = RestartPolicy::default()
        .with_pauses(Duration::from_millis(1), Duration::from_millis(1))
        .with_max_tries(1);
    ActorOptions::new().with_group(group).with_restarts(restarts)
}

fn trap(runtime: &ComponentRuntime, name: &str) {
    let trapped = answer(runtime.send_message_to_component(&id(name), [TRAP]));
    assert!(matches!(trapped, Err(ActorError::Poison { .. })), "{trapped:?}");
}

/// Asks an actor, which answers once it is initialized.
fn settle(runtime: &ComponentRuntime, names: &[&str]) {
    for name in names {
        assert_eq!(
            answer(runtime.send_message_to_component(&id(name), [7])).unwrap(),
            7,
            "{name}"
        );
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_strategy_decides_who_restarts() {
    for (strategy, expected) in [
        (GroupStrategy::OneForOne, [1, 2, 1]),
        (GroupStrategy::OneForAll, [2, 2, 2]),
        (GroupStrategy::RestForOne, [1, 2, 2]),
    ] {
        let inits = Inits::default();
        let (runtime, system) = (counted(&inits), system(2));
        let group = ActorGroup::new("workers", strategy, 10, LONG);
        let members = ["a", "b", "c"];
        for name in members {
            start(&runtime, &system, name, member(&group)).unwrap();
        }
        start(&runtime, &system, "stranger", ActorOptions::new()).unwrap();
        trap(&runtime, "b");
        let counts = || members.map(|name| inits.lock().unwrap()[name]);
        wait_until("the group restarts", || counts() == expected);
        settle(&runtime, &["a", "b", "c", "stranger"]);
        assert_eq!(counts(), expected, "{strategy:?}");
        assert_eq!(inits.lock().unwrap()["stranger"], 1);
        let restarts = members.map(|name| runtime.actor_status(&id(name)).unwrap().restarts);
        assert_eq!(restarts.map(|restarts| restarts + 1), expected.map(u64::from));
        assert!(system.counters().add_up());
    }
}

#[test]
fn a_member_in_a_call_restarts_behind_it() {
    let inits = Inits::default();
    let count = inits.clone();
    let gate = Gate::default();
    let passing = gate.clone();
    let runtime = commanded(
        first(),
        move |component, message| {
            if component == "a" {
                passing.pass();
            }
            message[0]
        },
        move |component| {
            *count.lock().unwrap().entry(component.to_owned()).or_default() += 1;
            0
        },
    );
    let system = system(2);
    let group = ActorGroup::new("workers", GroupStrategy::OneForAll, 10, LONG);
    for name in ["a", "b"] {
        start(&runtime, &system, name, member(&group)).unwrap();
    }
    let handled = runtime.send_message_to_component(&id("a"), [9]);
    gate.wait_for(1);
    trap(&runtime, "b");
    settle(&runtime, &["b"]);
    assert_eq!(inits.lock().unwrap()["a"], 1);
    gate.open();
    assert_eq!(answer(handled).unwrap(), 9, "its message is not lost");
    wait_until("it restarts", || inits.lock().unwrap()["a"] == 2);
    settle(&runtime, &["a"]);
}

fn phases(runtime: &ComponentRuntime, names: &[&str]) -> Vec<ActorPhase> {
    let phase = |name: &&str| runtime.actor_status(&id(name)).unwrap().phase;
    names.iter().map(phase).collect()
}

fn escalation(events: &ActorEvents) -> (String, String, String) {
    loop {
        let event = events.wait_next(LONG).expect("it escalates");
        if let ActorEventKind::Escalated { group, reason } = event.kind {
            return (event.id.to_string(), group, reason);
        }
    }
}

#[test]
fn too_many_restarts_of_a_group_end_it() {
    let inits = Inits::default();
    let (runtime, system) = (counted(&inits), system(2));
    let events = system.subscribe(1000);
    let group = ActorGroup::new("workers", GroupStrategy::OneForOne, 2, LONG);
    for name in ["a", "b"] {
        start(&runtime, &system, name, member(&group)).unwrap();
    }
    start(&runtime, &system, "stranger", ActorOptions::new()).unwrap();
    for name in ["a", "b", "a"] {
        trap(&runtime, name);
    }
    let (by, named, reason) = escalation(&events);
    assert_eq!((by.as_str(), named.as_str()), ("a", "workers"));
    assert!(reason.contains("more than 2 restarts"), "{reason}");
    assert_eq!(phases(&runtime, &["a", "b"]), [ActorPhase::GaveUp; 2]);
    settle(&runtime, &["stranger"]);
    let refused = answer(runtime.send_message_to_component(&id("b"), [7]));
    let Err(ActorError::GaveUp { last, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(last.contains("the group `workers` gave up with `a`"), "{last}");
    // Their identities are free once they are stopped.
    for name in ["a", "b"] {
        runtime.stop_actor(&id(name)).wait().unwrap();
    }
    assert_eq!(runtime.list_components(), [id("stranger")]);
    assert!(system.counters().add_up());
}

#[test]
fn a_member_that_gives_up_takes_the_group_along_and_waiting_messages_become_dead_letters() {
    let gate = Gate::default();
    let held = gate.clone();
    let runtime = commanded(
        first(),
        move |component, message| {
            if component == "busy" {
                held.pass();
            }
            message[0]
        },
        |_| 0,
    );
    let system = system(2);
    let events = system.subscribe(1000);
    let group = ActorGroup::new("workers", GroupStrategy::OneForOne, 100, LONG);
    start(&runtime, &system, "busy", member(&group)).unwrap();
    let weak = member(&group).with_restarts(RestartPolicy::default().with_intensity(0, LONG));
    start(&runtime, &system, "weak", weak).unwrap();
    let handled = runtime.send_message_to_component(&id("busy"), [9]);
    let waits = runtime.send_message_to_component(&id("busy"), [8]);
    gate.wait_for(1);
    let last = answer(runtime.send_message_to_component(&id("weak"), [TRAP]));
    assert!(matches!(last, Err(ActorError::Poison { .. })), "{last:?}");
    assert_eq!(escalation(&events).0, "weak");
    assert!(matches!(answer(waits), Err(ActorError::GaveUp { .. })));
    gate.open();
    assert_eq!(answer(handled).unwrap(), 9, "the call in flight runs to its end");
    assert_eq!(phases(&runtime, &["busy", "weak"]), [ActorPhase::GaveUp; 2]);
    assert_eq!(system.take_dead_letters().len(), 2);
    assert!(system.counters().add_up());
}
