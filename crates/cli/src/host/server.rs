//! Connections to the socket of a host.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answers;
use super::protocol::{self, MAX_REQUEST_BYTES, REQUEST_TIME, VERSION, WRITE_TIME};
use super::running::Host;
use super::socket::{Socket, is_own};
use crate::exit::{Exit, Failure, Outcome};

/// Maximum connections at the same time. Stops clients that use up the threads of the host.
const MAX_CONNECTIONS: usize = 64;

/// Interval at which [`Connections::settle`] looks.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// Pause after a connection could not be accepted, as when the process has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Starts to answer requests, on threads of its own that end with the process.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn start(socket: &Socket, host: Arc<Host>) -> Outcome<Connections> {
    let unstarted = |error: io::Error| Failure::new(Exit::Host, error).context("the socket cannot be served");
    let listener = socket.listener.try_clone().map_err(unstarted)?;
    let connections = Connections(Arc::default());
    let open = connections.0.clone();
    let serve = move || {
        loop {
            match listener.accept() {
                Ok((stream, _)) => accept(stream, &host, &open),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    log::warn!("cannot accept a connection to the socket: {error}");
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    };
    let started = thread::Builder::new().name("host-socket".to_owned()).spawn(serve);
    started.map(|_| connections).map_err(unstarted)
}

/// The connections of a socket.
pub(super) struct Connections(Arc<AtomicUsize>);

impl Connections {
    /// Waits until all are closed, at most `time`: the last lines of logs are on their way.
    pub(super) fn settle(&self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.0.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
            thread::sleep(SETTLE_PAUSE);
        }
    }
}

/// A connection that counts.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

fn accept(mut stream: UnixStream, host: &Arc<Host>, count: &Arc<AtomicUsize>) {
    let others = count.fetch_add(1, Ordering::Relaxed);
    let open = Open(count.clone());
    // The answer fits into the buffer of a new connection.
    let refuse = |stream: &mut UnixStream, message: String| {
        let refused = Failure::new(Exit::Host, anyhow::Error::msg(message));
        let _ = stream.set_nonblocking(true);
        let _ = protocol::write_line(stream, "error", refused.to_json());
    };
    if !is_own(&stream) {
        return refuse(&mut stream, "the host belongs to another user".to_owned());
    }
    if others >= MAX_CONNECTIONS {
        let message = format!("the host has {MAX_CONNECTIONS} connections, which is the limit: try again");
        return refuse(&mut stream, message);
    }
    let host = host.clone();
    let work = move || {
        let _open = open;
        if let Err(error) = converse(stream, &host) {
            log::debug!("a connection to the socket ended: {error}");
        }
    };
    if let Err(error) = thread::Builder::new().name("host-client".to_owned()).spawn(work) {
        log::warn!("cannot start a thread for a connection to the socket: {error}");
    }
}

/// Reads a request, and answers it.
fn converse(mut stream: UnixStream, host: &Host) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_TIME))?;
    let deadline = Instant::now() + REQUEST_TIME;
    let line = protocol::read_line(&mut stream, &mut Vec::new(), MAX_REQUEST_BYTES, Some(deadline));
    let request = match line {
        Ok(Some(line)) => request(&line),
        Ok(None) => return Ok(()),
        Err(error) => Err(usage(match error.kind() {
            ErrorKind::TimedOut => format!("the request did not come within {REQUEST_TIME:?}"),
            ErrorKind::FileTooLarge => format!("the request has more than {MAX_REQUEST_BYTES} bytes"),
            ErrorKind::InvalidData => "the request has no line end".to_owned(),
            _ => return Err(error),
        })),
    };
    let result = match request {
        Ok(request) => answers::answer(host, &request, &mut stream),
        Err(failure) => Err(failure),
    };
    match result {
        Ok(Some(result)) => protocol::write_line(&mut stream, "result", result),
        // The client is gone.
        Ok(None) => Ok(()),
        Err(failure) => protocol::write_line(&mut stream, "error", failure.to_json()),
    }
}

fn request(line: &[u8]) -> Outcome<serde_json::Value> {
    let request: serde_json::Value =
        serde_json::from_slice(line).map_err(|error| usage(format!("the request is not JSON: {error}")))?;
    match request.get("v") {
        Some(version) if *version == VERSION => Ok(request),
        _ => Err(usage(format!(
            "the request has another version of the protocol than {VERSION}: use the program that runs the host"
        ))),
    }
}

fn usage(message: String) -> Failure {
    Failure::usage(message)
}
