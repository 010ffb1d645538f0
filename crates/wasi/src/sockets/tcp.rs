//! `wasi:sockets/tcp`: the states of a socket, up to a connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

use super::address::{fits, is_remote, is_unicast};
use super::connection::{Connection, TcpInput, TcpOutput};
use super::error::code_of;
use super::{Place, Places, SocketError};
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use crate::bindings::wasi::sockets::tcp_create_socket;
use crate::io::{InputStream, OutputStream, Waits};
use crate::net::Net;
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{Resource, ResourceTable};

/// Connections that may wait to be accepted, unless the guest sets another number.
const BACKLOG: u32 = 128;

/// The resource `tcp-socket`.
pub(crate) struct TcpSocket {
    state: State,
    pub(super) family: IpAddressFamily,
    /// The operation that was started and is not finished.
    pub(super) operation: Option<Operation>,
    pub(super) backlog: u32,
    place: Arc<Place>,
}

/// Operations with a start and a finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Bind,
    Connect,
    Listen,
}

enum State {
    Fresh(tokio::net::TcpSocket),
    Connecting(Connecting),
    Connected(Arc<Connection>),
    Listening(Listening),
    /// The socket failed with this code.
    Closed(ErrorCode),
}

enum Connecting {
    Pending(Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>),
    Done(io::Result<TcpStream>),
}

impl Connecting {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Connecting::Pending(future) = self {
            let Poll::Ready(result) = future.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            *self = Connecting::Done(result);
        }
        Poll::Ready(())
    }
}

struct Listening {
    listener: TcpListener,
    accepted: Option<io::Result<TcpStream>>,
}

impl Listening {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.accepted.is_none() {
            let Poll::Ready(accepted) = self.listener.poll_accept(cx) else {
                return Poll::Pending;
            };
            self.accepted = Some(accepted.map(|(stream, _)| stream));
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpSocket")
            .field("family", &self.family)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

impl Waits for TcpSocket {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Connecting(connecting) => connecting.poll(cx),
            State::Listening(listening) if self.operation.is_none() => listening.poll(cx),
            _ => Poll::Ready(()),
        }
    }
}

