//! The two directions of a connection.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use rustix::io::Errno;

use crate::io::{Input, StreamError, Waits};
use crate::p3::streams::Sink;
use crate::sockets::{Connection, TcpInput};

/// Received bytes. Dropping it ends the connection in this direction.
pub(super) struct Receiving {
    input: TcpInput,
    connection: Arc<Connection>,
}

impl Receiving {
    pub(super) fn new(connection: Arc<Connection>) -> Receiving {
        Receiving {
            input: TcpInput::new(connection.clone()),
            connection,
        }
    }
}

impl Waits for Receiving {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.input.poll_ready(cx)
    }
}

impl Input for Receiving {
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        match self.input.read(max) {
            // An end that the peer did not choose is a failure.
            Err(StreamError::Closed) if self.connection.is_denied() => {
                Err(StreamError::failed(io::Error::from(Errno::ACCESS)))
            }
            read => read,
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.connection.shut_down(true, false);
    }
}

/// Bytes to send. Dropping it ends the connection in this direction, after the last byte.
pub(super) struct Sending(Arc<Connection>);

impl Sending {
    pub(super) fn new(connection: Arc<Connection>) -> Sending {
        Sending(connection)
    }
}

impl Sink for Sending {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.0.poll_send(cx, bytes).map_err(StreamError::failed)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.shut_down(false, true);
    }
}
