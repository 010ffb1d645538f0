//! `wasi:sockets/udp`: the socket.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::net;

use super::address::{any, fits};
use super::options;
use super::udp_streams::{IncomingDatagramStream, OutgoingDatagramStream, Udp};
use super::{Network, SocketError};
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::udp::{Host, HostUdpSocket};
use crate::bindings::wasi::sockets::udp_create_socket;
use crate::io::{Pollable, Waits, misuse, subscribe};
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{HostResult, Resource};

/// The resource `udp-socket`.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    udp: Arc<Udp>,
    /// True while a bind is started and not finished.
    binding: bool,
    /// The address that it was bound to. The system does not show that for a socket that was connected before.
    bound: Option<SocketAddr>,
    remote: Option<SocketAddr>,
}

impl Waits for UdpSocket {
    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Ready(())
    }
}

type Socket = Resource<UdpSocket>;
type Streams = (Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>);

impl UdpSocket {
    fn start_bind(&mut self, address: SocketAddr) -> Result<(), SocketError> {
        if self.binding {
            return Err(ErrorCode::ConcurrencyConflict.into());
        }
        self.bind(address)?;
        self.binding = true;
        Ok(())
    }

    /// Binds the socket.
    pub(crate) fn bind(&mut self, address: SocketAddr) -> Result<(), SocketError> {
        if self.bound.is_some() {
            return Err(ErrorCode::InvalidState.into());
        }
        let udp = &self.udp;
        if !fits(udp.family, address.ip()) {
            return Err(ErrorCode::InvalidArgument.into());
        }
        udp.net.check_bind(address)?;
        rustix::net::bind(&udp.socket, &address)?;
        let bound = udp.socket.local_addr()?;
        self.bound = Some(bound);
        // A component that may listen there receives from every sender; any other only from hosts that it may connect
        // to.
        if udp.net.check_listen(address).is_ok() || udp.net.check_listen(bound).is_ok() {
            udp.open();
        }
        Ok(())
    }

    /// Binds a socket that is not bound to a port that the system chooses.
    fn ensure_bound(&mut self) -> Result<(), SocketError> {
        match self.bound {
            Some(_) => Ok(()),
            None => self.bind(any(self.udp.family)),
        }
    }

    /// Restricts the socket to one peer, or ends that.
    fn associate(&mut self, remote: Option<SocketAddr>) -> Result<(), SocketError> {
        match remote {
            Some(remote) => {
                self.udp.check_send(remote)?;
                self.ensure_bound()?;
                match rustix::net::connect(&self.udp.socket, &remote) {
                    // Linux does not switch to another interface by itself.
                    Err(Errno::INVAL) => {
                        self.dissociate()?;
                        rustix::net::connect(&self.udp.socket, &remote)?;
                    }
                    connected => connected?,
                }
            }
            None if self.remote.is_some() => self.dissociate()?,
            None => {}
        }
        self.remote = remote;
        Ok(())
    }

    fn dissociate(&mut self) -> Result<(), SocketError> {
        rustix::net::connect_unspec(&self.udp.socket)?;
        self.remote = None;
        if let Some(bound) = self.bound
            && self.udp.socket.local_addr()?.port() == 0
        {
            // Linux gives up a port that it has chosen itself. It may be lost to another socket.
            self.bound = None;
            rustix::net::bind(&self.udp.socket, &bound)?;
            self.bound = Some(bound);
        }
        Ok(())
    }

    /// Restricts the socket to one peer. A socket that is not bound gets a free port.
    pub(crate) fn connect(&mut self, remote: SocketAddr) -> Result<(), SocketError> {
        self.associate(Some(remote))
    }

    /// Ends the restriction to a peer.
    pub(crate) fn disconnect(&mut self) -> Result<(), SocketError> {
        match self.remote {
            Some(_) => self.associate(None),
            None => Err(ErrorCode::InvalidState.into()),
        }
    }

