//! Secrets are planted wherever a host or a guest has some, and searched for in every output of the host: errors, the log with
//! all its levels and targets, each kind of audit, and `Debug` of the public types.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::host::{HostFunctionError, HostFunctions, HostLimits, HostPowers, IncomingMessage};
use airssys_wasm::messaging::Message;
use airssys_wasm::security::{
    AUDIT_TARGET, Capability, JsonLines, LogSink, MemorySink, Policy, Secret, SecurityContext,
};
use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::HttpRequest;
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use airssys_wasm_test_support::host::{Guest, id};
use serde_json::json;

use super::http::{Asked, echo};
use super::{Caller, Failure, bytes, text};
use crate::host_services::{LINES, capture};

/// The part that all secrets have in common.
const MARK: &str = "c4n4ry";

/// Returns the secret of one place.
fn secret(place: &str) -> String {
    format!("{MARK}-{place}")
}

/// Outputs of the host, each with its origin.
#[derive(Default)]
struct Outputs(Vec<(String, String)>);

impl Outputs {
    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.0.push((what.to_owned(), format!("{value:?} {value:#?}")));
    }

    fn text(&mut self, what: &str, value: &dyn Display) {
        self.0.push((what.to_owned(), value.to_string()));
    }

    fn error(&mut self, what: &str, error: &dyn Error) {
        self.debug(what, &error);
        let mut next = Some(error);
        while let Some(error) = next {
            self.text(what, &error);
            next = error.source();
        }
    }

    fn failure(&mut self, what: &str, failure: Result<impl Debug, Failure>) {
        let (case, text) = failure.expect_err(what);
        self.text(what, &format!("{case} {text}"));
    }

    /// Fails if a secret is in one of the outputs: as text, or as the bytes that `Debug` prints.
    fn search(mut self) {
        self.0.extend(LINES.lock().unwrap().iter().cloned());
        let numbers = format!("{:?}", MARK.as_bytes());
        let numbers = numbers.trim_matches(['[', ']']);
        assert!(self.0.len() > 10);
        for (what, output) in &self.0 {
            let spaces = output.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                !output.contains(MARK) && !spaces.contains(numbers),
                "{what}: {output}"
            );
        }
    }
}

#[test]
fn the_search_finds_secrets_in_texts_and_in_bytes() {
    for planted in [secret("x"), format!("{:?}", secret("x").as_bytes())] {
        let mut outputs = Outputs::default();
        for _ in 0..11 {
            outputs.text("planted", &planted);
        }
        assert!(
            std::panic::catch_unwind(|| outputs.search()).is_err(),
            "{planted}"
        );
    }
}

fn functions() -> HostPowers {
    let functions = HostFunctions::new()
        .with_raw("echo", |_, args| Ok(args.to_vec()))
        .and_then(|functions| functions.with_raw("panics", |_, _| panic!("without a secret")))
        .and_then(|functions| {
            functions.with_raw("fails", |_, _| Err(HostFunctionError::Failed("it failed".into())))
        })
        .and_then(|functions| functions.with_async("waits", async |_, _| std::future::pending().await))
        .and_then(|functions| functions.with_typed("typed", |_, number: u32| Ok::<_, String>(number)));
    let mut limits = HostLimits::default();
    limits.function_argument_bytes = 200;
    limits.http_body_bytes = 1000;
    HostPowers::new()
        .with_functions(functions.unwrap())
        .with_limits(limits)
}

fn asked<'a>(url: &'a str, headers: &'a [(&'a str, &'a str)], body: &'a str) -> Asked<'a> {
    Asked {
        method: "POST",
        url,
        headers,
        body: Some(body.as_bytes()),
        timeout_ms: Some(2000),
    }
}

