//! Output goes to the host's log by default.

use std::fmt::Write;
use std::sync::{Mutex, Once};

use airssys_wasm::wasi::{Stdout, WasiLimits};
use log::kv::{self, Key, Value, VisitSource};

use crate::program::programs;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Capture;

struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        write!(self.0, " {{{key}={value}}}").map_err(kv::Error::from)
    }
}

impl log::Log for Capture {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "airssys_wasm::component"
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut pairs = Pairs(String::new());
        record.key_values().visit(&mut pairs).expect("text");
        let line = format!("{} {}{}", record.level(), record.args(), pairs.0);
        LINES.lock().expect("no panic").push(line);
    }

    fn flush(&self) {}
}

/// Returns the lines that components with this name have logged.
fn lines_of(name: &str) -> Vec<String> {
    let mark = format!(" {{component={name}}}");
    let lines = LINES.lock().expect("no panic");
    let own = lines.iter().filter(|line| line.contains(&mark));
    own.map(|line| line.replace(&mark, "")).collect()
}

#[test]
fn output_is_logged_line_by_line() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Capture).expect("it is the first");
        log::set_max_level(log::LevelFilter::Trace);
    });
    for program in programs() {
        let name = format!("logs-on-{}", program.engine.backend());
        let log = |builder: &mut airssys_wasm::wasi::WasiCtxBuilder| {
            builder.name(&*name).stdout(Stdout::Log).limits({
                let mut limits = WasiLimits::default();
                limits.log_line_bytes = 12;
                limits
            });
        };
        program.run(&["surroundings", "a\nb\u{1b}[2J"], log).lines();
        program.run(&["stderr", "an error"], log).lines();
        let expected = [
            "INFO argument a {stream=stdout}",
            "INFO b\\u{1b}[2J {stream=stdout}",
            "INFO folder None {stream=stdout}",
            "INFO terminals [f {stream=stdout}",
            "INFO alse, false, {stream=stdout}",
            "INFO  false] {stream=stdout}",
            "WARN an error {stream=stderr}",
        ];
        assert_eq!(lines_of(&name), expected);
    }
}
