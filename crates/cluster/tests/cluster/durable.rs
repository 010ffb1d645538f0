//! Durable messages.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::actors::{ActorOptions, DeadLetterReason};
use airssys_wasm::messaging::{MailboxLimits, Topic};
use airssys_wasm_cluster::{Cluster, ClusterError, DurableOptions, FailureKind, MailLimits, Pending, Stored};
use airssys_wasm_test_support::host::id;

use crate::envelope::{stranger, until};
use crate::{Door, Host, LONG, options};
use airssys_wasm_test_support::nats::{Folder, Server};

const DAY: Duration = Duration::from_secs(86_400);

/// A host with durable actors, which passes on what they get.
fn recording(folder: &Path, file: &str, actor: &ActorOptions) -> (Host, Receiver<Vec<u8>>) {
    let (sender, received) = channel();
    let sender = Mutex::new(sender);
    let host = Host::durable(&folder.join(file), actor, &["a", "b"], move |_, message| {
        let _ = sender.lock().unwrap().send(message.to_vec());
        3
    });
    (host, received)
}

fn send(from: &Cluster, component: &str, message: impl Into<Vec<u8>>) -> Pending<Stored> {
    from.send_durable(&id(component), message, DurableOptions::new())
}

fn numbers(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|number| number.to_le_bytes().to_vec()).collect()
}

fn get(received: &Receiver<Vec<u8>>, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| received.recv_timeout(LONG).expect("a message comes"))
        .collect()
}

#[test]
fn messages_wait_for_their_receiver_and_come_in_order() {
    let (server, folder) = (Server::start(), Folder::new());
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server));
    let before = numbers(0..1000);
    let stored: Vec<_> = before
        .iter()
        .map(|number| send(&one, "a", number.clone()))
        .collect();
    for stored in stored {
        assert!(!stored.wait().unwrap().repeated);
    }
    // Its receiver comes later.
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    assert_eq!(get(&received, 1000), before);
    let after = numbers(1000..1500);
    for number in &after {
        drop(send(&one, "a", number.clone()));
    }
    assert_eq!(
        get(&received, 500),
        after,
        "a dropped result does not take it back"
    );
    until(&two, |two| two.counters().durable_received == 1500);
    let (sent, got) = (one.counters(), two.counters());
    assert_eq!((sent.durable_sent, sent.durable_stored), (1500, 1500));
    assert_eq!((got.durable_repeated, got.durable_buried, got.resyncs), (0, 0, 0));
    // One that is not durable gets none.
    let refused = one.accept_durable(&id("b")).wait();
    let is_failed = matches!(
        refused,
        Err(ClusterError::Failed {
            kind: FailureKind::Other,
            ..
        })
    );
    assert!(is_failed, "{refused:?}");
}

#[test]
fn a_message_with_the_same_id_is_handled_once_also_after_a_restart() {
    let (server, folder) = (Server::start(), Folder::new());
    let sending = Host::new(|_, _| 0);
    let one = sending.join(options("one", &server));
    let named = |from: &Cluster, name: &str| {
        let options = DurableOptions::new().with_message_id(name);
        from.send_durable(&id("a"), name, options).wait().unwrap()
    };
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    assert!(!named(&one, "first").repeated);
    assert_eq!(get(&received, 1), [b"first"]);
    assert!(named(&one, "first").repeated, "the stream knows it for a while");
    two.leave(LONG).wait().unwrap();
    second.system.shutdown(LONG).wait().unwrap();
    second.close();
    // A stream forgets ids; the receiver does not, in a later process too.
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        jetstream.delete_stream("airssys-v1-test-mail").await.unwrap();
    });
    let one = sending.join(options("again", &server));
    assert!(!named(&one, "first").repeated, "it is forgotten");
    named(&one, "second");
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    assert_eq!(get(&received, 1), [b"second"]);
    until(&two, |two| two.counters().durable_received == 1);
    assert_eq!(two.counters().durable_repeated, 1);
    assert!(received.try_recv().is_err(), "it came again");
}

#[test]
fn messages_wait_in_order_while_the_mailbox_is_full() {
    let (server, folder) = (Server::start(), Folder::new());
    let door = Arc::new(Door::default());
    let waits = door.clone();
    let (sender, received) = channel();
    let sender = Mutex::new(sender);
    let mut small = MailboxLimits::default();
    small.messages = 3;
    let actor = ActorOptions::new().with_mailbox(small);
    let store = folder.0.join("two.redb");
    let second = Host::durable(&store, &actor, &["a"], move |_, message| {
        waits.pass();
        let _ = sender.lock().unwrap().send(message.to_vec());
        3
    });
    let one = Host::new(|_, _| 0).join(options("one", &server));
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    let all = numbers(0..300);
    for number in &all {
        send(&one, "a", number.clone()).wait().unwrap();
    }
    until(&two, |two| two.counters().durable_received >= 3);
    assert!(two.counters().durable_received <= 4, "{:?}", two.counters());
    door.open();
    assert_eq!(get(&received, 300), all);
    until(&two, |two| two.counters().durable_received == 300);
    assert_eq!(two.counters().durable_repeated, 0);
}

