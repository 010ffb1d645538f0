//! `wasi:sockets/types` 0.3: UDP sockets.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use airssys_wasm_component::component::{Accessor, HostResult, Resource};

use super::error::{Answer, answer};
use crate::WasiCtx;
use crate::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::udp::HostUdpSocket as Socket2;
use crate::bindings::wasi::sockets::udp_create_socket;
use crate::p3::bindings::wasi::sockets::types::{HostUdpSocket, HostUdpSocketWithStore};
use crate::p3::wait::wait;
use crate::sockets::UdpSocket;
use crate::view::HasWasi;

type Socket = Resource<UdpSocket>;

impl HostUdpSocket for WasiCtx {
    fn create(&mut self, family: IpAddressFamily) -> Answer<Socket> {
        answer(udp_create_socket::Host::create_udp_socket(self, family))
    }

    fn bind(&mut self, socket: Socket, local: IpSocketAddress) -> Answer<()> {
        answer(self.table.get_mut(&socket)?.bind(local.into()))
    }

    fn connect(&mut self, socket: Socket, remote: IpSocketAddress) -> Answer<()> {
        answer(self.table.get_mut(&socket)?.connect(remote.into()))
    }

    fn disconnect(&mut self, socket: Socket) -> Answer<()> {
        answer(self.table.get_mut(&socket)?.disconnect())
    }

    fn get_local_address(&mut self, socket: Socket) -> Answer<IpSocketAddress> {
        answer(Socket2::local_address(self, socket))
    }

    fn get_remote_address(&mut self, socket: Socket) -> Answer<IpSocketAddress> {
        answer(Socket2::remote_address(self, socket))
    }

    fn get_address_family(&mut self, socket: Socket) -> HostResult<IpAddressFamily> {
        Socket2::address_family(self, socket)
    }

    fn get_unicast_hop_limit(&mut self, socket: Socket) -> Answer<u8> {
        answer(Socket2::unicast_hop_limit(self, socket))
    }

    fn set_unicast_hop_limit(&mut self, socket: Socket, value: u8) -> Answer<()> {
        answer(Socket2::set_unicast_hop_limit(self, socket, value))
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

impl<T: Send + 'static> HostUdpSocketWithStore<T> for HasWasi {
    async fn send(
        accessor: &Accessor<T, Self>,
        socket: Socket,
        data: Vec<u8>,
        remote: Option<IpSocketAddress>,
    ) -> Answer<()> {
        let remote = remote.map(SocketAddr::from);
        let begun =
            accessor.with(|mut store| answer(store.get().table.get_mut(&socket)?.sending(&data, remote)));
        let (udp, to) = match begun? {
            Ok(begun) => begun,
            Err(code) => return Ok(Err(code)),
        };
        let mut sending = pin!(udp.send(&data, to));
        let sent = wait(accessor, |cx| sending.as_mut().poll(cx)).await?;
        answer(sent.map_err(Into::into))
    }

    async fn receive(accessor: &Accessor<T, Self>, socket: Socket) -> Answer<(Vec<u8>, IpSocketAddress)> {
        let begun = accessor.with(|mut store| answer(store.get().table.get(&socket)?.receiving()));
        let (udp, remote) = match begun? {
            Ok(begun) => begun,
            Err(code) => return Ok(Err(code)),
        };
        let mut receiving = pin!(udp.receive(remote));
        let received = wait(accessor, |cx| receiving.as_mut().poll(cx)).await?;
        let received = received.map(|(data, from)| (data, IpSocketAddress::from(from)));
        answer(received.map_err(Into::into))
    }
}
