//! Requests to other servers.

use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingRequest, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam,
    Scheme, http_error_code,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::{text, write};

/// A request for a URL, as far as it can be made.
fn request(url: &str, method: &Method) -> Result<OutgoingRequest, ErrorCode> {
    let (scheme, rest) = url.split_once("://").ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let headers = Fields::from_list(&[("user-agent".to_owned(), b"guest".to_vec())]).unwrap();
    let request = OutgoingRequest::new(headers);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let set = request
        .set_scheme(Some(&scheme))
        .and(request.set_authority(Some(authority)))
        .and(request.set_path_with_query(Some(path)))
        .and(request.set_method(method));
    set.map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(request)
}

fn wait(future: FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    future.subscribe().block();
    let response = future.get().unwrap().unwrap();
    assert!(future.get().unwrap().is_err(), "a response is got once");
    response
}

fn send(url: &str) -> Result<IncomingResponse, ErrorCode> {
    wait(outgoing_handler::handle(request(url, &Method::Get)?, None)?)
}

/// The whole body.
fn read(response: &IncomingResponse) -> Result<Vec<u8>, ErrorCode> {
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 20) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(http_error_code(&error).expect("an error of HTTP's"));
            }
        }
    }
}

fn tell(out: ResponseOutparam, result: Result<(u16, Vec<u8>), ErrorCode>) {
    match result {
        Ok((status, body)) => text(out, 200, &format!("{status} {}", String::from_utf8_lossy(&body))),
        Err(code) => text(out, 200, &format!("{code:?}")),
    }
}

/// Response of a URL: status and body, or the error.
pub fn get(out: ResponseOutparam, url: &str) {
    let result = send(url).and_then(|response| Ok((response.status(), read(&response)?)));
    tell(out, result);
}

/// Sends the request's body there.
pub fn post(incoming: IncomingRequest, out: ResponseOutparam, url: &str) {
    let exchange = || {
        let request = request(url, &Method::Post)?;
        let body = request.body().unwrap();
        let future = outgoing_handler::handle(request, None)?;
        let source = incoming.consume().unwrap();
        let input = source.stream().unwrap();
        let output = body.write().unwrap();
        while output.blocking_splice(&input, 1 << 20).is_ok() {}
        drop((input, output));
        OutgoingBody::finish(body, None)?;
        let response = wait(future)?;
        Ok((response.status(), read(&response)?))
    };
    tell(out, exchange());
}

/// Hands a response on, its body as it comes.
pub fn proxy(_: IncomingRequest, out: ResponseOutparam, url: &str) {
    let response = match send(url) {
        Ok(response) => response,
        Err(code) => return ResponseOutparam::set(out, Err(code)),
    };
    let headers = Fields::new();
    for (name, value) in response.headers().entries() {
        headers.append(&name, &value).unwrap();
    }
    let answer = OutgoingResponse::new(headers);
    answer.set_status_code(response.status()).unwrap();
    let body = answer.body().unwrap();
    ResponseOutparam::set(out, Ok(answer));
    let source = response.consume().unwrap();
    let input = source.stream().unwrap();
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

/// Asks until there are no more connections; how many there were, and the error.
pub fn gets(out: ResponseOutparam, url: &str) {
    let mut open = Vec::new();
    let error = loop {
        match request(url, &Method::Get).and_then(|request| outgoing_handler::handle(request, None)) {
            Ok(future) => open.push(future),
            Err(code) => break code,
        }
        assert!(open.len() < 10_000, "there is a limit");
    };
    text(out, 200, &format!("{} {error:?}", open.len()));
}

/// Asks with little time for everything.
pub fn timeouts(out: ResponseOutparam, url: &str) {
    let exchange = || {
        let options = RequestOptions::new();
        options.set_connect_timeout(Some(200_000_000)).unwrap();
        options.set_first_byte_timeout(Some(200_000_000)).unwrap();
        options.set_between_bytes_timeout(Some(200_000_000)).unwrap();
        let response = wait(outgoing_handler::handle(request(url, &Method::Get)?, Some(options))?)?;
        Ok((response.status(), read(&response)?))
    };
    tell(out, exchange());
}

/// Asks, and wants no answer.
pub fn abandon(out: ResponseOutparam, url: &str) {
    for _ in 0..200 {
        match request(url, &Method::Get).and_then(|request| outgoing_handler::handle(request, None)) {
            Ok(future) => drop(future),
            Err(code) => return text(out, 200, &format!("{code:?}")),
        }
    }
    text(out, 200, "done");
}

/// Promises a body and does not send all of it.
pub fn unsent(out: ResponseOutparam, url: &str) {
    let exchange = || {
        let request = request(url, &Method::Post)?;
        let body = request.body().unwrap();
        let future = outgoing_handler::handle(request, None)?;
        let output = body.write().unwrap();
        let _ = write(&output, b"some");
        drop(output);
        drop(body);
        let response = wait(future)?;
        Ok((response.status(), read(&response)?))
    };
    tell(out, exchange());
}

/// Asks for a tunnel.
pub fn connect(out: ResponseOutparam, url: &str) {
    let result = request(url, &Method::Connect).and_then(|request| outgoing_handler::handle(request, None));
    let told = result.err().map_or("a tunnel".to_owned(), |code| format!("{code:?}"));
    text(out, 200, &told);
}
