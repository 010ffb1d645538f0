//! Requests that are sent, to a server that is a socket of the guest's own.

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::tcp::{finish, listening, local, port};
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("http/sent and answered", answered),
    ("http/sent with headers", headers),
    ("http/sent with a body of known length", body_length),
    ("http/sent with a body in chunks", body_chunks),
    ("http/sent with each method", methods),
    ("http/answered with nothing", nothing),
    ("http/answered in chunks, with trailers", trailers),
    ("http/answered without trailers", no_trailers),
    ("http/answered with a redirection", redirection),
    ("http/answered, and asked for twice", twice),
    ("http/answered with less than it says", cut_short),
    ("http/answered with a large body", large),
    ("http/answered with what is no answer", nonsense),
    ("http/not answered", closed),
    ("http/nobody is there", nobody),
    ("http/no answer in time", timeout),
];

/// The connection that a request comes in by. Streams go first.
struct Connection {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

impl Connection {
    fn of(listener: &TcpSocket) -> Result<Connection, String> {
        let accepted = finish(listener, TcpSocket::accept).map_err(|code| code.name().to_string())?;
        let (socket, input, output) = accepted;
        Ok(Connection { input, output, _socket: socket })
    }

    /// What comes in, until it ends so.
    fn read_until(&self, end: &str) -> Result<String, String> {
        let mut text = String::new();
        while !text.ends_with(end) {
            let more = self.input.blocking_read(4096).map_err(|_| format!("the request ended: {text:?}"))?;
            text.push_str(&String::from_utf8_lossy(&more));
        }
        Ok(text)
    }

