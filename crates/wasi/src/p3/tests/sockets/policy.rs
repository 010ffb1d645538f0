//! Grants and policies.

use std::io::Write;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::guest::Guest;
use super::*;
use crate::p3::tests::engines;
use crate::{AccessPolicy, Basis, Denied, Destination, FileAction, WasiCtxBuilder};

/// A policy that allows everything or nothing, and records its decisions.
#[derive(Debug, Default)]
struct Recorder {
    allows: AtomicBool,
    record: Mutex<Vec<String>>,
}

impl Recorder {
    fn decide(&self) -> Result<(), Denied> {
        self.allows.load(Ordering::Relaxed).then_some(()).ok_or(Denied)
    }

    fn noted(&self, text: String) -> Result<(), Denied> {
        let decided = self.decide();
        self.record.lock().unwrap().push(text);
        decided
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.record.lock().unwrap())
    }
}

impl AccessPolicy for Recorder {
    fn file(&self, _: FileAction, _: &str, _: Basis) -> Result<(), Denied> {
        Err(Denied)
    }

    fn permits_file(&self, _: FileAction, _: &str, _: Basis) -> bool {
        false
    }

    fn rules_below(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn has_network(&self) -> bool {
        self.allows.load(Ordering::Relaxed)
    }

    fn look_up(&self, name: &str, _: Basis) -> Result<(), Denied> {
        self.noted(format!("look-up {name}"))
    }

    fn connect(&self, to: &Destination<'_>, _: Basis) -> Result<(), Denied> {
        self.noted(format!("connect {}:{}", to.host, to.port))
    }

    fn permits_connect(&self, _: &Destination<'_>, _: Basis) -> bool {
        self.decide().is_ok()
    }

    fn address(&self, _: &Destination<'_>, _: IpAddr) -> Result<bool, Denied> {
        self.decide().map(|()| true)
    }
}

fn with_policy(allows: bool) -> (WasiCtxBuilder, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    recorder.allows.store(allows, Ordering::Relaxed);
    let mut builder = WasiCtxBuilder::new();
    builder.access_policy(recorder.clone());
    (builder, recorder)
}

#[test]
fn a_denial_is_recorded_and_nothing_is_sent() {
    for engine in engines() {
        let (builder, recorder) = with_policy(false);
        let mut guest = Guest::new(&engine, &builder);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let denied = [format!("connect 127.0.0.1:{port}")];
        let port = u32::from(port);

        let socket = guest.call("tcp-create", &[]);
        assert_eq!(guest.call("tcp-connect", &[socket, port]), ACCESS_DENIED);
        assert_eq!(recorder.taken(), denied);
        assert_eq!(guest.call("tcp-bind", &[socket, 0]), ACCESS_DENIED);
        assert_eq!(guest.call("tcp-listen", &[socket]), ACCESS_DENIED);
        assert_eq!(guest.call("tcp-port", &[socket]), INVALID_STATE);
        guest.call("drop-tcp", &[socket]);
        let accepted = listener.accept().unwrap_err();
        assert_eq!(accepted.kind(), std::io::ErrorKind::WouldBlock);

        let peer = UdpSocket::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
        peer.set_nonblocking(true).unwrap();
        let socket = guest.call("udp-create", &[]);
        assert_eq!(guest.call("udp-send", &[socket, port, 1]), ACCESS_DENIED);
        assert_eq!(recorder.taken(), denied);
        assert_eq!(guest.call("udp-connect", &[socket, port]), ACCESS_DENIED);
        assert_eq!(recorder.taken(), denied);
        assert_eq!(guest.call("udp-bind", &[socket, 0]), ACCESS_DENIED);
        assert_eq!(guest.call("udp-port", &[socket]), INVALID_STATE);
        guest.call("drop-udp", &[socket]);
        assert_eq!(
            peer.recv(&mut [0]).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );

        recorder.taken();
        assert_eq!(guest.call("look-up", &[25, 9]), ACCESS_DENIED);
        assert_eq!(recorder.taken(), ["look-up *"]);
        guest.is_at_rest();
    }
}

#[test]
fn without_grants_everything_is_denied() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let socket = guest.call("tcp-create", &[]);
        assert_eq!(guest.call("tcp-connect", &[socket, 1]), ACCESS_DENIED);
        assert_eq!(guest.call("tcp-bind", &[socket, 0]), ACCESS_DENIED);
        assert_eq!(guest.call("tcp-listen", &[socket]), ACCESS_DENIED);
        guest.call("drop-tcp", &[socket]);
        let socket = guest.call("udp-create", &[]);
        assert_eq!(guest.call("udp-connect", &[socket, 1]), ACCESS_DENIED);
        assert_eq!(guest.call("udp-send", &[socket, 1, 1]), ACCESS_DENIED);
        assert_eq!(guest.call("udp-bind", &[socket, 0]), ACCESS_DENIED);
        guest.call("drop-udp", &[socket]);
        guest.is_at_rest();
    }
}

#[test]
fn a_connection_that_is_no_longer_permitted_fails() {
    for engine in engines() {
        let (builder, recorder) = with_policy(true);
        let mut guest = Guest::new(&engine, &builder);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = u32::from(listener.local_addr().unwrap().port());
        let socket = guest.call("tcp-create", &[]);
        assert_eq!(guest.call("tcp-connect", &[socket, port]), 0);
        assert_eq!(recorder.taken().len(), 1);
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"text").unwrap();
        let (stream, received) = halves(guest.call("receive", &[socket]));
        let (sink, sent) = halves(guest.call("send", &[socket]));
        assert_eq!(guest.call("read", &[stream, 2]), 2 << 4);
        assert_eq!(guest.call("write", &[sink, 2]), 2 << 4);
        recorder.allows.store(false, Ordering::Relaxed);
        assert_eq!(guest.call("read", &[stream, 2]), DROPPED);
        assert_eq!(guest.call("write", &[sink, 2]), DROPPED);
        assert_eq!(guest.call("finish", &[received]), ACCESS_DENIED);
        assert_eq!(guest.call("finish", &[sent]), ACCESS_DENIED);
        assert_eq!(recorder.taken().len(), 1, "the denial is recorded once");
        guest.call("drop-read", &[stream]);
        guest.call("drop-write", &[sink]);
        guest.call("drop-tcp", &[socket]);
        guest.is_at_rest();
    }
}
