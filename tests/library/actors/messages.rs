//! Messages and their answers.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use airssys_wasm::actors::{
    ActorError, ActorOptions, ActorPhase, DeadLetterReason, RestartPolicy, SendOptions,
};
use airssys_wasm::codec::Codec;
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::runtime::{Call, ExecutionError, InvalidOptions, TimeLimit};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};
use serde_json::{Value, json};

use super::host_support::{fixture, id, operation, read, runtime, runtimes};
use super::{Gate, LONG, LOOP, answer, commanded, first, load, names, start, system};

/// Runs a future on this thread, which it parks.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn messages_of_one_sender_are_handled_in_their_order() {
    for runtime in runtimes() {
        let system = system(2);
        let counter = load(&runtime, &fixture("counter.wasm"));
        let options = ComponentOptions::new().with_name_of("counter.wasm");
        let started = runtime.start_actor(&counter, options, &system, ActorOptions::new());
        let actor = block_on(started).unwrap();
        assert_eq!(actor, id("counter"));
        let increment = operation(Codec::Json, "increment", Value::Null);
        let answers: Vec<_> = (0..50)
            .map(|_| runtime.send_message_to_component(&actor, &*increment))
            .collect();
        for (index, answer) in answers.into_iter().enumerate() {
            let answer = block_on(answer).unwrap();
            assert_eq!(read(&answer).1, json!({"count": index + 1}));
        }
        runtime.tell(&actor, &*increment).wait().unwrap();
        let last = runtime.send_message_to_component(&actor, operation(Codec::Json, "get", Value::Null));
        assert_eq!(read(&last.wait().unwrap()).1, json!({"count": 51}));
        let status = runtime.actor_status(&actor).unwrap();
        assert_eq!((status.phase, status.restarts), (ActorPhase::Ready, 0));
        assert_eq!((status.counters.sent, status.counters.delivered), (52, 52));
        block_on(runtime.stop_actor(&actor)).unwrap();
        assert!(runtime.list_components().is_empty());
    }
}

#[test]
fn an_error_of_the_component_is_an_answer() {
    let (runtime, system) = (runtime(), system(1));
    let counter = load(&runtime, &fixture("counter.wasm"));
    let started = runtime.start_actor(&counter, ComponentOptions::new(), &system, ActorOptions::new());
    let actor = started.wait().unwrap();
    let unknown = runtime.send_message_to_component(&actor, operation(Codec::Json, "fly", Value::Null));
    let error = unknown.wait().unwrap_err();
    assert!(
        matches!(
            &error,
            ActorError::Runtime(RuntimeError::Execution(ExecutionError::UnsupportedOperation(_)))
        ),
        "{error:?}"
    );
    assert_eq!(runtime.actor_status(&actor).unwrap().counters.delivered, 1);
}

#[test]
fn an_identity_without_an_actor_is_unknown() {
    let (runtime, system) = (runtime(), system(1));
    let plain = runtime
        .load_component(&fixture("counter.wasm"), ComponentOptions::new())
        .unwrap();
    for id in [id("absent"), plain] {
        let is_unknown = |error| matches!(error, Err(ActorError::Unknown(unknown)) if unknown == id);
        assert!(is_unknown(
            runtime.send_message_to_component(&id, b"x").wait().map(drop)
        ));
        assert!(is_unknown(runtime.tell(&id, b"x").wait()));
        assert!(is_unknown(runtime.stop_actor(&id).wait()));
        assert!(is_unknown(runtime.actor_status(&id).map(drop)));
    }
    assert_eq!(system.counters().sent, 0);
}

#[test]
fn an_actor_is_called_for_its_messages_only() {
    let (runtime, system) = (runtime(), system(1));
    let counter = load(&runtime, &fixture("counter.wasm"));
    let started = runtime.start_actor(&counter, ComponentOptions::new(), &system, ActorOptions::new());
    let actor = started.wait().unwrap();
    for refused in [
        runtime.init(&actor),
        runtime.execute(&actor, b"").map(drop),
        runtime.health(&actor).map(drop),
        runtime.supported_codecs(&actor).map(drop),
        runtime.shutdown(&actor),
        runtime.unload(&actor),
    ] {
        assert!(
            matches!(&refused, Err(RuntimeError::Actor(id)) if *id == actor),
            "{refused:?}"
        );
    }
    // This needs no call.
    assert_eq!(runtime.metadata(&actor).unwrap().name, "counter");
    assert_eq!(runtime.list_components(), [actor]);
}

