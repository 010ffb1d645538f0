//! Durable actors: what they were sent, and what they set, outlasts the host.

mod kill;
mod repeated;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airssys_wasm::actors::{
    ActorError, ActorOptions, ActorSystem, Backpressure, DeadLetterReason, InvalidActorOptions,
    RestartPolicy, SendOptions,
};
use airssys_wasm::codec::Codec;
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::store::{Store, StoreError, StoreOptions};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime};
use serde_json::{Value, json};

use super::host_support::{operation, read, runtime};
use super::{Gate, LONG, TRAP, answer, commanded, first, fixture, id, load, start, start_loaded, system};

/// A folder for a store, removed with this value.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Folder {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("airssys-durable-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("host.redb")
    }

    fn store(&self) -> Store {
        Store::open(StoreOptions::new(self.file())).expect("it opens")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn durable() -> ActorOptions {
    ActorOptions::new().with_durable(true)
}

fn system_with(store: &Store) -> ActorSystem {
    let builder = ActorSystem::builder().with_workers(2).with_store(store.clone());
    builder.build().expect("there are threads")
}

fn length(store: &Store, name: &str) -> usize {
    store.queue(name, None, usize::MAX).expect("it is read").len()
}

/// A runtime whose guests wait at the gate, and record their messages.
fn gated(gate: &Gate) -> (ComponentRuntime, Arc<Mutex<Vec<Vec<u8>>>>) {
    let handled: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let (of_step, gate) = (handled.clone(), gate.clone());
    let step = move |_: &str, message: &[u8]| {
        gate.pass();
        of_step.lock().unwrap().push(message.to_vec());
        5
    };
    (commanded(first(), step, |_| 3), handled)
}

#[test]
fn a_message_is_in_the_store_from_its_acceptance_to_its_answer() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    let (runtime, _) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    runtime.tell(&actor, b"told").wait().unwrap();
    assert_eq!(length(&store, "a"), 1, "it is there when it is accepted");
    let asked = runtime.send_message_to_component(&actor, b"asked");
    gate.wait_for(1);
    runtime.tell(&actor, b"told too").wait().unwrap();
    assert_eq!(length(&store, "a"), 3, "no answer is there");
    gate.open();
    assert_eq!(answer(asked).unwrap(), 5);
    let left = store.queue("a", None, usize::MAX).unwrap();
    assert!(
        left.iter().all(|entry| entry.value.ends_with(b"told too")),
        "it is gone when its answer is there"
    );
    runtime.stop_actor(&actor).wait().unwrap();
    assert_eq!(length(&store, "a"), 0);
    let counters = system.counters();
    assert_eq!((counters.sent, counters.delivered), (3, 3));
}

#[test]
fn messages_of_an_earlier_host_are_handled_in_order_and_before_others() {
    let folder = Folder::new();
    {
        let (store, gate) = (folder.store(), Gate::default());
        let (runtime, handled) = gated(&gate);
        let system = system_with(&store);
        let actor = start(&runtime, &system, "a", durable()).unwrap();
        for number in 0..20_u8 {
            runtime.tell(&actor, [number]).wait().unwrap();
        }
        let asked = runtime.send_message_to_component(&actor, [20]);
        // The call in flight cannot be stopped: it waits in a function of the host.
        gate.wait_for(1);
        let report = system.shutdown(Duration::ZERO);
        assert!(matches!(asked.wait(), Err(ActorError::ShutDown)));
        gate.open();
        report.wait().unwrap();
        let counters = system.counters();
        assert!(counters.add_up() && counters.dead_lettered == 0, "{counters:?}");
        assert!(counters.kept >= 20, "{counters:?}");
        assert!(handled.lock().unwrap().len() <= 1);
        assert_eq!(system.take_dead_letters(), []);
        store.close();
    }
    let (store, gate) = (folder.store(), Gate::default());
    let before = length(&store, "a");
    assert!(before >= 20, "{before}");
    gate.open();
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    assert_eq!(
        answer(runtime.send_message_to_component(&actor, [99])).unwrap(),
        5
    );
    let mut expected: Vec<_> = (0..21).map(|number| vec![number]).collect();
    expected.drain(..21 - before);
    expected.push(vec![99]);
    assert_eq!(*handled.lock().unwrap(), expected);
    assert_eq!(length(&store, "a"), 0);
    let counters = system.counters();
    let all = u64::try_from(before + 1).unwrap();
    assert_eq!((counters.sent, counters.delivered), (all, all));
}

