//! Cases of `wasi:sockets/udp`, on this host's own address.

use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::udp::{
    IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use crate::bindings::wasi::sockets::udp_create_socket::create_udp_socket;
use crate::tcp::{done, local, port, shown, v4, v6};
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("udp/create-udp-socket", create),
    ("udp/bind and local-address", bind),
    ("udp/bind out of order", bind_order),
    ("udp/bind to addresses that do not fit", bind_wrong),
    ("udp/stream before bind", stream_unbound),
    ("udp/send and receive", talk),
    ("udp/send and receive of a few", talk_few),
    ("udp/send without an address", send_nowhere),
    ("udp/send to addresses that do not fit", send_wrong),
    ("udp/send an empty datagram", send_empty),
    ("udp/send one that is too large", send_large),
    ("udp/receive none", receive_none),
    ("udp/connected", connected),
    ("udp/connected to addresses that do not fit", connected_wrong),
    ("udp/unicast-hop-limit", hop_limit),
    ("udp/buffer sizes", buffers),
    ("udp/over IPv6", ipv6),
];

fn need<T>(what: &str, result: Result<T, ErrorCode>) -> Result<T, String> {
    result.map_err(|code| format!("{what}: {}", code.name()))
}

fn socket() -> Result<UdpSocket, String> {
    need("create", create_udp_socket(IpAddressFamily::Ipv4))
}

fn bind_to(socket: &UdpSocket, address: IpSocketAddress) -> Result<(), ErrorCode> {
    socket.start_bind(&instance_network(), address)?;
    loop {
        match socket.finish_bind() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            result => return result,
        }
    }
}

struct End {
    input: IncomingDatagramStream,
    output: OutgoingDatagramStream,
    at: IpSocketAddress,
    _socket: UdpSocket,
}

fn end(address: IpSocketAddress) -> Result<End, String> {
    let family = match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    };
    let socket = need("create", create_udp_socket(family))?;
    need("bind", bind_to(&socket, address))?;
    let at = need("address", socket.local_address())?;
    let (input, output) = need("stream", socket.stream(None))?;
    Ok(End { input, output, at, _socket: socket })
}

fn send(output: &OutgoingDatagramStream, data: &[u8], to: Option<IpSocketAddress>) -> String {
    output.subscribe().block();
    if let Err(code) = output.check_send() {
        return code.name().into();
    }
    let datagram = OutgoingDatagram { data: data.to_vec(), remote_address: to };
    output.send(&[datagram]).map_or_else(|code| code.name().into(), |sent| sent.to_string())
}

fn receive(input: &IncomingDatagramStream, count: usize) -> Result<Vec<IncomingDatagram>, String> {
    let mut all = Vec::new();
    while all.len() < count {
        input.subscribe().block();
        all.extend(need("receive", input.receive(10))?);
    }
    Ok(all)
}

fn create() -> Outcome {
    let mut lines = Lines::default();
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let socket = need("create", create_udp_socket(family))?;
        lines.add("family", format!("{:?}", socket.address_family()));
    }
    lines.end()
}

fn bind() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("before", shown(socket.local_address()));
    lines.add("bind", done(bind_to(&socket, local(0))));
    lines.add("after", shown(socket.local_address()));
    lines.add("remote", shown(socket.remote_address()));
    lines.end()
}

fn bind_order() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("finish before start", done(socket.finish_bind()));
    lines.add("bind", done(bind_to(&socket, local(0))));
    lines.add("again", done(socket.start_bind(&instance_network(), local(0))));
    lines.end()
}

fn bind_wrong() -> Outcome {
    let mut lines = Lines::default();
    lines.add("the other family", done(bind_to(&socket()?, v6((0, 0, 0, 0, 0, 0, 0, 1), 0))));
    let taken = end(local(0))?;
    lines.add("in use", done(bind_to(&socket()?, taken.at)));
    lines.end()
}

fn stream_unbound() -> Outcome {
    Ok(done(socket()?.stream(None)))
}

fn talk() -> Outcome {
    let (one, two) = (end(local(0))?, end(local(0))?);
    let mut lines = Lines::default();
    lines.add("send", send(&one.output, b"ping", Some(two.at)));
    let got = receive(&two.input, 1)?.remove(0);
    lines.add("receive", bytes(&got.data));
    lines.add("from", (port(got.remote_address) == port(one.at)).to_string());
    lines.add("answer", send(&two.output, b"pong", Some(got.remote_address)));
    lines.add("receive", bytes(&receive(&one.input, 1)?.remove(0).data));
    lines.end()
}

