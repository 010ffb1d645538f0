//! A TCP connection, and its two streams.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use rustix::net::Shutdown;
use tokio::net::TcpStream;

use super::Place;
use crate::executor::{self, Task};
use crate::io::{Input, Output, StreamError, Waits};
use crate::net::{Close, Held, Net};

/// Time for written bytes to reach the system after the guest has dropped their stream.
const LINGER: Duration = Duration::from_secs(10);

/// State that the socket and its streams share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) stream: TcpStream,
    /// The peer's address. The system forgets it when both sides have ended the connection.
    pub(super) peer: SocketAddr,
    state: Mutex<State>,
    /// Network access of the component that has connected; `None` for a connection that was accepted.
    net: Option<Net>,
    _place: Arc<Place>,
}

#[derive(Debug, Default)]
struct State {
    /// True once reading has ended.
    receive_ended: bool,
    /// True once no more bytes are accepted for sending.
    send_ended: bool,
    /// True once it is no longer permitted.
    denied: bool,
    /// True while a task sends bytes that the system did not accept at once.
    sending: bool,
    /// Error of a send, until it is reported.
    failed: Option<io::Error>,
    /// Waker of the stream that waits for the task.
    waiting: Option<Waker>,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        place: Arc<Place>,
        net: Option<&Net>,
    ) -> io::Result<Arc<Connection>> {
        let peer = stream.peer_addr()?;
        let connection = Arc::new(Connection {
            peer,
            stream,
            state: Mutex::default(),
            net: net.filter(|net| net.has_policy()).cloned(),
            _place: place,
        });
        if let Some(net) = &connection.net {
            let held: Weak<Connection> = Arc::downgrade(&connection);
            net.hold(Held::Socket(peer), held);
        }
        Ok(connection)
    }

    /// Ends the connection if it is no longer permitted. The denial is recorded once.
    fn recheck(&self) {
        if let Some(net) = &self.net
            && !net.permits(&Held::Socket(self.peer))
            && !self.is_denied()
        {
            let _ = net.check_connect(self.peer);
            self.close();
        }
    }

    /// Returns whether it was ended because it is no longer permitted.
    pub(crate) fn is_denied(&self) -> bool {
        self.state().denied
    }

    /// Sends as many bytes as the system accepts. Ready with the first; without any, when there is room.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.recheck();
        if self.is_denied() {
            return Poll::Ready(Err(Errno::ACCESS.into()));
        }
        if self.state().send_ended {
            return Poll::Ready(Err(Errno::PIPE.into()));
        }
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Shuts down one or both directions. Bytes that are already accepted are still sent.
    pub(crate) fn shut_down(&self, receive: bool, send: bool) {
        let mut state = self.state();
        if receive && !state.receive_ended {
            state.receive_ended = true;
            // Fails if the peer has ended the connection already.
            let _ = rustix::net::shutdown(&self.stream, Shutdown::Read);
        }
        if send && !state.send_ended {
            state.send_ended = true;
            if !state.sending {
                let _ = rustix::net::shutdown(&self.stream, Shutdown::Write);
            }
        }
    }

    /// Sends all bytes, as fast as the peer accepts them.
    async fn send(self: Arc<Connection>, mut bytes: Bytes) {
        let result = loop {
            match self.stream.try_write(&bytes) {
                Ok(len) => {
                    drop(bytes.split_to(len.min(bytes.len())));
                    if bytes.is_empty() {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = self.stream.writable().await {
                        break Err(error);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        let waiting = {
            let mut state = self.state();
            state.sending = false;
            state.failed = result.err();
            if state.send_ended {
                let _ = rustix::net::shutdown(&self.stream, Shutdown::Write);
            }
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves the data consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Close for Connection {
    fn close(&self) {
        self.state().denied = true;
        self.shut_down(true, true);
    }
}

/// The stream of received bytes.
#[derive(Debug)]
pub(crate) struct TcpInput {
    connection: Arc<Connection>,
    ended: bool,
}

impl TcpInput {
    pub(crate) fn new(connection: Arc<Connection>) -> TcpInput {
        let ended = false;
        TcpInput { connection, ended }
    }
}

impl Waits for TcpInput {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended || self.connection.state().receive_ended {
            return Poll::Ready(());
        }
        self.connection.stream.poll_read_ready(cx).map(|_| ())
    }
}

impl Input for TcpInput {
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        self.connection.recheck();
        if self.ended || self.connection.state().receive_ended {
            return Err(StreamError::Closed);
        }
        if max == 0 {
            return Ok(Bytes::new());
        }
        let mut bytes = BytesMut::zeroed(max);
        match self.connection.stream.try_read(&mut bytes) {
            Ok(0) => {
                self.ended = true;
                Err(StreamError::Closed)
            }
            Ok(len) => {
                bytes.truncate(len);
                Ok(bytes.freeze())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Bytes::new()),
            Err(error) => {
                self.ended = true;
                Err(StreamError::failed(error))
            }
        }
    }
}

/// The stream of bytes to send.
#[derive(Debug)]
pub(super) struct TcpOutput {
    connection: Arc<Connection>,
    /// Sends bytes that the system did not accept at once.
    task: Option<Task<()>>,
}

impl TcpOutput {
    pub(super) fn new(connection: Arc<Connection>) -> TcpOutput {
        let task = None;
        TcpOutput { connection, task }
    }
}

impl Waits for TcpOutput {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let mut state = self.connection.state();
            if state.sending {
                state.waiting = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if state.failed.is_some() || state.send_ended {
                return Poll::Ready(());
            }
        }
        self.connection.stream.poll_write_ready(cx).map(|_| ())
    }
}

/// Bytes that one write accepts.
const ROOM: usize = 64 << 10;

impl Output for TcpOutput {
    fn check_write(&mut self) -> Result<usize, StreamError> {
        self.connection.recheck();
        let mut state = self.connection.state();
        if state.sending {
            return Ok(0);
        }
        match state.failed.take() {
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                state.send_ended = true;
                Err(StreamError::Closed)
            }
            Some(error) => {
                state.send_ended = true;
                Err(StreamError::failed(error))
            }
            None if state.send_ended => Err(StreamError::Closed),
            None => Ok(ROOM),
        }
    }

    fn write(&mut self, mut bytes: Bytes) -> Result<(), StreamError> {
        // No other write is possible between the check and this one.
        if self.check_write()? == 0 {
            return Err(StreamError::misuse(
                "bytes were written while earlier ones are being sent",
            ));
        }
        match self.connection.stream.try_write(&bytes) {
            Ok(len) => drop(bytes.split_to(len.min(bytes.len()))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                self.connection.state().failed = Some(error);
                return self.check_write().map(|_| ());
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.connection.state().sending = true;
        match executor::spawn(self.connection.clone().send(bytes)) {
            Ok(task) => {
                self.task = Some(task);
                Ok(())
            }
            Err(error) => {
                self.connection.state().sending = false;
                Err(StreamError::failed(error))
            }
        }
    }

    /// Only reports errors: the system sends on its own, and the stream is not ready until it has accepted all bytes.
    fn flush(&mut self) -> Result<(), StreamError> {
        self.check_write().map(|_| ())
    }
}

impl Drop for TcpOutput {
    fn drop(&mut self) {
        if let Some(task) = self.task.take().filter(|_| self.connection.state().sending) {
            executor::linger(task, LINGER);
        }
    }
}