#[test]
fn a_shutdown_with_time_leaves_nothing_in_the_store() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    gate.open();
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    for number in 0..50_u8 {
        drop(runtime.tell(&actor, [number]).wait());
    }
    let report = system.shutdown(LONG).wait().unwrap();
    assert_eq!((report.counters.delivered, report.counters.kept), (50, 0));
    assert_eq!((handled.lock().unwrap().len(), length(&store, "a")), (50, 0));
}

#[test]
fn settings_that_a_component_changed_outlast_restarts_and_the_host() {
    let folder = Folder::new();
    let ask = |runtime: &ComponentRuntime, actor: &ComponentId, name: &str, params: Value| {
        let message = operation(Codec::Json, name, params);
        read(&runtime.send_message_to_component(actor, message).wait().unwrap()).1
    };
    let counter = || fixture("counter.wasm");
    let options = |step: Option<&str>| {
        let options = ComponentOptions::new().with_id(id("counter"));
        match step {
            Some(step) => options.with_fixed_config("step", step),
            None => options.with_config("step", "2"),
        }
    };
    let load_counter = |runtime: &ComponentRuntime, system: &ActorSystem, step, actor| {
        let loaded = load(runtime, &counter());
        runtime
            .start_actor(&loaded, options(step), system, actor)
            .wait()
            .unwrap()
    };
    {
        let store = folder.store();
        let (runtime, system) = (runtime(), system_with(&store));
        let actor = load_counter(&runtime, &system, None, durable());
        assert_eq!(
            ask(&runtime, &actor, "increment", Value::Null),
            json!({"count": 2})
        );
        ask(&runtime, &actor, "set-step", json!({"step": 7}));
        let value = store.value("counter", "step").unwrap();
        assert_eq!(value.as_deref(), Some(&b"7"[..]), "it is there with the answer");
        system.shutdown(LONG).wait().unwrap();
        store.close();
    }
    {
        let store = folder.store();
        let (runtime, system) = (runtime(), system_with(&store));
        let actor = load_counter(&runtime, &system, None, durable());
        assert_eq!(
            ask(&runtime, &actor, "increment", Value::Null),
            json!({"count": 7})
        );
        system.shutdown(LONG).wait().unwrap();
        store.close();
    }
    // What the host has fixed applies, and an actor that is not durable has its own.
    let store = folder.store();
    for (step, actor, count) in [(Some("3"), durable(), 3), (None, ActorOptions::new(), 2)] {
        let (runtime, system) = (runtime(), system_with(&store));
        let actor = load_counter(&runtime, &system, step, actor);
        assert_eq!(
            ask(&runtime, &actor, "increment", Value::Null),
            json!({"count": count})
        );
        system.shutdown(LONG).wait().unwrap();
    }
}

#[test]
fn dead_letters_of_durable_actors_outlast_the_host() {
    let folder = Folder::new();
    {
        let store = folder.store();
        let step = |_: &str, message: &[u8]| if message == b"poison" { TRAP } else { 5 };
        let runtime = commanded(first(), step, |_| 3);
        let system = system_with(&store);
        let quick = RestartPolicy::default()
            .with_pauses(Duration::from_millis(1), Duration::from_millis(1))
            .with_max_tries(2);
        let actor = start(&runtime, &system, "a", durable().with_restarts(quick)).unwrap();
        let options = SendOptions::new().with_request_id("request");
        let poison = runtime.send_message_to_component_with(&actor, b"poison", options);
        assert!(matches!(poison.wait(), Err(ActorError::Poison { tries: 2, .. })));
        assert_eq!(length(&store, "a"), 0);
        assert_eq!(
            store.dead_letter_counts().unwrap(),
            (1, 0),
            "it is there with the answer"
        );
        let counters = system.counters();
        assert_eq!((counters.dead_lettered, counters.kept), (1, 0));
        system.shutdown(LONG).wait().unwrap();
        store.close();
    }
    let system = system_with(&folder.store());
    let dead = system.take_dead_letters();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id.as_str(), &dead[0].payload[..]), ("a", &b"poison"[..]));
    assert_eq!(dead[0].request_id.as_deref(), Some("request"));
    assert!(
        matches!(&dead[0].reason, DeadLetterReason::Poison { tries: 2, error } if error.contains("unreachable")),
        "{dead:?}"
    );
    assert_eq!(
        (system.take_dead_letters(), system.lost_dead_letters()),
        (Vec::new(), 0)
    );
}