#[test]
fn with_actor_integration_each_component_is_an_actor() {
    let config = RuntimeConfig::builder()
        .with_rt_actor_integration()
        .build()
        .unwrap();
    let runtime = ComponentRuntime::new(config).unwrap();
    let refused = runtime.load_component(&fixture("counter.wasm"), ComponentOptions::new());
    assert!(
        matches!(refused, Err(RuntimeError::Options(InvalidOptions::NoActor))),
        "{refused:?}"
    );
    let (system, counter) = (system(1), load(&runtime, &fixture("counter.wasm")));
    let started = runtime.start_actor(&counter, ComponentOptions::new(), &system, ActorOptions::new());
    started.wait().unwrap();
}

#[test]
fn a_message_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let runtime = commanded(first(), |_, message| 3 + message.len() as u8, |_| 3);
    let system = system(1);
    let mut limits = MailboxLimits::default();
    limits.message_bytes = 4;
    let actor = start(
        &runtime,
        &system,
        "small",
        ActorOptions::new().with_mailbox(limits),
    )
    .unwrap();
    assert_eq!(
        answer(runtime.send_message_to_component(&actor, b"1234")).unwrap(),
        7
    );
    let refused = answer(runtime.send_message_to_component(&actor, b"12345"));
    assert!(
        matches!(
            refused,
            Err(ActorError::TooLarge {
                bytes: 5,
                limit: 4,
                ..
            })
        ),
        "{refused:?}"
    );
    let refused = runtime.tell(&actor, vec![0; 1 << 20]).wait();
    assert!(matches!(refused, Err(ActorError::TooLarge { .. })), "{refused:?}");
    let counters = system.counters();
    assert_eq!((counters.sent, counters.delivered, counters.refused), (3, 1, 2));
}

#[test]
fn options_of_a_message_reach_the_component() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorder = seen.clone();
    let config = RuntimeConfig::builder()
        .with_host_function("init", |_, _| Ok(vec![3]))
        .with_host_function("step", move |info, _| {
            recorder.lock().unwrap().push(info.request_id.map(str::to_owned));
            Ok(vec![3])
        });
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let system = system(1);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    let options = SendOptions::new().with_request_id("order-7");
    runtime
        .send_message_to_component_with(&actor, b"", options)
        .wait()
        .unwrap();
    runtime.send_message_to_component(&actor, b"").wait().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].as_deref(), Some("order-7"));
    assert!(
        seen[1].as_deref().is_some_and(|id| id.starts_with("request-")),
        "{seen:?}"
    );
}

#[test]
fn a_message_that_is_given_up_leaves_the_mailbox() {
    let (gate, ran) = (Gate::default(), Arc::new(Mutex::new(Vec::new())));
    let (held, record) = (gate.clone(), ran.clone());
    let step = move |_: &str, message: &[u8]| {
        record.lock().unwrap().push(message.to_vec());
        held.pass();
        3
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    let first = runtime.send_message_to_component(&actor, b"first");
    gate.wait_for(1);
    let second = runtime.send_message_to_component(&actor, b"second");
    let third = runtime.send_message_to_component(&actor, b"third");
    assert_eq!(runtime.actor_status(&actor).unwrap().waiting, 2);
    drop(second);
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!(
        (status.waiting, status.waiting_bytes, status.counters.canceled),
        (1, 5, 1)
    );
    gate.open();
    assert!(answer(first).is_ok() && answer(third).is_ok());
    assert_eq!(*ran.lock().unwrap(), [b"first".to_vec(), b"third".to_vec()]);
    assert!(system.counters().add_up());
}

/// A sender that gives up ends a call that would never end, without blame for the component.
#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_call_that_is_given_up_is_interrupted_and_the_instance_replaced() {
    for backend in airssys_wasm::engine::Backend::available() {
        let (gate, starts) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
        let (came, begun) = (gate.clone(), starts.clone());
        gate.open();
        let step = move |_: &str, message: &[u8]| match message {
            b"loop" => {
                came.pass();
                LOOP
            }
            _ => 5,
        };
        let init = move |_: &str| {
            begun.fetch_add(1, Ordering::Relaxed);
            3
        };
        let runtime = commanded(*backend, step, init);
        let system = system(1);
        // No failure is allowed, and this is none.
        let policy = RestartPolicy::default().with_intensity(0, LONG);
        let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(policy)).unwrap();
        let events = system.subscribe(100);
        let endless = runtime.send_message_to_component(&actor, b"loop");
        let next = runtime.send_message_to_component(&actor, b"next");
        gate.wait_for(1);
        drop(endless);
        assert_eq!(answer(next).unwrap(), 5);
        assert_eq!(names(&events, 3), ["trapped", "restarted", "ready"]);
        assert_eq!(starts.load(Ordering::Relaxed), 2);
        let status = runtime.actor_status(&actor).unwrap();
        assert_eq!((status.counters.canceled, status.counters.delivered), (1, 1));
        assert_eq!((status.phase, status.restarts), (ActorPhase::Ready, 1));
    }
}

