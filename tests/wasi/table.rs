//! The table of network functions in docs/security.md: its functions are those of the interfaces, each works with its
//! capability alone, and is denied without it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use airssys_wasm::component::Component;
use airssys_wasm::host::WasiAccess;
use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::serve::{ServeLimits, Server};

use crate::common::{default_engine, fixture, root};
use crate::policy::{context, run};
use crate::program::{Program, programs};

/// Functions of `wasi:sockets` that act on what is already open, or only look at it.
const FREE: &[&str] = &[
    "accept",
    "address-family",
    "check-send",
    "create-tcp-socket",
    "create-udp-socket",
    "finish-bind",
    "finish-connect",
    "finish-listen",
    "hop-limit",
    "instance-network",
    "is-listening",
    "keep-alive-count",
    "keep-alive-enabled",
    "keep-alive-idle-time",
    "keep-alive-interval",
    "local-address",
    "receive-buffer-size",
    "remote-address",
    "resolve-next-address",
    "send-buffer-size",
    "set-hop-limit",
    "set-keep-alive-count",
    "set-keep-alive-enabled",
    "set-keep-alive-idle-time",
    "set-keep-alive-interval",
    "set-listen-backlog-size",
    "set-receive-buffer-size",
    "set-send-buffer-size",
    "set-unicast-hop-limit",
    "shutdown",
    "subscribe",
    "unicast-hop-limit",
];

/// Returns the rows of the table: the capability, and the entries with functions.
fn rows() -> Vec<(String, Vec<String>)> {
    let document = fs::read_to_string(root().join("docs/security.md")).expect("it is committed");
    let table = document.split("| capability | functions of the network |").nth(1);
    let lines = table.expect("the table").lines().skip(2);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let entries = cells[2]
            .split("; ")
            .flat_map(|part| part.split(", "))
            .flat_map(|part| part.split(" and "));
        (cells[1].to_owned(), entries.map(str::to_owned).collect())
    });
    rows.collect()
}

#[test]
fn the_table_of_the_network_has_the_functions_of_the_interfaces() {
    let wit = fs::read_to_string(root().join("wit/wasi/sockets.wit")).expect("it is committed");
    let functions = wit.lines().filter_map(|line| {
        let (name, _) = line.trim().split_once(": func(")?;
        Some(name.trim_start_matches('%'))
    });
    let functions: BTreeSet<_> = functions.chain(["handle"]).collect();
    let rows = rows();
    let entries = rows.iter().flat_map(|(_, entries)| entries);
    let names = entries.map(|entry| entry.split('`').nth(1).expect("a function"));
    let listed: BTreeSet<_> = names.chain(FREE.iter().copied()).collect();
    assert_eq!(listed, functions);
}

/// A destination that no test uses: with it, a component has some network.
const ELSEWHERE: &str = "allow :203.0.113.9:9";

/// Returns the lines of a program's run by rules.
fn lines(program: &Program, args: &[&str], rules: &[&str], address: SocketAddr) -> Vec<String> {
    run(program, args, rules, None, address).0
}