#[test]
fn a_message_whose_time_ended_while_the_host_was_down_is_a_dead_letter() {
    let folder = Folder::new();
    // Longer than a commit takes on a busy machine.
    let time = Duration::from_secs(5);
    {
        let (store, gate) = (folder.store(), Gate::default());
        let (runtime, _) = gated(&gate);
        let system = system_with(&store);
        let actor = start(&runtime, &system, "a", durable()).unwrap();
        runtime.tell(&actor, b"first").wait().unwrap();
        gate.wait_for(1);
        let options = SendOptions::new().with_timeout(time);
        runtime.tell_with(&actor, b"late", options).wait().unwrap();
        let report = system.shutdown(Duration::ZERO);
        gate.open();
        report.wait().unwrap();
        store.close();
    }
    std::thread::sleep(time);
    let (store, gate) = (folder.store(), Gate::default());
    gate.open();
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    answer(runtime.send_message_to_component(&actor, b"next")).unwrap();
    assert!(!handled.lock().unwrap().contains(&b"late".to_vec()));
    // The thread that found that its time is over may hand it over to the store later than this one its message.
    let begun = std::time::Instant::now();
    let mut dead = system.take_dead_letters();
    while dead.is_empty() && begun.elapsed() < LONG {
        dead = system.take_dead_letters();
    }
    assert_eq!(
        (dead.len(), &dead[0].payload[..], &dead[0].reason),
        (1, &b"late"[..], &DeadLetterReason::Expired)
    );
}

#[test]
fn a_message_that_is_given_up_leaves_the_store() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    runtime.tell(&actor, b"first").wait().unwrap();
    gate.wait_for(1);
    // On its way into the store, or there: both are given up.
    for _ in 0..20 {
        drop(runtime.send_message_to_component(&actor, b"given up"));
    }
    gate.open();
    runtime.stop_actor(&actor).wait().unwrap();
    assert_eq!(length(&store, "a"), 0);
    assert_eq!(*handled.lock().unwrap(), [b"first".to_vec()]);
    let counters = system.counters();
    assert_eq!((counters.canceled, counters.delivered), (20, 1));
}

#[test]
fn senders_that_wait_for_room_are_accepted_when_their_message_is_stored() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let mut limits = MailboxLimits::default();
    limits.messages = 2;
    let waits = Backpressure::Wait { longest: LONG };
    let options = durable().with_mailbox(limits).with_backpressure(waits);
    let actor = start(&runtime, &system, "a", options).unwrap();
    runtime.tell(&actor, [0]).wait().unwrap();
    gate.wait_for(1);
    let told: Vec<_> = (1..10_u8).map(|number| runtime.tell(&actor, [number])).collect();
    assert!(length(&store, "a") <= 3, "the others are not accepted");
    gate.open();
    for told in told {
        told.wait().unwrap();
    }
    runtime.stop_actor(&actor).wait().unwrap();
    let expected: Vec<_> = (0..10).map(|number| vec![number]).collect();
    assert_eq!((&*handled.lock().unwrap(), length(&store, "a")), (&expected, 0));
}

#[test]
fn a_displaced_message_is_a_dead_letter_in_the_store() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    let (runtime, _) = gated(&gate);
    let system = system_with(&store);
    let mut limits = MailboxLimits::default();
    limits.messages = 1;
    let options = durable()
        .with_mailbox(limits)
        .with_backpressure(Backpressure::DropOldest);
    let actor = start(&runtime, &system, "a", options).unwrap();
    runtime.tell(&actor, b"first").wait().unwrap();
    gate.wait_for(1);
    let old = runtime.send_message_to_component(&actor, b"old");
    runtime.tell(&actor, b"new").wait().unwrap();
    assert!(matches!(old.wait(), Err(ActorError::Displaced(_))));
    let dead = system.take_dead_letters();
    assert_eq!(
        (dead.len(), &dead[0].payload[..], &dead[0].reason),
        (1, &b"old"[..], &DeadLetterReason::Displaced)
    );
    gate.open();
    runtime.stop_actor(&actor).wait().unwrap();
    assert_eq!(length(&store, "a"), 0);
}

#[test]
fn a_store_without_room_refuses_messages_and_goes_on_when_there_is() {
    let folder = Folder::new();
    let options = StoreOptions::new(folder.file()).with_largest_file(1 << 20);
    let (store, gate) = (Store::open(options).unwrap(), Gate::default());
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    let mut accepted = 0;
    let error = loop {
        match runtime.tell(&actor, vec![1; 30_000]).wait() {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100, "the store has no limit");
    };
    assert!(
        matches!(error, ActorError::Store(StoreError::Full { .. })),
        "{error:?}"
    );
    assert!(accepted > 5);
    gate.open();
    let counters = || system.counters();
    // Messages leave the store after they were handled.
    let begun = std::time::Instant::now();
    while counters().in_flight > 0 || length(&store, "a") > 0 {
        assert!(begun.elapsed() < LONG, "{:?}", counters());
        std::thread::sleep(Duration::from_millis(1));
    }
    // Refused for a second after that, unless messages were removed meanwhile, as they were.
    answer(runtime.send_message_to_component(&actor, b"small")).unwrap();
    assert_eq!(handled.lock().unwrap().len(), accepted + 1);
    assert_eq!((counters().refused, counters().dead_lettered), (1, 0));
    assert!(counters().add_up());
}

