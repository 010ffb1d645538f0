//! Misuse of HTTP, and the errors that follow.

use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, HeaderError, IncomingBody, IncomingRequest, Method, OutgoingBody,
    OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam, Scheme,
};
use crate::{begin, text, write};

/// Answers with every case that went otherwise, or with how many there were.
fn report(out: ResponseOutparam, cases: usize, wrong: Vec<String>) {
    match wrong.is_empty() {
        true => text(out, 200, &format!("ok {cases}")),
        false => text(out, 500, &wrong.join("\n")),
    }
}

fn kind(error: HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "syntax",
        HeaderError::Forbidden => "forbidden",
        HeaderError::Immutable => "immutable",
    }
}

/// Headers that are none, or not the guest's to set.
pub fn fields(out: ResponseOutparam) {
    let names = [
        ("", "syntax"),
        (" ", "syntax"),
        ("a b", "syntax"),
        ("a:b", "syntax"),
        ("a\r\nx", "syntax"),
        ("a\nx", "syntax"),
        ("ä", "syntax"),
        ("a\0", "syntax"),
        ("(a)", "syntax"),
        ("connection", "forbidden"),
        ("Keep-Alive", "forbidden"),
        ("proxy-authenticate", "forbidden"),
        ("proxy-authorization", "forbidden"),
        ("proxy-connection", "forbidden"),
        ("transfer-encoding", "forbidden"),
        ("upgrade", "forbidden"),
        ("Host", "forbidden"),
        ("http2-settings", "forbidden"),
    ];
    let values: [(&str, &[u8], &str); 9] = [
        ("a", b"x\r\nset-cookie: stolen", "syntax"),
        ("a", b"x\ny", "syntax"),
        ("a", b"x\ry", "syntax"),
        ("a", b"x\0y", "syntax"),
        ("a", b"\x7f", "syntax"),
        ("content-length", b"-1", "syntax"),
        ("content-length", b"+1", "syntax"),
        ("content-length", b"1 ", "syntax"),
        ("content-length", b"18446744073709551616", "syntax"),
    ];
    let mut wrong = Vec::new();
    let mut cases = 0;
    let mut check = |what: String, result: Result<(), HeaderError>, expected: &str| {
        cases += 1;
        let got = result.err().map_or("nothing", kind);
        if got != expected {
            wrong.push(format!("{what}: {got}, not {expected}"));
        }
    };
    for (name, expected) in names {
        let fields = Fields::new();
        check(format!("set {name:?}"), fields.set(name, &[b"x".to_vec()]), expected);
        check(format!("append {name:?}"), fields.append(name, b"x"), expected);
        check(format!("delete {name:?}"), fields.delete(name), expected);
        let list = [(name.to_owned(), b"x".to_vec())];
        check(format!("list {name:?}"), Fields::from_list(&list).map(drop), expected);
    }
    for (name, value, expected) in values {
        let fields = Fields::new();
        check(format!("set {value:?}"), fields.set(name, &[value.to_vec()]), expected);
        check(format!("append {value:?}"), fields.append(name, value), expected);
        let list = [(name.to_owned(), value.to_vec())];
        check(format!("list {value:?}"), Fields::from_list(&list).map(drop), expected);
    }
    let request = OutgoingRequest::new(Fields::new());
    check("set of a request's".into(), request.headers().set("a", &[b"b".to_vec()]), "immutable");
    check("append to a request's".into(), request.headers().append("a", b"b"), "immutable");
    check("delete of a request's".into(), request.headers().delete("a"), "immutable");
    let copy = request.headers().clone();
    check("a copy".into(), copy.set("a", &[b"b".to_vec()]), "nothing");
    assert!(copy.has("A") && copy.get("A") == [b"b"] && !copy.has("a b"));
    report(out, cases, wrong);
}