    /// Checks a datagram, and returns the socket to send it with, and its destination for [`Udp::send`]. A socket that is not bound gets a
    /// free port.
    pub(crate) fn sending(
        &mut self,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<(Arc<Udp>, Option<SocketAddr>), SocketError> {
        let to = self.udp.check_datagram(data, to, self.remote)?;
        self.ensure_bound()?;
        Ok((self.udp.clone(), to))
    }

    /// Returns the socket to receive from, and its only peer.
    pub(crate) fn receiving(&self) -> Result<(Arc<Udp>, Option<SocketAddr>), SocketError> {
        match self.bound {
            Some(_) => Ok((self.udp.clone(), self.remote)),
            None => Err(ErrorCode::InvalidState.into()),
        }
    }
}

impl udp_create_socket::Host for WasiCtx {
    fn create_udp_socket(&mut self, family: IpAddressFamily) -> Result<Socket, SocketError> {
        let place = self.sockets.take()?;
        let domain = match family {
            IpAddressFamily::Ipv4 => AddressFamily::INET,
            IpAddressFamily::Ipv6 => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(domain, SocketType::DGRAM, flags, None)?;
        if family == IpAddressFamily::Ipv6 {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        let _context = executor::enter()?;
        let socket = net::UdpSocket::from_std(std::net::UdpSocket::from(socket))?;
        // The socket is writable at once; the executor notices that after a moment.
        self.patience().wait(|cx| socket.poll_send_ready(cx))??;
        let udp = Udp::new(socket, family, self.net.clone(), place);
        Ok(self.table.push(UdpSocket {
            udp,
            binding: false,
            bound: None,
            remote: None,
        })?)
    }
}

impl Host for WasiCtx {}

impl HostUdpSocket for WasiCtx {
    fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        address: IpSocketAddress,
    ) -> Result<(), SocketError> {
        self.table.get(&network)?;
        self.table.get_mut(&socket)?.start_bind(address.into())
    }

    fn finish_bind(&mut self, socket: Socket) -> Result<(), SocketError> {
        let socket = self.table.get_mut(&socket)?;
        match std::mem::take(&mut socket.binding) {
            true => Ok(()),
            false => Err(ErrorCode::NotInProgress.into()),
        }
    }

    fn stream(&mut self, socket: Socket, remote: Option<IpSocketAddress>) -> Result<Streams, SocketError> {
        let entry = self.table.get_mut(&socket)?;
        // The streams hold the other references.
        if Arc::strong_count(&entry.udp) > 1 {
            let message = "`stream` was called while the socket had streams";
            return Err(misuse(message).into());
        }
        if entry.bound.is_none() || entry.binding {
            return Err(ErrorCode::InvalidState.into());
        }
        entry.associate(remote.map(SocketAddr::from))?;
        let incoming = IncomingDatagramStream::new(entry.udp.clone(), entry.remote);
        let outgoing = OutgoingDatagramStream::new(entry.udp.clone(), entry.remote);
        Ok((
            self.table.push_child(incoming, &socket)?,
            self.table.push_child(outgoing, &socket)?,
        ))
    }

    fn local_address(&mut self, socket: Socket) -> Result<IpSocketAddress, SocketError> {
        let socket = self.table.get(&socket)?;
        match socket.bound {
            Some(_) => Ok(socket.udp.socket.local_addr()?.into()),
            None => Err(ErrorCode::InvalidState.into()),
        }
    }

    fn remote_address(&mut self, socket: Socket) -> Result<IpSocketAddress, SocketError> {
        let remote = self.table.get(&socket)?.remote;
        Ok(remote.ok_or(ErrorCode::InvalidState)?.into())
    }

    fn address_family(&mut self, socket: Socket) -> HostResult<IpAddressFamily> {
        Ok(self.table.get(&socket)?.udp.family)
    }

    fn unicast_hop_limit(&mut self, socket: Socket) -> Result<u8, SocketError> {
        let udp = &self.table.get(&socket)?.udp;
        options::hop_limit(&udp.socket, udp.family)
    }

    fn set_unicast_hop_limit(&mut self, socket: Socket, value: u8) -> Result<(), SocketError> {
        let udp = &self.table.get(&socket)?.udp;
        options::set_hop_limit(&udp.socket, udp.family, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> Result<u64, SocketError> {
        options::receive_buffer_size(&self.table.get(&socket)?.udp.socket)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let most = self.limits.socket_buffer_bytes;
        options::set_receive_buffer_size(&self.table.get(&socket)?.udp.socket, value, most)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> Result<u64, SocketError> {
        options::send_buffer_size(&self.table.get(&socket)?.udp.socket)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let most = self.limits.socket_buffer_bytes;
        options::set_send_buffer_size(&self.table.get(&socket)?.udp.socket, value, most)
    }

    fn subscribe(&mut self, socket: Socket) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &socket)?)
    }

    fn drop(&mut self, socket: Socket) -> HostResult<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
