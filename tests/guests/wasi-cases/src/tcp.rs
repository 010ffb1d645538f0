//! Cases of `wasi:sockets/tcp`. Both ends are the guest's, on this host's own address.

use crate::bindings::wasi::io::poll;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::bindings::wasi::sockets::tcp::{ShutdownType, TcpSocket};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("tcp/create-tcp-socket", create),
    ("tcp/bind and local-address", bind),
    ("tcp/bind out of order", bind_order),
    ("tcp/bind to addresses that do not fit", bind_wrong),
    ("tcp/bind to an address in use", bind_used),
    ("tcp/listen", listen),
    ("tcp/listen out of order", listen_order),
    ("tcp/connect, accept and talk", talk),
    ("tcp/connect to nobody", connect_refused),
    ("tcp/connect to addresses that do not fit", connect_wrong),
    ("tcp/connect out of order", connect_order),
    ("tcp/addresses of both ends", addresses),
    ("tcp/accept when nobody is there", accept_nobody),
    ("tcp/accept out of order", accept_order),
    ("tcp/accept three", accept_three),
    ("tcp/shutdown of sending", shutdown_send),
    ("tcp/shutdown of receiving", shutdown_receive),
    ("tcp/shutdown out of order", shutdown_order),
    ("tcp/a dropped end closes the other", dropped),
    ("tcp/a megabyte", megabyte),
    ("tcp/keep-alive", keep_alive),
    ("tcp/hop-limit", hop_limit),
    ("tcp/buffer sizes", buffers),
    ("tcp/listen-backlog-size", backlog),
    ("tcp/subscribe", subscribe),
    ("tcp/over IPv6", ipv6),
];

pub fn local(port: u16) -> IpSocketAddress {
    v4((127, 0, 0, 1), port)
}

pub fn v4(address: (u8, u8, u8, u8), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address })
}

pub fn v6(address: (u16, u16, u16, u16, u16, u16, u16, u16), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 })
}

/// The address, without a port that the system chose.
pub fn shown(address: Result<IpSocketAddress, ErrorCode>) -> String {
    match address {
        Ok(IpSocketAddress::Ipv4(it)) => format!("{:?}, a port: {}", it.address, it.port != 0),
        Ok(IpSocketAddress::Ipv6(it)) => format!("{:?}, a port: {}", it.address, it.port != 0),
        Err(code) => code.name().into(),
    }
}

pub fn port(address: IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(it) => it.port,
        IpSocketAddress::Ipv6(it) => it.port,
    }
}

pub fn done<T>(result: Result<T, ErrorCode>) -> String {
    result.map_or_else(|code| code.name().into(), |_| "ok".into())
}

fn need<T>(what: &str, result: Result<T, ErrorCode>) -> Result<T, String> {
    result.map_err(|code| format!("{what}: {}", code.name()))
}

fn socket() -> Result<TcpSocket, String> {
    need("create", create_tcp_socket(IpAddressFamily::Ipv4))
}

/// Repeats what would have to wait.
pub fn finish<T>(socket: &TcpSocket, step: impl Fn(&TcpSocket) -> Result<T, ErrorCode>) -> Result<T, ErrorCode> {
    loop {
        match step(socket) {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            result => return result,
        }
    }
}

fn bind_to(socket: &TcpSocket, address: IpSocketAddress) -> Result<(), ErrorCode> {
    socket.start_bind(&instance_network(), address)?;
    finish(socket, TcpSocket::finish_bind)
}

type Streams = (InputStream, OutputStream);

fn connect_to(socket: &TcpSocket, address: IpSocketAddress) -> Result<Streams, ErrorCode> {
    socket.start_connect(&instance_network(), address)?;
    finish(socket, TcpSocket::finish_connect)
}

/// One that listens.
pub fn listening(address: IpSocketAddress) -> Result<TcpSocket, String> {
    let family = match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    };
    let socket = need("create", create_tcp_socket(family))?;
    need("bind", bind_to(&socket, address))?;
    need("listen", socket.start_listen())?;
    need("listen", finish(&socket, TcpSocket::finish_listen))?;
    Ok(socket)
}

/// Streams belong to their sockets, and go first.
struct Pair {
    client_streams: Streams,
    server_streams: Streams,
    client: TcpSocket,
    server: TcpSocket,
}

