//! TCP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use super::guest::{Guest, granted};
use super::*;
use crate::WasiLimits;
use crate::executor;
use crate::p3::tests::engines;
use crate::p3::tests::functions::is_interrupted;

/// Connects the guest to a listener of the test. Returns its socket, and the peer.
fn connected(guest: &mut Guest) -> (u32, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = u32::from(listener.local_addr().unwrap().port());
    let socket = guest.call("tcp-create", &[]);
    assert_eq!(guest.call("tcp-connect", &[socket, port]), 0);
    (socket, listener.accept().unwrap().0)
}

/// Lets the guest listen. Returns its socket, its stream of connections, and its port.
fn listening(guest: &mut Guest) -> (u32, u32, u16) {
    let socket = guest.call("tcp-create", &[]);
    let stream = guest.call("tcp-listen", &[socket]);
    assert!(stream < FAILED, "{stream}");
    let port = guest.call("tcp-port", &[socket]);
    (socket, stream, u16::try_from(port).unwrap())
}

#[test]
fn a_stream_that_is_half_read_ends_only_its_direction() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (socket, mut peer) = connected(&mut guest);
        assert_eq!(guest.call("tcp-connect", &[socket, 1]), INVALID_STATE);
        peer.write_all(&[7; 100]).unwrap();
        let (stream, end) = halves(guest.call("receive", &[socket]));
        assert_eq!(guest.call("read", &[stream, 5]), 5 << 4);
        assert_eq!(guest.call("byte", &[4]), 7);
        guest.call("drop-read", &[stream]);
        assert_eq!(guest.call("finish", &[end]), 0);
        // A second time, the stream is closed.
        let (stream, end) = halves(guest.call("receive", &[socket]));
        assert_eq!(guest.call("read", &[stream, 5]), DROPPED);
        assert_eq!(guest.call("finish", &[end]), INVALID_STATE);
        guest.call("drop-read", &[stream]);
        // The other direction goes on, also without the socket.
        let (sink, end) = halves(guest.call("send", &[socket]));
        let (second, second_end) = halves(guest.call("send", &[socket]));
        guest.call("drop-tcp", &[socket]);
        assert_eq!(guest.call("write", &[second, 1]), DROPPED);
        assert_eq!(guest.call("finish", &[second_end]), INVALID_STATE);
        guest.call("drop-write", &[second]);
        assert_eq!(guest.call("write", &[sink, 5]), 5 << 4);
        guest.call("drop-write", &[sink]);
        assert_eq!(guest.call("finish", &[end]), 0);
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received, [7; 5]);
        guest.is_at_rest();
    }
}

#[test]
fn ends_that_are_dropped_early_end_the_connection() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (socket, mut peer) = connected(&mut guest);
        let (stream, received) = halves(guest.call("receive", &[socket]));
        let (sink, sent) = halves(guest.call("send", &[socket]));
        // The results first, which is no failure.
        guest.call("drop-end", &[sent]);
        guest.call("drop-end", &[received]);
        assert_eq!(guest.call("write", &[sink, 3]), 3 << 4);
        guest.call("drop-tcp", &[socket]);
        guest.call("drop-read", &[stream]);
        guest.call("drop-write", &[sink]);
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), 3);
        guest.is_at_rest();
    }
}

#[test]
fn a_peer_that_resets_the_connection_is_a_failure() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (socket, mut peer) = connected(&mut guest);
        let (stream, received) = halves(guest.call("receive", &[socket]));
        let (sink, sent) = halves(guest.call("send", &[socket]));
        peer.write_all(b"half").unwrap();
        assert_eq!(guest.call("read", &[stream, 100]), 4 << 4);
        sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
        drop(peer);
        assert_eq!(guest.call("read", &[stream, 100]), DROPPED);
        assert_eq!(guest.call("finish", &[received]), CONNECTION_RESET);
        assert_eq!(guest.call("write", &[sink, 100]), DROPPED);
        assert_eq!(guest.call("finish", &[sent]), CONNECTION_BROKEN);
        guest.call("drop-read", &[stream]);
        guest.call("drop-write", &[sink]);
        guest.call("drop-tcp", &[socket]);
        guest.is_at_rest();
    }
}

