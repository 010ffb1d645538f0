//! Answers as they should be.

use crate::bindings::wasi::cli::environment;
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::{begin, text, write};

/// The request's body, as it comes.
pub fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let headers = Fields::new();
    for name in ["content-type", "content-length"] {
        let values = request.headers().get(name);
        headers.set(name, &values).unwrap();
    }
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let incoming = request.consume().unwrap();
    let input = incoming.stream().unwrap();
    let output = body.write().unwrap();
    let whole = loop {
        match output.blocking_splice(&input, 1 << 20) {
            Ok(_) => {}
            Err(StreamError::Closed) => break true,
            Err(StreamError::LastOperationFailed(_)) => break false,
        }
    };
    drop((input, output));
    if whole {
        let _ = OutgoingBody::finish(body, None);
    }
}

/// How many bytes the body has, or what it failed of.
pub fn count(request: IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    assert!(request.consume().is_err(), "a body is taken once");
    let input = body.stream().unwrap();
    assert!(body.stream().is_err(), "a stream is taken once");
    let mut bytes = 0;
    let failed = loop {
        match input.blocking_read(1 << 20) {
            Ok(part) => bytes += part.len(),
            Err(StreamError::Closed) => break None,
            Err(StreamError::LastOperationFailed(error)) => {
                break Some(crate::bindings::wasi::http::types::http_error_code(&error));
            }
        }
    };
    drop(input);
    match failed {
        None => text(out, 200, &bytes.to_string()),
        Some(Some(code)) => ResponseOutparam::set(out, Err(code)),
        Some(None) => text(out, 500, "no code"),
    }
}

/// The request.
pub fn describe(request: IncomingRequest, out: ResponseOutparam) {
    let mut lines = format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n",
        request.method(),
        request.scheme(),
        request.authority(),
        request.path_with_query()
    );
    for (name, value) in request.headers().entries() {
        lines.push_str(&format!("{name}: {}\n", value.escape_ascii()));
    }
    text(out, 200, &lines);
}

pub fn status(out: ResponseOutparam, status: u64) {
    let response = OutgoingResponse::new(Fields::new());
    let status = u16::try_from(status).unwrap_or(u16::MAX);
    match response.set_status_code(status) {
        Ok(()) => {
            assert_eq!(response.status_code(), status);
            ResponseOutparam::set(out, Ok(response));
        }
        Err(()) => text(out, 400, "no such status"),
    }
}

/// Ten lines, one each so many milliseconds.
pub fn stream(out: ResponseOutparam, millis: u64) {
    let body = begin(out);
    let output = body.write().unwrap();
    for number in 0..10 {
        if write(&output, format!("line {number}\n").as_bytes()).is_err() {
            return;
        }
        monotonic_clock::subscribe_duration(millis * 1_000_000).block();
    }
    drop(output);
    OutgoingBody::finish(body, None).unwrap();
}

/// So many bytes.
pub fn large(out: ResponseOutparam, mut bytes: u64) {
    let body = begin(out);
    let output = body.write().unwrap();
    let part = [b'x'; 4096];
    while bytes > 0 {
        let len = bytes.min(4096);
        if write(&output, &part[..len as usize]).is_err() {
            return;
        }
        bytes -= len;
    }
    drop(output);
    OutgoingBody::finish(body, None).unwrap();
}

/// An answer after so many milliseconds.
pub fn late(out: ResponseOutparam, millis: u64) {
    monotonic_clock::subscribe_duration(millis.saturating_mul(1_000_000)).block();
    text(out, 200, "late");
}

/// The request's trailers, as trailers of the response and in its body.
pub fn trailers(request: IncomingRequest, out: ResponseOutparam) {
    let incoming = request.consume().unwrap();
    let future = IncomingBody::finish(incoming);
    future.subscribe().block();
    let trailers = future.get().unwrap().unwrap();
    assert_eq!(future.get().map(|again| again.is_err()), Some(true), "trailers are got once");
    let headers = Fields::from_list(&[("trailer".to_owned(), b"x-seen".to_vec())]).unwrap();
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let output = body.write().unwrap();
    let told = match &trailers {
        Ok(Some(fields)) => format!("{:?}", fields.get("x-sum").first().map(|sum| sum.escape_ascii().to_string())),
        Ok(None) => "none".to_owned(),
        Err(code) => format!("{code:?}"),
    };
    let _ = write(&output, told.as_bytes());
    drop(output);
    let own = Fields::from_list(&[("x-seen".to_owned(), b"yes".to_vec())]).unwrap();
    OutgoingBody::finish(body, Some(own)).unwrap();
}

pub fn environment(out: ResponseOutparam) {
    let lines: Vec<String> = environment::get_environment()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    text(out, 200, &lines.join("\n"));
}
