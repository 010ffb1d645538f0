//! The host's interfaces, called through a component that forwards every call to them.

use airssys_wasm_test_support::host as host_support;

use std::fmt::Write;
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use airssys_wasm::codec::Codec;
use airssys_wasm::component::{Component, Instance, Linker, Store, Val};
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::host::{
    self, CallScope, ComponentError, ComponentMetadata, HostContext, HostServices, LOG_TARGET, LogRate,
    MemoryRequirements, MessagingError, Settings,
};
use airssys_wasm::messaging::{Mailbox, MailboxLimits, Message};
use airssys_wasm::security::Grants;
use airssys_wasm::{ComponentId, ComponentOptions};
use host_support::{fixture, id, proxy, runtime};
use log::kv::{Key, Value, VisitSource};
use serde_json::json;

/// The host services of this test.
#[derive(Debug, Default)]
struct Services {
    sent: Mutex<Vec<(ComponentId, String, Vec<u8>)>>,
}

impl HostServices for Services {
    fn now_millis(&self) -> u64 {
        1_234_567_890_123
    }

    fn list_components(&self) -> Vec<ComponentId> {
        vec![id("caller"), id("peer")]
    }

    fn component_metadata(&self, id: &str) -> Result<Arc<ComponentMetadata>, ComponentError> {
        match id {
            "peer" => Ok(Arc::new(metadata())),
            "caller" => Err(ComponentError::NotInitialized),
            other => Err(ComponentError::NotFound(other.to_owned())),
        }
    }

    fn send(
        &self,
        sender: &ComponentId,
        target: &str,
        payload: Vec<u8>,
        _: &CallScope,
        _: Option<std::time::Instant>,
    ) -> Result<(), MessagingError> {
        match target {
            "full" => Err(MessagingError::MailboxFull(target.to_owned())),
            "closed" => Err(MessagingError::Closed),
            "small" => Err(MessagingError::TooLarge(7)),
            "nobody" => Err(MessagingError::UnknownTarget(target.to_owned())),
            _ => {
                self.sent
                    .lock()
                    .unwrap()
                    .push((sender.clone(), target.to_owned(), payload));
                Ok(())
            }
        }
    }
}

fn metadata() -> ComponentMetadata {
    ComponentMetadata {
        name: "peer".into(),
        version: "1.2.3".into(),
        description: "d".into(),
        author: "a".into(),
        license: "MIT".into(),
        required_capabilities: vec!["network:outbound".into()],
        supported_operations: vec!["one".into(), "two".into()],
        supported_codecs: vec![0x55, u64::MAX],
        language: "c".into(),
        memory_requirements: MemoryRequirements {
            min_memory_bytes: 1,
            max_memory_bytes: 3,
            preferred_memory_bytes: 2,
        },
        timeout_ms: Some(7),
        stateful: true,
        api_version: "1.0.0".into(),
        homepage: None,
        repository: Some(String::new()),
        tags: Vec::new(),
        custom_metadata: Some(vec![
            ("z".into(), "last \u{1b}[31m\n".into()),
            ("a".into(), "first".into()),
            ("a".into(), "again".into()),
        ]),
    }
}

