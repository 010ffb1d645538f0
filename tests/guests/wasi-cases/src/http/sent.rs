//! Requests that are sent, as the server gets them.

use super::peer::{Connection, drain, failure, request_to, response, send, server};
use crate::bindings::wasi::http::types::{Fields, Method, OutgoingBody};
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("http/sent and answered", answered),
    ("http/sent with headers", headers),
    ("http/sent with a body of known length", body_length),
    ("http/sent with a body in chunks", body_chunks),
    ("http/sent with trailers", trailers),
    ("http/sent with each method", methods),
    ("http/sent with a body that is not finished", unfinished),
    ("http/sent, and not waited for", abandoned),
];

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

/// Sends `parts` as a body; what the server got of it. The first arrives as `first`, all with `end`.
fn with_body(length: Option<&str>, parts: &[&str], first: &str, end: &str) -> Outcome {
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
    let mut text = String::new();
    for part in parts {
        // There is nothing to wait for behind a body's last byte: whoever reads it may be gone.
        stream.subscribe().block();
        stream.check_write().map_err(failure)?;
        stream.write(part.as_bytes()).map_err(failure)?;
        // A body whose end is known when it is begun may be sent with its length.
        if text.is_empty() {
            text = connection.read_until(first)?;
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|error| format!("finish: {error:?}"))?;
    text.push_str(&connection.read_until(end)?);
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
    with_body(Some("9"), &["some ", "text"], "some ", "text")
}

fn body_chunks() -> Outcome {
    with_body(None, &["some ", "text"], "some \r\n", "0\r\n\r\n")
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

fn trailers() -> Outcome {
    let (listener, port) = server()?;
    let fields = Fields::new();
    fields.set("trailer", &[b"x-end".to_vec()]).map_err(|_| "trailer")?;
    let request = request_to(port, fields)?;
    request.set_method(&Method::Put).map_err(|()| "method")?;
    let body = request.body().map_err(|()| "no body")?;
    let future = send(request)?;
    let connection = Connection::of(&listener)?;
    let stream = body.write().map_err(|()| "no stream")?;
    stream.blocking_write_and_flush(b"some text").map_err(failure)?;
    drop(stream);
    let trailers = Fields::new();
    trailers.set("x-end", &[b"1".to_vec()]).map_err(|_| "x-end")?;
    OutgoingBody::finish(body, Some(trailers)).map_err(|error| format!("finish: {error:?}"))?;
    let text = connection.read_until("\r\n0\r\nx-end: 1\r\n\r\n")?;
    let mut lines = Lines::default();
    lines.add("text", text.contains("some text").to_string());
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    lines.add("status", format!("{:?}", response(&future)?.map(|answer| answer.status())));
    lines.end()
}

fn unfinished() -> Outcome {
    let (listener, port) = server()?;
    let request = request_to(port, Fields::new())?;
    request.set_method(&Method::Post).map_err(|()| "method")?;
    let body = request.body().map_err(|()| "no body")?;
    let future = send(request)?;
    let connection = Connection::of(&listener)?;
    let stream = body.write().map_err(|()| "no stream")?;
    stream.blocking_write_and_flush(b"some").map_err(failure)?;
    connection.read_until("some\r\n")?;
    drop((stream, body));
    let mut lines = Lines::default();
    lines.add("the server", connection.read_until("0\r\n\r\n").unwrap_or_else(|error| error));
    drop(connection);
    lines.add("answered", format!("{:?}", response(&future)?.map(|answer| answer.status())));
    lines.end()
}

fn abandoned() -> Outcome {
    let (listener, port) = server()?;
    let future = send(request_to(port, Fields::new())?)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    drop(future);
    Ok(connection.input.blocking_read(1).map_or_else(failure, |more| bytes(&more)))
}