#[test]
fn secrets_of_requests_are_found_nowhere() {
    capture();
    let folder = std::env::temp_dir().join(format!("airssys-wasm-canary-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let lines = folder.join("audit.jsonl");
    let file = folder.join("file").display().to_string();
    let origin = echo();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let policy = Policy::builder()
        .allow(format!("network:outbound:{}", origin.addr))
        .allow(format!("network:outbound:{closed}"))
        .allow(format!("filesystem:write:{file}"))
        .allow("host-function:call")
        .deny("host-function:call:denied");
    let audit = Arc::new(MemorySink::default());
    let security = SecurityContext::builder()
        .policy(policy.build().unwrap())
        .audit(audit.clone())
        .audit(Arc::new(JsonLines::open(&lines).unwrap()))
        .audit(Arc::new(LogSink))
        .build();
    let mut caller = Caller::within(&security, audit.clone(), functions());
    let settings = &mut caller.store.data_mut().settings;
    settings.define_secret("token", secret("setting")).unwrap();
    let mut outputs = Outputs::default();

    // HTTP: credentials, a path and a body, to hosts that answer, are denied, do not exist, or speak no TLS.
    let (authorization, cookie) = (format!("Bearer {}", secret("token")), secret("cookie"));
    let headers = [("Authorization", &*authorization), ("Cookie", &*cookie)];
    let body = secret("body");
    let path = format!("{}?key={}", secret("path"), secret("query"));
    let url = |start: &str| format!("{start}{path}");
    let answered = caller.request(&asked(&url(&origin.url()), &headers, &body));
    assert_eq!(answered.unwrap().0, 203);
    for start in [
        "http://denied.test/".to_owned(),
        format!("http://user:{}@denied.test/", secret("password")),
        format!("ftp://{}.test/", secret("host")),
        format!("http://{closed}/"),
        format!("https://{}/", origin.addr),
    ] {
        let answer = caller.request(&asked(&url(&start), &headers, &body));
        outputs.failure("http-request", answer);
    }
    let large = secret("body").repeat(100);
    outputs.failure(
        "a large body",
        caller.request(&asked(&origin.url(), &headers, &large)),
    );
    for header in [
        ("Authorization", "c4n4ry\r\n"),
        ("Host", "c4n4ry.test"),
        ("A\0", "c4n4ry"),
    ] {
        let answer = caller.request(&Asked {
            url: &origin.url(),
            headers: &[header],
            ..Asked::default()
        });
        outputs.failure("a bad header", answer);
    }

    // Functions: their arguments, whatever becomes of them.
    let args = secret("argument");
    caller.function("echo", args.as_bytes()).unwrap();
    let json = |value| codec::from_json(Codec::Json, &value).unwrap();
    let broken = codec::encode(Codec::Json.code(), args.as_bytes());
    let yaml = codec::encode(Codec::Yaml.code(), format!("[{args}").as_bytes());
    for (name, args) in [
        ("denied", args.clone().into_bytes()),
        ("absent", args.clone().into_bytes()),
        ("panics", args.clone().into_bytes()),
        ("fails", args.clone().into_bytes()),
        ("echo", args.repeat(20).into_bytes()),
        ("typed", json(json!(args))),
        ("typed", json(json!({ "key": args }))),
        ("typed", broken),
        ("typed", yaml),
        ("typed", args.clone().into_bytes()),
    ] {
        outputs.failure(name, caller.function(name, &args));
    }
    caller.leave(Duration::from_millis(30));
    outputs.failure("waits", caller.function("waits", args.as_bytes()));
    caller.leave(Duration::from_secs(60));

    // Contents of files.
    let content = secret("content");
    let write = |path: &str| [text(path), bytes(content.as_bytes())];
    caller.call("write-file", &write(&file)).unwrap();
    outputs.failure("write-file", caller.call("write-file", &write("/denied")));

    outputs.debug("the context", caller.store.data());
    outputs.debug("the security context", &security);
    outputs.debug("the audit", &audit.records());
    assert!(audit.records().len() > 20);
    let lines = fs::read_to_string(&lines).unwrap();
    assert!(lines.lines().count() > 20);
    let denied = "WARN denied network:outbound:http://denied.test {component=caller}";
    let logged = LINES.lock().unwrap();
    assert!(
        logged
            .iter()
            .any(|(target, line)| target == AUDIT_TARGET && line.starts_with(denied)),
        "the log has the audit, too"
    );
    drop(logged);
    outputs.text("the audit file", &lines);
    fs::remove_dir_all(&folder).unwrap();
    outputs.search();
}

#[test]
fn secrets_of_options_are_found_nowhere() {
    capture();
    let mut outputs = Outputs::default();
    let secrets = || {
        ComponentOptions::new()
            .with_id(id("keeper"))
            .with_secret_env("TOKEN", secret("env"))
            .with_secret_config("password", secret("config"))
            .with_config_data(secret("data"))
    };
    outputs.debug("options", &secrets());
    outputs.debug("a secret", &Secret::new(secret("secret")));
    let mut wasi = WasiCtxBuilder::new();
    wasi.env("TOKEN", secret("wasi"));
    outputs.debug("WASI", &wasi);
    outputs.debug("options with WASI", &secrets().with_wasi(wasi));
    let mut request = HttpRequest::new("GET", true, "example.com", 443, &secret("path"));
    request.headers.push(("Authorization".into(), secret("header")));
    request.body = secret("body").into();
    outputs.debug("a request", &request);
    let message = Message {
        sender: id("keeper"),
        payload: secret("message").into(),
        sent_at_millis: 0,
        request_id: None,
        trace: None,
    };
    outputs.debug("a message", &message);

    let builder = RuntimeConfig::builder().with_host_function("echo", |_, args| Ok(args.to_vec()));
    outputs.debug("a builder", &builder);
    let config = builder.build().unwrap();
    outputs.debug("a configuration", &config);
    let runtime = ComponentRuntime::new(config).unwrap();
    let guest = Guest::default().build();
    for (what, options) in [
        (
            "a value in the name",
            secrets().with_env(format!("KEY={}", secret("name")), ""),
        ),
        ("twice", secrets().with_secret_env("TOKEN", secret("again"))),
        (
            "a long value",
            secrets().with_secret_config("long", secret("long").repeat(10_000)),
        ),
        (
            "too much",
            secrets().with_config_data(secret("much").repeat(500_000)),
        ),
        (
            "a missing capability",
            secrets().with_required_capability(Capability::new("config:read").unwrap()),
        ),
    ] {
        let error = runtime.load_component(&guest, options).expect_err(what);
        outputs.error(what, &error);
    }
    let broken = runtime.load_component(b"\0asm\x0d\0\x01\0\xff", secrets());
    outputs.error("no component", &broken.unwrap_err());
    let traps = Guest {
        init: "unreachable",
        ..Guest::default()
    };
    let id = runtime.load_component(&traps.build(), secrets()).unwrap();
    outputs.error("init", &runtime.init(&id).unwrap_err());
    outputs.error("after it", &runtime.execute(&id, b"c4n4ry").unwrap_err());
    outputs.debug("the runtime", &runtime);
    outputs.search();
}

#[test]
fn secrets_of_payloads_and_messages_are_found_nowhere() {
    let mut outputs = Outputs::default();
    let text = secret("payload");
    let message = IncomingMessage {
        sender: "keeper".into(),
        payload: text.clone().into(),
        sent_at_millis: 0,
    };
    outputs.debug("a received message", &message);
    for codec in Codec::ALL {
        let payload = codec::encode(codec.code(), text.as_bytes());
        let payload = codec::decode(&payload).unwrap();
        outputs.debug("a payload", &payload);
        for broken in [
            text.clone(),
            format!("\"{text}"),
            format!("{{\"operation\": \"{text}\", "),
            format!("{{\"operation\": [\"{text}\"]}}"),
            format!("[\"{text}\", \"{text}\"] \"{text}\""),
            format!("a: {text}\n - b: *{text}"),
            format!("- !!int {text}"),
            format!("- !!float {text}"),
            format!("- !!binary {text}"),
            format!("\u{a9}{text}"),
        ] {
            let payload = codec::encode(codec.code(), broken.as_bytes());
            let payload = codec::decode(&payload).unwrap();
            if let Err(error) = codec::to_json(&payload) {
                outputs.error(&broken, &error);
            }
            match codec::parse_operation(&payload) {
                Ok(operation) => outputs.debug(&broken, &operation.params.is_null()),
                Err(error) => outputs.error(&broken, &error),
            }
        }
        for params in [json!(text), json!([text]), json!({ "key": text })] {
            if let Ok(bytes) = codec::operation(codec, "name", &params) {
                let payload = codec::decode(&bytes).unwrap();
                outputs.debug("an operation", &codec::parse_operation(&payload).unwrap());
            }
        }
        for form in ["$int", "$float", "$bytes", "$map"] {
            for value in [json!({ form: text }), json!([{ form: [text] }])] {
                if let Err(error) = codec::from_json(codec, &value) {
                    outputs.error(form, &error);
                }
            }
        }
    }
    outputs.search();
}
