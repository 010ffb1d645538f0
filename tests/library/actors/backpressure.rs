//! Full mailboxes, and the turns of flooded actors.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use airssys_wasm::ComponentRuntime;
use airssys_wasm::actors::{
    ActorError, ActorOptions, ActorSystem, Backpressure, DeadLetterReason, RestartPolicy, SendOptions,
};
use airssys_wasm::messaging::MailboxLimits;

use super::{Gate, LONG, TRAP, answer, commanded, first, load, obedient, start, start_loaded, system};

fn two(backpressure: Backpressure) -> ActorOptions {
    let mut limits = MailboxLimits::default();
    limits.messages = 2;
    ActorOptions::new()
        .with_mailbox(limits)
        .with_backpressure(backpressure)
}

/// An actor whose first message waits at a gate.
fn held(options: ActorOptions) -> (ComponentRuntime, ActorSystem, airssys_wasm::ComponentId, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let step = move |_: &str, message: &[u8]| {
        if message == b"first" {
            held.pass();
        }
        message.first().copied().unwrap_or(3)
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system(1);
    let actor = start(&runtime, &system, "a", options).unwrap();
    let started = runtime.tell(&actor, b"first");
    started.wait().unwrap();
    gate.wait_for(1);
    (runtime, system, actor, gate)
}

#[test]
fn a_full_mailbox_refuses_until_there_is_room() {
    let (runtime, system, actor, gate) = held(two(Backpressure::Refuse));
    let waiting: Vec<_> = [[11u8], [12]]
        .map(|message| runtime.send_message_to_component(&actor, message))
        .into();
    let refused = runtime.send_message_to_component(&actor, [13u8]).wait();
    assert!(
        matches!(
            refused,
            Err(ActorError::Full {
                messages: 2,
                bytes: 2,
                ..
            })
        ),
        "{refused:?}"
    );
    let counters = system.counters();
    assert_eq!((counters.sent, counters.refused, counters.in_flight), (4, 1, 3));
    assert!(counters.add_up());
    gate.open();
    let answers: Vec<_> = waiting
        .into_iter()
        .map(|waiting| answer(waiting).unwrap())
        .collect();
    assert_eq!(answers, [11, 12]);
    assert_eq!(
        answer(runtime.send_message_to_component(&actor, [14u8])).unwrap(),
        14
    );
    assert!(system.take_dead_letters().is_empty());
}

#[test]
fn senders_wait_for_room_in_their_order() {
    let (runtime, system, actor, gate) = held(two(Backpressure::Wait { longest: LONG }));
    let told: Vec<_> = (11u8..=16)
        .map(|message| runtime.tell(&actor, [message]))
        .collect();
    let done: Vec<_> = told.iter().map(|told| told.is_done()).collect();
    assert_eq!(done, [true, true, false, false, false, false]);
    let status = runtime.actor_status(&actor).unwrap();
    assert_eq!((status.waiting, status.waiting_senders), (2, 4));
    // One that gives up is not sent, and the next takes its place.
    let mut told = told;
    drop(told.remove(2));
    assert_eq!(system.counters().canceled, 1);
    let last = runtime.send_message_to_component(&actor, [17u8]);
    gate.open();
    for told in told {
        told.wait().unwrap();
    }
    assert_eq!(answer(last).unwrap(), 17);
    let counters = system.counters();
    assert_eq!((counters.sent, counters.delivered, counters.canceled), (8, 7, 1));
    assert!(counters.add_up());
}

#[test]
fn a_sender_waits_for_room_no_longer_than_it_may() {
    let longest = Duration::from_millis(20);
    let (runtime, system, actor, gate) = held(two(Backpressure::Wait { longest }));
    let accepted = [[11u8], [12]].map(|message| runtime.tell(&actor, message));
    assert!(accepted.iter().all(|told| told.is_done()));
    let refused = runtime.tell(&actor, [13u8]).wait();
    assert!(
        matches!(refused, Err(ActorError::Full { messages: 2, .. })),
        "{refused:?}"
    );
    let options = SendOptions::new().with_timeout(Duration::from_millis(1));
    let expired = runtime.tell_with(&actor, [14u8], options).wait();
    assert!(matches!(expired, Err(ActorError::Expired { .. })), "{expired:?}");
    // Neither was accepted.
    assert_eq!(system.counters().refused, 2);
    assert!(system.take_dead_letters().is_empty());
    gate.open();
}

#[test]
fn the_oldest_messages_become_dead_letters() {
    let (runtime, system, actor, gate) = held(two(Backpressure::DropOldest));
    let sent: Vec<_> = (11u8..=14)
        .map(|message| runtime.send_message_to_component(&actor, [message]))
        .collect();
    gate.open();
    let answers: Vec<_> = sent.into_iter().map(answer).collect();
    assert!(
        matches!(
            &answers[..],
            [
                Err(ActorError::Displaced(_)),
                Err(ActorError::Displaced(_)),
                Ok(13),
                Ok(14)
            ]
        ),
        "{answers:?}"
    );
    let dead = system.take_dead_letters();
    let payloads: Vec<_> = dead.iter().map(|letter| letter.payload[0]).collect();
    assert_eq!(payloads, [11, 12]);
    assert!(
        dead.iter()
            .all(|letter| letter.reason == DeadLetterReason::Displaced)
    );
    assert!(system.counters().add_up());
}

/// Several senders, three policies, traps, and senders that give up: each message is counted once.
#[test]
fn counters_add_up_at_every_moment_under_load() {
    const SENDERS: u8 = 4;
    const MESSAGES: u8 = 150;
    let step = |_: &str, message: &[u8]| if message[0] % 50 == 7 { TRAP } else { 3 };
    let runtime = commanded(first(), step, |_| 3);
    let system = ActorSystem::builder()
        .with_workers(2)
        .with_turn_messages(3)
        .with_dead_letters(100_000, 100_000)
        .build()
        .unwrap();
    let restarts = RestartPolicy::default()
        .with_intensity(10_000, LONG)
        .with_pauses(Duration::ZERO, Duration::from_micros(100))
        .with_max_tries(2);
    let guest = load(&runtime, &obedient());
    let policies = [
        ("refuse", Backpressure::Refuse),
        ("wait", Backpressure::Wait { longest: LONG }),
        ("drop", Backpressure::DropOldest),
    ];
    let actors = policies.map(|(name, policy)| {
        let options = two(policy).with_restarts(restarts.clone());
        start_loaded(&runtime, &guest, &system, name, options)
            .wait()
            .unwrap()
    });
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (runtime, actors) = (&runtime, &actors);
            scope.spawn(move || {
                for message in 0..MESSAGES {
                    for actor in actors {
                        match (message + sender) % 3 {
                            0 => drop(runtime.send_message_to_component(actor, [message]).wait()),
                            1 => drop(runtime.tell(actor, [message]).wait()),
                            _ => drop(runtime.send_message_to_component(actor, [message])),
                        }
                    }
                }
            });
        }
        for _ in 0..200 {
            let counters = system.counters();
            assert!(counters.add_up(), "{counters:?}");
            std::thread::yield_now();
        }
    });
    let each: Vec<_> = actors
        .iter()
        .map(|actor| {
            runtime.stop_actor(actor).wait().unwrap();
            assert!(matches!(runtime.actor_status(actor), Err(ActorError::Unknown(_))));
        })
        .collect();
    assert_eq!(each.len(), 3);
    let counters = system.counters();
    assert_eq!(counters.in_flight, 0, "{counters:?}");
    assert_eq!(counters.sent, u64::from(SENDERS) * u64::from(MESSAGES) * 3);
    assert!(counters.add_up(), "{counters:?}");
    assert!(counters.delivered > 0 && counters.canceled > 0, "{counters:?}");
    let dead = system.take_dead_letters();
    assert_eq!(
        (dead.len() as u64, system.lost_dead_letters()),
        (counters.dead_lettered, 0)
    );
}

