//! Answers requests, well and badly. The path says what is to be done; what follows it is a number or a URL.

mod bad;
mod client;
mod good;

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasi/clocks.wit",
            "../../../wit/wasi/cli.wit",
            "../../../wit/wasi/http.wit",
            "wit",
        ],
        world: "fixtures:wasi-http/guest",
        generate_all,
    });
    use super::Site;
    export!(Site);
}

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use bindings::wasi::io::streams::{OutputStream, StreamError};

struct Site;

impl Guest for Site {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, rest) = match target.split_once('?') {
            Some((path, rest)) => (path, rest.to_owned()),
            None => (target.as_str(), String::new()),
        };
        match path {
            "/" => text(out, 200, "hello"),
            "/echo" => good::echo(request, out),
            "/count" => good::count(request, out),
            "/describe" => good::describe(request, out),
            "/status" => good::status(out, number(&rest)),
            "/stream" => good::stream(out, number(&rest)),
            "/large" => good::large(out, number(&rest)),
            "/late" => good::late(out, number(&rest)),
            "/trailers" => good::trailers(request, out),
            "/environment" => good::environment(out),
            "/fields" => bad::fields(out),
            "/setters" => bad::setters(out),
            "/lengths" => bad::lengths(out),
            "/trap" => panic!("on purpose"),
            "/trap-later" => bad::trap_later(out),
            "/no-answer" => {}
            "/dropped-answer" => drop(out),
            "/error" => bad::error(out),
            "/unfinished" => bad::unfinished(out),
            "/short" => bad::short(out),
            "/long" => bad::long(out),
            "/endless" => bad::endless(out),
            "/spin" => bad::spin(),
            "/spin-later" => bad::spin_later(out),
            "/many-fields" => bad::many_fields(number(&rest)),
            "/wide-fields" => bad::wide_fields(out, number(&rest)),
            "/large-field" => bad::large_field(out, number(&rest)),
            "/many-headers" => bad::many_headers(number(&rest)),
            "/ignore" => text(out, 200, "ignored"),
            "/stream-open" => bad::stream_open(request),
            "/overwrite" => bad::overwrite(out),
            "/get" => client::get(out, &rest),
            "/post" => client::post(request, out, &rest),
            "/proxy" => client::proxy(request, out, &rest),
            "/gets" => client::gets(out, &rest),
            "/timeouts" => client::timeouts(out, &rest),
            "/abandon" => client::abandon(out, &rest),
            "/unsent" => client::unsent(out, &rest),
            "/connect" => client::connect(out, &rest),
            _ => text(out, 404, "not found"),
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// Answers with a short text.
fn text(out: ResponseOutparam, status: u16, text: &str) {
    let headers = Fields::from_list(&[("content-type".to_owned(), b"text/plain".to_vec())]).unwrap();
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    let _ = write(&stream, text.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

/// Begins an answer without a length.
fn begin(out: ResponseOutparam) -> OutgoingBody {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    body
}

/// Writes all of it, and waits for room as often as there is none.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = stream.check_write()?;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let part = bytes.len().min(room as usize);
        stream.write(&bytes[..part])?;
        bytes = &bytes[part..];
    }
    Ok(())
}
