//! Secrets in options, policies and requests are not in the program's output, its log at the highest level, or its audit.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::process::{Ran, airssys, fixture, scratch, scratch_file};
use crate::serve::{origin, serve};

/// The part that all secrets have in common.
const MARK: &str = "c4n4ry";

fn search(what: &str, text: &str) {
    assert!(!text.contains(MARK), "{what}: {text}");
}

fn search_all(what: &str, ran: &Ran, audit: &str) {
    search(what, &ran.stdout);
    search(what, &ran.stderr);
    search(what, &std::fs::read_to_string(audit).unwrap_or_default());
}

#[test]
fn secrets_of_options_are_not_in_the_output_log_or_audit() {
    let audit = scratch("secrets.jsonl").display().to_string();
    let secrets = [
        "-vvv",
        "--env",
        "TOKEN=c4n4ry-env",
        "--grant",
        "filesystem:read:/data",
        "--audit",
        &audit,
    ];
    let config = ["--config", "password=c4n4ry-config"];
    let counter = fixture("counter");
    let text = fixture("text-processor");
    let count = [
        "--operation",
        "word-count",
        "--params",
        "{\"text\": \"c4n4ry-text\"}",
    ];
    let broken = ["--operation", "word-count", "--params", "{\"text\": c4n4ry}"];
    let absent = ["--operation", "absent", "--params", "{\"text\": \"c4n4ry-text\"}"];
    for (what, component, operation, code) in [
        ("an operation", &text, &count[..], 0),
        ("no JSON", &text, &broken, 2),
        ("no such operation", &text, &absent, 1),
        ("no operation", &counter, &["--operation", "absent"], 1),
    ] {
        let ran = airssys(&[&["run", component], operation, &secrets, &config].concat());
        assert_eq!(ran.code, code, "{what}: {ran:?}");
        search_all(what, &ran, &audit);
    }
    for option in [["--env", "c4n4ry"], ["--env", "=c4n4ry"], ["--config", "c4n4ry"]] {
        let ran = airssys(&[&["run", &text, "--operation", "word-count"], &option[..]].concat());
        assert_eq!(ran.code, 2, "{option:?}: {ran:?}");
        search_all("a malformed option", &ran, &audit);
    }
    let guest = fixture("wasi-cases");
    let call = "fixtures:wasi-cases/steps#take({call: \"get-type\", descriptor: 0, path: \"\", other: 0, new-path: \"\", \
                flags: [], at: 0, length: 1, bytes: []})";
    let ran = airssys(&[&["invoke", &guest, call], &secrets[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    search_all("invoke", &ran, &audit);
}

#[test]
fn secrets_of_requests_are_not_in_the_log_or_audit_of_a_server() {
    let granted = origin("granted");
    let policy = format!("[[allow]]\ncapabilities = ['network:outbound:http://{granted}']\n");
    let policy = scratch_file("secrets-policy.toml", policy.as_bytes());
    let audit = scratch("secrets-serve.jsonl").display().to_string();
    let mut serving = serve(&[
        "-vv",
        "--env",
        "TOKEN=c4n4ry-env",
        "--policy",
        &policy,
        "--audit",
        &audit,
    ]);
    // The query is the URL that the component requests.
    for url in [
        format!("http://{granted}/c4n4ry-path?key=c4n4ry-query"),
        "http://denied.test/c4n4ry-path?key=c4n4ry-query".to_owned(),
        "http://user:c4n4ry@denied.test/".to_owned(),
        format!("https://{granted}/c4n4ry-path"),
    ] {
        let mut stream = TcpStream::connect(&serving.addr).expect("it listens");
        write!(
            stream,
            "GET /get?{url} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer c4n4ry\r\nCookie: c4n4ry\r\nConnection: close\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    serving.child.kill().expect("it runs");
    serving.child.wait().expect("it ends");
    let mut log = String::new();
    serving.errors.read_to_string(&mut log).expect("text");
    assert_eq!(log.matches("airssys_wasm::access").count(), 4, "{log}");
    search("the log", &log);
    let audit = std::fs::read_to_string(&audit).expect("an audit");
    assert!(audit.lines().count() >= 3, "{audit}");
    search("the audit", &audit);
}