#[test]
fn a_message_that_cannot_be_handled_is_a_dead_letter() {
    let (server, folder) = (Server::start(), Folder::new());
    let mut small = MailboxLimits::default();
    small.message_bytes = 100;
    let one = Host::new(|_, _| 0).join(options("one", &server));
    let short = DurableOptions::new().with_time_to_live(Duration::from_millis(1));
    one.send_durable(&id("a"), b"old", short).wait().unwrap();
    send(&one, "a", vec![7; 101]).wait().unwrap();
    send(&one, "a", b"good").wait().unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new().with_mailbox(small));
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    assert_eq!(get(&received, 1), [b"good"], "the one behind them is handled");
    until(&two, |two| two.counters().durable_received == 2);
    assert_eq!(two.counters().durable_buried, 1);
    let mut dead = second.system.take_dead_letters();
    until(&two, |_| {
        dead.extend(second.system.take_dead_letters());
        dead.len() >= 2
    });
    dead.sort_by_key(|letter| letter.payload.len());
    let [old, large] = &dead[..] else {
        panic!("{dead:?}")
    };
    assert_eq!(
        (&old.payload[..], &old.reason),
        (&b"old"[..], &DeadLetterReason::Expired)
    );
    assert_eq!(large.payload, vec![7; 101]);
    let DeadLetterReason::Refused { error } = &large.reason else {
        panic!("{large:?}")
    };
    assert!(error.contains("101 bytes"), "{error}");
}

#[test]
fn a_message_whose_time_ends_while_the_mailbox_is_full_is_a_dead_letter() {
    let (server, folder) = (Server::start(), Folder::new());
    let door = Arc::new(Door::default());
    let waits = door.clone();
    let mut small = MailboxLimits::default();
    small.messages = 1;
    let actor = ActorOptions::new().with_mailbox(small);
    let second = Host::durable(&folder.0.join("two.redb"), &actor, &["a"], move |_, _| {
        waits.pass();
        3
    });
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    send(&one, "a", b"called").wait().unwrap();
    send(&one, "a", b"waits").wait().unwrap();
    until(&two, |two| two.counters().durable_received == 2);
    let time = Duration::from_secs(1);
    let short = DurableOptions::new().with_time_to_live(time);
    one.send_durable(&id("a"), b"late", short).wait().unwrap();
    std::thread::sleep(time);
    door.open();
    let begun = Instant::now();
    let mut dead = second.system.take_dead_letters();
    while dead.is_empty() {
        assert!(begun.elapsed() < LONG);
        dead = second.system.take_dead_letters();
    }
    assert_eq!(
        (&dead[0].payload[..], &dead[0].reason),
        (&b"late"[..], &DeadLetterReason::Expired)
    );
}

#[test]
fn a_strangers_message_holds_nothing_up() {
    let (server, folder) = (Server::start(), Folder::new());
    let one = Host::new(|_, _| 0).join(options("one", &server));
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        for forged in [&b""[..], b"\x01forged", &[1; 200]] {
            let publish = jetstream.publish("airssys.v1.test.mail.a", forged.into()).await;
            publish.unwrap().await.unwrap();
        }
    });
    send(&one, "a", b"ours").wait().unwrap();
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    assert_eq!(get(&received, 1), [b"ours"]);
    assert_eq!(two.counters().forged, 3);
}

