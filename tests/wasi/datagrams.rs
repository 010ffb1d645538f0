//! UDP: granted addresses work, and nothing else.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::program::{connect, nothing, programs};

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("an option");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

#[test]
fn a_granted_host_answers() {
    for program in programs() {
        let (socket, address) = socket();
        let serving = thread::spawn(move || {
            let mut buffer = [0; 100];
            for _ in 0..2 {
                let (len, from) = socket.recv_from(&mut buffer).expect("a datagram");
                buffer[..len].reverse();
                socket.send_to(&buffer[..len], from).expect("sent");
            }
        });
        let ran = program.run(&["udp", &address.to_string(), "olleh"], connect(address));
        assert_eq!(ran.lines(), ["hello", "hello"]);
        assert_eq!(ran.left, 0, "everything was dropped");
        serving.join().expect("it served");
    }
}

#[test]
fn what_is_not_granted_is_denied() {
    let (_socket, address) = socket();
    for program in programs() {
        for grant in ["127.0.0.2", "*", "localhost"] {
            let ran = program.run(&["udp", &address.to_string(), "x"], connect(grant));
            assert_eq!(ran.lines(), ["access-denied"], "{grant}");
        }
        let ran = program.run(&["udp", &address.to_string(), "x"], nothing);
        assert_eq!(ran.lines(), ["access-denied"]);
        let ran = program.run(&["udp-serve", "127.0.0.1:0"], connect("127.0.0.1"));
        assert_eq!(ran.lines(), ["access-denied"]);
    }
}

#[test]
fn a_server_answers_whoever_asks() {
    for program in programs() {
        let (ran, answer) = program.serve(
            &["udp-serve", "127.0.0.1:0"],
            |builder| {
                builder.listen("127.0.0.1".parse().expect("a grant"));
            },
            |port| {
                let (socket, _) = socket();
                socket.send_to(b"abc", ("127.0.0.1", port)).expect("sent");
                let mut buffer = [0; 100];
                let (len, _) = socket.recv_from(&mut buffer).expect("an answer");
                buffer[..len].to_vec()
            },
        );
        assert_eq!(answer, b"cba");
        assert_eq!(ran.lines()[1..], ["Ok(1)"]);
    }
}

/// A guest that may not listen only receives from addresses that it may send to.
#[test]
fn strangers_are_not_heard() {
    for program in programs() {
        let (friend, address) = socket();
        let talking = thread::spawn(move || {
            let mut buffer = [0; 100];
            let (_, guest) = friend.recv_from(&mut buffer).expect("a datagram");
            let (stranger, _) = socket();
            let guest = (guest.ip(), guest.port());
            for number in 0..200 {
                stranger
                    .send_to(format!("stranger {number}").as_bytes(), guest)
                    .expect("sent");
            }
            friend.send_to(b"friend", guest).expect("sent");
        });
        let ran = program.run(&["udp-deaf", &address.to_string()], connect(address));
        assert_eq!(ran.lines(), ["friend"]);
        talking.join().expect("it talked");
    }
}

#[test]
fn operations_come_in_their_order() {
    let (_socket, address) = socket();
    for program in programs() {
        let ran = program.run(&["udp-states", &address.to_string()], connect(address));
        let expected = [
            "finish-bind not-in-progress",
            "stream invalid-state",
            "local-address invalid-state",
            "remote-address invalid-state",
            "start-bind invalid-argument",
            "start-bind ok",
            "start-bind concurrency-conflict",
            "finish-bind ok",
            "start-bind invalid-state",
            "stream invalid-argument",
            "stream invalid-argument",
            "stream invalid-argument",
            "remote-address ok",
            "send invalid-argument",
            "send datagram-too-large",
            "send Ok(0)",
        ];
        assert_eq!(ran.lines(), expected);
    }
}

#[test]
fn options_keep_to_their_ranges() {
    for program in programs() {
        let ran = program.run(&["udp-options"], nothing);
        assert_eq!(ran.lines(), ["Ok(42) Ok(65536) Ok(65536)"; 2]);
    }
}

#[test]
fn rules_of_sending() {
    let (_socket, address) = socket();
    for program in programs() {
        program
            .run(&["udp-overdraw", &address.to_string()], connect(address))
            .was_ended("`check-send` permitted 0");
        program
            .run(&["udp-two-streams"], connect(address))
            .was_ended("while the socket had streams");
    }
}
