//! `wasi:sockets/tcp`: the functions of the resource.

use std::time::Duration;

use rustix::net::sockopt;

use super::options::{self, positive};
use super::tcp::{TcpSocket, streams};
use super::{Network, SocketError};
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::tcp::{Host, HostTcpSocket, ShutdownType};
use crate::io::{InputStream, OutputStream, Pollable, subscribe};
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{HostResult, Resource};

type Socket = Resource<TcpSocket>;

/// Maximum keep-alive time, in seconds, and number of probes that systems accept.
const MAX_KEEP_ALIVE: Duration = Duration::from_secs(32_767);
const MAX_KEEP_ALIVE_COUNT: u32 = 127;

/// Converts nanoseconds to a keep-alive time: at least one second, at most [`MAX_KEEP_ALIVE`]. An error for 0.
fn keep_alive(nanos: u64) -> Result<Duration, SocketError> {
    match nanos {
        0 => Err(ErrorCode::InvalidArgument.into()),
        nanos => Ok(Duration::from_nanos(nanos).clamp(Duration::from_secs(1), MAX_KEEP_ALIVE)),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Host for WasiCtx {}

impl HostTcpSocket for WasiCtx {
    fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        address: IpSocketAddress,
    ) -> Result<(), SocketError> {
        self.table.get(&network)?;
        self.table.get_mut(&socket)?.start_bind(address.into(), &self.net)
    }

    fn finish_bind(&mut self, socket: Socket) -> Result<(), SocketError> {
        self.table.get_mut(&socket)?.finish_bind()
    }

    fn start_connect(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        address: IpSocketAddress,
    ) -> Result<(), SocketError> {
        self.table.get(&network)?;
        let _context = executor::enter()?;
        self.table
            .get_mut(&socket)?
            .start_connect(address.into(), &self.net)
    }

    fn finish_connect(
        &mut self,
        socket: Socket,
    ) -> Result<(Resource<InputStream>, Resource<OutputStream>), SocketError> {
        let _context = executor::enter()?;
        let connection = self.table.get_mut(&socket)?.finish_connect(&self.net)?;
        streams(&mut self.table, &socket, &connection)
    }

    fn start_listen(&mut self, socket: Socket) -> Result<(), SocketError> {
        let _context = executor::enter()?;
        self.table.get_mut(&socket)?.start_listen(&self.net)
    }

    fn finish_listen(&mut self, socket: Socket) -> Result<(), SocketError> {
        self.table.get_mut(&socket)?.finish_listen()
    }

    fn accept(
        &mut self,
        socket: Socket,
    ) -> Result<(Socket, Resource<InputStream>, Resource<OutputStream>), SocketError> {
        let _context = executor::enter()?;
        let accepted = self.table.get_mut(&socket)?.accept(&self.sockets)?;
        let connection = accepted.connection()?.clone();
        let accepted = self.table.push(accepted)?;
        let (input, output) = streams(&mut self.table, &accepted, &connection)?;
        Ok((accepted, input, output))
    }

    fn local_address(&mut self, socket: Socket) -> Result<IpSocketAddress, SocketError> {
        Ok(self.table.get(&socket)?.local_address()?.into())
    }

    fn remote_address(&mut self, socket: Socket) -> Result<IpSocketAddress, SocketError> {
        Ok(self.table.get(&socket)?.connection()?.peer.into())
    }

    fn is_listening(&mut self, socket: Socket) -> HostResult<bool> {
        Ok(self.table.get(&socket)?.is_listening())
    }

    fn address_family(&mut self, socket: Socket) -> HostResult<IpAddressFamily> {
        Ok(self.table.get(&socket)?.family)
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        if value == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.table.get_mut(&socket)?.set_backlog(value)
    }

    fn keep_alive_enabled(&mut self, socket: Socket) -> Result<bool, SocketError> {
        Ok(sockopt::socket_keepalive(self.table.get(&socket)?.descriptor()?)?)
    }

    fn set_keep_alive_enabled(&mut self, socket: Socket, value: bool) -> Result<(), SocketError> {
        Ok(sockopt::set_socket_keepalive(
            self.table.get(&socket)?.descriptor()?,
            value,
        )?)
    }

    fn keep_alive_idle_time(&mut self, socket: Socket) -> Result<u64, SocketError> {
        Ok(nanos(sockopt::tcp_keepidle(
            self.table.get(&socket)?.descriptor()?,
        )?))
    }

    fn set_keep_alive_idle_time(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let value = keep_alive(value)?;
        Ok(sockopt::set_tcp_keepidle(
            self.table.get(&socket)?.descriptor()?,
            value,
        )?)
    }

    fn keep_alive_interval(&mut self, socket: Socket) -> Result<u64, SocketError> {
        Ok(nanos(sockopt::tcp_keepintvl(
            self.table.get(&socket)?.descriptor()?,
        )?))
    }

    fn set_keep_alive_interval(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let value = keep_alive(value)?;
        Ok(sockopt::set_tcp_keepintvl(
            self.table.get(&socket)?.descriptor()?,
            value,
        )?)
    }

    fn keep_alive_count(&mut self, socket: Socket) -> Result<u32, SocketError> {
        Ok(sockopt::tcp_keepcnt(self.table.get(&socket)?.descriptor()?)?)
    }

    fn set_keep_alive_count(&mut self, socket: Socket, value: u32) -> Result<(), SocketError> {
        if value == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        Ok(sockopt::set_tcp_keepcnt(
            self.table.get(&socket)?.descriptor()?,
            value.min(MAX_KEEP_ALIVE_COUNT),
        )?)
    }

    fn hop_limit(&mut self, socket: Socket) -> Result<u8, SocketError> {
        let socket = self.table.get(&socket)?;
        options::hop_limit(socket.descriptor()?, socket.family)
    }

    fn set_hop_limit(&mut self, socket: Socket, value: u8) -> Result<(), SocketError> {
        let socket = self.table.get(&socket)?;
        options::set_hop_limit(socket.descriptor()?, socket.family, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> Result<u64, SocketError> {
        options::receive_buffer_size(self.table.get(&socket)?.descriptor()?)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let most = self.limits.socket_buffer_bytes;
        positive(value, most)?;
        options::set_receive_buffer_size(self.table.get(&socket)?.descriptor()?, value, most)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> Result<u64, SocketError> {
        options::send_buffer_size(self.table.get(&socket)?.descriptor()?)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> Result<(), SocketError> {
        let most = self.limits.socket_buffer_bytes;
        positive(value, most)?;
        options::set_send_buffer_size(self.table.get(&socket)?.descriptor()?, value, most)
    }

    fn subscribe(&mut self, socket: Socket) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &socket)?)
    }

    fn shutdown(&mut self, socket: Socket, direction: ShutdownType) -> Result<(), SocketError> {
        let (receive, send) = match direction {
            ShutdownType::Receive => (true, false),
            ShutdownType::Send => (false, true),
            ShutdownType::Both => (true, true),
        };
        self.table.get(&socket)?.connection()?.shut_down(receive, send);
        Ok(())
    }

    fn drop(&mut self, socket: Socket) -> HostResult<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
