//! A server for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use airssys_wasm::component::Component;
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::serve::{ServeError, ServeLimits, Server, ShutdownHandle};

use crate::common::{default_engine, fixture};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) shutdown: ShutdownHandle,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

/// Time limit that no exchange of a test reaches, even if threads stop for seconds.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// Small sizes, and times that no honest exchange reaches. A test that must reach a limit sets it on its own server.
pub(crate) fn limits() -> ServeLimits {
    let mut limits = ServeLimits::default();
    limits.request_time = PATIENT;
    limits.head_time = PATIENT;
    limits.body_bytes = 1 << 20;
    limits.read_time = PATIENT;
    limits.write_time = PATIENT;
    limits.half_closed_time = PATIENT;
    limits.target_bytes = 32 << 10;
    limits.drain_time = Duration::from_secs(2);
    limits
}

impl Running {
    pub(crate) fn of(
        engine: &Engine,
        component: &Component,
        wasi: &WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Running {
        Running::at(Ipv4Addr::LOCALHOST, engine, component, wasi, limits)
    }

    /// Starts a server on this address, with any port.
    pub(crate) fn at(
        ip: Ipv4Addr,
        engine: &Engine,
        component: &Component,
        wasi: &WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Running {
        let any = SocketAddr::from((ip, 0));
        let server = Server::bind(engine, component, any, wasi, limits).expect("it can be served");
        let (addr, shutdown) = (server.local_addr(), server.shutdown_handle());
        let thread = std::thread::spawn(move || server.run());
        Running {
            addr,
            shutdown,
            thread: Some(thread),
        }
    }

    /// Starts a server with the Rust guest, which is compiled once.
    pub(crate) fn with(wasi: &WasiCtxBuilder, limits: ServeLimits) -> Running {
        static COMPONENT: OnceLock<(Engine, Component)> = OnceLock::new();
        let (engine, component) = COMPONENT.get_or_init(|| {
            let engine = default_engine();
            let component = Component::from_binary(&engine, &fixture("wasi-http.wasm"));
            (engine, component.expect("the fixture loads"))
        });
        Running::of(engine, component, wasi, limits)
    }

    /// Starts a server with the Rust guest, with no grants.
    pub(crate) fn start() -> Running {
        Running::with(&WasiCtxBuilder::new(), limits())
    }

    /// Starts a server with the Rust guest, with no grants, and with limits that this changes.
    pub(crate) fn limited(change: impl FnOnce(&mut ServeLimits)) -> Running {
        let mut limits = limits();
        change(&mut limits);
        Running::with(&WasiCtxBuilder::new(), limits)
    }

    /// Shuts the server down and waits for its end.
    pub(crate) fn stop(mut self) -> Result<(), ServeError> {
        self.shutdown.shutdown();
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("the server does not panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.shutdown();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server does not panic").expect("it ends well");
            }
        }
    }
}

/// Logged lines, as `target message key=value…`.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        struct Pairs(String);
        impl<'kvs> log::kv::VisitSource<'kvs> for Pairs {
            fn visit_pair(
                &mut self,
                key: log::kv::Key<'kvs>,
                value: log::kv::Value<'kvs>,
            ) -> Result<(), log::kv::Error> {
                self.0.push_str(&format!(" {key}={value}"));
                Ok(())
            }
        }
        if !record.target().starts_with("airssys_wasm") {
            return;
        }
        let mut pairs = Pairs(format!("{} {}", record.target(), record.args()));
        record.key_values().visit(&mut pairs).expect("no visit fails");
        LINES.lock().expect("no test panics with it").push(pairs.0);
    }

    fn flush(&self) {}
}

/// Starts collecting the log.
pub(crate) fn capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        log::set_logger(&Capture).expect("there is no other");
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the log's lines that contain `what`; waits until there is one.
pub(crate) fn lines(what: &str) -> Vec<String> {
    for _ in 0..500 {
        let lines = LINES.lock().expect("no test panics with it");
        let found: Vec<String> = lines.iter().filter(|line| line.contains(what)).cloned().collect();
        drop(lines);
        if !found.is_empty() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Vec::new()
}
