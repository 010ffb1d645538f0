use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn client() -> HttpClient {
    HttpClient::new(TlsRoots::system(), HttpLimits::default())
}

#[test]
fn addresses_that_are_not_admitted_are_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        let request = HttpRequest::new("GET", false, host, port, "/");
        let mut asked = Vec::new();
        let refused = client().exchange(&request, soon(), |address| {
            asked.push(address);
            false
        });
        assert_eq!(refused, Err(HttpFailure::Denied));
        assert!(
            !asked.is_empty() && asked.iter().all(IpAddr::is_loopback),
            "{asked:?}"
        );
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a connection arrived");
}

#[test]
fn requests_that_cannot_be_sent_are_refused_before_the_look_up() {
    let refused = |change: &dyn Fn(&mut HttpRequest)| {
        let mut request = HttpRequest::new("POST", false, "example.com", 80, "/");
        request.body = Bytes::from_static(b"abc");
        change(&mut request);
        match client().exchange(&request, soon(), |_| unreachable!("nothing is looked up")) {
            Err(HttpFailure::InvalidRequest(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    let with = |name: &str, value: &str| {
        refused(&|request| request.headers.push((name.to_owned(), value.to_owned())))
    };
    refused(&|request| request.method = "CONNECT".to_owned());
    refused(&|request| request.method = "TRACE".to_owned());
    refused(&|request| request.method = "GET / HTTP/1.1\r\n".to_owned());
    refused(&|request| request.path = "/ HTTP/1.1\r\nX: y".to_owned());
    refused(&|request| request.path = format!("/{}", "a".repeat(17 << 10)));
    for name in [
        "Host",
        "connection",
        "Transfer-Encoding",
        "TE",
        "expect",
        "upgrade",
    ] {
        let text = with(name, "x");
        assert!(text.contains("only the host may set"), "{text}");
    }
    with("a b", "");
    with("content-length", "4");
    with("a", &"b".repeat(65 << 10));
    refused(&|request| request.headers = vec![("a".to_owned(), String::new()); 257]);
    let secret = with("authorization", "Bearer hunter2\r\nX: y");
    assert!(!secret.contains("hunter2"), "{secret}");
    let mut request = HttpRequest::new("POST", false, "example.com", 80, "/");
    request.body = Bytes::from_static(b"abc");
    request
        .headers
        .push(("Content-Length".to_owned(), "3".to_owned()));
    assert!(request.message(&HttpLimits::default()).is_ok());
}

#[test]
fn a_deadline_in_the_past_ends_the_request() {
    let request = HttpRequest::new("GET", false, "127.0.0.1", 9, "/");
    let ended = client().exchange(&request, Instant::now(), |_| true);
    assert_eq!(ended, Err(HttpFailure::Timeout));
}

/// Starts a server with a certificate for `localhost`. Its thread ends with the process.
fn secure_server() -> u16 {
    let chain = CertificateDer::from_pem_slice(include_bytes!("certificates/localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/localhost.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not trust the certificate ends the connection here.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure");
            }
        }
    });
    port
}

#[test]
fn servers_are_verified_by_the_given_roots() {
    let port = secure_server();
    let get = |roots: TlsRoots, host: &str| {
        let client = HttpClient::new(roots, HttpLimits::default());
        let request = HttpRequest::new("GET", true, host, port, "/");
        // The server has no address of IPv6.
        client.exchange(&request, soon(), |address| address.is_ipv4())
    };
    let authority = TlsRoots::from_pem(include_bytes!("certificates/authority.pem")).unwrap();
    let response = get(authority.clone(), "localhost").unwrap();
    assert_eq!((response.status, response.body), (200, b"secure".to_vec()));
    let untrusted = Err(HttpFailure::Failed(
        "the server's certificate is not trusted".to_owned(),
    ));
    assert_eq!(get(TlsRoots::system(), "localhost"), untrusted);
    assert_eq!(
        get(authority, "127.0.0.1"),
        untrusted,
        "the certificate is for a name"
    );
}
