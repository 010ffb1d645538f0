//! Cases of `wasi:http/types`, and of requests that are refused before they are sent. Those that are sent are in `sent`, what
//! comes back in `answered` and `waits`, and requests that come in in `served`.

pub mod answered;
mod peer;
pub mod sent;
mod served;
pub mod waits;

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    Fields, HeaderError, Headers, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions, Scheme,
};
use crate::text::{Lines, bytes};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("http/fields", fields),
    ("http/fields with several values", fields_several),
    ("http/fields ignore case", fields_case),
    ("http/fields that are wrong", fields_wrong),
    ("http/fields that are forbidden", fields_forbidden),
    ("http/fields from-list", fields_from_list),
    ("http/fields clone", fields_clone),
    ("http/headers of a request are fixed", headers_fixed),
    ("http/request begins", request),
    ("http/request method", request_method),
    ("http/request path-with-query", request_path),
    ("http/request scheme", request_scheme),
    ("http/request authority", request_authority),
    ("http/request body once", request_body),
    ("http/request-options", options),
    ("http/response", response),
    ("http/response status-code", response_status),
    ("http/body write once", body_write),
    ("http/body longer than it says", body_long),
    ("http/body shorter than it says", body_short),
    ("http/request without an authority", handle_nowhere),
    ("http/request to another scheme", handle_scheme),
];

fn done(result: Result<(), HeaderError>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(HeaderError::InvalidSyntax) => "invalid-syntax",
        Err(HeaderError::Forbidden) => "forbidden",
        Err(HeaderError::Immutable) => "immutable",
    }
}

fn plain<T, E>(result: Result<T, E>) -> &'static str {
    if result.is_ok() { "ok" } else { "refused" }
}

fn values(fields: &Fields, name: &str) -> String {
    let values: Vec<String> = fields.get(name).iter().map(|value| bytes(value)).collect();
    format!("[{}]", values.join(", "))
}

fn all(fields: &Fields) -> String {
    let mut entries: Vec<String> =
        fields.entries().iter().map(|(name, value)| format!("{name}={}", bytes(value))).collect();
    entries.sort();
    entries.join(" ")
}

fn fields() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("none", values(&fields, "a"));
    lines.add("has", fields.has("a").to_string());
    lines.add("set", done(fields.set("a", &[b"1".to_vec()])));
    lines.add("get", values(&fields, "a"));
    lines.add("has", fields.has("a").to_string());
    lines.add("set again", done(fields.set("a", &[b"2".to_vec()])));
    lines.add("get", values(&fields, "a"));
    lines.add("delete", done(fields.delete("a")));
    lines.add("delete again", done(fields.delete("a")));
    lines.add("all", all(&fields));
    lines.end()
}

fn fields_several() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("append", done(fields.append("a", b"1")));
    lines.add("append", done(fields.append("a", b"2")));
    lines.add("append", done(fields.append("b", b"")));
    lines.add("get", values(&fields, "a"));
    lines.add("all", all(&fields));
    lines.add("set to none", done(fields.set("a", &[])));
    lines.add("has", fields.has("a").to_string());
    lines.add("set to two", done(fields.set("b", &[b"x".to_vec(), b"y".to_vec()])));
    lines.add("all", all(&fields));
    lines.end()
}

fn fields_case() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("append", done(fields.append("X-One", b"1")));
    lines.add("append", done(fields.append("x-oNE", b"2")));
    lines.add("get", values(&fields, "x-one"));
    lines.add("has", fields.has("X-ONE").to_string());
    lines.end()
}

fn fields_wrong() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    for name in ["", " ", "a b", "a:b", "a\r\nb", "ü", "a\0"] {
        lines.add(&format!("set {name:?}"), done(fields.set(name, &[b"x".to_vec()])));
        lines.add(&format!("append {name:?}"), done(fields.append(name, b"x")));
        lines.add(&format!("delete {name:?}"), done(fields.delete(name)));
        lines.add(&format!("get {name:?}"), values(&fields, name));
        lines.add(&format!("has {name:?}"), fields.has(name).to_string());
    }
    for value in [&b"a\r\nb: c"[..], b"a\n", b"\0", b"a\tb", b"\xff", "ü".as_bytes()] {
        lines.add(&format!("value {}", bytes(value)), done(fields.set("a", &[value.to_vec()])));
    }
    lines.end()
}

