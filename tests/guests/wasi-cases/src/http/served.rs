//! Requests that come in. The path says how they are answered; what there is to tell of it is put out.

use crate::Cases;
use crate::bindings::exports::wasi::http::incoming_handler::Guest;
use crate::bindings::wasi::cli::stdout::get_stdout;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::http::peer::{drain, ended, failure};
use crate::http::{all, done, plain};
use crate::text::bytes;

impl Guest for Cases {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        match target.split('?').next().unwrap_or_default() {
            "/describe" | "*" => describe(&request, out),
            "/echo" => echo(&request, out),
            "/duplex" => duplex(&request, out),
            "/skip" => skip(&request, out),
            "/head" => head(out),
            "/status" => status(&target, out),
            "/trailers" => trailers(out),
            "/error" => ResponseOutparam::set(out, Err(error(&target))),
            "/dropped" => drop(out),
            "/kept" => std::mem::forget(out),
            "/twice" => twice(out),
            "/trap" => panic!("on purpose"),
            "/trap-after" => trap_after(&request, out),
            "/trap-later" => trap_later(&request, out),
            "/unfinished" => unfinished(&request, out),
            "/abandoned" => abandoned(&request, out),
            "/short" => short(&request, out),
            "/long" => long(&request, out),
            "/informational" => informational(out),
            _ => ResponseOutparam::set(out, Ok(response(404, &[]))),
        }
    }
}

/// Tells what the client does not see.
fn tell(what: &str, result: impl AsRef<str>) {
    let line = format!("{what}: {}\n", result.as_ref());
    // A line that is lost is missed by the comparison.
    let _ = get_stdout().blocking_write_and_flush(line.as_bytes());
}

fn response(status: u16, headers: &[(&str, &str)]) -> OutgoingResponse {
    let fields = Fields::new();
    for (name, value) in headers {
        if fields.append(name, value.as_bytes()).is_err() {
            tell(name, "refused");
        }
    }
    let response = OutgoingResponse::new(fields);
    if response.set_status_code(status).is_err() {
        tell("status", "refused");
    }
    response
}

/// Answers, and gives the body that follows.
fn begin(out: ResponseOutparam, response: OutgoingResponse) -> OutgoingBody {
    let body = response.body().expect("a response has a body");
    ResponseOutparam::set(out, Ok(response));
    body
}

fn write(stream: &OutputStream, bytes: &[u8]) -> bool {
    bytes.chunks(4096).all(|part| match stream.blocking_write_and_flush(part) {
        Ok(()) => true,
        Err(error) => {
            tell("write", failure(error));
            false
        }
    })
}

fn finish(body: OutgoingBody, trailers: Option<Fields>) {
    if let Err(error) = OutgoingBody::finish(body, trailers) {
        tell("finish", format!("{error:?}"));
    }
}

fn text(out: ResponseOutparam, text: &str) {
    let body = begin(out, response(200, &[("content-type", "text/plain")]));
    let stream = body.write().expect("a body has a stream");
    write(&stream, text.as_bytes());
    drop(stream);
    finish(body, None);
}

fn describe(request: &IncomingRequest, out: ResponseOutparam) {
    let headers = request.headers();
    let mut seen = vec![
        format!("method {:?}", request.method()),
        format!("path {:?}", request.path_with_query()),
        format!("scheme {:?}", request.scheme()),
        format!("authority {:?}", request.authority()),
        format!("headers {}", all(&headers)),
        format!("changed {}", done(headers.set("x-a", &[b"3".to_vec()]))),
    ];
    match request.consume() {
        Ok(body) => {
            seen.push(format!("again {}", plain(request.consume().map(|_| ()))));
            seen.push(format!("body {}", drain(&body).unwrap_or_else(|error| error)));
            seen.push(format!("stream again {}", plain(body.stream().map(|_| ()))));
        }
        Err(()) => seen.push("no body".into()),
    }
    text(out, &seen.join("\n"));
}

/// The body of a request, and its bytes.
fn incoming(request: &IncomingRequest) -> (IncomingBody, InputStream) {
    let body = request.consume().expect("a request has a body");
    let stream = body.stream().expect("a body has a stream");
    (body, stream)
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let (incoming, input) = incoming(request);
    let body = begin(out, response(200, &[]));
    let output = body.write().expect("a body has a stream");
    let end = loop {
        match input.blocking_read(4096) {
            Ok(part) if write(&output, &part) => {}
            Ok(_) => break "not taken".to_string(),
            Err(error) => break failure(error),
        }
    };
    tell("read", end);
    drop((input, output));
    tell("trailers", ended(incoming).unwrap_or_else(|error| error));
    finish(body, None);
}