#[test]
fn a_message_whose_time_ends_in_the_mailbox_is_a_dead_letter() {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, _: &[u8]| {
        held.pass();
        3
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    let first = runtime.send_message_to_component(&actor, b"first");
    gate.wait_for(1);
    let time = Duration::from_millis(20);
    let options = SendOptions::new().with_timeout(time).with_request_id("late");
    let late = runtime.send_message_to_component_with(&actor, b"late", options);
    // The worker is still in the first.
    let error = late.wait().unwrap_err();
    assert!(
        matches!(&error, ActorError::Expired { after, .. } if *after == time),
        "{error:?}"
    );
    let dead = system.take_dead_letters();
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0].id, &*dead[0].payload), (&actor, &b"late"[..]));
    assert_eq!(dead[0].request_id.as_deref(), Some("late"));
    assert_eq!(dead[0].reason, DeadLetterReason::Expired);
    gate.open();
    assert!(answer(first).is_ok());
    let counters = system.counters();
    assert_eq!((counters.delivered, counters.dead_lettered), (1, 1));
}

/// The sender's time says nothing about the component.
#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_call_that_is_stopped_at_its_senders_time_is_a_dead_letter_and_no_failure() {
    let step = |_: &str, message: &[u8]| if message == b"loop" { LOOP } else { 5 };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let policy = RestartPolicy::default().with_intensity(0, LONG);
    let actor = start(&runtime, &system, "a", ActorOptions::new().with_restarts(policy)).unwrap();
    // A message whose call begins too late expires, and is sent again.
    let errors = std::iter::repeat_with(|| {
        let options = SendOptions::new().with_timeout(Duration::from_millis(500));
        let sent = runtime.send_message_to_component_with(&actor, b"loop", options);
        sent.wait().unwrap_err()
    });
    let mut errors = errors
        .take(20)
        .skip_while(|error| matches!(error, ActorError::Expired { .. }));
    let error = errors.next().expect("a call that begins in time");
    drop(errors);
    assert!(
        matches!(
            &error,
            ActorError::Runtime(RuntimeError::Timeout {
                call: Call::Execute,
                limit: TimeLimit::Caller,
                ..
            })
        ),
        "{error:?}"
    );
    assert_eq!(answer(runtime.send_message_to_component(&actor, b"")).unwrap(), 5);
    let last = system.take_dead_letters().pop().expect("the message");
    assert_eq!(last.reason, DeadLetterReason::TimedOut);
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!((status.phase, status.restarts), (ActorPhase::Ready, 1));
}

/// In a function of the host application that a component calls.
#[test]
fn a_component_that_waits_for_itself_waits_no_longer_than_its_message() {
    let own: Arc<OnceLock<ComponentRuntime>> = Arc::default();
    let (runtime_of_step, outcome) = (own.clone(), Arc::new(Mutex::new(None)));
    let record = outcome.clone();
    let step = move |component: &str, message: &[u8]| {
        if message == b"outer" {
            let runtime = runtime_of_step.get().expect("it is set");
            let options = SendOptions::new().with_timeout(Duration::from_millis(20));
            let inner = runtime.send_message_to_component_with(&id(component), b"inner", options);
            *record.lock().unwrap() = Some(inner.wait());
            runtime
                .tell(&id(component), b"later")
                .wait()
                .expect("there is room");
        }
        3
    };
    let runtime = commanded(first(), step, |_| 3);
    assert!(own.set(runtime.clone()).is_ok());
    let system = system(1);
    let actor = start(&runtime, &system, "a", ActorOptions::new()).unwrap();
    assert!(answer(runtime.send_message_to_component(&actor, b"outer")).is_ok());
    let waited = outcome.lock().unwrap().take();
    assert!(
        matches!(waited, Some(Err(ActorError::Expired { .. }))),
        "{waited:?}"
    );
    runtime.stop_actor(&actor).wait().unwrap();
    let counters = system.counters();
    assert_eq!(
        (counters.sent, counters.delivered, counters.dead_lettered),
        (3, 2, 1)
    );
    // The function refers to the runtime, which would keep itself.
    drop(system);
}