fn fields_forbidden() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    for name in ["connection", "Host", "keep-alive", "transfer-encoding", "upgrade", "te", "proxy-connection", "content-length"] {
        lines.add(name, done(fields.set(name, &[b"1".to_vec()])));
    }
    lines.end()
}

fn fields_from_list() -> Outcome {
    let mut lines = Lines::default();
    let entry = |name: &str, value: &[u8]| (name.to_string(), value.to_vec());
    for (what, list) in [
        ("two", vec![entry("a", b"1"), entry("b", b"2")]),
        ("one twice", vec![entry("a", b"1"), entry("A", b"2")]),
        ("none", vec![]),
        ("a wrong name", vec![entry("a", b"1"), entry("b c", b"2")]),
        ("a wrong value", vec![entry("a", b"1\n")]),
        ("a forbidden name", vec![entry("host", b"x")]),
    ] {
        match Fields::from_list(&list) {
            Ok(fields) => lines.add(what, all(&fields)),
            Err(error) => lines.add(what, done(Err(error))),
        };
    }
    lines.end()
}

fn fields_clone() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("set", done(fields.set("a", &[b"1".to_vec()])));
    let clone = fields.clone();
    lines.add("change the clone", done(clone.set("a", &[b"2".to_vec()])));
    lines.add("first", all(&fields));
    lines.add("clone", all(&clone));
    lines.end()
}

fn headers_fixed() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("set", done(fields.set("a", &[b"1".to_vec()])));
    let request = OutgoingRequest::new(fields);
    let headers: Headers = request.headers();
    lines.add("all", all(&headers));
    lines.add("set", done(headers.set("a", &[b"2".to_vec()])));
    lines.add("append", done(headers.append("b", b"2")));
    lines.add("delete", done(headers.delete("a")));
    let copy = headers.clone();
    lines.add("set the clone", done(copy.set("a", &[b"2".to_vec()])));
    lines.add("all", all(&headers));
    lines.end()
}

fn new_request() -> OutgoingRequest {
    OutgoingRequest::new(Fields::new())
}

fn request() -> Outcome {
    let request = new_request();
    Ok(format!(
        "{:?} {:?} {:?} {:?}",
        request.method(),
        request.scheme(),
        request.authority(),
        request.path_with_query()
    ))
}

fn request_method() -> Outcome {
    let request = new_request();
    let mut lines = Lines::default();
    for method in [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Delete,
        Method::Connect,
        Method::Options,
        Method::Trace,
        Method::Patch,
        Method::Other("LIST".into()),
        Method::Other("get".into()),
        Method::Other("".into()),
        Method::Other("A B".into()),
        Method::Other("A\r\nB".into()),
    ] {
        lines.add(&format!("{method:?}"), plain(request.set_method(&method)));
    }
    lines.add("is", format!("{:?}", request.method()));
    lines.end()
}

fn request_path() -> Outcome {
    let request = new_request();
    let mut lines = Lines::default();
    for path in [Some("/"), Some("/a?b=c"), Some(""), Some("/a b"), Some("/\r\n"), Some("/ü"), None] {
        lines.add(&format!("{path:?}"), plain(request.set_path_with_query(path)));
        lines.add("is", format!("{:?}", request.path_with_query()));
    }
    lines.end()
}

fn request_scheme() -> Outcome {
    let request = new_request();
    let mut lines = Lines::default();
    for scheme in [
        Some(Scheme::Http),
        Some(Scheme::Https),
        Some(Scheme::Other("ftp".into())),
        Some(Scheme::Other("".into())),
        Some(Scheme::Other("a b".into())),
        None,
    ] {
        lines.add(&format!("{scheme:?}"), plain(request.set_scheme(scheme.as_ref())));
        lines.add("is", format!("{:?}", request.scheme()));
    }
    lines.end()
}

fn request_authority() -> Outcome {
    let request = new_request();
    let mut lines = Lines::default();
    for authority in [
        Some("example.com"),
        Some("127.0.0.1:8080"),
        Some("[::1]:80"),
        Some("a b"),
        Some("a\r\nb"),
        Some("example.com:port"),
        None,
    ] {
        lines.add(&format!("{authority:?}"), plain(request.set_authority(authority)));
        lines.add("is", format!("{:?}", request.authority()));
    }
    lines.end()
}

