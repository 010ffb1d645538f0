//! HTTP with a guest, a real client and a real server.

use std::io::{BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use airssys_wasm_component::component::Component;
use airssys_wasm_component::engine::Engine;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, UnresolvedPackageGroup};

use super::engines;
use super::origin::{self, Message, PATIENT, Reply, Route, ask, read};
use crate::WasiCtxBuilder;
use crate::access::{AccessPolicy, Basis, Denied, Destination, FileAction};
use crate::http::HttpLimits;
use crate::http::serve::{ServeError, ServeLimits, Server, ShutdownHandle};

const WORLD: &str = "package test:guest;
world guest {
    import wasi:http/types@VERSION;
    import wasi:http/client@VERSION;
    import wasi:clocks/monotonic-clock@VERSION;
    export wasi:http/handler@VERSION;
}";

/// Builds the guest for a version of WASI.
fn component(engine: &Engine, version: &str) -> Component {
    let mut resolve = Resolve::default();
    let mut world = None;
    for text in [
        include_str!("../../../../../wit/wasi3/clocks.wit"),
        include_str!("../../../../../wit/wasi3/http.wit"),
        WORLD,
    ] {
        let text = text.replace("VERSION", "0.3.0").replace("0.3.0", version);
        let group = UnresolvedPackageGroup::parse("guest.wit", &text).unwrap();
        let package = resolve.push_group(group).unwrap();
        world = resolve.select_world(&[package], None).ok().or(world);
    }
    let text = include_str!("http.wat").replace("0.3.0", version);
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let encoding = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world.unwrap(), encoding, false).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).unwrap();
    let bytes = encoder.encode().unwrap_or_else(|error| panic!("{error:?}"));
    Component::new(engine, bytes).unwrap()
}

/// A server of the guest, which runs until it is dropped.
struct Guest {
    addr: SocketAddr,
    shutdown: ShutdownHandle,
    instances: Box<dyn Fn() -> usize>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Guest {
    fn start(engine: &Engine, builder: &WasiCtxBuilder, change: impl FnOnce(&mut ServeLimits)) -> Guest {
        Guest::of(engine, &component(engine, "0.3.0"), builder, change)
    }

    fn of(
        engine: &Engine,
        component: &Component,
        builder: &WasiCtxBuilder,
        change: impl FnOnce(&mut ServeLimits),
    ) -> Guest {
        let mut limits = ServeLimits {
            request_time: PATIENT,
            half_closed_time: PATIENT,
            drain_time: Duration::from_millis(500),
            threads: 1,
            ..ServeLimits::default()
        };
        limits.threads = 1;
        change(&mut limits);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(engine, component, any, builder, limits).unwrap();
        let (addr, shutdown) = (server.local_addr(), server.shutdown_handle());
        let instances = Box::new(server.instances());
        Guest {
            addr,
            shutdown,
            instances,
            thread: Some(thread::spawn(move || server.run())),
        }
    }

    fn get(&self, path: &str) -> Message {
        ask(self.addr, "GET", path, &[], None)
    }

    /// Sends a request, and returns its connection.
    fn begin(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        let text = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Returns the number of requests of the instance.
    fn number(&self) -> u32 {
        let count = self.count();
        let byte = count.as_bytes().first().copied().unwrap_or_default();
        u32::from(byte.saturating_sub(b'0'))
    }

    /// Returns the header that counts the requests of the instance.
    fn count(&self) -> String {
        let answer = self.get("/count");
        assert_eq!(answer.status(), 200);
        answer.header("x-count").unwrap_or_default().to_owned()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shutdown.shutdown();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !thread::panicking() {
                ended.unwrap().unwrap();
                assert_eq!((self.instances)(), 0, "all instances have ended");
            }
        }
    }
}

fn answer(stream: &TcpStream) -> Option<Message> {
    read(&mut BufReader::new(stream), true)
}

fn granted() -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder.connect("127.0.0.1".parse().unwrap());
    builder
}

/// Sends a request through the guest to another server.
fn through(guest: &Guest, origin: SocketAddr, method: &str, path: &str, body: Option<&[u8]>) -> Message {
    ask(guest.addr, method, path, &[("host", &origin.to_string())], body)
}

#[test]
fn bodies_pass_whole_and_in_order() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |_| ());
        for len in [0, 1, 100, 100_000, 1_000_000] {
            let body: Vec<u8> = (0..len).map(|at: u32| (at % 251) as u8).collect();
            let answer = ask(guest.addr, "POST", "/echo", &[], Some(&body));
            assert_eq!((answer.status(), answer.is_whole), (200, true));
            assert_eq!(answer.body, body);
        }
        assert_eq!((guest.instances)(), 1);
    }
}