#[test]
fn much_is_sent_to_a_slow_reader() {
    const MUCH: u32 = 2_000_000;
    for engine in engines() {
        let limits = WasiLimits {
            write_bytes: 300_000,
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, granted().limits(limits));
        let (socket, mut peer) = connected(&mut guest);
        let reading = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            peer.write_all(b"!").unwrap();
            all.len()
        });
        let (sink, end) = halves(guest.call("send", &[socket]));
        let mut sent = 0;
        while sent < 4 * MUCH {
            let written = guest.call("write", &[sink, MUCH]);
            assert_eq!(written & 15, 0);
            assert!(written >> 4 <= 300_000);
            sent += written >> 4;
        }
        guest.call("drop-write", &[sink]);
        assert_eq!(guest.call("finish", &[end]), 0);
        let (stream, end) = halves(guest.call("receive", &[socket]));
        assert_eq!(guest.call("read", &[stream, 100]), 1 << 4);
        assert_eq!(guest.call("read", &[stream, 100]), DROPPED);
        assert_eq!(guest.call("finish", &[end]), 0);
        assert_eq!(reading.join().unwrap(), sent as usize);
        guest.call("drop-read", &[stream]);
        guest.call("drop-tcp", &[socket]);
        guest.is_at_rest();
    }
}

#[test]
fn connections_are_accepted_until_the_stream_is_dropped() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (socket, stream, port) = listening(&mut guest);
        assert_eq!(guest.call("tcp-listen", &[socket]), INVALID_STATE);
        assert_eq!(guest.call("cancel-accept", &[stream]), CANCELLED);
        let mut first = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut second = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let accepted = guest.call("accept", &[stream]);
        let (sink, end) = halves(guest.call("send", &[accepted]));
        assert_eq!(guest.call("write", &[sink, 2]), 2 << 4);
        guest.call("drop-write", &[sink]);
        assert_eq!(guest.call("finish", &[end]), 0);
        guest.call("drop-tcp", &[accepted]);
        // A connection that was found and not taken ends with the stream.
        assert_eq!(guest.call("wait-for-connection", &[stream]), 0);
        guest.call("drop-listen", &[stream]);
        let mut bytes = Vec::new();
        first.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 2);
        assert_eq!(second.read(&mut [0]).unwrap(), 0);
        // The socket listens until it is dropped.
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        guest.call("drop-tcp", &[socket]);
        let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        guest.is_at_rest();
    }
}

#[test]
fn a_stream_of_connections_outlives_its_socket() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (socket, stream, port) = listening(&mut guest);
        guest.call("drop-tcp", &[socket]);
        assert_eq!(guest.places.left(), WasiLimits::default().sockets - 1);
        let _peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let accepted = guest.call("accept", &[stream]);
        assert!(accepted < FAILED, "{accepted}");
        guest.call("drop-listen", &[stream]);
        guest.call("drop-tcp", &[accepted]);
        guest.is_at_rest();
    }
}

