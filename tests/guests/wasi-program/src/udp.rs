//! UDP.

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll::poll;
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use crate::bindings::wasi::sockets::udp::{
    IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, UdpSocket,
};
use crate::bindings::wasi::sockets::udp_create_socket::create_udp_socket;
use crate::text::{address, port, print, told};

pub(crate) fn act(what: &str, args: &[&str]) -> bool {
    match what {
        "udp" => client(args),
        "udp-serve" => serve(args),
        "udp-deaf" => deaf(args),
        "udp-states" => states(args),
        "udp-options" => options(),
        "udp-overdraw" => overdraw(args),
        "udp-two-streams" => two_streams(),
        _ => return false,
    }
    true
}

fn bound(to: IpSocketAddress) -> Result<UdpSocket, ErrorCode> {
    let socket = create_udp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(&instance_network(), to)?;
    socket.finish_bind()?;
    Ok(socket)
}

fn anywhere() -> IpSocketAddress {
    address(&["0.0.0.0:0"], 0)
}

/// One datagram, or none within two seconds.
fn receive(stream: &IncomingDatagramStream) -> Option<IncomingDatagram> {
    let timer = monotonic_clock::subscribe_duration(2_000_000_000);
    loop {
        if let Some(datagram) = stream.receive(1).expect("received").pop() {
            return Some(datagram);
        }
        if poll(&[&stream.subscribe(), &timer]) == [1] {
            return None;
        }
    }
}

/// Sends a text to an address, by a stream to it alone and by one to everybody, and prints what comes back.
fn client(args: &[&str]) {
    let remote = address(args, 0);
    let socket = match bound(anywhere()) {
        Ok(socket) => socket,
        error => return print(&told(&error)),
    };
    for to in [Some(remote), None] {
        let streams = socket.stream(to);
        let (incoming, outgoing) = match &streams {
            Ok(streams) => streams,
            error => return print(&told(error)),
        };
        assert!(outgoing.check_send().expect("open") > 0);
        let datagram = OutgoingDatagram {
            data: args[1].as_bytes().to_vec(),
            remote_address: to.is_none().then_some(remote),
        };
        let sent = outgoing.send(&[datagram]);
        if sent != Ok(1) {
            return print(&told(&sent));
        }
        match receive(incoming) {
            Some(datagram) => print(&String::from_utf8_lossy(&datagram.data)),
            None => print("silence"),
        }
    }
}

/// Binds, prints the port, and answers one datagram.
fn serve(args: &[&str]) {
    let socket = match bound(address(args, 0)) {
        Ok(socket) => socket,
        error => return print(&told(&error)),
    };
    let (incoming, outgoing) = socket.stream(None).expect("bound");
    print(&format!("port {}", port(socket.local_address().expect("bound"))));
    let datagram = loop {
        match receive(&incoming) {
            Some(datagram) => break datagram,
            None => {}
        }
    };
    outgoing.check_send().expect("open");
    let answer = OutgoingDatagram {
        data: datagram.data.iter().rev().copied().collect(),
        remote_address: Some(datagram.remote_address),
    };
    print(&format!("{:?}", outgoing.send(&[answer])));
}

/// Sends to an address, so that the other side knows the port, and waits for what others send.
fn deaf(args: &[&str]) {
    let socket = bound(anywhere()).expect("bound");
    let (incoming, outgoing) = socket.stream(None).expect("bound");
    outgoing.check_send().expect("open");
    let datagram = OutgoingDatagram {
        data: b"here".to_vec(),
        remote_address: Some(address(args, 0)),
    };
    outgoing.send(&[datagram]).expect("granted");
    while let Some(datagram) = receive(&incoming) {
        print(&String::from_utf8_lossy(&datagram.data));
    }
}

fn states(args: &[&str]) {
    let network = instance_network();
    let remote = address(args, 0);
    let socket = create_udp_socket(IpAddressFamily::Ipv4).expect("a socket");
    let line = |what: &str, told: String| print(&format!("{what} {told}"));
    line("finish-bind", told(&socket.finish_bind()));
    line("stream", told(&socket.stream(None)));
    line("local-address", told(&socket.local_address()));
    line("remote-address", told(&socket.remote_address()));
    let six = address(&["[::]:0"], 0);
    line("start-bind", told(&socket.start_bind(&network, six)));
    line("start-bind", told(&socket.start_bind(&network, anywhere())));
    line("start-bind", told(&socket.start_bind(&network, anywhere())));
    line("finish-bind", told(&socket.finish_bind()));
    line("start-bind", told(&socket.start_bind(&network, anywhere())));
    for bad in ["0.0.0.0:80", "127.0.0.1:0", "[::1]:80"] {
        line("stream", told(&socket.stream(Some(address(&[bad], 0)))));
    }
    let (_incoming, outgoing) = socket.stream(Some(remote)).expect("granted");
    line("remote-address", told(&socket.remote_address()));
    outgoing.check_send().expect("open");
    let elsewhere = OutgoingDatagram {
        data: Vec::new(),
        remote_address: Some(address(&["127.0.0.1:9"], 0)),
    };
    line("send", told(&outgoing.send(&[elsewhere])));
    outgoing.check_send().expect("open");
    let large = OutgoingDatagram {
        data: vec![0; 70_000],
        remote_address: None,
    };
    line("send", told(&outgoing.send(&[large])));
    outgoing.check_send().expect("open");
    line("send", format!("{:?}", outgoing.send(&[])));
}

fn options() {
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let socket = create_udp_socket(family).expect("a socket");
        assert_eq!(socket.address_family(), family);
        let zeros = [
            socket.set_unicast_hop_limit(0),
            socket.set_receive_buffer_size(0),
            socket.set_send_buffer_size(0),
        ];
        assert!(zeros.iter().all(|zero| *zero == Err(ErrorCode::InvalidArgument)));
        socket.set_receive_buffer_size(u64::MAX).expect("an option");
        socket.set_unicast_hop_limit(42).expect("an option");
        socket.set_receive_buffer_size(65_536).expect("an option");
        socket.set_send_buffer_size(65_536).expect("an option");
        socket.subscribe().block();
        print(&format!(
            "{:?} {:?} {:?}",
            socket.unicast_hop_limit(),
            socket.receive_buffer_size(),
            socket.send_buffer_size()
        ));
    }
}

/// Sends without asking.
fn overdraw(args: &[&str]) {
    let socket = bound(anywhere()).expect("bound");
    let (_incoming, outgoing) = socket.stream(Some(address(args, 0))).expect("granted");
    let datagram = OutgoingDatagram {
        data: Vec::new(),
        remote_address: None,
    };
    print(&told(&outgoing.send(&[datagram])));
}

fn two_streams() {
    let socket = bound(anywhere()).expect("bound");
    let _first = socket.stream(None).expect("bound");
    let second = socket.stream(None);
    print(&told(&second));
}