#[test]
fn components_of_all_releases_are_served() {
    for engine in engines() {
        for version in ["0.3.0", "0.3.1", "0.3.2", "0.3.0-rc-2026-03-15"] {
            let component = component(&engine, version);
            let guest = Guest::of(&engine, &component, &WasiCtxBuilder::new(), |_| ());
            assert_eq!(guest.count(), "1");
        }
    }
}

const ROUTES: &[Route] = &[
    ("GET", "/p/text", Reply::Text(201, "made")),
    ("POST", "/p/echo", Reply::EchoBody),
    ("GET", "/p/chunks", Reply::Chunks(&["a", "b"], &[("x-end", "1")])),
    ("GET", "/p/cut", Reply::Cut("part")),
    ("GET", "/p/stall", Reply::Stall("part")),
    ("GET", "/p/never", Reply::Never),
];

#[test]
fn messages_are_passed_on_as_they_are() {
    let origin = origin::start(ROUTES);
    for engine in engines() {
        let guest = Guest::start(&engine, &granted(), |_| ());
        let answer = through(&guest, origin, "GET", "/p/text", None);
        assert_eq!((answer.status(), answer.text().as_str()), (201, "made"));
        let body = vec![b'x'; 200_000];
        let answer = through(&guest, origin, "POST", "/p/echo", Some(&body));
        assert_eq!((answer.status(), answer.body == body), (200, true));
        let answer = through(&guest, origin, "GET", "/p/chunks", None);
        assert_eq!((answer.text().as_str(), answer.is_whole), ("ab", true));
        let answer = through(&guest, origin, "GET", "/p/none", None);
        assert_eq!(answer.status(), 404);
    }
}

#[test]
fn a_server_that_goes_away_in_the_middle_cuts_the_body_off() {
    let origin = origin::start(ROUTES);
    for engine in engines() {
        let guest = Guest::start(&engine, &granted(), |_| ());
        let answer = through(&guest, origin, "GET", "/p/cut", None);
        assert_eq!((answer.status(), answer.text().as_str()), (200, "part"));
        assert!(!answer.is_whole);
        let answer = through(&guest, origin::closed(), "GET", "/p/text", None);
        assert_eq!(answer.status(), 502);
    }
}

/// Denies everything, and records it.
#[derive(Debug, Default)]
struct Audit(Mutex<Vec<String>>);

impl AccessPolicy for Audit {
    fn file(&self, _: FileAction, _: &str, _: Basis) -> Result<(), Denied> {
        Err(Denied)
    }

    fn permits_file(&self, _: FileAction, _: &str, _: Basis) -> bool {
        false
    }

    fn rules_below(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn has_network(&self) -> bool {
        false
    }

    fn look_up(&self, _: &str, _: Basis) -> Result<(), Denied> {
        Err(Denied)
    }

    fn connect(&self, to: &Destination<'_>, _: Basis) -> Result<(), Denied> {
        let text = format!("{}:{} {:?}", to.host, to.port, to.secure);
        self.0.lock().unwrap().push(text);
        Err(Denied)
    }

    fn permits_connect(&self, _: &Destination<'_>, _: Basis) -> bool {
        false
    }

    fn address(&self, _: &Destination<'_>, _: IpAddr) -> Result<bool, Denied> {
        Err(Denied)
    }
}

#[test]
fn a_request_without_a_grant_is_denied_and_recorded() {
    let origin = origin::start(ROUTES);
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |_| ());
        assert_eq!(through(&guest, origin, "GET", "/p/text", None).status(), 403);
        let audit = Arc::new(Audit::default());
        let mut builder = WasiCtxBuilder::new();
        builder.access_policy(audit.clone());
        let guest = Guest::start(&engine, &builder, |_| ());
        assert_eq!(through(&guest, origin, "GET", "/p/text", None).status(), 403);
        let expected = format!("{}:{} Some(false)", origin.ip(), origin.port());
        assert_eq!(*audit.0.lock().unwrap(), [expected]);
    }
}

#[test]
fn a_body_that_is_given_up_half_read_leaves_the_instance_as_it_was() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            // Handles of what is left would add up to more.
            limits.store.handles = 40;
        });
        let body = vec![b'x'; 300_000];
        for number in 1..=9 {
            let answer = ask(guest.addr, "POST", "/half", &[], Some(&body));
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.header("x-count"), Some(number.to_string().as_str()));
        }
    }
}