#[test]
fn a_connection_waits_for_a_place_of_the_limit() {
    for engine in engines() {
        let limits = WasiLimits {
            sockets: 2,
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, granted().limits(limits));
        let (socket, stream, port) = listening(&mut guest);
        let other = guest.call("tcp-create", &[]);
        assert_eq!(guest.call("tcp-create", &[]), OTHER);
        assert_eq!(guest.call("udp-create", &[]), OTHER);
        let _peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // There is a connection, but no place.
        assert_eq!(guest.call("cancel-accept", &[stream]), CANCELLED);
        let (accept, close) = (guest.function("accept"), guest.function("drop-tcp"));
        let places = guest.places.clone();
        let run = guest.store.run_concurrent(async |accessor| {
            let accept = accept.call_concurrent(accessor, (stream, 0, 0));
            let close = async {
                assert_eq!(places.left(), 0);
                close.call_concurrent(accessor, (other, 0, 0)).await
            };
            futures_util::future::join(accept, close).await
        });
        let (accepted, closed) = executor::block_on(run).unwrap().unwrap();
        closed.unwrap();
        let (accepted,) = accepted.unwrap();
        assert!(accepted < FAILED, "{accepted}");
        assert_eq!(guest.places.left(), 0);
        guest.call("drop-tcp", &[accepted]);
        guest.call("drop-listen", &[stream]);
        guest.call("drop-tcp", &[socket]);
        assert_eq!(guest.places.left(), 2);
    }
}

#[test]
fn waits_end_at_the_deadline_of_the_call() {
    for engine in engines() {
        for name in ["read", "accept", "write"] {
            let mut guest = Guest::new(&engine, &granted());
            let (socket, peer) = connected(&mut guest);
            let (listener, connections, _) = listening(&mut guest);
            let (stream, _) = halves(guest.call("receive", &[socket]));
            let (sink, _) = halves(guest.call("send", &[socket]));
            let deadline = Instant::now() + Duration::from_millis(200);
            guest.store.data_mut().ctx.set_deadline(Some(deadline));
            let error = loop {
                // The peer reads nothing, so that there is room for a few writes.
                let ended = match name {
                    "read" => guest.attempt(name, &[stream, 10]),
                    "write" => guest.attempt(name, &[sink, 1_000_000]),
                    _ => guest.attempt(name, &[connections]),
                };
                match ended {
                    Ok(written) if name == "write" => assert_eq!(written & 15, 0),
                    Ok(other) => panic!("{name}: {other}"),
                    Err(error) => break error,
                }
            };
            assert!(is_interrupted(&error), "{name}: {error:?}");
            let counts = guest.store.concurrency_counts();
            assert_eq!((counts.tasks, counts.stacks), (0, 0), "{name}");
            let places = guest.places.clone();
            drop(guest);
            assert_eq!(places.left(), WasiLimits::default().sockets, "{name}");
            let _ = (peer, listener);
        }
    }
}

/// A listener whose queue is full, and the connections in it: the system answers no other one.
fn deaf() -> (TcpListener, u16, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let port = listener.local_addr().unwrap().port();
    let first = TcpStream::connect(("127.0.0.1", port)).unwrap();
    (listener, port, first)
}

#[test]
fn connecting_ends_at_the_deadline() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (_listener, port, _first) = deaf();
        let socket = guest.call("tcp-create", &[]);
        let deadline = Instant::now() + Duration::from_millis(100);
        guest.store.data_mut().ctx.set_deadline(Some(deadline));
        let error = guest
            .attempt("tcp-connect", &[socket, u32::from(port)])
            .unwrap_err();
        assert!(is_interrupted(&error), "{error:?}");
        let counts = guest.store.concurrency_counts();
        assert_eq!((counts.tasks, counts.activities, counts.stacks), (0, 0, 0));
        let places = guest.places.clone();
        drop(guest);
        assert_eq!(places.left(), WasiLimits::default().sockets);
    }
}

#[test]
fn a_failed_connection_leaves_a_closed_socket() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = u32::from(closed.local_addr().unwrap().port());
        drop(closed);
        let socket = guest.call("tcp-create", &[]);
        assert_eq!(guest.call("tcp-connect", &[socket, 0]), INVALID_ARGUMENT);
        assert_eq!(guest.call("tcp-connect", &[socket, port]), CONNECTION_REFUSED);
        assert_eq!(guest.call("tcp-connect", &[socket, port]), INVALID_STATE);
        guest.call("drop-tcp", &[socket]);
        guest.is_at_rest();
    }
}