impl Pair {
    fn new() -> Result<Pair, String> {
        Pair::at(local(0))
    }

    fn at(address: IpSocketAddress) -> Result<Pair, String> {
        let listener = listening(address)?;
        let at = need("address", listener.local_address())?;
        let client = need("create", create_tcp_socket(listener.address_family()))?;
        let client_streams = need("connect", connect_to(&client, at))?;
        let (server, input, output) = need("accept", finish(&listener, TcpSocket::accept))?;
        Ok(Pair { client, client_streams, server, server_streams: (input, output) })
    }
}

fn wrote(result: Result<(), StreamError>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(StreamError::Closed) => "closed".into(),
        Err(StreamError::LastOperationFailed(_)) => "failed".into(),
    }
}

fn read(result: Result<Vec<u8>, StreamError>) -> String {
    match result {
        Ok(read) => bytes(&read),
        Err(StreamError::Closed) => "closed".into(),
        Err(StreamError::LastOperationFailed(_)) => "failed".into(),
    }
}

fn create() -> Outcome {
    let mut lines = Lines::default();
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let socket = create_tcp_socket(family).map_err(|code| code.name().to_string())?;
        lines.add("family", format!("{:?}", socket.address_family()));
        lines.add("listening", socket.is_listening().to_string());
    }
    lines.end()
}

fn bind() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("before", shown(socket.local_address()));
    lines.add("start", done(socket.start_bind(&instance_network(), local(0))));
    lines.add("finish", done(finish(&socket, TcpSocket::finish_bind)));
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
    lines.add("finish again", done(socket.finish_bind()));
    lines.end()
}

fn bind_wrong() -> Outcome {
    let mut lines = Lines::default();
    for (name, address) in [
        ("the other family", v6((0, 0, 0, 0, 0, 0, 0, 1), 0)),
        ("multicast", v4((224, 0, 0, 1), 0)),
        ("broadcast", v4((255, 255, 255, 255), 0)),
    ] {
        lines.add(name, done(bind_to(&socket()?, address)));
    }
    let six = need("create", create_tcp_socket(IpAddressFamily::Ipv6))?;
    lines.add("the other family", done(bind_to(&six, local(0))));
    lines.add("IPv4 in IPv6", done(bind_to(&six, v6((0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), 0))));
    lines.end()
}

fn bind_used() -> Outcome {
    let listener = listening(local(0))?;
    let at = need("address", listener.local_address())?;
    Ok(done(bind_to(&socket()?, at)))
}

fn listen() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("bind", done(bind_to(&socket, local(0))));
    lines.add("start", done(socket.start_listen()));
    lines.add("finish", done(finish(&socket, TcpSocket::finish_listen)));
    lines.add("listening", socket.is_listening().to_string());
    lines.end()
}

fn listen_order() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("unbound", done(socket.start_listen()));
    lines.add("finish before start", done(socket.finish_listen()));
    let listener = listening(local(0))?;
    lines.add("again", done(listener.start_listen()));
    lines.add("bind", done(listener.start_bind(&instance_network(), local(0))));
    lines.add("connect", done(listener.start_connect(&instance_network(), local(9))));
    lines.end()
}

fn talk() -> Outcome {
    let pair = Pair::new()?;
    let mut lines = Lines::default();
    lines.add("write", wrote(pair.client_streams.1.blocking_write_and_flush(b"ping")));
    lines.add("read", read(pair.server_streams.0.blocking_read(100)));
    lines.add("write", wrote(pair.server_streams.1.blocking_write_and_flush(b"pong")));
    lines.add("read", read(pair.client_streams.0.blocking_read(100)));
    lines.end()
}

fn connect_refused() -> Outcome {
    let listener = listening(local(0))?;
    let at = need("address", listener.local_address())?;
    drop(listener);
    Ok(done(connect_to(&socket()?, at)))
}

fn connect_wrong() -> Outcome {
    let mut lines = Lines::default();
    for (name, address) in [
        ("port 0", local(0)),
        ("no address", v4((0, 0, 0, 0), 80)),
        ("broadcast", v4((255, 255, 255, 255), 80)),
        ("multicast", v4((224, 0, 0, 1), 80)),
        ("the other family", v6((0, 0, 0, 0, 0, 0, 0, 1), 80)),
    ] {
        lines.add(name, done(connect_to(&socket()?, address)));
    }
    lines.end()
}

