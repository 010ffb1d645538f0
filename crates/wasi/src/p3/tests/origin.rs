//! A server that guests send requests to, and a client for what they serve: over real sockets, one request for each connection.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Time that no exchange of a test takes.
pub(super) const PATIENT: Duration = Duration::from_secs(60);

/// The answer to a request.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    Text(u16, &'static str),
    /// Chunks, and trailers.
    Chunks(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// The body of the request.
    EchoBody,
    /// The headers of the request, its trailers, method and path, as headers.
    EchoHeaders,
    /// A body that ends before its declared length.
    Cut(&'static str),
    /// A body that goes on only when the client is gone.
    Stall(&'static str),
    /// No answer, until the client is gone.
    Never,
}

/// A method, a path, and the answer.
pub(super) type Route = (&'static str, &'static str, Reply);

/// A message: its first line, its headers in lower case, its body and its trailers.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) first: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
    /// True if the body ended as it should.
    pub(super) is_whole: bool,
}

impl Message {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(other, value)| (other == name).then_some(value.as_str()))
    }

    pub(super) fn status(&self) -> u16 {
        let status = self.first.split(' ').nth(1).unwrap_or_default();
        status
            .parse()
            .unwrap_or_else(|_| panic!("no status in {:?}", self.first))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.ends_with('\n').then(|| line.trim_end().to_owned())
}

fn fields(reader: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':')?;
        fields.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

/// Reads a message; `None` if its head is not complete. `to_end` reads a body without a length to the end of the connection.
pub(super) fn read(reader: &mut impl BufRead, to_end: bool) -> Option<Message> {
    let mut message = Message {
        first: line(reader)?,
        headers: fields(reader)?,
        ..Message::default()
    };
    message.is_whole = read_body(reader, to_end, &mut message).is_some();
    Some(message)
}

fn read_body(reader: &mut impl BufRead, to_end: bool, message: &mut Message) -> Option<()> {
    if message.header("transfer-encoding").is_some() {
        loop {
            let size = line(reader)?;
            let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
            if size == 0 {
                message.trailers = fields(reader)?;
                return Some(());
            }
            let start = message.body.len();
            message.body.resize(start + size, 0);
            reader.read_exact(&mut message.body[start..]).ok()?;
            line(reader)?;
        }
    }
    match message.header("content-length").map(str::parse::<usize>) {
        Some(len) => {
            let len = u64::try_from(len.ok()?).ok()?;
            let read = reader.take(len).read_to_end(&mut message.body).ok()?;
            (u64::try_from(read).ok()? == len).then_some(())
        }
        None if to_end => reader.read_to_end(&mut message.body).ok().map(drop),
        None => Some(()),
    }
}

/// Starts a server with these routes, which runs as long as the process.
pub(super) fn start(routes: &'static [Route]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(&stream, routes));
        }
    });
    addr
}

/// Returns an address at which no server listens.
pub(super) fn closed() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

fn answer(mut stream: &TcpStream, routes: &[Route]) -> Option<()> {
    stream.set_read_timeout(Some(PATIENT)).ok()?;
    let mut reader = BufReader::new(stream);
    let request = read(&mut reader, false).filter(|request| request.is_whole)?;
    let mut first = request.first.split(' ');
    let (method, path) = (first.next()?, first.next()?);
    let mut routes = routes.iter();
    let route = routes.find(|route| (route.0, route.1) == (method, path));
    let mut head = String::new();
    let mut body = Vec::new();
    let mut status = 200;
    match route.map_or(Reply::Text(404, ""), |route| route.2) {
        Reply::Text(code, text) => {
            status = code;
            body.extend_from_slice(text.as_bytes());
        }
        Reply::EchoBody => body.extend_from_slice(&request.body),
        Reply::EchoHeaders => {
            write!(head, "x-request-method: {method}\r\nx-request-path: {path}\r\n").ok()?;
            for (name, value) in &request.headers {
                write!(head, "x-echo-{name}: {value}\r\n").ok()?;
            }
            for (name, value) in &request.trailers {
                write!(head, "x-trailer-{name}: {value}\r\n").ok()?;
            }
        }
        Reply::Chunks(chunks, trailers) => {
            let names: Vec<&str> = trailers.iter().map(|(name, _)| *name).collect();
            if !names.is_empty() {
                write!(head, "trailer: {}\r\n", names.join(", ")).ok()?;
            }
            let mut text =
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n{head}\r\n");
            for chunk in chunks {
                write!(text, "{:x}\r\n{chunk}\r\n", chunk.len()).ok()?;
            }
            text += "0\r\n";
            for (name, value) in trailers {
                write!(text, "{name}: {value}\r\n").ok()?;
            }
            return stream.write_all((text + "\r\n").as_bytes()).ok();
        }
        Reply::Cut(text) => {
            let len = text.len() + 1;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{text}");
            return stream.write_all(head.as_bytes()).ok();
        }
        Reply::Stall(text) => {
            let len = text.len() + 1;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{text}");
            stream.write_all(head.as_bytes()).ok()?;
            let mut rest = Vec::new();
            return reader.read_to_end(&mut rest).ok().map(drop);
        }
        Reply::Never => {
            let mut rest = Vec::new();
            return reader.read_to_end(&mut rest).ok().map(drop);
        }
    }
    let len = body.len();
    let mut text =
        format!("HTTP/1.1 {status} Status\r\ncontent-length: {len}\r\nconnection: close\r\n{head}\r\n")
            .into_bytes();
    if method != "HEAD" {
        text.extend_from_slice(&body);
    }
    stream.write_all(&text).ok()
}

/// Sends a request, and returns the answer.
pub(super) fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Message {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENT)).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        write!(head, "host: {addr}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if let Some(body) = body {
        write!(head, "content-length: {}\r\n", body.len()).unwrap();
    }
    stream.write_all((head + "\r\n").as_bytes()).unwrap();
    // The server may answer, and close, before it has the body.
    let _ = stream.write_all(body.unwrap_or_default());
    read(&mut BufReader::new(&stream), true).expect("there is an answer")
}
