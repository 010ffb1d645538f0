//! Connections by a policy: it decides on names, addresses and ports, each denial is in the audit, and a revocation closes
//! what is open.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::component::Store;
use airssys_wasm::host::WasiAccess;
use airssys_wasm::security::{Capability, Effect, MemorySink, Policy, SecurityContext};
use airssys_wasm::wasi::{self, MemoryOutputPipe, Stdout, WasiCtxBuilder, WasiState};

use crate::program::{Program, programs};

/// Creates a context of rules, in which `$` is an address and `@` its port.
pub(crate) fn context(rules: &[&str], address: SocketAddr) -> (SecurityContext, Arc<MemorySink>) {
    let mut policy = Policy::builder();
    for rule in rules {
        let rule = rule
            .replace('$', &address.to_string())
            .replace('@', &address.port().to_string());
        policy = match rule.split_once(' ').unwrap_or((&rule, "")) {
            ("allow", scope) => policy.allow(format!("network:outbound{scope}")),
            ("deny", scope) => policy.deny(format!("network:outbound{scope}")),
            _ => panic!("{rule} is no rule"),
        };
    }
    let audit = Arc::new(MemorySink::default());
    let context = SecurityContext::builder().audit(audit.clone());
    let context = context
        .policy(policy.build().expect("the rules are valid"))
        .build();
    (context, audit)
}

/// Runs the program by rules, beside a grant of the host itself. Returns its lines, and the decisions.
pub(crate) fn run(
    program: &Program,
    args: &[&str],
    rules: &[&str],
    granted: Option<&str>,
    address: SocketAddr,
) -> (Vec<String>, Vec<String>) {
    let (context, audit) = context(rules, address);
    let ran = program.run(args, |builder| {
        if let Some(granted) = granted {
            builder.connect(granted.parse().expect("a grant"));
        }
        WasiAccess::new(context.grants_undeclared("program")).add_to(builder, true);
    });
    let records = audit.records();
    let records = records.iter().map(|record| {
        let reason = match &record.rule {
            Some(rule) if rule.effect() == Effect::Deny => rule.capability().to_string(),
            _ => record.cause.unwrap_or(record.verdict).to_owned(),
        };
        let text = format!("{}: {reason}", record.capability).replace("network:outbound:", "");
        text.replace(&address.to_string(), "$")
            .replace(&address.port().to_string(), "@")
    });
    let lines = ran.lines().into_iter().map(str::to_owned).collect();
    (lines, records.collect())
}

/// Rules that deny a connection to `$`, a grant of the host itself, and the reason in the audit.
const DENIED: &[(&[&str], Option<&str>, &str)] = &[
    (&["allow :127.0.0.2"], None, "$: no-rule"),
    (&["allow :127.0.0.1:1"], None, "$: no-rule"),
    (&["allow :10.0.0.0/8"], None, "$: no-rule"),
    (&["allow :[::1]"], None, "$: no-rule"),
    (&["allow :*"], None, "$: no-rule"),
    (&["allow :localhost"], None, "$: no-rule"),
    (&["allow :127.0.0.1.example.com"], None, "$: no-rule"),
    // A plain connection can carry any scheme, but has none.
    (&["allow :http://$"], None, "$: no-rule"),
    (&["allow :https://127.0.0.1"], None, "$: no-rule"),
    (&["allow :127.0.0.0/8", "deny :127.0.0.1"], None, "$: 127.0.0.1"),
    (&["allow :127.0.0.0/8", "deny :$"], None, "$: $"),
    (&["allow :127.0.0.0/8", "deny :http://$"], None, "$: http://$"),
    (
        &["allow :127.0.0.0/8", "deny :127.0.0.0/30"],
        None,
        "$: 127.0.0.0/30",
    ),
    (&["allow", "deny :127.0.0.1"], None, "$: 127.0.0.1"),
    (&["allow :127.0.0.1", "deny"], None, "$: network:outbound"),
    (&["deny :127.0.0.1"], Some("127.0.0.1"), "$: 127.0.0.1"),
    (&["deny :$"], Some("127.0.0.0/8"), "$: $"),
    (
        &["allow :$", "deny :127.0.0.0/8"],
        Some("127.0.0.1"),
        "$: 127.0.0.0/8",
    ),
];

