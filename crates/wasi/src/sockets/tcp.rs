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

use super::address::{any, fits, is_remote, is_unicast};
use super::connection::{Connection, TcpInput, TcpOutput};
use super::error::code_of;
use super::{Incoming, Place, Places, SocketError};
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
    /// True once the only stream of received bytes that WASI 0.3 permits was taken.
    receives: bool,
    /// Likewise for sent bytes.
    sends: bool,
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

/// A connection that is being made. Dropping it closes the socket.
pub(crate) type Connect = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

enum Connecting {
    Pending(Connect),
    Done(io::Result<TcpStream>),
    /// The caller of [`TcpSocket::connect`] has it.
    Apart,
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

/// A listening socket, which the resource and its stream of connections share.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    family: IpAddressFamily,
    _place: Arc<Place>,
}

impl Listener {
    /// Accepts a connection.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let accepted = self.listener.poll_accept(cx);
        accepted.map_ok(|(stream, _)| stream)
    }
}

struct Listening {
    listener: Arc<Listener>,
    accepted: Option<io::Result<TcpStream>>,
}

impl Listening {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.accepted.is_none() {
            let Poll::Ready(accepted) = self.listener.poll_accept(cx) else {
                return Poll::Pending;
            };
            self.accepted = Some(accepted);
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
        Ok(TcpSocket::in_state(State::Fresh(socket), family, place))
    }

    /// Creates the socket of a connection that was accepted.
    pub(super) fn accepted(listener: &Listener, stream: TcpStream, place: Place) -> io::Result<TcpSocket> {
        let place = Arc::new(place);
        let connection = Connection::new(stream, place.clone(), None)?;
        let state = State::Connected(connection);
        Ok(TcpSocket::in_state(state, listener.family, place))
    }

    fn in_state(state: State, family: IpAddressFamily, place: Arc<Place>) -> TcpSocket {
        TcpSocket {
            state,
            family,
            operation: None,
            backlog: BACKLOG,
            receives: false,
            sends: false,
            place,
        }
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

    /// Binds the socket.
    pub(crate) fn bind(&mut self, address: SocketAddr, net: &Net) -> Result<(), SocketError> {
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
        Ok(())
    }

    pub(super) fn start_bind(&mut self, address: SocketAddr, net: &Net) -> Result<(), SocketError> {
        self.bind(address, net)?;
        self.operation = Some(Operation::Bind);
        Ok(())
    }

    pub(super) fn finish_bind(&mut self) -> Result<(), SocketError> {
        self.end(Operation::Bind)
    }

    /// Begins to connect, with the first poll. [`TcpSocket::connected`] takes the result.
    pub(crate) fn connect(&mut self, address: SocketAddr, net: &Net) -> Result<Connect, SocketError> {
        self.begin()?;
        if !matches!(self.state, State::Fresh(_)) {
            return Err(ErrorCode::InvalidState.into());
        }
        if !fits(self.family, address.ip()) || !is_unicast(address.ip()) || !is_remote(address) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        net.check_connect(address)?;
        let before = std::mem::replace(&mut self.state, State::Connecting(Connecting::Apart));
        match before {
            State::Fresh(socket) => Ok(Box::pin(socket.connect(address))),
            _ => Err(ErrorCode::InvalidState.into()),
        }
    }

    /// Takes the result of [`TcpSocket::connect`].
    pub(crate) fn connected(
        &mut self,
        result: io::Result<TcpStream>,
        net: &Net,
    ) -> Result<Arc<Connection>, SocketError> {
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

    pub(super) fn start_connect(&mut self, address: SocketAddr, net: &Net) -> Result<(), SocketError> {
        let mut connecting = Connecting::Pending(self.connect(address, net)?);
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
            State::Connecting(Connecting::Done(result)) => self.connected(result, net),
            before => {
                self.state = before;
                Err(ErrorCode::InvalidState.into())
            }
        }
    }

    pub(super) fn start_listen(&mut self, net: &Net) -> Result<(), SocketError> {
        self.begin()?;
        match &self.state {
            State::Fresh(socket) if bound(socket).is_some() => {}
            _ => return Err(ErrorCode::InvalidState.into()),
        }
        self.listen(net)?;
        self.operation = Some(Operation::Listen);
        Ok(())
    }

    /// Listens. A socket that is not bound gets a free port.
    fn listen(&mut self, net: &Net) -> Result<Arc<Listener>, SocketError> {
        self.begin()?;
        let State::Fresh(socket) = &self.state else {
            return Err(ErrorCode::InvalidState.into());
        };
        match bound(socket) {
            Some(address) => net.check_listen(address)?,
            None => {
                let address = any(self.family);
                net.check_listen(address)?;
                self.bind(address, net)?;
            }
        }
        let before = std::mem::replace(&mut self.state, State::Closed(ErrorCode::Unknown));
        let State::Fresh(socket) = before else {
            return Err(ErrorCode::InvalidState.into());
        };
        match socket.listen(self.backlog) {
            Ok(listener) => {
                let listener = Arc::new(Listener {
                    listener,
                    family: self.family,
                    _place: self.place.clone(),
                });
                self.state = State::Listening(Listening {
                    listener: listener.clone(),
                    accepted: None,
                });
                Ok(listener)
            }
            Err(error) => {
                let code = code_of(&error);
                self.state = State::Closed(code);
                Err(code.into())
            }
        }
    }

    /// Listens, and returns the connections. A socket that is not bound gets a free port.
    pub(crate) fn incoming(&mut self, net: &Net, places: &Places) -> Result<Incoming, SocketError> {
        Ok(Incoming::new(self.listen(net)?, places.clone()))
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
        let place = places.take()?;
        if !is_ready(|cx| listening.poll(cx)) {
            return Err(ErrorCode::WouldBlock.into());
        }
        let accepted = listening.accepted.take().ok_or(ErrorCode::WouldBlock)?;
        let accepted = accepted.and_then(|stream| TcpSocket::accepted(&listening.listener, stream, place));
        Ok(accepted.map_err(|error| accept_code(&error))?)
    }

    pub(super) fn set_backlog(&mut self, backlog: u32) -> Result<(), SocketError> {
        match &self.state {
            State::Fresh(_) => {}
            State::Listening(listening) => {
                let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
                rustix::net::listen(&listening.listener.listener, backlog)
                    .map_err(|_| ErrorCode::NotSupported)?;
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
            State::Listening(listening) => Ok(listening.listener.listener.local_addr()?),
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

    /// Returns the connection to receive from. The second time, that is an invalid state.
    pub(crate) fn receiving(&mut self) -> Result<Arc<Connection>, SocketError> {
        let connection = self.connection()?.clone();
        match std::mem::replace(&mut self.receives, true) {
            true => Err(ErrorCode::InvalidState.into()),
            false => Ok(connection),
        }
    }

    /// Returns the connection to send to. The second time, that is an invalid state.
    pub(crate) fn sending(&mut self) -> Result<Arc<Connection>, SocketError> {
        let connection = self.connection()?.clone();
        match std::mem::replace(&mut self.sends, true) {
            true => Err(ErrorCode::InvalidState.into()),
            false => Ok(connection),
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
            State::Listening(listening) => Ok(listening.listener.listener.as_fd()),
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
