//! The time that is waited for parts of an answer, as a request's options say.

use super::peer::{Connection, drain, ended, request_to, response, server};
use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{Fields, RequestOptions};
use crate::text::Lines;
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("http/no answer in time", first_byte),
    ("http/no more of the answer in time", between_bytes),
    ("http/an answer in time", in_time),
];

/// A time that is waited for and does not come, in nanoseconds.
const SHORT: u64 = 50_000_000;
/// A time that comes long before.
const LONG: u64 = 60_000_000_000;

fn first_byte() -> Outcome {
    let (listener, port) = server()?;
    let options = RequestOptions::new();
    options.set_first_byte_timeout(Some(SHORT)).map_err(|()| "timeout")?;
    let request = request_to(port, Fields::new())?;
    let future = handle(request, Some(options)).map_err(|error| format!("handle: {error:?}"))?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    let answer = response(&future)?.map(|answer| answer.status());
    drop(connection);
    Ok(format!("{answer:?}"))
}

fn between_bytes() -> Outcome {
    let (listener, port) = server()?;
    let options = RequestOptions::new();
    options.set_between_bytes_timeout(Some(SHORT)).map_err(|()| "timeout")?;
    let future = handle(request_to(port, Fields::new())?, Some(options)).map_err(|error| format!("handle: {error:?}"))?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    let body = answer.consume().map_err(|()| "no body")?;
    let mut lines = Lines::default();
    lines.add("body", drain(&body)?);
    drop((connection, body));
    lines.end()
}

fn in_time() -> Outcome {
    let (listener, port) = server()?;
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(LONG)).map_err(|()| "connect")?;
    options.set_first_byte_timeout(Some(LONG)).map_err(|()| "first byte")?;
    options.set_between_bytes_timeout(Some(LONG)).map_err(|()| "between bytes")?;
    let future = handle(request_to(port, Fields::new())?, Some(options)).map_err(|error| format!("handle: {error:?}"))?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsome")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    let body = answer.consume().map_err(|()| "no body")?;
    let mut lines = Lines::default();
    lines.add("body", drain(&body)?);
    lines.add("trailers", ended(body)?);
    lines.end()
}