/// Values that are none.
pub fn setters(out: ResponseOutparam) {
    let mut wrong = Vec::new();
    let mut cases = 0;
    let mut check = |what: &str, result: Result<(), ()>, valid: bool| {
        cases += 1;
        if result.is_ok() != valid {
            wrong.push(format!("{what}: {result:?}"));
        }
    };
    let request = OutgoingRequest::new(Fields::new());
    for (method, valid) in [
        ("", false),
        ("GET /", false),
        ("A\r\nB", false),
        ("Ä", false),
        ("PURGE", true),
    ] {
        check(method, request.set_method(&Method::Other(method.to_owned())), valid);
    }
    for (path, valid) in [
        ("/a b", false),
        ("/\r\nHost: evil", false),
        ("/\0", false),
        ("/ok?a=b&c=%20", true),
        ("?only=query", true),
    ] {
        check(path, request.set_path_with_query(Some(path)), valid);
    }
    for (authority, valid) in [
        ("a b", false),
        ("a\r\nb", false),
        ("host:port", false),
        ("[::1", false),
        ("a/b", false),
        ("example.com:80", true),
        ("[::1]:80", true),
    ] {
        check(authority, request.set_authority(Some(authority)), valid);
    }
    for (scheme, valid) in [("", false), ("1a", true), ("a b", false), ("ftp", true), ("a\nb", false)] {
        check(scheme, request.set_scheme(Some(&Scheme::Other(scheme.to_owned()))), valid);
    }
    for (status, valid) in [(0, false), (99, false), (100, false), (103, false), (200, true), (1000, false)] {
        let response = OutgoingResponse::new(Fields::new());
        check("a status", response.set_status_code(status), valid);
    }
    let options = RequestOptions::new();
    for time in [None, Some(0), Some(1), Some(u64::MAX)] {
        check("connect", options.set_connect_timeout(time), true);
        check("first byte", options.set_first_byte_timeout(time), true);
        check("between bytes", options.set_between_bytes_timeout(time), true);
        assert_eq!(options.connect_timeout(), time);
        assert_eq!(options.first_byte_timeout(), time);
        assert_eq!(options.between_bytes_timeout(), time);
    }
    check("the first body", request.body().map(drop), true);
    check("the second body", request.body().map(drop), false);
    report(out, cases, wrong);
}

/// Bodies that are not what their headers say.
pub fn lengths(out: ResponseOutparam) {
    let response = |lengths: &[&str]| {
        let entries: Vec<_> = lengths
            .iter()
            .map(|length| ("content-length".to_owned(), length.as_bytes().to_vec()))
            .collect();
        OutgoingResponse::new(Fields::from_list(&entries).unwrap())
    };
    let mut wrong = Vec::new();
    let contradicting = response(&["5", "6"]);
    if contradicting.body().is_ok() {
        wrong.push("two lengths".to_owned());
    }
    let short = response(&["5"]).body().unwrap();
    match OutgoingBody::finish(short, None) {
        Err(ErrorCode::HttpResponseBodySize(Some(0))) => {}
        other => wrong.push(format!("short: {other:?}")),
    }
    let message = response(&["5"]);
    let long = message.body().unwrap();
    let stream = long.write().unwrap();
    if long.write().is_ok() {
        wrong.push("a second stream".to_owned());
    }
    if write(&stream, b"hello").is_err() {
        wrong.push("what was promised".to_owned());
    }
    if write(&stream, b"!").is_ok() {
        wrong.push("more than was promised".to_owned());
    }
    report(out, 5, wrong);
}

pub fn trap_later(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    let _ = write(&stream, b"so far");
    panic!("on purpose");
}

pub fn error(out: ResponseOutparam) {
    ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some("a secret of the guest".to_owned()))));
}

/// A body without its end.
pub fn unfinished(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    let _ = write(&stream, b"so far");
}

fn promised(out: ResponseOutparam, length: &str, content: &[u8]) {
    let headers = Fields::from_list(&[("content-length".to_owned(), length.as_bytes().to_vec())]).unwrap();
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    let _ = write(&stream, content);
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

pub fn short(out: ResponseOutparam) {
    promised(out, "10", b"hello");
}

pub fn long(out: ResponseOutparam) {
    promised(out, "3", b"hello");
}

/// Writes until the reader is gone.
pub fn endless(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    while write(&stream, &[b'x'; 4096]).is_ok() {}
}

pub fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

pub fn spin_later(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    let _ = write(&stream, b"so far");
    spin();
}

/// Makes so many resources, and keeps them.
pub fn many_fields(count: u64) {
    let fields: Vec<Fields> = (0..count).map(|_| Fields::new()).collect();
    std::mem::forget(fields);
}

/// Makes so many of 32 KiB each.
pub fn wide_fields(out: ResponseOutparam, count: u64) {
    let mut fields = Vec::new();
    for _ in 0..count {
        let one = Fields::new();
        one.append("a", &[b'x'; 32 << 10]).unwrap();
        fields.push(one);
    }
    text(out, 200, "all of them");
}

pub fn large_field(out: ResponseOutparam, bytes: u64) {
    let fields = Fields::new();
    let result = fields.append("a", &vec![b'x'; bytes as usize]);
    text(out, 200, &format!("{:?}", result.is_ok()));
}

pub fn many_headers(count: u64) {
    let fields = Fields::new();
    for number in 0..count {
        fields.append(&format!("n{number}"), b"x").unwrap();
    }
}

/// The body is finished while its stream is there.
pub fn stream_open(request: IncomingRequest) {
    let body = request.consume().unwrap();
    let _stream = body.stream().unwrap();
    IncomingBody::finish(body);
}

/// Writes more than there is room for.
pub fn overwrite(out: ResponseOutparam) {
    let body = begin(out);
    let stream = body.write().unwrap();
    let room = stream.check_write().unwrap();
    let _ = stream.write(&vec![b'x'; room as usize + 1]);
}