#[test]
fn a_request_ends_at_its_time_and_others_go_on() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.request_time = Duration::from_millis(1500);
        });
        let waiting = guest.begin("/wait");
        // While it waits, in the same instance. It may come first.
        let mut counts = vec![guest.count(), guest.count()];
        assert_eq!(answer(&waiting).unwrap().status(), 504);
        counts.push(guest.count());
        counts.dedup();
        assert_eq!(counts.len(), 3, "{counts:?}");
        assert_eq!(counts[2], "4");
    }
}

#[test]
fn an_instance_whose_task_ignores_the_end_of_its_time_ends() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.request_time = Duration::from_millis(1000);
        });
        let deaf = guest.begin("/never");
        assert_eq!(answer(&deaf).unwrap().status(), 504);
        // One more request may find the instance before it has noticed.
        while guest.count() != "1" {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_guest_that_computes_without_end_is_stopped() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.request_time = Duration::from_millis(500);
        });
        assert_eq!(guest.get("/spin").status(), 504);
        assert_eq!(guest.count(), "1");
    }
}

#[test]
fn a_trap_ends_the_requests_of_its_instance_alone() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |_| ());
        let waiting = guest.begin("/wait");
        while guest.count() != "3" {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(guest.get("/trap").status(), 500);
        assert_eq!(answer(&waiting).unwrap().status(), 500);
        assert_eq!(guest.count(), "1", "there is another instance");
    }
}

#[test]
fn a_body_whose_guest_traps_is_cut_off() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |_| ());
        // The trailers came before the trap: they do not make it whole.
        let stream = guest.begin("/middle");
        assert!(answer(&stream).is_none_or(|answer| answer.status() == 500 || !answer.is_whole));
        assert_eq!(guest.count(), "1");
    }
}

#[test]
fn a_client_that_goes_away_cancels_its_task() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.instance_concurrency = 2;
            limits.half_closed_time = Duration::from_millis(10);
        });
        let begin_wait = |before: u32| {
            let waiting = guest.begin("/wait");
            let mut last = before;
            // Until it was counted, too.
            loop {
                let count = guest.number();
                if count > last + 1 {
                    return (waiting, count);
                }
                last = count;
            }
        };
        let (first, count) = begin_wait(0);
        drop(first);
        // The only instance has two places: without the first one's, no other request were answered beside this one.
        let (_second, count) = begin_wait(count);
        // It reads little, and leaves: the guest's writes end, and the result of sending is a failure.
        let mut endless = guest.begin("/forever");
        let mut some = [0; 1000];
        endless.read_exact(&mut some).unwrap();
        drop(endless);
        assert_eq!(guest.number(), count + 2);
    }
}

#[test]
fn an_instance_answers_a_limited_number_of_requests() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.instance_requests = 2
        });
        let counts: Vec<String> = (0..4).map(|_| guest.count()).collect();
        assert_eq!(counts, ["1", "2", "1", "2"]);
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| limits.instances = 0);
        let counts: Vec<String> = (0..2).map(|_| guest.count()).collect();
        assert_eq!(counts, ["1", "1"], "none is kept");
    }
}

#[test]
fn requests_beyond_the_concurrency_of_an_instance_get_another() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.threads = 2;
            limits.instance_concurrency = 1;
        });
        let _waiting = guest.begin("/wait");
        while (guest.instances)() == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(guest.count(), "1");
        assert_eq!((guest.instances)(), 2);
    }
}

#[test]
fn headers_beyond_the_limit_of_the_component_fail_its_request_alone() {
    for engine in engines() {
        let mut builder = WasiCtxBuilder::new();
        builder.http_limits(HttpLimits {
            field_bytes: 400,
            ..HttpLimits::default()
        });
        let guest = Guest::start(&engine, &builder, |_| ());
        let long = "x".repeat(500);
        let answer = ask(guest.addr, "GET", "/count", &[("x-long", &long)], None);
        assert_eq!(answer.status(), 500);
        assert_eq!(guest.count(), "1");
    }
}

/// The end of an instance cut off bodies that the host still moved between its own streams.
#[test]
fn an_instance_lasts_until_the_bodies_of_its_responses_have_ended() {
    let origin = origin::start(ROUTES);
    for engine in engines() {
        let changes: [fn(&mut ServeLimits); 2] = [
            |limits| limits.instances = 0,
            |limits| limits.instance_requests = 1,
        ];
        for change in changes {
            let guest = Guest::start(&engine, &granted(), change);
            let body: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
            let answer = ask(guest.addr, "POST", "/echo", &[], Some(&body));
            assert_eq!((answer.status(), answer.is_whole), (200, true));
            assert!(answer.body == body);
            let answer = through(&guest, origin, "POST", "/p/echo", Some(&body));
            assert_eq!((answer.status(), answer.is_whole), (200, true));
            assert!(answer.body == body);
        }
    }
}