fn connect_order() -> Outcome {
    let mut lines = Lines::default();
    lines.add("finish before start", done(socket()?.finish_connect()));
    let pair = Pair::new()?;
    lines.add("again", done(pair.client.start_connect(&instance_network(), local(9))));
    lines.add("accepted", done(pair.server.start_connect(&instance_network(), local(9))));
    lines.add("bind", done(pair.client.start_bind(&instance_network(), local(0))));
    lines.add("listen", done(pair.client.start_listen()));
    lines.end()
}

fn addresses() -> Outcome {
    let pair = Pair::new()?;
    let mut lines = Lines::default();
    let ends = [(&pair.client, &pair.server), (&pair.server, &pair.client)];
    for (one, other) in ends {
        let local = need("local", one.local_address())?;
        let remote = need("remote", other.remote_address())?;
        lines.add("local", shown(Ok(local)));
        lines.add("the other's remote", (port(local) == port(remote)).to_string());
    }
    lines.add("listening", pair.server.is_listening().to_string());
    lines.add("family", format!("{:?}", pair.server.address_family()));
    lines.end()
}

fn accept_nobody() -> Outcome {
    Ok(done(listening(local(0))?.accept()))
}

fn accept_order() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    lines.add("unbound", done(socket.accept()));
    lines.add("bind", done(bind_to(&socket, local(0))));
    lines.add("bound", done(socket.accept()));
    lines.end()
}

fn accept_three() -> Outcome {
    let listener = listening(local(0))?;
    let at = need("address", listener.local_address())?;
    let mut clients = Vec::new();
    for name in ["one", "two", "three"] {
        let client = socket()?;
        let streams = need("connect", connect_to(&client, at))?;
        if streams.1.blocking_write_and_flush(name.as_bytes()).is_err() {
            return Err("write".into());
        }
        clients.push((streams, client));
    }
    let mut lines = Lines::default();
    for _ in &clients {
        let (server, input, _output) = need("accept", finish(&listener, TcpSocket::accept))?;
        lines.add("read", read(input.blocking_read(100)));
        drop((input, _output, server));
    }
    lines.add("and then", done(listener.accept()));
    lines.end()
}

fn shutdown_send() -> Outcome {
    let pair = Pair::new()?;
    let mut lines = Lines::default();
    lines.add("write", wrote(pair.client_streams.1.blocking_write_and_flush(b"last")));
    lines.add("shutdown", done(pair.client.shutdown(ShutdownType::Send)));
    lines.add("read", read(pair.server_streams.0.blocking_read(100)));
    lines.add("read", read(pair.server_streams.0.blocking_read(100)));
    lines.add("write", wrote(pair.client_streams.1.blocking_write_and_flush(b"more")));
    lines.add("the other way", wrote(pair.server_streams.1.blocking_write_and_flush(b"back")));
    lines.add("read", read(pair.client_streams.0.blocking_read(100)));
    lines.end()
}

fn shutdown_receive() -> Outcome {
    let pair = Pair::new()?;
    let mut lines = Lines::default();
    lines.add("shutdown", done(pair.client.shutdown(ShutdownType::Receive)));
    lines.add("read", read(pair.client_streams.0.blocking_read(100)));
    lines.add("both", done(pair.server.shutdown(ShutdownType::Both)));
    lines.end()
}

fn shutdown_order() -> Outcome {
    let mut lines = Lines::default();
    lines.add("unconnected", done(socket()?.shutdown(ShutdownType::Both)));
    lines.add("listening", done(listening(local(0))?.shutdown(ShutdownType::Send)));
    lines.end()
}

fn dropped() -> Outcome {
    let Pair { client_streams, server_streams, client, server } = Pair::new()?;
    let mut lines = Lines::default();
    lines.add("write", wrote(client_streams.1.blocking_write_and_flush(b"last")));
    drop(client_streams);
    drop(client);
    lines.add("read", read(server_streams.0.blocking_read(100)));
    lines.add("read", read(server_streams.0.blocking_read(100)));
    drop(server_streams);
    drop(server);
    lines.end()
}