/// Calls the function of an entry with the capability of its row alone, and without it.
fn check(program: &Program, capability: &str, entry: &str) {
    let denied =
        |lines: Vec<String>| assert_eq!(lines.last().map(String::as_str), Some("access-denied"), "{entry}");
    let allowed = |lines: Vec<String>| assert_ne!(lines[0], "access-denied", "{entry}");
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    match entry {
        "`start-connect` of `tcp`" => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("bound");
            let serving = thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a connection");
                stream.write_all(b"hello").expect("it is taken");
            });
            let args = ["tcp", &address.to_string(), ""];
            denied(lines(program, &args, &[ELSEWHERE, "allow :http://$"], address));
            allowed(lines(program, &args, &["allow :$"], address));
            serving.join().expect("it served");
        }
        "`stream` with an address" => {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let address = socket.local_addr().expect("bound");
            let args = ["udp", &address.to_string(), "x"];
            denied(lines(program, &args, &[ELSEWHERE], address));
            let serving = thread::spawn(move || {
                for _ in 0..2 {
                    let (_, from) = socket.recv_from(&mut [0; 8]).expect("a datagram");
                    socket.send_to(b"answer", from).expect("sent");
                }
            });
            assert_eq!(
                lines(program, &args, &["allow :$"], address),
                ["answer", "answer"]
            );
            serving.join().expect("it served");
        }
        "`send` of `udp`" => {
            // The guest sends by a stream without an address, and panics if that is denied.
            let (context, audit) = context(&[ELSEWHERE], nowhere);
            let ran = program.run(&["udp-deaf", &nowhere.to_string()], |builder| {
                WasiAccess::new(context.grants_undeclared("program")).add_to(builder, true);
            });
            assert!(!matches!(ran.end, Ok(0)), "{ran:?}");
            let denials = audit.records();
            let denials: Vec<_> = denials.iter().map(|record| &*record.capability).collect();
            assert_eq!(denials, [format!("network:outbound:{nowhere}")]);
        }
        "`receive` drops datagrams of other senders" => {
            let friend = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let address = friend.local_addr().expect("bound");
            let talking = thread::spawn(move || {
                let (_, guest) = friend.recv_from(&mut [0; 8]).expect("a datagram");
                let guest = (Ipv4Addr::LOCALHOST, guest.port());
                let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
                stranger.send_to(b"stranger", guest).expect("sent");
                friend.send_to(b"friend", guest).expect("sent");
            });
            let args = ["udp-deaf", &address.to_string()];
            assert_eq!(lines(program, &args, &["allow :$"], address), ["friend"]);
            talking.join().expect("it talked");
        }
        "`resolve-addresses`" => {
            let args = ["resolve", "localhost"];
            denied(lines(program, &args, &[ELSEWHERE, "allow :127.0.0.1"], nowhere));
            allowed(lines(program, &args, &["allow :localhost:1"], nowhere));
        }
        "`start-bind` of sockets to a port that the system chooses" => {
            let args = ["tcp-bind", "0.0.0.0:0"];
            let without = lines(program, &args, &["deny :203.0.113.9"], nowhere);
            assert_eq!(without[0], "access-denied", "{entry}");
            allowed(lines(program, &args, &[ELSEWHERE], nowhere));
        }
        "`start-bind` to an address" => {
            let bound = lines(program, &["tcp-bind", "127.0.0.1:0"], &["allow"], nowhere);
            assert_eq!(bound[0], "access-denied", "{entry}");
        }
        "`start-listen`" => denied(lines(program, &["tcp-bind", "0.0.0.0:0"], &["allow"], nowhere)),
        other => panic!("{other} of {capability} has no call"),
    }
}

#[test]
fn each_function_of_the_table_of_the_network_needs_its_capability() {
    for program in programs() {
        for (capability, entries) in rows() {
            for entry in entries {
                match &*entry {
                    "`handle` of `wasi:http/outgoing-handler`" => {}
                    entry => check(program, &capability, entry),
                }
            }
        }
    }
}

/// The row of `handle`: a server's component sends a request.
#[test]
fn a_request_needs_its_scheme_host_and_port() {
    assert!(rows().iter().any(|(capability, entries)| {
        capability == "`network:outbound` of scheme, host and port"
            && *entries == ["`handle` of `wasi:http/outgoing-handler`"]
    }));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 1024]).expect("a request");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .expect("it is taken");
    });
    let engine = default_engine();
    let component = Component::from_binary(&engine, &fixture("wasi-http.wasm")).expect("it loads");
    let ask = |rules: &[&str]| {
        let (context, _) = context(rules, address);
        let mut wasi = WasiCtxBuilder::new();
        WasiAccess::new(context.grants_undeclared("served")).add_to(&mut wasi, false);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(&engine, &component, any, &wasi, ServeLimits::default());
        let server = server.expect("it can be served");
        let (to, shutdown) = (server.local_addr(), server.shutdown_handle());
        let running = thread::spawn(move || server.run());
        let mut stream = TcpStream::connect(to).expect("it listens");
        let request = format!("GET /get?http://{address}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        shutdown.shutdown();
        running.join().expect("no panic").expect("it ends well");
        answer
    };
    for rules in [
        &[ELSEWHERE][..],
        &["allow :https://$"],
        &["allow :http://127.0.0.1:1"],
    ] {
        let answer = ask(rules);
        assert!(answer.contains("DestinationIpProhibited"), "{rules:?}: {answer}");
    }
    assert!(ask(&["allow :http://$"]).contains("200 ok"));
    serving.join().expect("it served");
}