/// Reads the rest of a connection, which the server has to end.
fn rest(mut stream: &TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => rest,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => rest,
        Err(error) => panic!("it goes on: {error}"),
    }
}

#[test]
fn a_body_ends_with_the_time_of_its_request_after_its_task() {
    let origin = origin::start(ROUTES);
    for engine in engines() {
        let mut builder = granted();
        builder.http_limits(HttpLimits {
            between_bytes_time: PATIENT * 10,
            ..HttpLimits::default()
        });
        let guest = Guest::start(&engine, &builder, |limits| {
            limits.request_time = Duration::from_millis(1500);
            limits.read_time = PATIENT * 10;
        });
        // The response of another server, as it is, and the body of the request.
        let requests = [
            format!("GET /p/stall HTTP/1.1\r\nhost: {origin}\r\n\r\n"),
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\npart".to_owned(),
        ];
        for request in requests {
            let mut stream = TcpStream::connect(guest.addr).unwrap();
            stream.set_read_timeout(Some(PATIENT)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let text = String::from_utf8(rest(&stream)).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            assert!(body.contains("part") && !body.ends_with("0\r\n\r\n"), "{text}");
        }
        assert_eq!(guest.count(), "3", "the instance goes on");
    }
}

#[test]
fn a_request_that_is_late_does_not_end_others_that_compute() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.request_time = Duration::from_secs(3);
        });
        let late = guest.begin("/wait");
        thread::sleep(Duration::from_secs(2));
        // It computes until long after the end of the other.
        assert_eq!(guest.get("/long").status(), 200);
        assert_eq!(answer(&late).unwrap().status(), 504);
    }
}

#[test]
fn instances_end_that_others_do_without() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.threads = 3;
            limits.instances = 1;
            limits.instance_concurrency = 1;
            limits.half_closed_time = Duration::from_millis(10);
        });
        let begun: Vec<TcpStream> = (0..3).map(|_| guest.begin("/wait")).collect();
        while (guest.instances)() < 3 {
            thread::sleep(Duration::from_millis(5));
        }
        drop(begun);
        // Light traffic, which one of them can bear.
        let start = std::time::Instant::now();
        while (guest.instances)() > 1 {
            guest.count();
            thread::sleep(Duration::from_millis(20));
            assert!(start.elapsed() < PATIENT, "{} are left", (guest.instances)());
        }
    }
}

#[test]
fn requests_that_are_cancelled_before_they_enter_leave_nothing() {
    for engine in engines() {
        let mut builder = WasiCtxBuilder::new();
        builder.limits(crate::WasiLimits {
            resources: 8,
            ..crate::WasiLimits::default()
        });
        let guest = Guest::start(&engine, &builder, |limits| {
            limits.half_closed_time = Duration::from_millis(10);
        });
        let block = guest.begin("/block");
        for _ in 0..16 {
            let blocked = guest.begin("/count");
            // Time for the instance to begin with it.
            thread::sleep(Duration::from_millis(20));
            drop(blocked);
        }
        drop(block);
        let answer = guest.get("/count");
        assert_eq!(answer.status(), 200);
        assert_ne!(answer.header("x-count"), Some("1"), "the instance goes on");
    }
}

#[test]
fn a_response_that_comes_after_the_cancellation_is_dropped() {
    for engine in engines() {
        let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
            limits.half_closed_time = Duration::from_millis(10);
            limits.store.handles = 60;
        });
        for number in 0..4 {
            let responds = guest.begin("/respond");
            while guest.number() < 3 * number + 2 {
                thread::sleep(Duration::from_millis(5));
            }
            drop(responds);
            // Its writes end: one that waited for ever would end its instance.
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Such an error ended all requests of the instance.
#[test]
fn a_request_that_finds_no_room_fails_alone() {
    for engine in engines() {
        // The second request may come while the first takes its own.
        let goes_on = (1..=5).any(|attempt| {
            let guest = Guest::start(&engine, &WasiCtxBuilder::new(), |limits| {
                // As many as one that waits has, with its task.
                limits.store.handles = 5;
                limits.request_time = Duration::from_millis(1000);
            });
            let waiting = guest.begin("/wait");
            thread::sleep(Duration::from_millis(100) * attempt);
            let other = guest.get("/count").status();
            (other, answer(&waiting).unwrap().status()) == (500, 504)
        });
        assert!(goes_on, "until its time is over");
    }
}