/// Rules that allow it, and the decisions in the audit.
const ALLOWED: &[(&[&str], Option<&str>, &[&str])] = &[
    (&["allow :$"], None, &["$: allowed"]),
    (&["allow :127.0.0.1"], None, &["$: allowed"]),
    (&["allow :127.0.0.0/8", "deny :127.0.0.2"], None, &["$: allowed"]),
    (&["allow"], None, &["$: allowed"]),
    (&["allow :[::ffff:127.0.0.1]"], None, &["$: allowed"]),
    // What the host itself grants needs no rule.
    (&["deny :127.0.0.2"], Some("127.0.0.1"), &[]),
    (&["deny :127.0.0.1:1"], Some("127.0.0.1"), &[]),
];

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_policy_decides_on_tcp_and_each_denial_is_audited() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let text = address.to_string();
    let serving = thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut text = Vec::new();
            stream.read_to_end(&mut text).expect("a text");
            if text == b"end" {
                return;
            }
            text.reverse();
            stream.write_all(&text).expect("it is taken");
        }
    });
    for program in programs() {
        for (rules, granted, reason) in DENIED {
            let (lines, records) = run(program, &["tcp", &text, "abc"], rules, *granted, address);
            assert_eq!(
                (&*lines, &*records),
                (&*owned(&["access-denied"]), &*owned(&[reason])),
                "{rules:?}"
            );
        }
        for (rules, granted, decisions) in ALLOWED {
            let (lines, records) = run(program, &["tcp", &text, "abc"], rules, *granted, address);
            assert_eq!(
                (lines[1].as_str(), &*records),
                ("cba", &*owned(decisions)),
                "{rules:?}"
            );
        }
    }
    let mut last = std::net::TcpStream::connect(address).expect("it listens");
    last.write_all(b"end").expect("it is taken");
    drop(last);
    serving.join().expect("it served");
}

#[test]
fn a_policy_decides_on_datagrams_and_records_each_destination_once() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound");
    let text = address.to_string();
    let echo = socket.try_clone().expect("a descriptor");
    thread::spawn(move || {
        let mut buffer = [0; 100];
        while let Ok((len, from)) = echo.recv_from(&mut buffer) {
            buffer[..len].reverse();
            let _ = echo.send_to(&buffer[..len], from);
        }
    });
    for program in programs() {
        for (rules, granted, reason) in DENIED {
            // Without any network, a socket cannot even be bound.
            let reason = match *rules {
                [_, "deny"] => "*: network:outbound",
                _ => *reason,
            };
            let (lines, records) = run(program, &["udp", &text, "abc"], rules, *granted, address);
            assert_eq!(
                (&*lines, &*records),
                (&*owned(&["access-denied"]), &*owned(&[reason])),
                "{rules:?}"
            );
        }
        let (lines, records) = run(program, &["udp", &text, "abc"], &["allow :$"], None, address);
        assert_eq!(lines, ["cba", "cba"]);
        assert!(
            records.len() <= 2 && records.iter().all(|record| record == "$: allowed"),
            "{records:?}"
        );
    }
}

#[test]
fn a_policy_decides_on_names() {
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    for program in programs() {
        let resolve =
            |rules: &[&str], granted| run(program, &["resolve", "localhost"], rules, granted, address);
        let denied = |audit: &str| (vec!["access-denied".to_owned()], vec![audit.to_owned()]);
        assert_eq!(
            resolve(&["allow :example.com"], None),
            denied("localhost: no-rule")
        );
        assert_eq!(
            resolve(&["allow :localhost.example.com"], None),
            denied("localhost: no-rule")
        );
        assert_eq!(
            resolve(&["allow :*.localhost"], None),
            denied("localhost: no-rule")
        );
        assert_eq!(resolve(&["allow :127.0.0.1"], None), denied("localhost: no-rule"));
        assert_eq!(
            resolve(&["allow :*", "deny :localhost"], None),
            denied("localhost: localhost")
        );
        assert_eq!(
            resolve(&["deny :localhost"], Some("localhost:80")),
            denied("localhost: localhost")
        );
        for (rules, granted) in [
            (&["allow :localhost:80"][..], None),
            (&["deny :example.com"][..], Some("localhost")),
        ] {
            let (lines, records) = resolve(rules, granted);
            assert!(lines.len() > 1 && lines[lines.len() - 1] == "end", "{lines:?}");
            assert!(records.is_empty(), "{records:?}");
        }
    }
}

#[test]
fn a_revocation_closes_connections_that_are_waited_for() {
    for program in programs() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let (context, _) = context(&["allow :$"], address);
        let access = WasiAccess::new(context.grants_undeclared("program"));
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut builder = WasiCtxBuilder::new();
        builder
            .args(["program", "tcp-wait", &address.to_string()])
            .stdout(Stdout::Pipe(stdout.clone()));
        access.add_to(&mut builder, true);
        let ctx = builder.build();
        let _hook = access.closes(ctx.connections());
        let start = Instant::now();
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                let mut store = Store::new(&program.engine, WasiState::from(ctx));
                let deadline = Some(Instant::now() + Duration::from_secs(30));
                wasi::run_command(&mut store, &program.component, &program.linker, deadline)
                    .map(|exit| exit.code)
            });
            let (mut stream, _) = listener.accept().expect("a connection");
            thread::sleep(Duration::from_millis(100));
            assert!(
                !running.is_finished(),
                "it waits: {}",
                String::from_utf8_lossy(&stdout.contents())
            );
            let all = Capability::new("network:outbound").expect("a capability");
            context.revoke(Some("program"), &all, None).expect("it is known");
            // The other side sees the end, too.
            assert_eq!(stream.read(&mut [0; 8]).expect("an end"), 0);
            let ended = running.join().expect("no panic");
            assert!(ended.is_ok(), "{ended:?}");
        });
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