/// Returns the same metadata, as a guest passes it on.
fn metadata_value() -> Val {
    let texts = |items: &[&str]| Val::List(items.iter().map(|item| text(item)).collect());
    let some = |value: Val| Val::Option(Some(Box::new(value)));
    let record = |fields: Vec<(&str, Val)>| {
        Val::Record(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    };
    let pair = |key: &str, value: &str| Val::Tuple(vec![text(key), text(value)]);
    record(vec![
        ("name", text("peer")),
        ("version", text("1.2.3")),
        ("description", text("d")),
        ("author", text("a")),
        ("license", text("MIT")),
        ("required-capabilities", texts(&["network:outbound"])),
        ("supported-operations", texts(&["one", "two"])),
        (
            "supported-codecs",
            Val::List(vec![Val::U64(0x55), Val::U64(u64::MAX)]),
        ),
        ("language", text("c")),
        (
            "memory-requirements",
            record(vec![
                ("min-memory-bytes", Val::U64(1)),
                ("max-memory-bytes", Val::U64(3)),
                ("preferred-memory-bytes", Val::U64(2)),
            ]),
        ),
        ("timeout-ms", some(Val::U64(7))),
        ("stateful", Val::Bool(true)),
        ("api-version", text("1.0.0")),
        ("homepage", Val::Option(None)),
        ("repository", some(text(""))),
        ("tags", texts(&[])),
        (
            "custom-metadata",
            some(Val::List(vec![
                pair("z", "last \u{1b}[31m\n"),
                pair("a", "first"),
                pair("a", "again"),
            ])),
        ),
    ])
}

struct Proxy {
    store: Store<HostContext>,
    instance: Instance,
    services: Arc<Services>,
}

impl Proxy {
    fn new() -> Proxy {
        Proxy::called("caller")
    }

    fn called(name: &str) -> Proxy {
        let engine = Engine::new(&Config::new()).unwrap();
        let component = Component::from_binary(&engine, &proxy()).unwrap();
        let mut linker = Linker::new(&engine);
        host::add_to_linker(&mut linker).unwrap();
        let services = Arc::new(Services::default());
        let mut settings = Settings::default();
        settings.define("given", "1".into(), false).unwrap();
        settings.define("fixed", "2".into(), true).unwrap();
        let context = HostContext {
            id: id(name),
            settings,
            mailbox: Arc::new(Mailbox::new(MailboxLimits::default())),
            services: services.clone(),
            deadline: None,
            call: CallScope::default(),
            grants: Grants::default(),
            log_rate: LogRate::default(),
            powers: Arc::default(),
        };
        let mut store = Store::new(&engine, context);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        Proxy {
            store,
            instance,
            services,
        }
    }

    fn call(&mut self, interface: &str, name: &str, params: &[Val]) -> airssys_wasm::Result<Option<Val>> {
        let interface = format!("airssys:{interface}@1.0.0");
        let function = self.instance.try_get_func(&mut self.store, [&interface, name])?;
        function.call_dynamic(&mut self.store, params)
    }

    fn services(&mut self, name: &str, params: &[Val]) -> Val {
        self.call("host-core/host-services", name, params)
            .unwrap()
            .unwrap()
    }

    fn capabilities(&mut self, name: &str, params: &[Val]) -> Val {
        self.call("host-core/host-capabilities", name, params)
            .unwrap()
            .unwrap()
    }

    fn multicodec(&mut self, name: &str, params: &[Val]) -> Val {
        self.call("multicodec-core/multicodec-utilities", name, params)
            .unwrap()
            .unwrap()
    }

    fn log(&mut self, level: &str, message: &str, context: Option<Vec<(String, String)>>) {
        let pair = |(key, value): (String, String)| Val::Tuple(vec![Val::String(key), Val::String(value)]);
        let context = context.map(|pairs| Box::new(Val::List(pairs.into_iter().map(pair).collect())));
        let params = [Val::Enum(level.into()), text(message), Val::Option(context)];
        assert!(
            self.call("host-core/host-services", "log", &params)
                .unwrap()
                .is_none()
        );
    }
}

fn text(text: &str) -> Val {
    Val::String(text.into())
}

fn bytes(bytes: &[u8]) -> Val {
    Val::Bytes(bytes.into())
}

fn ok(payload: Option<Val>) -> Val {
    Val::Result(Ok(payload.map(Box::new)))
}

fn err(case: &str, payload: Option<Val>) -> Val {
    Val::Result(Err(Some(Box::new(Val::Variant(
        case.into(),
        payload.map(Box::new),
    )))))
}

fn record(fields: Vec<(&str, Val)>) -> Val {
    Val::Record(fields.into_iter().map(|(name, val)| (name.into(), val)).collect())
}

/// Logged lines, as `LEVEL message {key=value}`, with their target.
pub(crate) static LINES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Libraries whose lines are left out: they write one per instruction or type, gigabytes in this process, and see no values of
/// components.
const TALKATIVE: [&str; 3] = ["cranelift", "regalloc2", "wit_parser"];

struct Capture;

struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, " {{{key}={value}}}").map_err(|_| log::kv::Error::msg("full"))
    }
}

