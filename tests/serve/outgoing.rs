//! Requests that components send: permitted destinations, and responses.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::HttpLimits;
use airssys_wasm_test_support::ClosedPort;
use http::Method;

use crate::client::{exchange, get, request};
use crate::origin::Origin;
use crate::server::{PATIENT, Running, limits};

fn granting(grants: &[&str], http: HttpLimits) -> Running {
    let mut wasi = WasiCtxBuilder::new();
    for grant in grants {
        wasi.connect(grant.parse().expect("a grant"));
    }
    wasi.http_limits(http);
    Running::with(&wasi, limits())
}

/// Small sizes, and times that no honest exchange reaches.
fn small() -> HttpLimits {
    let mut limits = HttpLimits::default();
    limits.incoming_body_bytes = 100_000;
    limits.connections = 5;
    limits.connect_time = PATIENT;
    limits.first_byte_time = PATIENT;
    limits.between_bytes_time = PATIENT;
    limits
}

fn loopback() -> Running {
    granting(&["127.0.0.1"], small())
}

/// A server whose component has little time for a part of each exchange.
fn impatient(change: impl FnOnce(&mut HttpLimits, Duration)) -> Running {
    let mut limits = small();
    change(&mut limits, Duration::from_millis(500));
    granting(&["127.0.0.1"], limits)
}

/// An origin that never answers.
fn silent() -> Origin {
    Origin::new(|_, _| std::thread::sleep(PATIENT))
}

fn ask(server: &Running, url: &str) -> String {
    get(server.addr, &format!("/get?{url}")).text()
}