/// With one worker, which one actor is flooded on: another has its turn after a bounded number of messages.
#[test]
fn a_flooded_actor_does_not_starve_others() {
    const TURN: usize = 4;
    let (gate, order) = (Gate::default(), Arc::new(Mutex::new(Vec::new())));
    let (held, record) = (gate.clone(), order.clone());
    let step = move |component: &str, _: &[u8]| {
        if component == "gate" {
            held.pass();
        } else {
            record.lock().unwrap().push(component.to_owned());
        }
        3
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = ActorSystem::builder()
        .with_workers(1)
        .with_turn_messages(TURN)
        .build()
        .unwrap();
    let guest = load(&runtime, &obedient());
    let start = |name| {
        start_loaded(&runtime, &guest, &system, name, ActorOptions::new())
            .wait()
            .unwrap()
    };
    let (blocker, flooded, quiet) = (start("gate"), start("flooded"), start("quiet"));
    runtime.tell(&blocker, b"").wait().unwrap();
    gate.wait_for(1);
    for _ in 0..300 {
        runtime.tell(&flooded, b"").wait().unwrap();
    }
    let answers: Vec<_> = (0..2)
        .map(|_| runtime.send_message_to_component(&quiet, b""))
        .collect();
    gate.open();
    for pending in answers {
        answer(pending).unwrap();
    }
    runtime.stop_actor(&flooded).wait().unwrap();
    let order = order.lock().unwrap();
    let first_quiet = order.iter().position(|name| name == "quiet").expect("it ran");
    assert!(
        first_quiet <= TURN,
        "{first_quiet} messages of the flooded actor came first"
    );
    assert_eq!(order.len(), 302);
}

#[test]
fn a_flood_at_ten_times_the_size_of_the_mailbox_is_refused_and_the_rest_handled() {
    let (runtime, system, actor, gate) = held(ActorOptions::new());
    let capacity = MailboxLimits::default().messages;
    let results: Vec<_> = (0..10 * capacity)
        .map(|_| runtime.tell(&actor, [9u8]).wait())
        .collect();
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(accepted, capacity);
    assert!(
        results[capacity..]
            .iter()
            .all(|result| matches!(result, Err(ActorError::Full { .. })))
    );
    gate.open();
    runtime.stop_actor(&actor).wait().unwrap();
    let counters = system.counters();
    assert_eq!(counters.delivered as usize, capacity + 1);
    assert_eq!(counters.refused as usize, 9 * capacity);
    assert!(counters.add_up());
}

#[test]
fn many_idle_actors_share_the_workers() {
    const ACTORS: usize = 300;
    let runtime = commanded(first(), |_, _| 9, |_| 3);
    let system = system(2);
    let guest = load(&runtime, &obedient());
    let started: Vec<_> = (0..ACTORS)
        .map(|number| {
            start_loaded(
                &runtime,
                &guest,
                &system,
                &format!("actor-{number}"),
                ActorOptions::new(),
            )
        })
        .collect();
    let actors: Vec<_> = started
        .into_iter()
        .map(|started| started.wait().unwrap())
        .collect();
    let answers: Vec<_> = actors
        .iter()
        .map(|actor| runtime.send_message_to_component(actor, b""))
        .collect();
    assert!(
        answers
            .into_iter()
            .all(|pending| matches!(answer(pending), Ok(9)))
    );
    let report = system.shutdown(LONG).wait().unwrap();
    assert_eq!(
        (report.unfinished, report.counters.delivered as usize),
        (0, ACTORS)
    );
    assert!(runtime.list_components().is_empty());
}