/// Polls once, without waiting.
fn is_ready(poll: impl FnOnce(&mut Context<'_>) -> Poll<()>) -> bool {
    poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

impl TcpSocket {
    fn new(family: IpAddressFamily, places: &Places) -> Result<TcpSocket, SocketError> {
        let place = Arc::new(places.take()?);
        let socket = match family {
            IpAddressFamily::Ipv4 => tokio::net::TcpSocket::new_v4()?,
            IpAddressFamily::Ipv6 => {
                let socket = tokio::net::TcpSocket::new_v6()?;
                sockopt::set_ipv6_v6only(&socket, true)?;
                socket
            }
        };
        Ok(TcpSocket {
            state: State::Fresh(socket),
            family,
            operation: None,
            backlog: BACKLOG,
            place,
        })
    }

    /// Checks that no operation is in progress.
    fn begin(&self) -> Result<(), SocketError> {
        match self.operation {
            Some(_) => Err(ErrorCode::ConcurrencyConflict.into()),
            None => Ok(()),
        }
    }

    /// Ends the operation in progress, which must be this one.
    fn end(&mut self, operation: Operation) -> Result<(), SocketError> {
        if self.operation != Some(operation) {
            return Err(ErrorCode::NotInProgress.into());
        }
        self.operation = None;
        Ok(())
    }

    pub(super) fn start_bind(&mut self, address: SocketAddr, net: &Net) -> Result<(), SocketError> {
        self.begin()?;
        let State::Fresh(socket) = &self.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        if bound(socket).is_some() {
            return Err(ErrorCode::InvalidState.into());
        }
        if !fits(self.family, address.ip()) || !is_unicast(address.ip()) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        net.check_bind(address)?;
        // An earlier socket's lingering connections at this address do not prevent the bind.
        sockopt::set_socket_reuseaddr(socket, true)?;
        socket.bind(address)?;
        self.operation = Some(Operation::Bind);
        Ok(())
    }

    pub(super) fn finish_bind(&mut self) -> Result<(), SocketError> {
        self.end(Operation::Bind)
    }

    pub(super) fn start_connect(&mut self, address: SocketAddr, net: &Net) -> Result<(), SocketError> {
        self.begin()?;
        if !matches!(self.state, State::Fresh(_)) {
            return Err(ErrorCode::InvalidState.into());
        }
        if !fits(self.family, address.ip()) || !is_unicast(address.ip()) || !is_remote(address) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        net.check_connect(address)?;
        let before = std::mem::replace(&mut self.state, State::Closed(ErrorCode::Unknown));
        let State::Fresh(socket) = before else {
            return Err(ErrorCode::InvalidState.into());
        };
        let mut connecting = Connecting::Pending(Box::pin(socket.connect(address)));
        // The future sends nothing before its first poll.
        let _ = is_ready(|cx| connecting.poll(cx));
        self.state = State::Connecting(connecting);
        self.operation = Some(Operation::Connect);
        Ok(())
    }

    pub(super) fn finish_connect(&mut self, net: &Net) -> Result<Arc<Connection>, SocketError> {
        if self.operation != Some(Operation::Connect) {
            return Err(ErrorCode::NotInProgress.into());
        }
        if let State::Connecting(connecting) = &mut self.state
            && !is_ready(|cx| connecting.poll(cx))
        {
            return Err(ErrorCode::WouldBlock.into());
        }
        self.operation = None;
        let before = std::mem::replace(&mut self.state, State::Closed(ErrorCode::Unknown));
        match before {
            State::Connecting(Connecting::Done(result)) => {
                match result.and_then(|stream| Connection::new(stream, self.place.clone(), Some(net))) {
                    Ok(connection) => {
                        self.state = State::Connected(connection.clone());
                        Ok(connection)
                    }
                    Err(error) => {
                        let code = code_of(&error);
                        self.state = State::Closed(code);
                        Err(code.into())
                    }
                }
            }
            before => {
                self.state = before;
                Err(ErrorCode::InvalidState.into())
            }
        }
    }

    pub(super) fn start_listen(&mut self, net: &Net) -> Result<(), SocketError> {
        self.begin()?;
        let State::Fresh(socket) = &self.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        let address = bound(socket).ok_or(ErrorCode::InvalidState)?;
        net.check_listen(address)?;
        let before = std::mem::replace(&mut self.state, State::Closed(ErrorCode::Unknown));
        let State::Fresh(socket) = before else {
            return Err(ErrorCode::InvalidState.into());
        };
        match socket.listen(self.backlog) {
            Ok(listener) => {
                self.state = State::Listening(Listening {
                    listener,
                    accepted: None,
                });
                self.operation = Some(Operation::Listen);
                Ok(())
            }
            Err(error) => {
                let code = code_of(&error);
                self.state = State::Closed(code);
                Err(code.into())
            }
        }
    }

    pub(super) fn finish_listen(&mut self) -> Result<(), SocketError> {
        self.end(Operation::Listen)
    }

    /// Accepts a waiting connection.
    pub(super) fn accept(&mut self, places: &Places) -> Result<TcpSocket, SocketError> {
        let State::Listening(listening) = &mut self.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        if self.operation.is_some() {
            return Err(ErrorCode::ConcurrencyConflict.into());
        }
        // The connection waits in the backlog until there is a place for it.
        let place = Arc::new(places.take()?);
        if !is_ready(|cx| listening.poll(cx)) {
            return Err(ErrorCode::WouldBlock.into());
        }
        let accepted = listening.accepted.take().ok_or(ErrorCode::WouldBlock)?;
        let connection = accepted
            .and_then(|stream| Connection::new(stream, place.clone(), None))
            .map_err(|error| accept_code(&error))?;
        Ok(TcpSocket {
            state: State::Connected(connection),
            family: self.family,
            operation: None,
            backlog: BACKLOG,
            place,
        })
    }

    pub(super) fn set_backlog(&mut self, backlog: u32) -> Result<(), SocketError> {
        match &self.state {
            State::Fresh(_) => {}
            State::Listening(listening) => {
                let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
                rustix::net::listen(&listening.listener, backlog).map_err(|_| ErrorCode::NotSupported)?;
            }
            State::Closed(code) => return Err((*code).into()),
            State::Connecting(_) | State::Connected(_) => return Err(ErrorCode::InvalidState.into()),
        }
        self.backlog = backlog;
        Ok(())
    }

    pub(super) fn local_address(&self) -> Result<SocketAddr, SocketError> {
        match &self.state {
            State::Fresh(socket) => Ok(bound(socket).ok_or(ErrorCode::InvalidState)?),
            State::Connecting(_) => Err(ErrorCode::InvalidState.into()),
            State::Connected(connection) => Ok(connection.stream.local_addr()?),
            State::Listening(listening) => Ok(listening.listener.local_addr()?),
            State::Closed(code) => Err((*code).into()),
        }
    }

    /// Returns the connection, if there is one.
    pub(super) fn connection(&self) -> Result<&Arc<Connection>, SocketError> {
        match &self.state {
            State::Connected(connection) => Ok(connection),
            State::Closed(code) => Err((*code).into()),
            _ => Err(ErrorCode::InvalidState.into()),
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        matches!(self.state, State::Listening(_))
    }

    /// Returns the descriptor, to get and set options.
    pub(super) fn descriptor(&self) -> Result<BorrowedFd<'_>, SocketError> {
        match &self.state {
            State::Fresh(socket) => Ok(socket.as_fd()),
            State::Connected(connection) => Ok(connection.stream.as_fd()),
            State::Listening(listening) => Ok(listening.listener.as_fd()),
            State::Connecting(_) => Err(ErrorCode::InvalidState.into()),
            State::Closed(code) => Err((*code).into()),
        }
    }
}

/// Returns the address that a socket is bound to, if it is bound.
fn bound(socket: &tokio::net::TcpSocket) -> Option<SocketAddr> {
    let address = socket.local_addr().ok()?;
    (address.port() != 0).then_some(address)
}

/// Returns the code for a failed `accept`. Errors of a connection that was lost before it was accepted become
/// `connection-aborted`.
fn accept_code(error: &io::Error) -> ErrorCode {
    match code_of(error) {
        ErrorCode::ConnectionReset
        | ErrorCode::InvalidState
        | ErrorCode::RemoteUnreachable
        | ErrorCode::NotSupported
        | ErrorCode::Unknown => ErrorCode::ConnectionAborted,
        code => code,
    }
}

/// Creates the streams of a connection, as children of the socket.
pub(super) fn streams(
    table: &mut ResourceTable,
    socket: &Resource<TcpSocket>,
    connection: &Arc<Connection>,
) -> Result<(Resource<InputStream>, Resource<OutputStream>), SocketError> {
    let input = InputStream::new(TcpInput::new(connection.clone()));
    let output = OutputStream::new(TcpOutput::new(connection.clone()));
    Ok((
        table.push_child(input, socket)?,
        table.push_child(output, socket)?,
    ))
}

impl tcp_create_socket::Host for WasiCtx {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> Result<Resource<TcpSocket>, SocketError> {
        let _context = executor::enter()?;
        let socket = TcpSocket::new(family, &self.sockets)?;
        Ok(self.table.push(socket)?)
    }
}