#[test]
fn a_full_stream_refuses_messages() {
    let server = Server::start();
    let limited = |host| options(host, &server).with_mail(MailLimits::new(1 << 20, 3, DAY));
    let one = Host::new(|_, _| 0).join(limited("one"));
    for _ in 0..3 {
        send(&one, "a", b"waits").wait().unwrap();
    }
    let full = send(&one, "a", b"too many").wait();
    assert!(
        matches!(&full, Err(ClusterError::MailFull { to, .. }) if *to == id("a")),
        "{full:?}"
    );
    send(&one, "b", b"another's").wait().unwrap();
    // Bytes of all together.
    let mut sent = 0;
    let full = loop {
        let to = format!("c{sent}");
        match one
            .send_durable(&id(&to), vec![0; 100_000], DurableOptions::new())
            .wait()
        {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 12);
    };
    assert!(matches!(full, ClusterError::MailFull { .. }), "{full:?}");
    // Another configuration than that of the stream is refused.
    let other = options("two", &server).with_mail(MailLimits::new(1 << 21, 3, DAY));
    let refused = Cluster::join(&Host::new(|_, _| 0).runtime, other).wait();
    assert!(
        matches!(
            &refused,
            Err(ClusterError::Stream {
                setting: "max_bytes",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn messages_outlast_the_end_of_the_server_once_and_in_order() {
    let (mut server, folder) = (Server::start(), Folder::new());
    let one = Host::new(|_, _| 0).join(options("one", &server));
    let (second, received) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let two = second.join(options("two", &server));
    two.accept_durable(&id("a")).wait().unwrap();
    let all = numbers(0..400);
    for (at, number) in all.iter().enumerate() {
        if at % 100 == 50 {
            server.kill();
            server.restart();
        }
        // Each is awaited: none that is sent again comes behind a later one.
        let id_of = format!("message {at}");
        let begun = Instant::now();
        loop {
            let options = DurableOptions::new().with_message_id(&id_of);
            match one.send_durable(&id("a"), number.clone(), options).wait() {
                Ok(_) => break,
                Err(ClusterError::NotKnownStored { message_id, .. }) if begun.elapsed() < LONG => {
                    assert_eq!(message_id, id_of);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(get(&received, 400), all);
    until(&two, |two| two.counters().durable_received == 400);
    assert!(received.try_recv().is_err(), "one came twice");
    assert!(two.counters().resyncs >= 1);
}

#[test]
fn a_components_messages_follow_it_to_another_host() {
    let (server, folder) = (Server::start(), Folder::new());
    let (first, of_first) = recording(&folder.0, "one.redb", &ActorOptions::new());
    let (second, of_second) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    let fence = one.accept_durable(&id("a")).wait().unwrap();
    let taken = two.accept_durable(&id("a")).wait();
    assert!(matches!(taken, Err(ClusterError::Announced { .. })), "{taken:?}");
    send(&two, "a", b"first").wait().unwrap();
    assert_eq!(get(&of_first, 1), [b"first"]);
    one.withdraw(&id("a")).wait().unwrap();
    send(&one, "a", b"second").wait().unwrap();
    assert!(two.accept_durable(&id("a")).wait().unwrap() > fence);
    assert_eq!(get(&of_second, 1), [b"second"]);
    assert!(of_first.try_recv().is_err());
}

#[test]
fn a_topic_reaches_each_subscriber_on_each_host_in_order() {
    let (server, folder) = (Server::start(), Folder::new());
    let (first, of_first) = recording(&folder.0, "one.redb", &ActorOptions::new());
    let (second, of_second) = recording(&folder.0, "two.redb", &ActorOptions::new());
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    one.accept_durable(&id("a")).wait().unwrap();
    two.accept_durable(&id("b")).wait().unwrap();
    let topic: Topic = "orders".parse().unwrap();
    let publish = |message: &[u8], options| one.publish_durable(&topic, message, options);
    let none = publish(b"early", DurableOptions::new()).wait().unwrap();
    assert_eq!((none.stored, none.failed.len()), (0, 0));
    // Subscriptions of any host, for any component.
    one.subscribe_durable(&id("a"), &topic).wait().unwrap();
    one.subscribe_durable(&id("b"), &topic).wait().unwrap();
    two.subscribe_durable(&id("b"), &topic).wait().unwrap();
    let all = numbers(0..200);
    let published: Vec<_> = all
        .iter()
        .map(|number| publish(number, DurableOptions::new()))
        .collect();
    for published in published {
        let published = published.wait().unwrap();
        assert_eq!((published.stored, published.failed.len()), (2, 0));
    }
    assert_eq!(get(&of_first, 200), all);
    assert_eq!(get(&of_second, 200), all);
    // Again with the same id, as after a failure.
    for _ in 0..2 {
        let again = DurableOptions::new().with_message_id("again");
        assert_eq!(publish(b"again", again).wait().unwrap().stored, 2);
    }
    assert_eq!(get(&of_first, 1), [b"again"]);
    two.unsubscribe_durable(&id("a"), &topic).wait().unwrap();
    assert_eq!(publish(b"last", DurableOptions::new()).wait().unwrap().stored, 1);
    assert_eq!(get(&of_second, 2), [&b"again"[..], b"last"]);
    // A stranger's record of subscribers is none, and not an empty one.
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        let bucket = jetstream.get_key_value("airssys-v1-test-registry").await.unwrap();
        bucket.put("topic.orders", "\x01a".into()).await.unwrap();
    });
    let refused = publish(b"unread", DurableOptions::new()).wait();
    assert!(
        matches!(&refused, Err(ClusterError::Record { key, .. }) if key == "topic.orders"),
        "{refused:?}"
    );
    let refused = two.subscribe_durable(&id("b"), &topic).wait();
    assert!(matches!(refused, Err(ClusterError::Record { .. })), "{refused:?}");
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        let bucket = jetstream.get_key_value("airssys-v1-test-registry").await.unwrap();
        bucket.delete("topic.orders").await.unwrap();
    });
    assert_eq!(
        publish(b"unread", DurableOptions::new()).wait().unwrap().stored,
        0
    );
    two.subscribe_durable(&id("b"), &topic).wait().unwrap();
    assert_eq!(publish(b"anew", DurableOptions::new()).wait().unwrap().stored, 1);
    assert_eq!(get(&of_second, 1), [b"anew"]);
    assert!(of_first.try_recv().is_err());
}
