//! `http-request`.

#[path = "../../serve/origin.rs"]
mod origin;

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use airssys_wasm::component::Val;
use airssys_wasm::host::{HostLimits, HostPowers};

use super::{Caller, Failure, bytes, failure, text};
use origin::Origin;

fn powers() -> HostPowers {
    let mut limits = HostLimits::default();
    limits.http_body_bytes = 1000;
    limits.http_redirects = 3;
    HostPowers::new().with_limits(limits)
}

/// A request of a test, with the fields that matter to it.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a [u8]>,
    pub(super) timeout_ms: Option<u64>,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Asked {
            method: "GET",
            url: "",
            headers: &[],
            body: None,
            timeout_ms: None,
        }
    }
}

/// A response: status, headers, body.
pub(super) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn field(value: &Val, name: &str) -> Val {
    match value {
        Val::Record(fields) => {
            let found = fields.iter().find(|(field, _)| &**field == name);
            found.expect("the field").1.clone()
        }
        other => panic!("{other:?}"),
    }
}

impl Caller {
    pub(super) fn request(&mut self, asked: &Asked<'_>) -> Result<Answer, Failure> {
        let header = |(name, value): &(&str, &str)| Val::Tuple(vec![text(name), text(value)]);
        let some = |value: Val| Some(Box::new(value));
        let fields = [
            ("method", text(asked.method)),
            ("url", text(asked.url)),
            ("headers", Val::List(asked.headers.iter().map(header).collect())),
            ("body", Val::Option(asked.body.map(bytes).and_then(some))),
            (
                "timeout-ms",
                Val::Option(asked.timeout_ms.map(Val::U64).and_then(some)),
            ),
        ];
        let record = Val::Record(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        );
        let response = self.call("http-request", &[record])?.expect("a response");
        let Val::U16(status) = field(&response, "status") else {
            panic!("{response:?}");
        };
        let Val::List(headers) = field(&response, "headers") else {
            panic!("{response:?}");
        };
        let headers = headers.into_iter().map(|header| match header {
            Val::Tuple(pair) => match &pair[..] {
                [Val::String(name), Val::String(value)] => (name.to_string(), value.to_string()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        });
        Ok((
            status,
            headers.collect(),
            super::data(Some(field(&response, "body"))),
        ))
    }

    fn get(&mut self, url: &str) -> Result<Answer, Failure> {
        self.request(&Asked {
            url,
            ..Asked::default()
        })
    }

    fn url_is_denied(&mut self, url: &str, needed: &str) {
        assert_eq!(self.get(url), Err(failure("denied", needed)), "{url}");
        assert_eq!(self.last().verdict, "denied", "{url}");
    }
}

/// Answers with the request's head as the body.
pub(super) fn echo() -> Origin {
    Origin::new(|stream, head| {
        let _ = write!(
            stream,
            "HTTP/1.1 203 Fine\r\nX-Kind: Green\r\nContent-Length: {}\r\n\r\n{head}",
            head.len()
        );
    })
}

fn redirecting(status: u16, location: &str) -> Origin {
    Origin::answering(format!(
        "HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn allow(origin: &Origin) -> String {
    format!("allow network:outbound:http://{}", origin.addr)
}

fn by_name(origin: &Origin) -> String {
    format!("http://localhost:{}/", origin.addr.port())
}

fn body(answer: Result<Answer, Failure>) -> String {
    String::from_utf8(answer.unwrap().2).unwrap()
}

#[test]
fn granted_hosts_answer_and_others_are_denied() {
    let (granted, other) = (echo(), echo());
    let mut caller = Caller::new(&[&allow(&granted)], powers());
    let (status, headers, body) = caller
        .request(&Asked {
            method: "POST",
            url: &format!("{}a?b=c#fragment", granted.url()),
            headers: &[("X-One", "1"), ("x-two", "2"), ("X-One", "3")],
            body: Some(b"abc"),
            ..Asked::default()
        })
        .unwrap();
    let head = String::from_utf8(body).unwrap();
    assert_eq!(status, 203);
    assert!(headers.contains(&("x-kind".to_owned(), "Green".to_owned())));
    assert!(head.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{head}");
    let lower = head.to_lowercase();
    for line in [
        &format!("host: {}\r\n", granted.addr),
        "x-one: 1\r\n",
        "x-two: 2\r\n",
        "x-one: 3\r\n",
        "content-length: 3\r\n",
    ] {
        assert!(lower.contains(line), "{line:?} in {head}");
    }
    assert_eq!(caller.last().verdict, "allowed");
    caller.url_is_denied(&other.url(), &format!("network:outbound:http://{}", other.addr));
    caller.url_is_denied(
        &by_name(&granted),
        &format!("network:outbound:http://localhost:{}", granted.addr.port()),
    );
    caller.url_is_denied("https://example.com/", "network:outbound:https://example.com");
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn addresses_inside_are_denied_to_names_of_everything() {
    let origin = echo();
    let port = origin.addr.port();
    let mut caller = Caller::new(&["allow network:outbound:*"], powers());
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.0.1",
    ] {
        let (case, _) = caller.get(&format!("http://{host}:{port}/")).unwrap_err();
        assert_eq!(case, "denied", "{host}");
        assert_eq!(caller.last().verdict, "denied", "{host}");
    }
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0);
    // The name of this host leads to this host, and a denied address is denied under any name.
    assert!(body(caller.get(&by_name(&origin))).starts_with("GET / "));
    let rules = [
        "allow network:outbound:*",
        "deny network:outbound:127.0.0.0/8",
        "deny network:outbound:[::1]",
    ];
    let mut caller = Caller::new(&rules, powers());
    let (case, _) = caller.get(&by_name(&origin)).unwrap_err();
    assert_eq!((case.as_str(), caller.last().verdict), ("denied", "denied"));
}

#[test]
fn malformed_requests_are_refused() {
    let mut caller = Caller::new(&["allow network:outbound"], powers());
    for url in [
        "",
        "example.com",
        "/path",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://user:hunter2@example.com/",
        "http://user@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://exa mple.com/",
        "http://example.com\\@evil.test/",
        "http://example.com/\r\nX: y",
        &format!("http://example.com/{}", "a".repeat(70_000)),
    ] {
        let (case, text) = caller.get(url).unwrap_err();
        assert_eq!(case, "invalid-request", "{url}");
        assert!(!text.contains("hunter2"), "{text}");
        let last = caller.last();
        assert_eq!(
            (last.capability.as_str(), last.verdict, last.cause),
            ("network:outbound", "denied", Some("invalid-request")),
            "{url}"
        );
    }
    assert_eq!(caller.audit.records().len(), 14, "each is audited once");
    let origin = echo();
    let url = origin.url();
    for asked in [
        Asked {
            method: "CONNECT",
            ..Asked::default()
        },
        Asked {
            method: "GET /",
            ..Asked::default()
        },
        Asked {
            method: "",
            ..Asked::default()
        },
        Asked {
            headers: &[("Host", "evil.test")],
            ..Asked::default()
        },
        Asked {
            headers: &[("Transfer-Encoding", "chunked")],
            ..Asked::default()
        },
        Asked {
            headers: &[("Content-Length", "7")],
            ..Asked::default()
        },
        Asked {
            headers: &[("a\r\nb", "c")],
            ..Asked::default()
        },
        Asked {
            headers: &[("a", "b\r\nc: d")],
            ..Asked::default()
        },
    ] {
        let (case, _) = caller.request(&Asked { url: &url, ..asked }).unwrap_err();
        assert_eq!(case, "invalid-request");
    }
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn redirections_are_followed_to_granted_hosts_only() {
    let last = echo();
    let granted = redirecting(302, &format!("{}there", last.url()));
    let mut caller = Caller::new(&[&allow(&last), &allow(&granted)], powers());
    assert!(body(caller.get(&granted.url())).starts_with("GET /there "));

    let mut caller = Caller::new(&[&allow(&granted)], powers());
    let needed = format!("network:outbound:http://{}", last.addr);
    caller.url_is_denied(&granted.url(), &needed);
    assert_eq!(last.asked.load(Ordering::SeqCst), 1, "only the first time");
}

#[test]
fn a_granted_name_cannot_redirect_to_an_address_inside() {
    let secret = echo();
    for location in [
        secret.url(),
        format!("http://127.1:{}/", secret.addr.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", secret.addr.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let first = redirecting(307, &location);
        let rule = format!("allow network:outbound:localhost:{}", first.addr.port());
        let mut caller = Caller::new(&[&rule], powers());
        let (case, needed) = caller.get(&by_name(&first)).unwrap_err();
        assert_eq!(case, "denied", "{location}");
        assert!(needed.starts_with("network:outbound:http://1"), "{needed}");
        assert_eq!(caller.last().verdict, "denied");
        assert_eq!(first.asked.load(Ordering::SeqCst), 1);
    }
    assert_eq!(secret.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn credentials_are_not_sent_to_another_origin() {
    let last = echo();
    let (same, other) = (redirecting(307, &last.url()), redirecting(307, &by_name(&last)));
    let mut caller = Caller::new(&["allow network:outbound"], powers());
    let headers = [
        ("Authorization", "Bearer hunter2"),
        ("Cookie", "session=hunter2"),
        ("X-Api-Key", "hunter2"),
        ("Accept", "text/plain"),
    ];
    for origin in [&same, &other] {
        let answer = caller.request(&Asked {
            url: &origin.url(),
            headers: &headers,
            ..Asked::default()
        });
        let head = body(answer);
        assert!(!head.contains("hunter2"), "{head}");
        assert!(head.to_lowercase().contains("accept: text/plain"), "{head}");
    }
    // Within one origin they stay.
    let within = Origin::new(|stream, head| {
        let _ = match head.starts_with("GET /first ") {
            true => write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: second\r\nContent-Length: 0\r\n\r\n"
            ),
            false => write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}",
                head.len()
            ),
        };
    });
    let answer = caller.request(&Asked {
        url: &format!("{}first", within.url()),
        headers: &headers,
        ..Asked::default()
    });
    let head = body(answer);
    assert!(
        head.starts_with("GET /second ") && head.contains("Bearer hunter2"),
        "{head}"
    );
}

#[test]
fn redirections_are_limited() {
    let origin = redirecting(302, "/again");
    let mut caller = Caller::new(&[&allow(&origin)], powers());
    let (case, text) = caller.get(&origin.url()).unwrap_err();
    assert_eq!(
        (case.as_str(), text.as_str()),
        (
            "connection-failed",
            "the request was redirected more than 3 times"
        )
    );
    assert_eq!(origin.asked.load(Ordering::SeqCst), 4);
    for (location, is_url) in [
        ("ftp://example.com/", true),
        ("http://a b/", false),
        ("http://user:hunter2@localhost/", true),
    ] {
        let origin = redirecting(302, location);
        let mut caller = Caller::new(&[&allow(&origin)], powers());
        let (case, text) = caller.get(&origin.url()).unwrap_err();
        assert_eq!(case, "connection-failed", "{location}");
        assert!(!text.contains("hunter2"), "{text}");
        let last = caller.last();
        let expected = match is_url {
            true => ("network:outbound", "denied", Some("invalid-request")),
            // No URL, so nothing to decide on.
            false => ("network:outbound", "allowed", None),
        };
        let found = last.capability.split(":http").next().unwrap_or_default();
        assert_eq!(
            (found, last.verdict, last.cause),
            expected,
            "{location}: {last:?}"
        );
    }
    let mut limits = HostLimits::default();
    limits.http_redirects = 0;
    let mut caller = Caller::new(&[&allow(&origin)], HostPowers::new().with_limits(limits));
    assert_eq!(caller.get(&origin.url()).unwrap().0, 302, "it is returned");
}

#[test]
fn bodies_are_limited() {
    let sized = |bytes: usize| {
        let body = "x".repeat(bytes);
        Origin::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{body}"
        ))
    };
    let endless = Origin::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 100]).is_ok() {}
    });
    let mut caller = Caller::new(&["allow network:outbound"], powers());
    assert_eq!(caller.get(&sized(1000).url()).unwrap().2.len(), 1000);
    for origin in [sized(1001), endless] {
        assert_eq!(caller.get(&origin.url()), Err(failure("too-large", "1000")));
    }
    let origin = echo();
    let answer = caller.request(&Asked {
        method: "POST",
        url: &origin.url(),
        body: Some(&[b'x'; 1001]),
        ..Asked::default()
    });
    assert_eq!(answer, Err(failure("too-large", "1000")));
    assert_eq!(origin.asked.load(Ordering::SeqCst), 0);
    let short = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    let (case, _) = caller.get(&short.url()).unwrap_err();
    assert_eq!(case, "connection-failed");
    let garbage = Origin::answering("garbage\r\n\r\n");
    let (case, _) = caller.get(&garbage.url()).unwrap_err();
    assert_eq!(case, "connection-failed");
}

