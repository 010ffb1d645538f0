//! TCP: granted addresses work, and nothing else.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use airssys_wasm_test_support::ClosedPort;

use crate::program::{connect, nothing, programs};

/// Starts a server for one connection, which sends everything back in reverse.
fn reverser() -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("a text");
        text.reverse();
        stream.write_all(&text).expect("it is taken");
    });
    (address, serving)
}

#[test]
fn a_granted_server_answers() {
    for program in programs() {
        let (address, serving) = reverser();
        let ran = program.run(&["tcp", &address.to_string(), "olleh"], connect(address));
        let port = format!("to port {}", address.port());
        assert_eq!(ran.lines(), [&*port, "hello"]);
        assert_eq!(ran.left, 0, "everything was dropped");
        serving.join().expect("it served");
    }
}

#[test]
fn what_is_not_granted_is_denied() {
    let (address, _serving) = reverser();
    let text = address.to_string();
    for program in programs() {
        let other_port = format!("127.0.0.1:{}", address.port() ^ 1);
        for grant in [
            &*other_port,
            "127.0.0.2",
            "10.0.0.0/8",
            "[::1]",
            "localhost",
            "*",
            "example.com",
        ] {
            let ran = program.run(&["tcp", &text], connect(grant));
            assert_eq!(ran.lines(), ["access-denied"], "{grant}");
        }
        assert_eq!(program.run(&["tcp", &text], nothing).lines(), ["access-denied"]);
    }
}

/// Everything public is granted, and these addresses are not public.
#[test]
fn private_networks_and_metadata_are_denied() {
    for program in programs() {
        for address in [
            "127.0.0.1:80",
            "127.8.8.8:80",
            "10.0.0.1:80",
            "100.100.100.200:80",
            "168.63.129.16:80",
            "169.254.169.254:80",
            "172.16.0.1:80",
            "192.168.0.1:80",
            "198.18.0.1:80",
            "240.0.0.1:80",
            "[::1]:80",
            "[fd00:ec2::254]:80",
            "[fe80::1]:80",
            "[64:ff9b::7f00:1]:80",
            "[2002:7f00:1::]:80",
        ] {
            let ran = program.run(&["tcp", address], connect("*"));
            assert_eq!(ran.lines(), ["access-denied"], "{address}");
        }
        // Addresses in a form that IPv6 sockets do not accept, or not addresses of a host.
        for address in [
            "[::ffff:127.0.0.1]:80",
            "[::127.0.0.1]:80",
            "255.255.255.255:80",
            "[ff02::1]:80",
        ] {
            let ran = program.run(&["tcp", address], connect("*"));
            assert_eq!(ran.lines(), ["invalid-argument"], "{address}");
        }
    }
}

#[test]
fn nobody_at_home() {
    let closed = ClosedPort::new();
    for program in programs() {
        let ran = program.run(&["tcp", &closed.addr.to_string()], connect("127.0.0.1"));
        assert_eq!(ran.lines(), ["connection-refused"]);
    }
}

/// Data that the peer does not accept at once is sent while the guest does other things.
#[test]
fn much_is_sent_to_a_slow_reader() {
    const MUCH: usize = 8 << 20;
    for program in programs() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            thread::sleep(Duration::from_millis(200));
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("a text");
            stream.write_all(b"!").expect("it is taken");
            all.len()
        });
        let ran = program.run(&["tcp-send", &address, &MUCH.to_string()], connect(&address));
        assert_eq!(serving.join().expect("it served"), MUCH);
        let lines = ran.lines();
        assert!(matches!(lines[0], "closed" | "ok"), "{lines:?}");
        assert_eq!(lines[1], "[33]");
    }
}

#[test]
fn waiting_for_the_other_side_ends_at_the_deadline() {
    for program in programs() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let time = Some(Duration::from_millis(400));
        let ran = program.run_within(time, &["tcp-wait", &address], connect(&address));
        ran.was_interrupted();
        assert!(ran.took < Duration::from_secs(20), "{ran:?}");
    }
}

#[test]
fn listening_takes_a_grant_of_its_own() {
    for program in programs() {
        for grant in ["127.0.0.1", "*"] {
            let ran = program.run(&["tcp-bind", "127.0.0.1:0"], connect(grant));
            assert_eq!(ran.lines(), ["access-denied", "invalid-state"], "{grant}");
            // A guest that may connect may bind any port, but still not listen.
            let ran = program.run(&["tcp-bind", "0.0.0.0:0"], connect(grant));
            assert_eq!(ran.lines(), ["ok", "access-denied"], "{grant}");
        }
        let ran = program.run(&["tcp-bind", "0.0.0.0:0"], nothing);
        assert_eq!(ran.lines(), ["access-denied", "invalid-state"]);
        let (ran, echoed) = program.serve(
            &["tcp-listen", "127.0.0.1:0"],
            |builder| {
                builder.listen("127.0.0.1".parse().expect("a grant"));
            },
            |port| {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
                let text = vec![b'y'; 300_000];
                let mut reading = stream.try_clone().expect("a descriptor");
                let sending = thread::spawn(move || {
                    stream.write_all(&text).expect("it is taken");
                    stream.shutdown(Shutdown::Write).expect("connected");
                });
                let mut echoed = vec![0; 300_000];
                reading.read_exact(&mut echoed).expect("it comes back");
                sending.join().expect("it is sent");
                echoed
            },
        );
        assert_eq!(echoed, vec![b'y'; 300_000]);
        assert_eq!(ran.lines()[1..], ["served"]);
    }
}

#[test]
fn a_flood_of_sockets_is_stopped() {
    for program in programs() {
        let ran = program.run(&["sockets", "100000"], nothing);
        assert_eq!(ran.lines(), ["new-socket-limit", "128", "ok"]);
    }
}

#[test]
fn options_keep_to_their_ranges() {
    let values = "Ok(true) Ok(7000000000) Ok(1000000000) Ok(3) Ok(42) Ok(65536) Ok(65536)";
    for program in programs() {
        let ran = program.run(&["tcp-options"], nothing);
        assert_eq!(ran.lines(), [values, values]);
    }
}

#[test]
fn operations_come_in_their_order() {
    for program in programs() {
        let (address, serving) = reverser();
        let ran = program.run(&["tcp-states", &address.to_string()], connect(address));
        let expected = [
            "finish-bind not-in-progress",
            "finish-connect not-in-progress",
            "finish-listen not-in-progress",
            "start-listen invalid-state",
            "accept invalid-state",
            "local-address invalid-state",
            "remote-address invalid-state",
            "shutdown invalid-state",
            "start-connect invalid-argument",
            "start-connect invalid-argument",
            "start-connect invalid-argument",
            "start-connect invalid-argument",
            "start-bind invalid-argument",
            "start-bind invalid-argument",
            "connect ok",
            "start-connect invalid-state",
            "start-bind invalid-state",
            "backlog invalid-state",
            "shutdown ok",
            "read closed",
            "shutdown ok",
            "check-write closed",
            "shutdown ok",
        ];
        assert_eq!(ran.lines(), expected);
        serving.join().expect("it served");
    }
}
