//! TCP and names.

use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::tcp::{ShutdownType, TcpSocket};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::text::{address, ip, number, port, print, told};

pub(crate) fn act(what: &str, args: &[&str]) -> bool {
    match what {
        "tcp" => client(args),
        "tcp-send" => send_much(args),
        "tcp-wait" => wait_for_input(args),
        "tcp-bind" => bind_only(args),
        "tcp-listen" => listen(args),
        "tcp-states" => states(args),
        "tcp-options" => options(),
        "resolve" => resolve(args[0]),
        "sockets" => flood(number(args, 0)),
        _ => return false,
    }
    true
}

fn family(address: &IpSocketAddress) -> IpAddressFamily {
    match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    }
}

/// Starts, waits, finishes.
fn connect(
    socket: &TcpSocket,
    address: IpSocketAddress,
) -> Result<(InputStream, OutputStream), ErrorCode> {
    socket.start_connect(&instance_network(), address)?;
    loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            result => return result,
        }
    }
}

fn bind(socket: &TcpSocket, address: IpSocketAddress) -> Result<(), ErrorCode> {
    socket.start_bind(&instance_network(), address)?;
    socket.finish_bind()
}

fn read_all(input: &InputStream) -> Result<Vec<u8>, StreamError> {
    let mut all = Vec::new();
    loop {
        match input.blocking_read(4096) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}

/// Connects to an address, sends a text, and prints all that comes back.
fn client(args: &[&str]) {
    let address = address(args, 0);
    let socket = create_tcp_socket(family(&address)).expect("a socket");
    let (input, output) = match connect(&socket, address) {
        Ok(streams) => streams,
        error => return print(&told(&error)),
    };
    let text = args.get(1).copied().unwrap_or_default();
    output
        .blocking_write_and_flush(text.as_bytes())
        .expect("it is sent");
    socket.shutdown(ShutdownType::Send).expect("it is connected");
    print(&format!("to port {}", port(socket.remote_address().expect("connected"))));
    let answer = read_all(&input).expect("the answer comes");
    print(&String::from_utf8_lossy(&answer));
}

/// Sends so many bytes with `write` alone, then waits for a byte of the other side.
fn send_much(args: &[&str]) {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).expect("a socket");
    let (input, output) = connect(&socket, address(args, 0)).expect("connected");
    let mut left = number(args, 1);
    while left > 0 {
        let room = output.check_write().expect("open").min(left);
        if room == 0 {
            output.subscribe().block();
            continue;
        }
        let part = vec![b'x'; room as usize];
        output.write(&part).expect("permitted");
        left -= room;
    }
    socket.shutdown(ShutdownType::Send).expect("connected");
    print(&told(&output.check_write()));
    print(&format!("{:?}", input.blocking_read(1).expect("a byte")));
}

/// Waits for what never comes.
fn wait_for_input(args: &[&str]) {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).expect("a socket");
    let (input, _output) = connect(&socket, address(args, 0)).expect("connected");
    print(&told(&input.blocking_read(1)));
}

fn bind_only(args: &[&str]) {
    let address = address(args, 0);
    let socket = create_tcp_socket(family(&address)).expect("a socket");
    print(&told(&bind(&socket, address)));
    print(&told(&socket.start_listen()));
}

/// Listens, prints the port, and sends back what the first connection sends.
fn listen(args: &[&str]) {
    let address = address(args, 0);
    let socket = create_tcp_socket(family(&address)).expect("a socket");
    bind(&socket, address).expect("bound");
    socket.set_listen_backlog_size(4).expect("a size");
    socket.start_listen().expect("granted");
    socket.finish_listen().expect("started");
    assert!(socket.is_listening());
    print(&format!("port {}", port(socket.local_address().expect("bound"))));
    let (_connection, input, output) = loop {
        match socket.accept() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            result => break result.expect("accepted"),
        }
    };
    loop {
        match output.blocking_splice(&input, 1 << 20) {
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            Err(error) => return print(&format!("{error:?}")),
        }
    }
    print("served");
}

