//! Answers to requests that are sent, good ones and bad ones.

use super::all;
use super::peer::{Connection, drain, ended, exchange, failure, good, request_to, response, send, server};
use crate::bindings::wasi::http::types::{Fields, Method};
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("http/answered with nothing", nothing),
    ("http/answered to HEAD", to_head),
    ("http/answered after an interim response", interim),
    ("http/answered in chunks, with trailers", trailers),
    ("http/answered without trailers", no_trailers),
    ("http/answered with a body that is not read", unread),
    ("http/answered with a redirection", redirection),
    ("http/answered, and asked for twice", twice),
    ("http/answered with less than it says", cut_short),
    ("http/answered with a chunk that is none", no_chunk),
    ("http/answered with a large body", large),
    ("http/answered with what is no answer", nonsense),
    ("http/answered with fields that are none", no_fields),
    ("http/not answered", closed),
    ("http/nobody is there", nobody),
];

fn nothing() -> Outcome {
    let mut lines = Lines::default();
    for answer in [&b"HTTP/1.1 204 No Content\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"] {
        let answer = good(answer)?;
        let body = answer.consume().map_err(|()| "no body")?;
        lines.add(&answer.status().to_string(), drain(&body)?);
    }
    lines.end()
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

fn to_head() -> Outcome {
    let (listener, port) = server()?;
    let request = request_to(port, Fields::new())?;
    request.set_method(&Method::Head).map_err(|()| "method")?;
    let future = send(request)?;
    let connection = Connection::of(&listener)?;
    connection.read_until("\r\n\r\n")?;
    connection.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")?;
    let answer = response(&future)?.map_err(|error| format!("{error:?}"))?;
    let mut lines = Lines::default();
    lines.add("fields", all(&answer.headers()));
    let body = answer.consume().map_err(|()| "no body")?;
    lines.add("body", drain(&body)?);
    lines.add("trailers", ended(body)?);
    lines.end()
}

fn interim() -> Outcome {
    let answer = good(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsome",
    )?;
    let mut lines = Lines::default();
    lines.add("status", answer.status().to_string());
    lines.add("fields", all(&answer.headers()));
    lines.add("body", drain(&answer.consume().map_err(|()| "no body")?)?);
    lines.end()
}

fn unread() -> Outcome {
    let answer = good(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\nx-end: 1\r\n\r\n")?;
    let body = answer.consume().map_err(|()| "no body")?;
    let mut lines = Lines::default();
    lines.add("stream", body.stream().is_ok().to_string());
    lines.add("trailers", ended(body)?);
    lines.end()
}

fn no_chunk() -> Outcome {
    let answer = good(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\nnone\r\n")?;
    drain(&answer.consume().map_err(|()| "no body")?)
}

fn no_fields() -> Outcome {
    failed(b"HTTP/1.1 200 OK\r\nno field\r\n\r\n")
}
