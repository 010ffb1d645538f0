//! `wasi:sockets/types` 0.3: TCP sockets.

use airssys_wasm_component::component::{Access, Accessor, FutureReader, HostResult, Resource, StreamReader};

use super::accept;
use super::error::{Answer, answer, stream_code};
use super::tcp_streams::{Receiving, Sending};
use crate::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::tcp::HostTcpSocket as Socket2;
use crate::bindings::wasi::sockets::tcp_create_socket;
use crate::p3::bindings::wasi::sockets::types::{ErrorCode, HostTcpSocket, HostTcpSocketWithStore};
use crate::p3::streams::{self, Ended, Made};
use crate::p3::wait::wait;
use crate::sockets::TcpSocket;
use crate::view::HasWasi;
use crate::{WasiCtx, executor};

type Socket = Resource<TcpSocket>;

impl HostTcpSocket for WasiCtx {
    fn create(&mut self, family: IpAddressFamily) -> Answer<Socket> {
        answer(tcp_create_socket::Host::create_tcp_socket(self, family))
    }

    fn bind(&mut self, socket: Socket, local: IpSocketAddress) -> Answer<()> {
        answer(self.table.get_mut(&socket)?.bind(local.into(), &self.net))
    }

    fn get_local_address(&mut self, socket: Socket) -> Answer<IpSocketAddress> {
        answer(Socket2::local_address(self, socket))
    }

    fn get_remote_address(&mut self, socket: Socket) -> Answer<IpSocketAddress> {
        answer(Socket2::remote_address(self, socket))
    }

    fn get_is_listening(&mut self, socket: Socket) -> HostResult<bool> {
        Socket2::is_listening(self, socket)
    }

    fn get_address_family(&mut self, socket: Socket) -> HostResult<IpAddressFamily> {
        Socket2::address_family(self, socket)
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> Answer<()> {
        answer(Socket2::set_listen_backlog_size(self, socket, value))
    }

    fn get_keep_alive_enabled(&mut self, socket: Socket) -> Answer<bool> {
        answer(Socket2::keep_alive_enabled(self, socket))
    }

    fn set_keep_alive_enabled(&mut self, socket: Socket, value: bool) -> Answer<()> {
        answer(Socket2::set_keep_alive_enabled(self, socket, value))
    }

    fn get_keep_alive_idle_time(&mut self, socket: Socket) -> Answer<u64> {
        answer(Socket2::keep_alive_idle_time(self, socket))
    }

    fn set_keep_alive_idle_time(&mut self, socket: Socket, value: u64) -> Answer<()> {
        answer(Socket2::set_keep_alive_idle_time(self, socket, value))
    }

    fn get_keep_alive_interval(&mut self, socket: Socket) -> Answer<u64> {
        answer(Socket2::keep_alive_interval(self, socket))
    }

    fn set_keep_alive_interval(&mut self, socket: Socket, value: u64) -> Answer<()> {
        answer(Socket2::set_keep_alive_interval(self, socket, value))
    }

    fn get_keep_alive_count(&mut self, socket: Socket) -> Answer<u32> {
        answer(Socket2::keep_alive_count(self, socket))
    }

    fn set_keep_alive_count(&mut self, socket: Socket, value: u32) -> Answer<()> {
        answer(Socket2::set_keep_alive_count(self, socket, value))
    }

    fn get_hop_limit(&mut self, socket: Socket) -> Answer<u8> {
        answer(Socket2::hop_limit(self, socket))
    }

    fn set_hop_limit(&mut self, socket: Socket, value: u8) -> Answer<()> {
        answer(Socket2::set_hop_limit(self, socket, value))
    }

    fn get_receive_buffer_size(&mut self, socket: Socket) -> Answer<u64> {
        answer(Socket2::receive_buffer_size(self, socket))
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> Answer<()> {
        answer(Socket2::set_receive_buffer_size(self, socket, value))
    }

    fn get_send_buffer_size(&mut self, socket: Socket) -> Answer<u64> {
        answer(Socket2::send_buffer_size(self, socket))
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> Answer<()> {
        answer(Socket2::set_send_buffer_size(self, socket, value))
    }

    fn drop(&mut self, socket: Socket) -> HostResult<()> {
        Socket2::drop(self, socket)
    }
}

impl<T: Send + 'static> HostTcpSocketWithStore<T> for HasWasi {
    async fn connect(accessor: &Accessor<T, Self>, socket: Socket, remote: IpSocketAddress) -> Answer<()> {
        let begun = accessor.with(|mut store| {
            let mut ctx = store.get();
            let ctx: &mut WasiCtx = &mut ctx;
            answer(ctx.table.get_mut(&socket)?.connect(remote.into(), &ctx.net))
        });
        // If the guest gives up, the connection ends with it, and the socket can only be dropped.
        let mut connecting = match begun? {
            Ok(connecting) => connecting,
            Err(code) => return Ok(Err(code)),
        };
        let connected = wait(accessor, |cx| {
            let _context = executor::enter()?;
            connecting.as_mut().poll(cx)
        })
        .await?;
        accessor.with(|mut store| {
            let mut ctx = store.get();
            let ctx: &mut WasiCtx = &mut ctx;
            let socket = ctx.table.get_mut(&socket)?;
            answer(socket.connected(connected, &ctx.net).map(drop))
        })
    }

    fn listen(mut store: Access<'_, T, Self>, socket: Socket) -> Answer<StreamReader<Socket>> {
        let incoming = {
            let mut ctx = store.get();
            let ctx: &mut WasiCtx = &mut ctx;
            let _context = executor::enter()?;
            let socket = ctx.table.get_mut(&socket)?;
            answer(socket.incoming(&ctx.net, &ctx.sockets))?
        };
        Ok(incoming.map(|incoming| accept::stream(store, incoming)))
    }

    fn send(
        mut store: Access<'_, T, Self>,
        socket: Socket,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<Ended<ErrorCode>>> {
        let connection = answer(store.get().table.get_mut(&socket)?.sending())?;
        streams::pipe(store, data, connection.map(Sending::new), stream_code)
    }

    fn receive(mut store: Access<'_, T, Self>, socket: Socket) -> HostResult<Made<ErrorCode>> {
        let connection = answer(store.get().table.get_mut(&socket)?.receiving())?;
        Ok(streams::read(store, connection.map(Receiving::new), stream_code))
    }
}