impl log::Log for Capture {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Debug
    }

    fn log(&self, record: &log::Record<'_>) {
        if TALKATIVE.iter().any(|name| record.target().starts_with(name)) {
            return;
        }
        let mut pairs = Pairs(String::new());
        record.key_values().visit(&mut pairs).unwrap();
        let line = format!("{} {}{}", record.level(), record.args(), pairs.0);
        LINES.lock().unwrap().push((record.target().to_owned(), line));
    }

    fn flush(&self) {}
}

pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Capture).expect("it is the first");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Returns the lines of one component, since tests run in parallel.
fn lines_of(component: &str) -> Vec<String> {
    let mark = format!("{{component={component}}}");
    let lines = LINES.lock().unwrap();
    lines
        .iter()
        .filter(|(target, line)| target == LOG_TARGET && line.contains(&mark))
        .map(|(_, line)| line.clone())
        .collect()
}

#[test]
fn log_lines_are_single_sanitized_and_bounded() {
    capture();
    let mut proxy = Proxy::called("logger");
    proxy.log("info", "plain, grün", None);
    proxy.log(
        "warn",
        "one\ntwo\r\x1b[31mred\x07",
        Some(vec![
            ("k\n".into(), "v\x1b]0;title\x07".into()),
            ("again".into(), "".into()),
        ]),
    );
    proxy.log("trace", "below the host's level", None);
    proxy.log("error", &"x".repeat(5000), None);
    proxy.log(
        "debug",
        "forged",
        Some(vec![("component".into(), "other".into())]),
    );
    proxy.log(
        "info",
        "many",
        Some(
            (0..40)
                .map(|pair| (format!("k{pair}"), "v".repeat(2000)))
                .collect(),
        ),
    );
    let lines = lines_of("logger");
    assert_eq!(lines[0], "INFO plain, grün {component=logger}");
    assert_eq!(
        lines[1],
        "WARN one\\ntwo\\r\\u{1b}[31mred\\u{7} {component=logger} {k\\n=v\\u{1b}]0;title\\u{7}} {again=}"
    );
    assert_eq!(
        lines[2],
        format!("ERROR {}…(+904 bytes) {{component=logger}}", "x".repeat(4096))
    );
    assert_eq!(
        lines[3],
        "DEBUG forged {component=logger} {guest.component=other}"
    );
    assert!(
        lines[4].contains("{k31=") && !lines[4].contains("{k32="),
        "{}",
        lines[4]
    );
    assert!(lines[4].ends_with("{context-dropped=8}"));
    assert!(lines[4].len() < 32 * 1100);
    assert_eq!(lines.len(), 5);
}

#[test]
fn a_guests_lines_carry_its_identity_and_context() {
    capture();
    let runtime = runtime();
    let options = ComponentOptions::new().with_id(id("words"));
    let id = runtime
        .load_component(&fixture("text-processor.wasm"), options)
        .unwrap();
    runtime.init(&id).unwrap();
    host_support::ask(&runtime, &id, "reverse", json!({"text": "abc"}));
    assert_eq!(
        lines_of("words"),
        [
            "INFO text-processor is ready {component=words}",
            "DEBUG executing {component=words} {operation=reverse} {codec=json} {request-id=request-1}",
        ]
    );
}