#[test]
fn what_is_granted_is_reached_and_answered() {
    let origin = Origin::new(|stream, head| {
        let body = head.to_lowercase();
        let _ = write!(
            stream,
            "HTTP/1.1 203 Fine\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    });
    let server = granting(&[&origin.addr.to_string()], small());
    let told = ask(&server, &origin.url());
    assert!(told.starts_with("203 get / http/1.1\r\n"), "{told}");
    assert!(told.contains(&format!("host: {}\r\n", origin.addr)), "{told}");
    assert!(told.contains("user-agent: guest\r\n"), "{told}");
    let by_name = granting(&["localhost"], small());
    let told = ask(&by_name, &format!("http://localhost:{}/a?b", origin.addr.port()));
    assert!(told.starts_with("203 get /a?b http/1.1\r\n"), "{told}");
}

#[test]
fn bodies_and_responses_go_through_a_component() {
    let origin = Origin::new(|stream, head| {
        let length = head.split("content-length: ").nth(1);
        let mut body = head
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
            .as_bytes()
            .to_vec();
        assert!(
            length.is_none(),
            "the guest says no length, so chunks are sent: {head}"
        );
        let mut part = [0; 4096];
        while !body.ends_with(b"0\r\n\r\n") {
            match stream.read(&mut part) {
                Ok(0) | Err(_) => break,
                Ok(read) => body.extend_from_slice(&part[..read]),
            }
        }
        let count = body.iter().filter(|byte| **byte == b'z').count().to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{count}",
            count.len()
        );
    });
    let server = loopback();
    let path = format!("/post?{}", origin.url());
    let sent = exchange(server.addr, request(Method::POST, &path, vec![b'z'; 300_000])).unwrap();
    assert_eq!(sent.text(), "200 300000");

    let chunked = Origin::answering(
        "HTTP/1.1 418 Tea\r\nX-Kind: Green\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
    );
    let proxied = get(server.addr, &format!("/proxy?{}", chunked.url()));
    assert_eq!(
        (proxied.status.as_u16(), proxied.text().as_str()),
        (418, "abcdef")
    );
    assert_eq!(proxied.headers["x-kind"], "Green");
}

#[test]
fn nothing_is_reached_without_a_grant() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let server = Running::start();
    for url in [
        origin.url(),
        format!("http://localhost:{}/", origin.addr.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://example.com/".to_owned(),
        "http://[::1]/".to_owned(),
    ] {
        assert_eq!(ask(&server, &url), "ErrorCode::HttpRequestDenied", "{url}");
    }
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_grant_of_everything_public_leads_nowhere_inside() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let port = origin.addr.port();
    let server = granting(&["*"], small());
    let cases = [
        (
            format!("http://127.0.0.1:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://127.1.2.3:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://0.0.0.0:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://[::1]:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://[::]:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://[::ffff:7f00:1]:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://[64:ff9b::7f00:1]:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://169.254.169.254/latest/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://[fd00:ec2::254]/latest/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://100.100.100.200/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://10.0.0.1/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://172.16.0.1/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://192.168.0.1/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://[fe80::1]/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://255.255.255.255/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            "http://224.0.0.1/".to_owned(),
            "ErrorCode::DestinationIpProhibited",
        ),
        // A name that resolves to this host.
        (
            format!("http://localhost:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        (
            format!("http://LOCALHOST.:{port}/"),
            "ErrorCode::DestinationIpProhibited",
        ),
        // Addresses in disguise.
        (
            format!("http://2130706433:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            format!("http://0x7f000001:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            format!("http://127.1:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            format!("http://0177.0.0.1:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        // Another host before the one that counts.
        (
            format!("http://example.com@127.0.0.1:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            format!("http://user:pass@localhost:{port}/"),
            "ErrorCode::HttpRequestUriInvalid",
        ),
    ];
    for (url, expected) in &cases {
        assert_eq!(&ask(&server, url), expected, "{url}");
    }
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0, "{}", cases.len());
}

#[test]
fn requests_that_are_none_are_not_sent() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let server = loopback();
    let long = format!("{}{}", origin.url(), "a".repeat(20_000));
    let cases = [
        (format!("ftp://{}/", origin.addr), "ErrorCode::HttpProtocolError"),
        ("http:///path".to_owned(), "ErrorCode::HttpRequestUriInvalid"),
        (
            "http://127.0.0.1:0x50/".to_owned(),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            "http://127.0.0.1:70000/".to_owned(),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        (
            "http://127.0.0.1:/".to_owned(),
            "ErrorCode::HttpRequestUriInvalid",
        ),
        ("http://:80/".to_owned(), "ErrorCode::HttpRequestUriInvalid"),
        (long, "ErrorCode::HttpRequestUriTooLong"),
    ];
    for (url, expected) in &cases {
        assert_eq!(&ask(&server, url), expected, "{url}");
    }
    let tunnel = get(server.addr, &format!("/connect?{}", origin.url()));
    assert_eq!(tunnel.text(), "ErrorCode::HttpRequestMethodInvalid");
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn redirections_are_shown_and_not_followed() {
    let inside = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
    for to in [
        inside.url(),
        "http://169.254.169.254/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        let origin = Origin::answering(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nmoved"
        ));
        let server = granting(&[&origin.addr.to_string()], small());
        assert_eq!(ask(&server, &origin.url()), "302 moved");
        let proxied = get(server.addr, &format!("/proxy?{}", origin.url()));
        assert_eq!(proxied.headers["location"], to.as_str());
        assert_eq!(ask(&server, &inside.url()), "ErrorCode::DestinationIpProhibited");
    }
    assert_eq!(inside.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn what_servers_do_wrong_is_an_error_of_its_own() {
    let server = loopback();
    let many: String = (0..300).map(|number| format!("x-{number}: y\r\n")).collect();
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let section = "ErrorCode::HttpResponseHeaderSectionSize(None)";
    let protocol = "ErrorCode::HttpProtocolError";
    let incomplete = "ErrorCode::HttpResponseIncomplete";
    let answers: Vec<(&str, String, &str)> = vec![
        ("nothing", String::new(), incomplete),
        (
            "half a head",
            "HTTP/1.1 200 OK\r\nx: y\r\n".to_owned(),
            incomplete,
        ),
        ("nonsense", "nonsense\r\n\r\n".to_owned(), protocol),
        (
            "another protocol",
            "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
            protocol,
        ),
        (
            "a version that there is not",
            "HTTP/3.0 200 OK\r\n\r\n".to_owned(),
            protocol,
        ),
        (
            "a status that is none",
            "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
            protocol,
        ),
        (
            "a header that is none",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n".to_owned(),
            protocol,
        ),
        (
            "a NUL in a header",
            "HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n".to_owned(),
            protocol,
        ),
        ("300 headers", format!("HTTP/1.1 200 OK\r\n{many}\r\n"), section),
        ("a header of 100 KB", large, section),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
            protocol,
        ),
        (
            "a negative length",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned(),
            protocol,
        ),
        (
            "less than was promised",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned(),
            incomplete,
        ),
        (
            "chunks without their end",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_owned(),
            incomplete,
        ),
        (
            "a chunk size that is none",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n".to_owned(),
            protocol,
        ),
    ];
    let mut wrong = Vec::new();
    for (name, bytes, expected) in answers {
        let origin = Origin::answering(bytes);
        let told = ask(&server, &origin.url());
        if told != expected {
            wrong.push(format!("{name}: {told}, not {expected}"));
        }
    }
    let late = impatient(|limits, short| limits.first_byte_time = short);
    let pausing = impatient(|limits, short| limits.between_bytes_time = short);
    let behaviors: Vec<(&str, &Running, Origin, &str)> = vec![
        (
            "a body without end",
            &server,
            Origin::new(|stream, _| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(&[b'x'; 8192]).is_ok() {}
            }),
            "ErrorCode::HttpResponseBodySize(Some(",
        ),
        ("no answer", &late, silent(), "ErrorCode::HttpResponseTimeout"),
        (
            "a head that never ends",
            &late,
            Origin::new(|stream, _| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
                while stream.write_all(b"x: y\r\n").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }),
            "ErrorCode::HttpResponseTimeout",
        ),
        (
            "a body that pauses",
            &pausing,
            Origin::new(|stream, _| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
                std::thread::sleep(PATIENT);
            }),
            "ErrorCode::ConnectionReadTimeout",
        ),
    ];
    for (name, server, origin, expected) in behaviors {
        let start = Instant::now();
        let told = ask(server, &origin.url());
        if !told.starts_with(expected) {
            wrong.push(format!("{name}: {told}, not {expected}"));
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{name}: {:?}",
            start.elapsed()
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn guests_ask_for_less_time_and_never_for_more() {
    let server = granting(&["127.0.0.1"], HttpLimits::default());
    let silent = silent();
    let start = Instant::now();
    // The guest allows 200 ms for each step, which a slow machine may need to connect.
    let timeouts = |origin: &Origin, earlier: &[&str]| {
        let asked =
            std::iter::repeat_with(|| get(server.addr, &format!("/timeouts?{}", origin.url())).text());
        asked.take(20).find(|told| !earlier.contains(&&**told))
    };
    let told = timeouts(&silent, &["ErrorCode::ConnectionTimeout"]);
    assert_eq!(told.as_deref(), Some("ErrorCode::HttpResponseTimeout"));
    let pausing = Origin::new(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        std::thread::sleep(PATIENT);
    });
    let earlier = ["ErrorCode::ConnectionTimeout", "ErrorCode::HttpResponseTimeout"];
    let told = timeouts(&pausing, &earlier);
    assert_eq!(told.as_deref(), Some("ErrorCode::ConnectionReadTimeout"));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn connections_are_not_made_or_are_bounded() {
    let server = loopback();
    let closed = ClosedPort::new();
    assert_eq!(
        ask(&server, &format!("http://{}/", closed.addr)),
        "ErrorCode::ConnectionRefused"
    );
    let silent = silent();
    let flood = get(server.addr, &format!("/gets?{}", silent.url())).text();
    assert_eq!(flood, "5 ErrorCode::ConnectionLimitReached");
    // Abandoned exchanges release their place.
    let abandoned = get(server.addr, &format!("/abandon?{}", silent.url())).text();
    assert!(
        abandoned == "done" || abandoned == "ErrorCode::ConnectionLimitReached",
        "{abandoned}"
    );
    let fine = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(ask(&server, &fine.url()), "200 ok");
}

#[test]
fn a_body_that_a_guest_does_not_finish_is_cut_off() {
    let origin = Origin::new(|stream, _| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.ends_with(b"0\r\n\r\n"), "the body has no end");
    });
    let server = loopback();
    let told = get(server.addr, &format!("/unsent?{}", origin.url())).text();
    assert!(told.starts_with("ErrorCode::"), "{told}");
}

#[test]
fn tls_with_whom_does_not_speak_it_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let told = ask(&loopback(), &format!("https://{addr}/"));
    assert_eq!(told, "ErrorCode::TlsProtocolError");
    // A silent server is not waited for.
    let impatient = impatient(|limits, short| limits.connect_time = short);
    let told = ask(&impatient, &silent().url().replace("http:", "https:"));
    assert_eq!(told, "ErrorCode::ConnectionTimeout");
}