fn request_body() -> Outcome {
    let request = new_request();
    let one = request.body();
    let mut lines = Lines::default();
    lines.add("first", plain(one.as_ref().map(|_| ())));
    lines.add("second", plain(request.body().map(|_| ())));
    lines.end()
}

fn options() -> Outcome {
    let options = RequestOptions::new();
    let mut lines = Lines::default();
    for value in [None, Some(1_000_000), Some(0), Some(u64::MAX)] {
        lines.add(&format!("connect {value:?}"), plain(options.set_connect_timeout(value)));
        lines.add("is", format!("{:?}", options.connect_timeout()));
        lines.add(&format!("first byte {value:?}"), plain(options.set_first_byte_timeout(value)));
        lines.add("is", format!("{:?}", options.first_byte_timeout()));
        lines.add(&format!("between bytes {value:?}"), plain(options.set_between_bytes_timeout(value)));
        lines.add("is", format!("{:?}", options.between_bytes_timeout()));
    }
    lines.end()
}

fn response() -> Outcome {
    let fields = Fields::new();
    let mut lines = Lines::default();
    lines.add("set", done(fields.set("a", &[b"1".to_vec()])));
    let response = OutgoingResponse::new(fields);
    lines.add("status", response.status_code().to_string());
    lines.add("headers", all(&response.headers()));
    lines.add("set", done(response.headers().set("a", &[b"2".to_vec()])));
    let body = response.body();
    lines.add("body", plain(body.as_ref().map(|_| ())));
    lines.add("again", plain(response.body().map(|_| ())));
    lines.end()
}

fn response_status() -> Outcome {
    let response = OutgoingResponse::new(Fields::new());
    let mut lines = Lines::default();
    for status in [100, 204, 404, 599, 0, 99, 999, 1000, u16::MAX] {
        lines.add(&status.to_string(), plain(response.set_status_code(status)));
    }
    lines.add("is", response.status_code().to_string());
    lines.end()
}

fn body_of(length: Option<&str>) -> Result<(OutgoingRequest, OutgoingBody), String> {
    let fields = Fields::new();
    if let Some(length) = length {
        fields.set("content-length", &[length.as_bytes().to_vec()]).map_err(|error| done(Err(error)))?;
    }
    let request = OutgoingRequest::new(fields);
    let body = request.body().map_err(|()| "no body")?;
    Ok((request, body))
}

fn body_write() -> Outcome {
    let (_request, body) = body_of(None)?;
    let stream = body.write();
    let mut lines = Lines::default();
    lines.add("first", plain(stream.as_ref().map(|_| ())));
    lines.add("second", plain(body.write().map(|_| ())));
    drop(stream);
    lines.add("after it was dropped", plain(body.write().map(|_| ())));
    lines.end()
}

fn body_long() -> Outcome {
    let (_request, body) = body_of(Some("3"))?;
    let stream = body.write().map_err(|()| "no stream")?;
    stream.subscribe().block();
    let room = stream.check_write().map_err(|_| "check-write")?;
    let mut lines = Lines::default();
    lines.add("room", (room >= 4).to_string());
    lines.add("write", plain(stream.write(b"four")));
    drop(stream);
    lines.add("finish", OutgoingBody::finish(body, None).map_or_else(|error| format!("{error:?}"), |()| "ok".into()));
    lines.end()
}

fn body_short() -> Outcome {
    let (_request, body) = body_of(Some("10"))?;
    let stream = body.write().map_err(|()| "no stream")?;
    stream.subscribe().block();
    stream.check_write().map_err(|_| "check-write")?;
    let mut lines = Lines::default();
    lines.add("write", plain(stream.write(b"four")));
    drop(stream);
    lines.add("finish", OutgoingBody::finish(body, None).map_or_else(|error| format!("{error:?}"), |()| "ok".into()));
    lines.end()
}

fn sent(request: OutgoingRequest) -> String {
    match handle(request, None) {
        Ok(_) => "it is on its way".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn handle_nowhere() -> Outcome {
    let request = new_request();
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_path_with_query(Some("/")).map_err(|()| "path")?;
    Ok(sent(request))
}

fn handle_scheme() -> Outcome {
    let request = new_request();
    request.set_scheme(Some(&Scheme::Other("ftp".into()))).map_err(|()| "scheme")?;
    request.set_authority(Some("127.0.0.1:1")).map_err(|()| "authority")?;
    request.set_path_with_query(Some("/")).map_err(|()| "path")?;
    Ok(sent(request))
}
