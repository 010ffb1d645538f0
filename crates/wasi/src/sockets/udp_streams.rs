//! `wasi:sockets/udp`: streams of datagrams.

use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::net;

use super::address::{fits, is_remote};
use super::{Place, SocketError};
use crate::WasiCtx;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use crate::bindings::wasi::sockets::udp::{
    HostIncomingDatagramStream, HostOutgoingDatagramStream, IncomingDatagram, OutgoingDatagram,
};
use crate::io::{Pollable, Waits, misuse, subscribe};
use crate::net::{Held, Net};
use airssys_wasm_component::component::{HostResult, Resource};

/// Datagrams that one call receives or sends, at most.
const MAX_DATAGRAMS: usize = 16;
/// Bytes of a datagram, at most.
const MAX_DATAGRAM: usize = 65_535;
/// Datagrams that are dropped in a row before other tasks get their turn.
const MAX_DROPPED: usize = 64;
/// Senders that are remembered, and may be answered. When there are more, all are forgotten.
const MAX_PEERS: usize = 1024;

/// The bytes of a datagram, and its sender.
type Datagram = (Vec<u8>, SocketAddr);

/// State that a socket and its streams share.
#[derive(Debug)]
pub(crate) struct Udp {
    pub(super) socket: net::UdpSocket,
    pub(super) family: IpAddressFamily,
    pub(super) net: Net,
    state: Mutex<State>,
    /// Memory for a received datagram.
    buffer: Mutex<Vec<u8>>,
    _place: Place,
}

#[derive(Debug, Default)]
struct State {
    /// True if every host may send to the socket.
    is_open: bool,
    /// Hosts that have sent something, and may be answered.
    peers: HashSet<SocketAddr>,
    /// Destinations that the policy has permitted, and recorded.
    permitted: HashSet<SocketAddr>,
}

impl Udp {
    pub(super) fn new(socket: net::UdpSocket, family: IpAddressFamily, net: Net, place: Place) -> Arc<Udp> {
        Arc::new(Udp {
            socket,
            family,
            net,
            state: Mutex::default(),
            buffer: Mutex::default(),
            _place: place,
        })
    }

    /// Opens the socket to every sender.
    pub(super) fn open(&self) {
        self.state().is_open = true;
    }

    /// Checks that datagrams may be sent to an address.
    pub(super) fn check_send(&self, address: SocketAddr) -> Result<(), SocketError> {
        if !fits(self.family, address.ip()) || !is_remote(address) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        {
            let state = self.state();
            let known = state.permitted.contains(&address) && self.net.permits(&Held::Socket(address));
            if known || state.peers.contains(&address) {
                return Ok(());
            }
        }
        self.net.check_connect(address)?;
        if self.net.has_policy() {
            let mut state = self.state();
            if state.permitted.len() >= MAX_PEERS {
                state.permitted.clear();
            }
            state.permitted.insert(address);
        }
        Ok(())
    }

    /// Checks a datagram of a socket with this peer, and returns its destination; `None` for the peer.
    pub(super) fn check_datagram(
        &self,
        data: &[u8],
        to: Option<SocketAddr>,
        remote: Option<SocketAddr>,
    ) -> Result<Option<SocketAddr>, SocketError> {
        let to = match (to, remote) {
            (None, Some(remote)) => remote,
            (Some(to), None) => to,
            (Some(to), Some(remote)) if to == remote => to,
            _ => return Err(ErrorCode::InvalidArgument.into()),
        };
        self.check_send(to)?;
        if data.len() > MAX_DATAGRAM {
            return Err(ErrorCode::DatagramTooLarge.into());
        }
        Ok(remote.is_none().then_some(to))
    }

    /// Sends a datagram that was checked, without waiting.
    fn try_send(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        let sent = match to {
            None => self.socket.try_send(data),
            Some(to) => self.socket.try_send_to(data, to),
        };
        sent.map(drop)
    }

    /// Sends a datagram that was checked.
    pub(crate) async fn send(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        loop {
            match self.try_send(data, to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.writable().await?,
                result => return result,
            }
        }
    }

    /// Receives a datagram of this peer, or of any sender that the guest may receive from.
    pub(crate) async fn receive(&self, remote: Option<SocketAddr>) -> io::Result<Datagram> {
        loop {
            if let Some(received) = self.try_receive(remote) {
                return received;
            }
            self.socket.readable().await?;
            // After many datagrams that were dropped, it is ready at once: other tasks come first.
            yield_once().await;
        }
    }