/// Functions in states that they are not for.
fn states(args: &[&str]) {
    let network = instance_network();
    let remote = address(args, 0);
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).expect("a socket");
    let line = |what: &str, told: String| print(&format!("{what} {told}"));
    line("finish-bind", told(&socket.finish_bind()));
    line("finish-connect", told(&socket.finish_connect()));
    line("finish-listen", told(&socket.finish_listen()));
    line("start-listen", told(&socket.start_listen()));
    line("accept", told(&socket.accept()));
    line("local-address", told(&socket.local_address()));
    line("remote-address", told(&socket.remote_address()));
    line("shutdown", told(&socket.shutdown(ShutdownType::Both)));
    for bad in ["0.0.0.0:80", "127.0.0.1:0", "224.0.0.1:80", "[::1]:80"] {
        let bad = address(&[bad], 0);
        line("start-connect", told(&socket.start_connect(&network, bad)));
    }
    for bad in ["224.0.0.1:0", "[::1]:0"] {
        line("start-bind", told(&socket.start_bind(&network, address(&[bad], 0))));
    }
    let streams = connect(&socket, remote);
    line("connect", told(&streams));
    line("start-connect", told(&socket.start_connect(&network, remote)));
    let any = address(&["0.0.0.0:0"], 0);
    line("start-bind", told(&socket.start_bind(&network, any)));
    line("backlog", told(&socket.set_listen_backlog_size(1)));
    line("shutdown", told(&socket.shutdown(ShutdownType::Receive)));
    if let Ok((input, output)) = &streams {
        line("read", told(&input.read(1)));
        line("shutdown", told(&socket.shutdown(ShutdownType::Both)));
        line("check-write", told(&output.check_write()));
        line("shutdown", told(&socket.shutdown(ShutdownType::Both)));
    }
}

/// Every option, and the values that it refuses.
fn options() {
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let socket = create_tcp_socket(family).expect("a socket");
        assert_eq!(socket.address_family(), family);
        let second = 1_000_000_000;
        let zeros = [
            socket.set_listen_backlog_size(0),
            socket.set_keep_alive_idle_time(0),
            socket.set_keep_alive_interval(0),
            socket.set_keep_alive_count(0),
            socket.set_hop_limit(0),
            socket.set_receive_buffer_size(0),
            socket.set_send_buffer_size(0),
        ];
        assert!(zeros.iter().all(|zero| *zero == Err(ErrorCode::InvalidArgument)));
        let most = [
            socket.set_listen_backlog_size(u64::MAX),
            socket.set_keep_alive_idle_time(u64::MAX),
            socket.set_keep_alive_interval(u64::MAX),
            socket.set_keep_alive_count(u32::MAX),
            socket.set_hop_limit(u8::MAX),
            socket.set_receive_buffer_size(u64::MAX),
            socket.set_send_buffer_size(u64::MAX),
        ];
        assert!(most.iter().all(Result::is_ok), "{most:?}");
        socket.set_keep_alive_enabled(true).expect("an option");
        socket.set_keep_alive_idle_time(7 * second).expect("an option");
        socket.set_keep_alive_interval(1).expect("an option");
        socket.set_keep_alive_count(3).expect("an option");
        socket.set_hop_limit(42).expect("an option");
        socket.set_receive_buffer_size(65_536).expect("an option");
        socket.set_send_buffer_size(65_536).expect("an option");
        print(&format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            socket.keep_alive_enabled(),
            socket.keep_alive_idle_time(),
            socket.keep_alive_interval(),
            socket.keep_alive_count(),
            socket.hop_limit(),
            socket.receive_buffer_size(),
            socket.send_buffer_size(),
        ));
    }
}

fn resolve(name: &str) {
    let stream = match resolve_addresses(&instance_network(), name) {
        Ok(stream) => stream,
        error => return print(&told(&error)),
    };
    loop {
        match stream.resolve_next_address() {
            Err(ErrorCode::WouldBlock) => stream.subscribe().block(),
            Ok(Some(address)) => print(&ip(address)),
            Ok(None) => return print("end"),
            error => return print(&told(&error)),
        }
    }
}

/// Opens sockets until there are so many, or no more.
fn flood(most: u64) {
    let mut sockets = Vec::new();
    for _ in 0..most {
        match create_tcp_socket(IpAddressFamily::Ipv4) {
            Ok(socket) => sockets.push(socket),
            error => {
                print(&told(&error));
                break;
            }
        }
    }
    print(&sockets.len().to_string());
    // Those that are dropped make room.
    sockets.pop();
    print(&told(&create_tcp_socket(IpAddressFamily::Ipv6)));
}
