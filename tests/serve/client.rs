//! Clients: one that speaks HTTP correctly, and one that sends raw bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;

/// Longest wait of any test; longer than a server's patient limits.
const LONG: Duration = Duration::from_secs(120);

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("there are threads"))
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) type Sender = SendRequest<Full<Bytes>>;

pub(crate) async fn connect(addr: SocketAddr) -> Sender {
    let stream = tokio::net::TcpStream::connect(addr).await.expect("it listens");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

pub(crate) async fn send(sender: &mut Sender, request: Request<Full<Bytes>>) -> hyper::Result<Response> {
    sender.ready().await?;
    let response = tokio::time::timeout(LONG, sender.send_request(request));
    let (head, body) = response.await.expect("an answer in time")?.into_parts();
    let body = tokio::time::timeout(LONG, body.collect())
        .await
        .expect("a body in time")?;
    Ok(Response {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes().to_vec(),
    })
}

pub(crate) fn request(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "test.example")
        .body(Full::new(body.into()))
        .expect("a request")
}

/// Makes one exchange on its own connection.
pub(crate) fn exchange(addr: SocketAddr, request: Request<Full<Bytes>>) -> hyper::Result<Response> {
    runtime().block_on(async { send(&mut connect(addr).await, request).await })
}

pub(crate) fn get(addr: SocketAddr, path: &str) -> Response {
    exchange(addr, request(Method::GET, path, "")).expect("a whole response")
}

/// A connection for sending raw bytes and reading to its end.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) fn connect(addr: SocketAddr) -> Raw {
        let stream = TcpStream::connect(addr).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("a time");
        stream.set_write_timeout(Some(LONG)).expect("a time");
        Raw(stream)
    }

    /// Sends bytes; returns whether the server accepted all of them.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Begins a request whose body the component returns while it arrives, and waits for the first part of the response.
    pub(crate) fn begin_echo(&mut self) {
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(self.send(format!("{head}5\r\nbegin\r\n").as_bytes()));
        let (mut seen, mut part) = (Vec::new(), [0; 512]);
        while !String::from_utf8_lossy(&seen).contains("begin") {
            let read = self.0.read(&mut part).expect("a response that begins");
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&part[..read]);
        }
    }

    /// Sends the rest of that request, and returns the rest of the response.
    pub(crate) fn end_echo(mut self) -> String {
        self.send(b"8\r\nthe rest\r\n0\r\n\r\n");
        self.rest()
    }

    pub(crate) fn done(&self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Reads everything until the connection ends.
    pub(crate) fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        let mut part = [0; 65536];
        loop {
            match self.0.read(&mut part) {
                Ok(0) => break,
                Ok(read) => bytes.extend_from_slice(&part[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    panic!(
                        "the server keeps the connection: {}",
                        String::from_utf8_lossy(&bytes)
                    );
                }
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Sends bytes; returns the response until the connection ends.
pub(crate) fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut raw = Raw::connect(addr);
    raw.send(bytes);
    raw.rest()
}
