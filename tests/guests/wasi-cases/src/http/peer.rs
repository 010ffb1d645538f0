//! A server that is a socket of the guest's own, and what is done with its answers.

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingRequest, Scheme, http_error_code,
};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::tcp::{finish, listening, local, port};
use crate::text::bytes;

/// The connection that a request comes in by. Streams go first.
pub struct Connection {
    pub input: InputStream,
    pub output: OutputStream,
    _socket: TcpSocket,
}

impl Connection {
    pub fn of(listener: &TcpSocket) -> Result<Connection, String> {
        let accepted = finish(listener, TcpSocket::accept).map_err(|code| code.name().to_string())?;
        let (socket, input, output) = accepted;
        Ok(Connection { input, output, _socket: socket })
    }

    /// The input, until it ends so.
    pub fn read_until(&self, end: &str) -> Result<String, String> {
        let mut text = String::new();
        while !text.ends_with(end) {
            let more = self.input.blocking_read(4096).map_err(|_| format!("the request ended: {text:?}"))?;
            text.push_str(&String::from_utf8_lossy(&more));
        }
        Ok(text)
    }

    pub fn answer(&self, text: &[u8]) -> Result<(), String> {
        for part in text.chunks(4096) {
            self.output.blocking_write_and_flush(part).map_err(|_| "the answer was not taken")?;
        }
        Ok(())
    }
}

/// A request to a port of this host.
pub fn request_to(port: u16, fields: Fields) -> Result<OutgoingRequest, String> {
    let request = OutgoingRequest::new(fields);
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_authority(Some(&format!("127.0.0.1:{port}"))).map_err(|()| "authority")?;
    request.set_path_with_query(Some("/path?query")).map_err(|()| "path")?;
    Ok(request)
}

pub fn server() -> Result<(TcpSocket, u16), String> {
    let listener = listening(local(0))?;
    let at = listener.local_address().map_err(|code| code.name().to_string())?;
    Ok((listener, port(at)))
}

pub fn send(request: OutgoingRequest) -> Result<FutureIncomingResponse, String> {
    handle(request, None).map_err(|error| format!("handle: {error:?}"))
}

pub fn response(future: &FutureIncomingResponse) -> Result<Result<IncomingResponse, ErrorCode>, String> {
    let pollable = future.subscribe();
    pollable.block();
    future.get().ok_or("ready, and nothing there")?.map_err(|()| "taken before".to_string())
}

/// Outcome of a request that is answered so.
pub fn exchange(answer: &[u8]) -> Result<Result<IncomingResponse, ErrorCode>, String> {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(answer)?;
    drop(connection);
    response(&future)
}

pub fn good(answer: &[u8]) -> Result<IncomingResponse, String> {
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

/// How a body ends, whether or not it was read.
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