fn talk_few() -> Outcome {
    let (one, two) = (end(local(0))?, end(local(0))?);
    let mut lines = Lines::default();
    one.output.subscribe().block();
    let room = need("check-send", one.output.check_send())?;
    lines.add("room for three", (room >= 3).to_string());
    let datagrams: Vec<OutgoingDatagram> = ["a", "bb", "ccc"]
        .iter()
        .map(|text| OutgoingDatagram { data: text.as_bytes().to_vec(), remote_address: Some(two.at) })
        .collect();
    lines.add("send", one.output.send(&datagrams).map_or_else(|code| code.name().into(), |sent| sent.to_string()));
    for got in receive(&two.input, 3)? {
        lines.add("receive", bytes(&got.data));
    }
    lines.end()
}

fn send_nowhere() -> Outcome {
    Ok(send(&end(local(0))?.output, b"x", None))
}

fn send_wrong() -> Outcome {
    let one = end(local(0))?;
    let mut lines = Lines::default();
    for (name, address) in [
        ("port 0", local(0)),
        ("no address", v4((0, 0, 0, 0), 80)),
        ("the other family", v6((0, 0, 0, 0, 0, 0, 0, 1), 80)),
    ] {
        lines.add(name, send(&one.output, b"x", Some(address)));
    }
    lines.end()
}

fn send_empty() -> Outcome {
    let (one, two) = (end(local(0))?, end(local(0))?);
    let mut lines = Lines::default();
    lines.add("send", send(&one.output, b"", Some(two.at)));
    lines.add("receive", bytes(&receive(&two.input, 1)?.remove(0).data));
    lines.end()
}

fn send_large() -> Outcome {
    let (one, two) = (end(local(0))?, end(local(0))?);
    let mut lines = Lines::default();
    lines.add("65507", send(&one.output, &[b'x'; 65507], Some(two.at)));
    lines.add("receive", bytes(&receive(&two.input, 1)?.remove(0).data));
    lines.add("65508", send(&one.output, &[b'x'; 65508], Some(two.at)));
    lines.add("100000", send(&one.output, &[b'x'; 100_000], Some(two.at)));
    lines.end()
}

fn receive_none() -> Outcome {
    let one = end(local(0))?;
    let mut lines = Lines::default();
    for most in [0, 1, u64::MAX] {
        let got = one.input.receive(most);
        lines.add(&most.to_string(), got.map_or_else(|code| code.name().into(), |got| got.len().to_string()));
    }
    lines.add("ready", one.input.subscribe().ready().to_string());
    lines.end()
}

fn connected() -> Outcome {
    let two = end(local(0))?;
    let socket = socket()?;
    need("bind", bind_to(&socket, local(0)))?;
    let (_input, output) = need("stream", socket.stream(Some(two.at)))?;
    let mut lines = Lines::default();
    lines.add("remote", shown(socket.remote_address()));
    lines.add("send", send(&output, b"one", None));
    lines.add("send to it", send(&output, b"two", Some(two.at)));
    lines.add("send to another", send(&output, b"three", Some(local(9))));
    for got in receive(&two.input, 2)? {
        lines.add("receive", bytes(&got.data));
    }
    lines.end()
}

fn connected_wrong() -> Outcome {
    let mut lines = Lines::default();
    for (name, address) in [
        ("port 0", local(0)),
        ("no address", v4((0, 0, 0, 0), 80)),
        ("the other family", v6((0, 0, 0, 0, 0, 0, 0, 1), 80)),
    ] {
        let socket = socket()?;
        need("bind", bind_to(&socket, local(0)))?;
        lines.add(name, done(socket.stream(Some(address))));
    }
    lines.end()
}

fn hop_limit() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    for value in [0, 1, 255] {
        lines.add(&value.to_string(), done(socket.set_unicast_hop_limit(value)));
        lines.add("is", socket.unicast_hop_limit().map_or_else(|code| code.name().into(), |it| it.to_string()));
    }
    lines.end()
}

fn buffers() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("receive 0", done(socket.set_receive_buffer_size(0)));
    lines.add("send 0", done(socket.set_send_buffer_size(0)));
    lines.add("receive 65536", done(socket.set_receive_buffer_size(65536)));
    lines.add("receive is set", socket.receive_buffer_size().is_ok_and(|size| size >= 65536).to_string());
    lines.add("send 65536", done(socket.set_send_buffer_size(65536)));
    lines.add("send is set", socket.send_buffer_size().is_ok_and(|size| size >= 65536).to_string());
    lines.end()
}

fn ipv6() -> Outcome {
    let here = v6((0, 0, 0, 0, 0, 0, 0, 1), 0);
    let (one, two) = (end(here)?, end(here)?);
    let mut lines = Lines::default();
    lines.add("send", send(&one.output, b"six", Some(two.at)));
    let got = receive(&two.input, 1)?.remove(0);
    lines.add("receive", bytes(&got.data));
    lines.add("from", shown(Ok(got.remote_address)));
    lines.end()
}