#[test]
fn settings_are_read_changed_and_checked() {
    let mut proxy = Proxy::new();
    let some = |value: &str| ok(Some(Val::Option(Some(Box::new(text(value))))));
    assert_eq!(proxy.services("get-config", &[text("given")]), some("1"));
    assert_eq!(
        proxy.services("get-config", &[text("absent")]),
        ok(Some(Val::Option(None)))
    );
    assert_eq!(
        proxy.services("set-config", &[text("given"), text("3")]),
        ok(None)
    );
    assert_eq!(proxy.services("get-config", &[text("given")]), some("3"));
    assert_eq!(proxy.services("set-config", &[text("new"), text("")]), ok(None));
    assert_eq!(proxy.services("get-config", &[text("new")]), some(""));
    assert_eq!(
        proxy.services("set-config", &[text("fixed"), text("3")]),
        err("read-only", Some(text("fixed")))
    );
    assert_eq!(
        proxy.services("get-config", &[text("")]),
        err("invalid-key", Some(text("the key is empty")))
    );
    assert_eq!(
        proxy.services("set-config", &[text("a\nb"), text("")]),
        err(
            "invalid-key",
            Some(text("the key `a\\nb` has a control character"))
        )
    );
    let long = "v".repeat(host::MAX_VALUE_BYTES + 1);
    let Val::Result(Err(Some(refused))) = proxy.services("set-config", &[text("long"), text(&long)]) else {
        panic!("it was taken");
    };
    assert!(matches!(*refused, Val::Variant(case, _) if &*case == "unavailable"));
}

#[test]
fn messages_go_out_with_the_callers_identity() {
    let mut proxy = Proxy::new();
    let mut send = |target: &str| proxy.services("send-message", &[text(target), bytes(b"\x55hi")]);
    assert_eq!(send("peer"), ok(None));
    assert_eq!(send("nobody"), err("unknown-target", Some(text("nobody"))));
    assert_eq!(send("full"), err("mailbox-full", Some(text("full"))));
    assert_eq!(send("small"), err("too-large", Some(Val::U64(7))));
    assert_eq!(send("closed"), err("closed", None));
    let sent = proxy.services.sent.lock().unwrap().clone();
    assert_eq!(sent, [(id("caller"), "peer".to_owned(), b"\x55hi".to_vec())]);
}

#[test]
fn messages_come_in_one_by_one() {
    let mut proxy = Proxy::new();
    assert_eq!(
        proxy.services("receive-message", &[]),
        ok(Some(Val::Option(None)))
    );
    let mailbox = proxy.store.data().mailbox.clone();
    let message = Message {
        sender: id("peer"),
        payload: vec![1, 2, 3],
        sent_at_millis: 9,
        request_id: None,
        trace: None,
    };
    mailbox.put(message).unwrap();
    let expected = record(vec![
        ("sender", text("peer")),
        ("payload", bytes(&[1, 2, 3])),
        ("sent-at-millis", Val::U64(9)),
    ]);
    assert_eq!(
        proxy.services("receive-message", &[]),
        ok(Some(Val::Option(Some(Box::new(expected)))))
    );
    mailbox.close();
    assert_eq!(proxy.services("receive-message", &[]), err("closed", None));
}

#[test]
fn the_clock_and_the_neighbours() {
    let mut proxy = Proxy::new();
    assert_eq!(
        proxy.services("current-time-millis", &[]),
        Val::U64(1_234_567_890_123)
    );
    assert_eq!(
        proxy.services("list-components", &[]),
        Val::List(vec![text("caller"), text("peer")])
    );
    assert_eq!(
        proxy.services("get-component-metadata", &[text("who")]),
        err("not-found", Some(text("who")))
    );
    assert_eq!(
        proxy.services("get-component-metadata", &[text("caller")]),
        err("not-initialized", None)
    );
    let Val::Result(Ok(Some(given))) = proxy.services("get-component-metadata", &[text("peer")]) else {
        panic!("no metadata");
    };
    assert_eq!(*given, metadata_value());
}