    fn answer(&self, text: &[u8]) -> Result<(), String> {
        for part in text.chunks(4096) {
            self.output.blocking_write_and_flush(part).map_err(|_| "the answer was not taken")?;
        }
        Ok(())
    }
}

/// A request to a port of this host.
fn request_to(port: u16, fields: Fields) -> Result<OutgoingRequest, String> {
    let request = OutgoingRequest::new(fields);
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_authority(Some(&format!("127.0.0.1:{port}"))).map_err(|()| "authority")?;
    request.set_path_with_query(Some("/path?query")).map_err(|()| "path")?;
    Ok(request)
}

fn server() -> Result<(TcpSocket, u16), String> {
    let listener = listening(local(0))?;
    let at = listener.local_address().map_err(|code| code.name().to_string())?;
    Ok((listener, port(at)))
}

fn send(request: OutgoingRequest) -> Result<FutureIncomingResponse, String> {
    handle(request, None).map_err(|error| format!("handle: {error:?}"))
}

fn response(future: &FutureIncomingResponse) -> Result<Result<IncomingResponse, ErrorCode>, String> {
    let pollable = future.subscribe();
    pollable.block();
    future.get().ok_or("ready, and nothing there")?.map_err(|()| "taken before".to_string())
}

/// What comes of a request that is answered so.
fn exchange(answer: &[u8]) -> Result<Result<IncomingResponse, ErrorCode>, String> {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(answer)?;
    drop(connection);
    response(&future)
}

fn good(answer: &[u8]) -> Result<IncomingResponse, String> {
    exchange(answer)?.map_err(|error| format!("{error:?}"))
}

pub fn failure(error: StreamError) -> String {
    match error {
        StreamError::Closed => "closed".into(),
        StreamError::LastOperationFailed(error) => match http_error_code(&error) {
            Some(code) => format!("{code:?}"),
            None => "failed without a code".into(),
        },
    }
}

/// The whole of a body, and how it ends.
pub fn drain(body: &IncomingBody) -> Result<String, String> {
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut read = Vec::new();
    loop {
        match stream.blocking_read(65_536) {
            Ok(more) => read.extend(more),
            Err(error) => return Ok(format!("{}, {}", bytes(&read), failure(error))),
        }
    }
}

fn answered() -> Outcome {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let mut lines = Lines::default();
    lines.add("before the answer", future.get().is_none().to_string());
    let connection = Connection::of(&listener)?;
    let head = connection.read_until("\r\n\r\n")?;
    lines.add("line", format!("{:?}", head.lines().next()));
    lines.add("host", head.to_lowercase().contains(&format!("host: 127.0.0.1:{port}\r\n")).to_string());
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: 1\r\nx-a: 2\r\n\r\nhello")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    lines.add("status", answer.status().to_string());
    let fields = answer.headers();
    lines.add("x-a", fields.get("x-a").iter().map(|value| bytes(value)).collect::<Vec<_>>().join(", "));
    lines.add("set", fields.set("x-a", &[]).is_err().to_string());
    let body = answer.consume().map_err(|()| "no body")?;
    lines.add("body", drain(&body)?);
    lines.end()
}

fn headers() -> Outcome {
    let (listener, port) = server()?;
    let fields = Fields::new();
    for (name, value) in [("x-one", "1"), ("x-two", "a"), ("x-two", "b"), ("accept", "text/plain")] {
        fields.append(name, value.as_bytes()).map_err(|_| "append")?;
    }
    let future = send(request_to(port, fields)?)?;
    let connection = Connection::of(&listener)?;
    let head = connection.read_until("\r\n\r\n")?.to_lowercase();
    let mut sent: Vec<&str> = head.lines().filter(|line| line.starts_with("x-") || line.starts_with("accept:")).collect();
    sent.sort_unstable();
    connection.answer(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    let status = response(&future)?.map(|answer| answer.status());
    Ok(format!("{sent:?}, {status:?}"))
}

/// Sends `parts` as a body; what the server got of it.
fn with_body(length: Option<&str>, parts: &[&str], end: &str) -> Outcome {
    let (listener, port) = server()?;
    let fields = Fields::new();
    if let Some(length) = length {
        fields.set("content-length", &[length.as_bytes().to_vec()]).map_err(|_| "content-length")?;
    }
    let request = request_to(port, fields)?;
    request.set_method(&Method::Post).map_err(|()| "method")?;
    let body = request.body().map_err(|()| "no body")?;
    let future = send(request)?;
    let connection = Connection::of(&listener)?;
    let stream = body.write().map_err(|()| "no stream")?;
    for part in parts {
        stream.blocking_write_and_flush(part.as_bytes()).map_err(failure)?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|error| format!("finish: {error:?}"))?;
    let text = connection.read_until(end)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let head = head.to_lowercase();
    let mut lines = Lines::default();
    lines.add("line", format!("{:?}", head.lines().next()));
    lines.add("chunked", head.contains("transfer-encoding: chunked").to_string());
    lines.add("length", format!("{:?}", head.lines().find(|line| line.starts_with("content-length"))));
    if length.is_some() {
        lines.add("body", format!("{body:?}"));
    }
    connection.answer(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")?;
    lines.add("status", format!("{:?}", response(&future)?.map(|answer| answer.status())));
    lines.end()
}

fn body_length() -> Outcome {
    with_body(Some("9"), &["some ", "text"], "some text")
}

fn body_chunks() -> Outcome {
    with_body(None, &["some ", "text"], "0\r\n\r\n")
}

fn methods() -> Outcome {
    let mut lines = Lines::default();
    for method in [Method::Get, Method::Put, Method::Delete, Method::Options, Method::Patch, Method::Other("LIST".into())] {
        let (listener, port) = server()?;
        let request = request_to(port, Fields::new())?;
        request.set_method(&method).map_err(|()| "method")?;
        let future = send(request)?;
        let connection = Connection::of(&listener)?;
        let head = connection.read_until("\r\n\r\n")?;
        lines.add(&format!("{method:?}"), format!("{:?}", head.lines().next()));
        connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        lines.add("status", format!("{:?}", response(&future)?.map(|answer| answer.status())));
    }
    lines.end()
}

fn nothing() -> Outcome {
    let mut lines = Lines::default();
    for answer in [&b"HTTP/1.1 204 No Content\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"] {
        let answer = good(answer)?;
        let body = answer.consume().map_err(|()| "no body")?;
        lines.add(&answer.status().to_string(), drain(&body)?);
    }
    lines.end()
}

pub fn ended(body: IncomingBody) -> Result<String, String> {
    let future = IncomingBody::finish(body);
    let pollable = future.subscribe();
    pollable.block();
    Ok(match future.get() {
        None => "ready, and nothing there".into(),
        Some(Err(())) => "taken before".into(),
        Some(Ok(Err(error))) => format!("{error:?}"),
        Some(Ok(Ok(None))) => "none".into(),
        Some(Ok(Ok(Some(trailers)))) => {
            let again = future.get().map(|again| again.is_err());
            format!("{:?}, again refused: {again:?}", trailers.entries().iter().map(|(name, value)| format!("{name}={}", bytes(value))).collect::<Vec<_>>())
        }
    })
}

fn trailers() -> Outcome {
    let answer = good(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n4\r\nsome\r\n5\r\n text\r\n0\r\nx-end: 1\r\n\r\n",
    )?;
    let body = answer.consume().map_err(|()| "no body")?;
    let mut lines = Lines::default();
    lines.add("body", drain(&body)?);
    lines.add("trailers", ended(body)?);
    lines.end()
}

fn no_trailers() -> Outcome {
    let answer = good(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsome")?;
    let body = answer.consume().map_err(|()| "no body")?;
    let mut lines = Lines::default();
    lines.add("body", drain(&body)?);
    lines.add("trailers", ended(body)?);
    lines.end()
}

fn redirection() -> Outcome {
    let answer = good(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")?;
    Ok(format!("{}, {}", answer.status(), bytes(&answer.headers().get("location").concat())))
}

fn twice() -> Outcome {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsome")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    let mut lines = Lines::default();
    lines.add("the answer again", format!("{:?}", future.get().map(|again| again.is_err())));
    let body = answer.consume().map_err(|()| "no body")?;
    lines.add("the body again", answer.consume().is_err().to_string());
    let stream = body.stream();
    lines.add("the stream", stream.is_ok().to_string());
    lines.add("again", body.stream().is_err().to_string());
    drop(stream);
    lines.end()
}

fn cut_short() -> Outcome {
    let answer = good(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nsome")?;
    let body = answer.consume().map_err(|()| "no body")?;
    drain(&body)
}

fn large() -> Outcome {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    let body = answer.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let data: Vec<u8> = (0..200_000u32).map(|place| (place * 13 >> 4) as u8).collect();
    let (mut sent, mut got) = (0, Vec::new());
    // One part after the other, so that nothing between the two ends has to hold all of it.
    for part in data.chunks(4000) {
        connection.answer(part)?;
        sent += part.len();
        while got.len() < sent {
            got.extend(stream.blocking_read(65_536).map_err(failure)?);
        }
    }
    loop {
        match stream.blocking_read(65_536) {
            Ok(more) => got.extend(more),
            Err(error) => return Ok(format!("{}, the same: {}, {}", got.len(), got == data, failure(error))),
        }
    }
}

fn failed(answer: &[u8]) -> Outcome {
    Ok(match exchange(answer)? {
        Ok(answer) => format!("an answer: {}", answer.status()),
        Err(error) => format!("{error:?}"),
    })
}

fn nonsense() -> Outcome {
    failed(b"this is no answer\r\n\r\n")
}

fn closed() -> Outcome {
    failed(b"")
}

fn nobody() -> Outcome {
    let (listener, port) = server()?;
    drop(listener);
    let future = send(request_to(port, Fields::new())?)?;
    Ok(format!("{:?}", response(&future)?.map(|answer| answer.status())))
}

fn timeout() -> Outcome {
    let (listener, port) = server()?;
    let options = RequestOptions::new();
    options.set_first_byte_timeout(Some(50_000_000)).map_err(|()| "timeout")?;
    let request = request_to(port, Fields::new())?;
    let future = handle(request, Some(options)).map_err(|error| format!("handle: {error:?}"))?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    let answer = response(&future)?.map(|answer| answer.status());
    drop(connection);
    Ok(format!("{answer:?}"))
}