#[test]
fn the_guests_timeout_and_the_calls_deadline_end_a_request() {
    let silent = Origin::new(|_, _| std::thread::sleep(Duration::from_secs(20)));
    let slow = Origin::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut caller = Caller::new(&["allow network:outbound"], powers());
    let start = Instant::now();
    for origin in [&silent, &slow] {
        let url = origin.url();
        let mut ask = |timeout_ms| {
            caller.request(&Asked {
                url: &url,
                timeout_ms,
                ..Asked::default()
            })
        };
        assert_eq!(ask(Some(100)), Err(failure("timeout", "")));
        assert_eq!(ask(Some(0)), Err(failure("timeout", "")));
        caller.leave(Duration::from_millis(100));
        assert_eq!(caller.get(&url), Err(failure("timeout", "")));
        caller.leave(Duration::from_secs(60));
    }
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn hosts_that_do_not_answer_are_connection_failures() {
    let closed = airssys_wasm_test_support::ClosedPort::new();
    let mut caller = Caller::new(&["allow network:outbound"], powers());
    let (case, text) = caller.get(&format!("http://{}/", closed.addr)).unwrap_err();
    assert_eq!(
        (case.as_str(), text.as_str()),
        ("connection-failed", "the connection was refused")
    );
    // A server without TLS.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in plain.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (case, _) = caller.get(&format!("https://{address}/")).unwrap_err();
    assert_eq!(case, "connection-failed");
}

#[test]
fn proxies_in_the_environment_are_ignored() {
    const INNER: &str = "AIRSSYS_TEST_BEHIND_PROXY";
    if std::env::var_os(INNER).is_some() {
        let origin = echo();
        let mut caller = Caller::new(&["allow network:outbound"], powers());
        for url in [origin.url(), by_name(&origin)] {
            assert!(body(caller.get(&url)).starts_with("GET / HTTP/1.1"), "{url}");
        }
        let secure = caller.get(&format!("https://{}/", origin.addr));
        assert_eq!(secure.unwrap_err().0, "connection-failed");
        return;
    }
    // The environment of a process is set when it starts.
    let proxy = echo();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "powers::http::proxies_in_the_environment_are_ignored"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, proxy.url());
        command.env(name.to_lowercase(), proxy.url());
    }
    let output = command
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(INNER, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(proxy.asked.load(Ordering::SeqCst), 0);
}