fn megabyte() -> Outcome {
    let pair = Pair::new()?;
    let (input, output) = (&pair.server_streams.0, &pair.client_streams.1);
    let data: Vec<u8> = (0..1_000_000u32).map(|place| (place * 7 >> 3) as u8).collect();
    let (mut sent, mut got) = (0, Vec::new());
    while got.len() < data.len() {
        let (can_read, can_write) = (input.subscribe(), output.subscribe());
        if sent < data.len() {
            poll::poll(&[&can_read, &can_write]);
            let room = output.check_write().map_err(|_| "check-write")? as usize;
            let end = data.len().min(sent + room);
            output.write(&data[sent..end]).map_err(|_| "write")?;
            sent = end;
            if sent == data.len() {
                output.flush().map_err(|_| "flush")?;
            }
        } else {
            can_read.block();
        }
        got.extend(input.read(100_000).map_err(|_| "read")?);
    }
    Ok(format!("{}, the same: {}", got.len(), got == data))
}

fn keep_alive() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    let boolean = |value: Result<bool, ErrorCode>| value.map_or_else(|code| code.name().into(), |it| it.to_string());
    lines.add("enabled", boolean(socket.keep_alive_enabled()));
    lines.add("enable", done(socket.set_keep_alive_enabled(true)));
    lines.add("enabled", boolean(socket.keep_alive_enabled()));
    let number = |value: Result<u64, ErrorCode>| value.map_or_else(|code| code.name().into(), |it| it.to_string());
    for value in [0, 1, 1_000_000_000, 60_000_000_000, u64::MAX] {
        lines.add(&format!("idle {value}"), done(socket.set_keep_alive_idle_time(value)));
        lines.add("idle is", number(socket.keep_alive_idle_time()));
        lines.add(&format!("interval {value}"), done(socket.set_keep_alive_interval(value)));
        lines.add("interval is", number(socket.keep_alive_interval()));
    }
    for value in [0, 1, 5, u32::MAX] {
        lines.add(&format!("count {value}"), done(socket.set_keep_alive_count(value)));
        lines.add("count is", number(socket.keep_alive_count().map(u64::from)));
    }
    lines.end()
}

fn hop_limit() -> Outcome {
    let socket = socket()?;
    let mut lines = Lines::default();
    for value in [0, 1, 64, 255] {
        lines.add(&value.to_string(), done(socket.set_hop_limit(value)));
        lines.add("is", socket.hop_limit().map_or_else(|code| code.name().into(), |it| it.to_string()));
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
    lines.add("receive 2^64-1", done(socket.set_receive_buffer_size(u64::MAX)));
    lines.add("send 2^64-1", done(socket.set_send_buffer_size(u64::MAX)));
    lines.end()
}

fn backlog() -> Outcome {
    let mut lines = Lines::default();
    let socket = socket()?;
    let pair = Pair::new()?;
    lines.add("0", done(socket.set_listen_backlog_size(0)));
    lines.add("10", done(socket.set_listen_backlog_size(10)));
    lines.add("2^64-1", done(socket.set_listen_backlog_size(u64::MAX)));
    lines.add("listening", done(listening(local(0))?.set_listen_backlog_size(5)));
    lines.add("connected", done(pair.client.set_listen_backlog_size(5)));
    lines.end()
}

fn subscribe() -> Outcome {
    let listener = listening(local(0))?;
    let pollable = listener.subscribe();
    let mut lines = Lines::default();
    lines.add("nobody", pollable.ready().to_string());
    let at = need("address", listener.local_address())?;
    let client = socket()?;
    let streams = need("connect", connect_to(&client, at))?;
    pollable.block();
    lines.add("somebody", pollable.ready().to_string());
    lines.add("nothing to read", streams.0.subscribe().ready().to_string());
    streams.1.subscribe().block();
    lines.add("room to write", streams.1.subscribe().ready().to_string());
    lines.end()
}

fn ipv6() -> Outcome {
    let pair = Pair::at(v6((0, 0, 0, 0, 0, 0, 0, 1), 0))?;
    let mut lines = Lines::default();
    lines.add("address", shown(pair.server.local_address()));
    lines.add("write", wrote(pair.client_streams.1.blocking_write_and_flush(b"six")));
    lines.add("read", read(pair.server_streams.0.blocking_read(100)));
    lines.end()
}