#[test]
fn sleep_ends_with_the_call() {
    let mut proxy = Proxy::new();
    let start = Instant::now();
    let sleep = |proxy: &mut Proxy, millis: u64| {
        proxy.call("host-core/host-services", "sleep-millis", &[Val::U64(millis)])
    };
    sleep(&mut proxy, 0).unwrap();
    sleep(&mut proxy, 20).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(20));
    proxy.store.data_mut().deadline = Some(Instant::now() + Duration::from_millis(20));
    let error = sleep(&mut proxy, u64::MAX).unwrap_err();
    assert_eq!(
        error.trap().unwrap().kind(),
        &TrapKind::Core(CoreTrap::Interrupted)
    );
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(proxy.instance.is_poisoned());
}

#[test]
fn every_capability_is_denied_by_name() {
    let mut proxy = Proxy::new();
    let denied = |capability: &str| err("denied", Some(text(capability)));
    assert_eq!(
        proxy.capabilities("read-file", &[text("/models/a")]),
        denied("filesystem:read:/models/a")
    );
    assert_eq!(
        proxy.capabilities("write-file", &[text("/out"), bytes(b"x")]),
        denied("filesystem:write:/out")
    );
    let request = record(vec![
        ("method", text("POST")),
        ("url", text("https://api.example.com:8443/v1")),
        ("headers", Val::List(vec![Val::Tuple(vec![text("a"), text("b")])])),
        ("body", Val::Option(Some(Box::new(bytes(b"{}"))))),
        ("timeout-ms", Val::Option(Some(Box::new(Val::U64(5))))),
    ]);
    assert_eq!(
        proxy.capabilities("http-request", &[request]),
        denied("network:outbound:https://api.example.com:8443")
    );
    assert_eq!(
        proxy.capabilities("call-host-function", &[text("billing"), bytes(b"")]),
        denied("host-function:call:billing")
    );
}

#[test]
fn multicodec_knows_the_seven_codecs() {
    let mut proxy = Proxy::new();
    for codec in Codec::ALL {
        let number = Val::U64(codec.code());
        let encoded = proxy.multicodec("encode", &[number.clone(), bytes(b"data")]);
        assert_eq!(
            proxy.multicodec("decode", &[encoded]),
            ok(Some(record(vec![
                ("codec", number.clone()),
                ("data", bytes(b"data"))
            ])))
        );
        assert_eq!(
            proxy.multicodec("is-codec-supported", std::slice::from_ref(&number)),
            Val::Bool(true)
        );
        assert_eq!(
            proxy.multicodec("get-codec-info", std::slice::from_ref(&number)),
            ok(Some(record(vec![
                ("id", number),
                ("name", text(codec.name())),
                ("description", text(codec.description())),
                ("self-describing", Val::Bool(codec.self_describing())),
            ])))
        );
    }
}

#[test]
fn multicodec_tells_its_errors_apart() {
    let mut proxy = Proxy::new();
    let mut decode = |data: &[u8]| proxy.multicodec("decode", &[bytes(data)]);
    assert_eq!(decode(b""), err("empty", None));
    assert_eq!(decode(b"\x80"), err("truncated-prefix", None));
    assert_eq!(decode(b"\xd5\x00"), err("overlong-prefix", None));
    assert_eq!(decode(&[0xff; 12]), err("overlong-prefix", None));
    assert_eq!(decode(b"\x01"), err("unknown-codec", Some(Val::U64(1))));
    let unknown = Val::U64(u64::MAX);
    assert_eq!(
        proxy.multicodec("is-codec-supported", std::slice::from_ref(&unknown)),
        Val::Bool(false)
    );
    assert_eq!(
        proxy.multicodec("get-codec-info", std::slice::from_ref(&unknown)),
        err("unknown-codec", Some(unknown.clone()))
    );
    let Val::Bytes(encoded) = proxy.multicodec("encode", &[unknown, bytes(b"")]) else {
        panic!("no bytes");
    };
    assert_eq!(encoded.len(), 10);
}