    /// Takes the next datagram for the guest; `None` if there is none yet, or many others were dropped.
    fn try_receive(&self, remote: Option<SocketAddr>) -> Option<io::Result<Datagram>> {
        // A panic under this lock leaves the data consistent.
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.resize(MAX_DATAGRAM, 0);
        for _ in 0..MAX_DROPPED {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => {
                    let wanted = remote.is_none_or(|remote| remote == from);
                    if wanted && self.admits(from) {
                        let data = buffer.get(..len).unwrap_or_default().to_vec();
                        return Some(Ok((data, from)));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }

    /// Returns whether the guest may receive from an address. Remembers it if the socket is open to every sender.
    fn admits(&self, address: SocketAddr) -> bool {
        let mut state = self.state();
        if !state.is_open {
            return match self.net.has_policy() {
                true => self.net.permits(&Held::Socket(address)),
                false => self.net.check_connect(address).is_ok(),
            };
        }
        if state.peers.len() >= MAX_PEERS {
            state.peers.clear();
        }
        state.peers.insert(address);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves the data consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pending once.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| match std::mem::replace(&mut yielded, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// The resource `incoming-datagram-stream`.
#[derive(Debug)]
pub(crate) struct IncomingDatagramStream {
    udp: Arc<Udp>,
    /// The only accepted sender, if it is set.
    remote: Option<SocketAddr>,
    /// A received datagram, or an error, that is not yet returned.
    next: Option<io::Result<Datagram>>,
}

impl IncomingDatagramStream {
    pub(super) fn new(udp: Arc<Udp>, remote: Option<SocketAddr>) -> IncomingDatagramStream {
        IncomingDatagramStream {
            udp,
            remote,
            next: None,
        }
    }

    /// Takes the next datagram for the guest, if there is one.
    fn take(&mut self) -> Option<io::Result<Datagram>> {
        self.next.take().or_else(|| self.udp.try_receive(self.remote))
    }
}

impl Waits for IncomingDatagramStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.next = self.take();
            if self.next.is_some() {
                return Poll::Ready(());
            }
            match self.udp.socket.poll_recv_ready(cx) {
                Poll::Ready(Ok(())) => {
                    // Many datagrams were dropped: continues after other tasks.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => self.next = Some(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl HostIncomingDatagramStream for WasiCtx {
    fn receive(
        &mut self,
        stream: Resource<IncomingDatagramStream>,
        most: u64,
    ) -> Result<Vec<IncomingDatagram>, SocketError> {
        let most = usize::try_from(most).map_or(MAX_DATAGRAMS, |most| most.min(MAX_DATAGRAMS));
        let stream = self.table.get_mut(&stream)?;
        let mut datagrams = Vec::new();
        while datagrams.len() < most {
            match stream.take() {
                Some(Ok((data, from))) => datagrams.push(IncomingDatagram {
                    data,
                    remote_address: from.into(),
                }),
                Some(Err(error)) if datagrams.is_empty() => return Err(error.into()),
                // Received datagrams are returned before the error.
                Some(Err(error)) => {
                    stream.next = Some(Err(error));
                    break;
                }
                None => break,
            }
        }
        Ok(datagrams)
    }

    fn subscribe(&mut self, stream: Resource<IncomingDatagramStream>) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &stream)?)
    }

    fn drop(&mut self, stream: Resource<IncomingDatagramStream>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

/// The resource `outgoing-datagram-stream`.
#[derive(Debug)]
pub(crate) struct OutgoingDatagramStream {
    udp: Arc<Udp>,
    /// The only destination, if it is set.
    remote: Option<SocketAddr>,
    /// Datagrams that the next `send` may have.
    permit: usize,
}

impl OutgoingDatagramStream {
    pub(super) fn new(udp: Arc<Udp>, remote: Option<SocketAddr>) -> OutgoingDatagramStream {
        OutgoingDatagramStream {
            udp,
            remote,
            permit: 0,
        }
    }

    fn send(&self, datagram: &OutgoingDatagram) -> Result<(), SocketError> {
        let to = datagram.remote_address.clone().map(SocketAddr::from);
        let to = self.udp.check_datagram(&datagram.data, to, self.remote)?;
        Ok(self.udp.try_send(&datagram.data, to)?)
    }
}

impl Waits for OutgoingDatagramStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.udp.socket.poll_send_ready(cx).map(|_| ())
    }
}

impl HostOutgoingDatagramStream for WasiCtx {
    fn check_send(&mut self, stream: Resource<OutgoingDatagramStream>) -> Result<u64, SocketError> {
        let _context = crate::executor::enter()?;
        let stream = self.table.get_mut(&stream)?;
        let ready = stream
            .poll_ready(&mut Context::from_waker(Waker::noop()))
            .is_ready();
        stream.permit = if ready { MAX_DATAGRAMS } else { 0 };
        Ok(u64::try_from(stream.permit).unwrap_or(0))
    }

    fn send(
        &mut self,
        stream: Resource<OutgoingDatagramStream>,
        datagrams: Vec<OutgoingDatagram>,
    ) -> Result<u64, SocketError> {
        let stream = self.table.get_mut(&stream)?;
        let permit = std::mem::take(&mut stream.permit);
        if datagrams.len() > permit {
            let message = format!(
                "{} datagrams were sent, but `check-send` permitted {permit}",
                datagrams.len()
            );
            return Err(misuse(message).into());
        }
        let mut sent = 0;
        for datagram in &datagrams {
            match stream.send(datagram) {
                Ok(()) => sent += 1,
                Err(SocketError::Code(ErrorCode::WouldBlock)) => break,
                // The next `send` reports the error.
                Err(_) if sent > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    fn subscribe(&mut self, stream: Resource<OutgoingDatagramStream>) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &stream)?)
    }

    fn drop(&mut self, stream: Resource<OutgoingDatagramStream>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
