//! UDP, and names.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::guest::{Guest, granted};
use super::*;
use crate::p3::tests::engines;
use crate::p3::tests::functions::is_interrupted;
use crate::{WasiCtxBuilder, WasiLimits};

/// A socket of the test, and its port.
fn peer() -> (UdpSocket, u32) {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = peer.local_addr().unwrap().port();
    (peer, u32::from(port))
}

#[test]
fn datagrams_are_exchanged() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (first, first_port) = peer();
        let (second, second_port) = peer();
        let socket = guest.call("udp-create", &[]);
        assert_eq!(guest.call("udp-receive", &[socket]), INVALID_STATE);
        assert_eq!(guest.call("udp-port", &[socket]), INVALID_STATE);
        assert_eq!(guest.call("udp-send", &[socket, 0, 1]), INVALID_ARGUMENT);
        assert_eq!(
            guest.call("udp-send", &[socket, first_port, 65_536]),
            DATAGRAM_TOO_LARGE
        );
        assert_eq!(guest.call("udp-send", &[socket, first_port, 10]), 0);
        let mut buffer = [0; 100];
        let (len, from) = first.recv_from(&mut buffer).unwrap();
        assert_eq!(len, 10);
        let port = guest.call("udp-port", &[socket]);
        assert_eq!(u32::from(from.port()), port);
        // All may send to it, since it may listen.
        second.send_to(&[1; 20], from).unwrap();
        assert_eq!(guest.call("udp-receive", &[socket]), 20 | second_port << 16);
        assert_eq!(guest.call("udp-bind", &[socket, 0]), INVALID_STATE);
        guest.call("drop-udp", &[socket]);
        guest.is_at_rest();
    }
}

#[test]
fn a_peer_can_be_chosen_and_left() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (first, first_port) = peer();
        let (second, second_port) = peer();
        let socket = guest.call("udp-create", &[]);
        assert_eq!(guest.call("udp-disconnect", &[socket]), INVALID_STATE);
        assert_eq!(guest.call("udp-connect", &[socket, first_port]), 0);
        let port = guest.call("udp-port", &[socket]);
        assert_eq!(guest.call("udp-send", &[socket, 0, 3]), 0);
        assert_eq!(guest.call("udp-send", &[socket, first_port, 4]), 0);
        assert_eq!(
            guest.call("udp-send", &[socket, second_port, 5]),
            INVALID_ARGUMENT
        );
        let mut buffer = [0; 100];
        let (len, from) = first.recv_from(&mut buffer).unwrap();
        assert_eq!((len, u32::from(from.port())), (3, port));
        // Only the peer is heard.
        second.send_to(&[0; 9], from).unwrap();
        first.send_to(&[0; 8], from).unwrap();
        assert_eq!(guest.call("udp-receive", &[socket]), 8 | first_port << 16);
        assert_eq!(guest.call("udp-connect", &[socket, second_port]), 0);
        assert_eq!(guest.call("udp-send", &[socket, 0, 6]), 0);
        assert_eq!(second.recv_from(&mut buffer).unwrap().0, 6);
        // The port stays.
        assert_eq!(guest.call("udp-disconnect", &[socket]), 0);
        assert_eq!(guest.call("udp-port", &[socket]), port);
        first.send_to(&[0; 7], from).unwrap();
        assert_eq!(guest.call("udp-receive", &[socket]), 7 | first_port << 16);
        guest.call("drop-udp", &[socket]);
        guest.is_at_rest();
    }
}

#[test]
fn receiving_ends_at_the_deadline_or_when_it_is_cancelled() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        let (peer, _) = peer();
        let socket = guest.call("udp-create", &[]);
        assert_eq!(guest.call("udp-bind", &[socket, 0]), 0);
        let port = u16::try_from(guest.call("udp-port", &[socket])).unwrap();
        // Started, and cancelled before it returned.
        assert_eq!(guest.call("udp-cancel", &[socket]), 1 | 4 << 4);
        peer.send_to(&[0; 2], ("127.0.0.1", port)).unwrap();
        assert_eq!(guest.call("udp-receive", &[socket]) & 0xffff, 2);
        let deadline = Instant::now() + Duration::from_millis(50);
        guest.store.data_mut().ctx.set_deadline(Some(deadline));
        let error = guest.attempt("udp-receive", &[socket]).unwrap_err();
        assert!(is_interrupted(&error), "{error:?}");
        let counts = guest.store.concurrency_counts();
        assert_eq!((counts.tasks, counts.activities, counts.stacks), (0, 0, 0));
        let places = guest.places.clone();
        drop(guest);
        assert_eq!(places.left(), WasiLimits::default().sockets);
    }
}

/// Names in the guest's memory: offset and length.
const LOOPBACK: [u32; 2] = [0, 9];
const MAPPED: [u32; 2] = [9, 16];
const LOCALHOST: [u32; 2] = [25, 9];
const INVALID: [u32; 2] = [34, 3];

#[test]
fn names_are_looked_up() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &granted());
        assert_eq!(guest.call("look-up", &LOOPBACK), 1);
        // An IPv4 address is returned as such.
        assert_eq!(guest.call("look-up", &MAPPED), 1);
        let found = guest.call("look-up", &LOCALHOST);
        assert!((1..FAILED).contains(&found), "{found}");
        // `invalid-argument` of names.
        assert_eq!(guest.call("look-up", &INVALID), FAILED + 1);
        guest.is_at_rest();
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        for name in [LOOPBACK, MAPPED, LOCALHOST, INVALID] {
            assert_eq!(guest.call("look-up", &name), ACCESS_DENIED);
        }
    }
}
