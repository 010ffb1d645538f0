//! Requests to the components of other hosts.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::actors::SendOptions;
use airssys_wasm_cluster::{ClusterError, FailureKind, Pending};

use crate::{Door, Host, LONG, options, said, to};
use airssys_wasm_test_support::nats::Server;

fn failure(result: Result<Vec<u8>, ClusterError>) -> FailureKind {
    match result {
        Err(ClusterError::Failed { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_reaches_a_component_wherever_it_runs() {
    let server = Server::start();
    let first = Host::new(|component, message| 10 + message[0] + u8::from(component == "b"));
    let second = Host::new(|component, message| 20 + message[0] + u8::from(component == "b"));
    let (one, two) = (
        first.join(options("one", &server)),
        second.join(options("two", &server)),
    );
    for (from, address, answer) in [
        (&one, "one/a", 13),
        (&one, "two/a", 23),
        (&one, "two/b", 24),
        (&two, "one/b", 14),
        (&two, "two/b", 24),
    ] {
        assert_eq!(
            from.send(&to(address), [3]).wait().unwrap(),
            said(answer),
            "{address}"
        );
    }
    assert_eq!(
        (
            one.counters().requests,
            one.counters().replies,
            one.counters().served
        ),
        (2, 2, 1)
    );
    assert_eq!(
        (
            two.counters().requests,
            two.counters().replies,
            two.counters().served
        ),
        (1, 1, 2)
    );
}

#[test]
fn failures_are_the_same_here_and_there() {
    let server = Server::start();
    let step = |_: &str, message: &[u8]| message[0];
    let (first, second) = (Host::new(step), Host::new(step));
    let one = first.join(options("one", &server));
    let _two = second.join(options("two", &server));
    for host in ["one", "two"] {
        let send =
            |component: &str, message: u8| one.send(&to(&format!("{host}/{component}")), [message]).wait();
        assert_eq!(failure(send("c", 9)), FailureKind::Unknown, "{host}");
        assert_eq!(failure(send("a", 1)), FailureKind::Poison, "{host}");
        assert_eq!(send("a", 9).unwrap(), said(9), "{host}: it was restarted");
    }
    let absent = one.send(&to("three/a"), [9]).wait();
    assert!(
        matches!(&absent, Err(ClusterError::NoHost(host)) if host.as_str() == "three"),
        "{absent:?}"
    );
    second.runtime.stop_actor(&to("two/b").component).wait().unwrap();
    let stopped = failure(one.send(&to("two/b"), [9]).wait());
    assert!(
        [FailureKind::Unknown, FailureKind::Unavailable].contains(&stopped),
        "{stopped:?}"
    );
}

#[test]
fn messages_of_one_thread_keep_their_order() {
    let server = Server::start();
    let (sender, received) = channel();
    let sender = Mutex::new(sender);
    let second = Host::new(move |_, message| {
        let _ = sender.lock().unwrap().send(message.to_vec());
        3
    });
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server));
    let _two = second.join(options("two", &server));
    let numbers: Vec<Vec<u8>> = (0..500_u32).map(|number| number.to_le_bytes().to_vec()).collect();
    let sent: Vec<Pending<_>> = numbers
        .iter()
        .map(|number| one.send(&to("two/a"), number.clone()))
        .collect();
    for pending in sent {
        assert_eq!(pending.wait().unwrap(), said(3));
    }
    assert_eq!(received.try_iter().collect::<Vec<_>>(), numbers);
}

#[test]
fn a_message_has_a_time_and_bounds() {
    let server = Server::start();
    let door = Arc::new(Door::default());
    let waits = door.clone();
    let second = Host::new(move |_, message| {
        if message == b"wait" {
            waits.pass();
        }
        3
    });
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server).with_max_requests(2));
    let two = second.join(options("two", &server).with_max_served(1));
    // The first is being handled, the second finds no room there, and the third none here.
    let waiting = one.send(&to("two/a"), b"wait".to_vec());
    let begun = Instant::now();
    while two.counters().served == 0 {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(failure(one.send(&to("two/b"), [0]).wait()), FailureKind::Busy);
    let second_waits = one.send_with(&to("two/a"), [0], SendOptions::new().with_timeout(LONG));
    drop(second_waits);
    let first_time = SendOptions::new().with_timeout(Duration::from_millis(50));
    let other = one.send(&to("two/b"), [0]);
    let third = one.send(&to("two/b"), [0]).wait();
    assert!(
        matches!(
            third,
            Err(ClusterError::TooManyRequests { limit: 2 })
                | Err(ClusterError::Failed {
                    kind: FailureKind::Busy,
                    ..
                })
        ),
        "{third:?}"
    );
    drop(other);
    door.open();
    assert_eq!(waiting.wait().unwrap(), said(3));
    // Too large here, before it is sent.
    let large = one.send(&to("two/a"), vec![0; 1 << 20]).wait();
    assert!(matches!(large, Err(ClusterError::TooLarge { .. })), "{large:?}");
    let long = SendOptions::new().with_request_id("x".repeat(70_000));
    let long = one.send_with(&to("two/a"), [0], long).wait();
    assert!(matches!(long, Err(ClusterError::LongOptions)), "{long:?}");
    // A time that ends before the component answers.
    let ended = one
        .send_with(&to("two/a"), [0], first_time.with_timeout(Duration::ZERO))
        .wait();
    assert!(matches!(ended, Err(ClusterError::Unanswered { .. })), "{ended:?}");
    assert!(two.counters().busy >= 1);
}

#[test]
fn a_slow_component_is_reported_in_time() {
    let server = Server::start();
    let door = Arc::new(Door::default());
    let waits = door.clone();
    let second = Host::new(move |_, _| {
        waits.pass();
        3
    });
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server));
    let _two = second.join(options("two", &server));
    let time = SendOptions::new().with_timeout(Duration::from_millis(300));
    match one.send_with(&to("two/a"), [0], time).wait() {
        // The receiver's report can arrive first.
        Err(ClusterError::Unanswered { .. })
        | Err(ClusterError::Failed {
            kind: FailureKind::Expired,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
    door.open();
}

#[test]
fn a_server_that_restarts_is_joined_again() {
    let mut server = Server::start();
    let (first, second) = (Host::new(|_, _| 0), Host::new(|_, _| 3));
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    server.kill();
    let time = SendOptions::new().with_timeout(Duration::from_millis(300));
    let gone = one.send_with(&to("two/a"), [0], time).wait();
    assert!(matches!(gone, Err(ClusterError::Unanswered { .. })), "{gone:?}");
    server.restart();
    let begun = Instant::now();
    loop {
        let time = SendOptions::new().with_timeout(Duration::from_secs(1));
        match one.send_with(&to("two/a"), [0], time).wait() {
            Ok(answer) => {
                assert_eq!(answer, said(3));
                break;
            }
            Err(ClusterError::NoHost(_) | ClusterError::Unanswered { .. }) if begun.elapsed() < LONG => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(one.counters().disconnects >= 1 && two.counters().disconnects >= 1);
}

#[test]
fn a_host_that_leaves_answers_first() {
    let server = Server::start();
    let door = Arc::new(Door::default());
    let waits = door.clone();
    let second = Host::new(move |_, _| {
        waits.pass();
        3
    });
    let first = Host::new(|_, _| 0);
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    let requests: Vec<_> = (0..20).map(|_| one.send(&to("two/a"), [0])).collect();
    let begun = Instant::now();
    while two.counters().served < 20 {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    let left = two.leave(LONG);
    door.open();
    left.wait().unwrap();
    for request in requests {
        assert_eq!(request.wait().unwrap(), said(3));
    }
    let gone = one.send(&to("two/a"), [0]).wait();
    assert!(matches!(gone, Err(ClusterError::NoHost(_))), "{gone:?}");
    second.system.shutdown(LONG).wait().unwrap();
}

#[test]
fn a_host_whose_owner_is_dropped_leaves() {
    let server = Server::start();
    let (first, second) = (Host::new(|_, _| 0), Host::new(|_, _| 3));
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    assert_eq!(one.send(&to("two/a"), [0]).wait().unwrap(), said(3));
    drop(two);
    let begun = Instant::now();
    loop {
        match one.send(&to("two/a"), [0]).wait() {
            Err(ClusterError::NoHost(_)) => break,
            Ok(_) | Err(_) => assert!(begun.elapsed() < LONG),
        }
    }
}