#[test]
fn a_durable_actor_needs_a_store_that_no_other_uses_under_its_name() {
    let runtime_of = || gated(&Gate::default()).0;
    let (one, two) = (runtime_of(), runtime_of());
    let without = start(&one, &system(1), "a", durable());
    assert!(
        matches!(without, Err(ActorError::Options(InvalidActorOptions::NoStore))),
        "{without:?}"
    );
    let folder = Folder::new();
    let system = system_with(&folder.store());
    let actor = start(&one, &system, "a", durable()).unwrap();
    let loaded = load(&two, &super::obedient());
    let again = start_loaded(&two, &loaded, &system, "a", durable()).wait();
    assert!(matches!(again, Err(ActorError::StoreInUse(_))), "{again:?}");
    assert!(
        start_loaded(&two, &loaded, &system, "b", durable())
            .wait()
            .is_ok()
    );
    one.stop_actor(&actor).wait().unwrap();
    assert!(
        start_loaded(&two, &loaded, &system, "a", durable())
            .wait()
            .is_ok()
    );
}

#[test]
fn a_message_with_an_id_is_accepted_once_also_by_a_later_process() {
    let folder = Folder::new();
    let once = |runtime: &ComponentRuntime, actor: &ComponentId, name: &str| {
        runtime.tell_once(actor, name, name, SendOptions::new()).wait()
    };
    for process in 0..2 {
        let (store, gate) = (folder.store(), Gate::default());
        gate.open();
        let (runtime, handled) = gated(&gate);
        let system = system_with(&store);
        let actor = start(&runtime, &system, "a", durable()).unwrap();
        if process == 0 {
            once(&runtime, &actor, "first").unwrap();
        }
        let again = once(&runtime, &actor, "first");
        assert!(matches!(again, Err(ActorError::Repeated(_))), "{again:?}");
        once(&runtime, &actor, &format!("other {process}")).unwrap();
        let report = system.shutdown(LONG).wait().unwrap();
        assert_eq!(handled.lock().unwrap().len(), 2 - process);
        let counters = report.counters;
        assert_eq!((counters.refused, counters.in_flight), (1, 0));
        assert_eq!(counters.sent, counters.delivered + counters.refused);
        store.close();
    }
}

#[test]
fn a_message_that_is_refused_is_not_remembered() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    let (runtime, _) = gated(&gate);
    let system = system_with(&store);
    let mut small = MailboxLimits::default();
    (small.messages, small.message_bytes) = (1, 10);
    let options = durable()
        .with_mailbox(small)
        .with_backpressure(Backpressure::Wait { longest: LONG });
    let actor = start(&runtime, &system, "a", options).unwrap();
    let once = |name: &str| runtime.tell_once(&actor, name, name, SendOptions::new());
    once("called").wait().unwrap();
    gate.wait_for(1);
    once("waits").wait().unwrap();
    let full = once("full");
    assert!(full.is_done(), "it does not wait for room");
    assert!(matches!(full.wait(), Err(ActorError::Full { .. })));
    let large = once("too large for it");
    assert!(large.is_done());
    assert!(matches!(large.wait(), Err(ActorError::TooLarge { .. })));
    let buried = runtime.bury_message(&actor, "too large for it", SendOptions::new(), "too large");
    buried.wait().unwrap();
    gate.open();
    // There is room at some time.
    while let Err(error) = once("full").wait() {
        assert!(matches!(error, ActorError::Full { .. }), "{error}");
    }
    let dead = system.take_dead_letters();
    let refused = DeadLetterReason::Refused {
        error: "too large".to_owned(),
    };
    assert_eq!((dead.len(), &dead[0].reason), (1, &refused));
    let plain = start(&runtime, &system, "b", ActorOptions::new()).unwrap();
    let not_durable = runtime.tell_once(&plain, "id", "", SendOptions::new()).wait();
    assert!(
        matches!(not_durable, Err(ActorError::NotDurable(_))),
        "{not_durable:?}"
    );
}