/// Answers each part of the body before there is another.
fn duplex(request: &IncomingRequest, out: ResponseOutparam) {
    let (_incoming, input) = incoming(request);
    let body = begin(out, response(200, &[]));
    let output = body.write().expect("a body has a stream");
    write(&output, b"begin");
    let mut parts = 0;
    while let Ok(part) = input.blocking_read(4096) {
        parts += 1;
        write(&output, format!(" {parts} {}", String::from_utf8_lossy(&part)).as_bytes());
    }
    drop(output);
    finish(body, None);
}

/// The trailers without the body.
fn skip(request: &IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().expect("a request has a body");
    text(out, &ended(body).unwrap_or_else(|error| error));
}

fn head(out: ResponseOutparam) {
    let answer = response(200, &[("content-length", "5"), ("x-head", "1")]);
    ResponseOutparam::set(out, Ok(answer));
}

/// A response without a body.
fn status(target: &str, out: ResponseOutparam) {
    let status = target.split('?').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let answer = response(status, &[("x-a", "1"), ("x-b", ""), ("x-a", "2"), ("location", "/elsewhere")]);
    tell("status", answer.status_code().to_string());
    ResponseOutparam::set(out, Ok(answer));
}

fn trailers(out: ResponseOutparam) {
    let body = begin(out, response(200, &[("trailer", "x-end, x-more")]));
    let stream = body.write().expect("a body has a stream");
    write(&stream, b"some text");
    drop(stream);
    let trailers = Fields::new();
    for (name, value) in [("x-end", "1"), ("x-more", "2")] {
        tell(name, done(trailers.append(name, value.as_bytes())));
    }
    finish(body, Some(trailers));
}

fn error(target: &str) -> ErrorCode {
    match target.split('?').nth(1) {
        Some("internal") => ErrorCode::InternalError(Some("a reason".into())),
        Some("denied") => ErrorCode::HttpRequestDenied,
        Some("timeout") => ErrorCode::HttpResponseTimeout,
        Some("size") => ErrorCode::HttpRequestBodySize(Some(1)),
        _ => ErrorCode::ConfigurationError,
    }
}

/// The handle again, behind the back of its type.
fn twice(out: ResponseOutparam) {
    let handle = out.handle();
    text(out, "once");
    let again = unsafe { ResponseOutparam::from_handle(handle) };
    tell("again", "begins");
    ResponseOutparam::set(again, Ok(response(201, &[])));
    tell("again", "returned");
}

/// Waits for the client to say that it has got what was sent: its body ends.
fn wait_for_client(request: &IncomingRequest) {
    let (_body, input) = incoming(request);
    while input.blocking_read(4096).is_ok() {}
}

/// A body of which `text` has arrived when this returns.
fn part(request: &IncomingRequest, out: ResponseOutparam, headers: &[(&str, &str)], text: &str) -> (OutgoingBody, OutputStream) {
    let body = begin(out, response(200, headers));
    let stream = body.write().expect("a body has a stream");
    write(&stream, text.as_bytes());
    wait_for_client(request);
    (body, stream)
}

fn trap_after(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = part(request, out, &[], "part");
    drop(stream);
    finish(body, None);
    panic!("on purpose");
}

fn trap_later(request: &IncomingRequest, out: ResponseOutparam) {
    let _body = part(request, out, &[], "part");
    panic!("on purpose");
}

fn unfinished(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = part(request, out, &[], "part");
    drop(stream);
    drop(body);
}

/// The handles are never dropped: they end with the instance.
fn abandoned(request: &IncomingRequest, out: ResponseOutparam) {
    std::mem::forget(part(request, out, &[], "part"));
}

fn short(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = part(request, out, &[("content-length", "10")], "part");
    drop(stream);
    finish(body, None);
}

fn long(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = part(request, out, &[("content-length", "6")], "part");
    write(&stream, b"more");
    drop(stream);
    finish(body, None);
}

fn informational(out: ResponseOutparam) {
    let fields = Fields::new();
    tell("link", done(fields.append("link", b"</style.css>; rel=preload")));
    // Its line is there whether or not the call returns.
    let line = |text: &str| {
        let _ = get_stdout().blocking_write_and_flush(text.as_bytes());
    };
    line("informational: ");
    line(&match out.send_informational(103, fields) {
        Ok(()) => "sent".to_string(),
        Err(error) => format!("{error:?}"),
    });
    ResponseOutparam::set(out, Err(ErrorCode::InternalError(None)));
}
