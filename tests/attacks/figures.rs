//! Figures of attacks: memory, and time after the deadline.

use std::time::Duration;

use airssys_wasm::engine::Engine;

use crate::{BESIDE, BUDGET};

/// Times that each attack is run, unless `AIRSSYS_ATTACKS` sets another number.
const TIMES: usize = 40;

/// Milliseconds after the deadline within which 99 of 100 attacks must have ended, if figures were requested: only then is the
/// machine idle.
const LATEST: f64 = 50.0;

/// Returns the number of times that each attack is run.
pub(crate) fn times() -> usize {
    requested().unwrap_or(TIMES)
}

fn requested() -> Option<usize> {
    let times = std::env::var("AIRSSYS_ATTACKS").ok()?;
    Some(times.parse().expect("AIRSSYS_ATTACKS is a number"))
}

/// Figures of one attack on one backend.
pub(crate) struct Figures {
    before: u64,
    most: u64,
    late: Vec<Duration>,
}

impl Figures {
    pub(crate) fn new() -> Figures {
        // The peak starts anew: see proc(5).
        std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
        Figures {
            before: memory("VmRSS:"),
            most: 0,
            late: Vec::with_capacity(times()),
        }
    }

    /// Adds the end of one attack.
    pub(crate) fn add(&mut self, late: Duration) {
        self.most = self.most.max(memory("VmHWM:"));
        self.late.push(late);
    }

    /// Returns the largest growth of this process, in bytes.
    fn most_memory(&self) -> u64 {
        self.most.saturating_sub(self.before)
    }

    /// Checks that this process used no more memory than it may, and prints the figures if they were requested.
    pub(crate) fn check(self, engine: &Engine, name: &str) {
        let more = self.most_memory();
        assert!(
            more <= BUDGET + BESIDE,
            "{name} on {}: {more} bytes more than before",
            engine.backend()
        );
        self.print(engine, name);
    }

    fn print(mut self, engine: &Engine, name: &str) {
        if requested().is_none() {
            return;
        }
        self.late.sort_unstable();
        let (times, last) = (self.late.len(), self.late.len().saturating_sub(1));
        let at = |part: usize| {
            let late = self.late.get((times * part / 1000).min(last));
            late.map_or(0.0, |late| late.as_secs_f64() * 1000.0)
        };
        println!(
            "{:10} {name:40} {times} times; memory +{:5.1} MiB; after the deadline: median {:.2}, p99 {:.2}, most {:.2} ms",
            engine.backend().to_string(),
            self.most_memory() as f64 / f64::from(1 << 20),
            at(500),
            at(990),
            at(1000)
        );
        let backend = engine.backend();
        assert!(at(990) <= LATEST, "{name} on {backend} ends late");
    }
}

/// Returns a figure of this process's memory, in bytes.
fn memory(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(figure));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a number of KiB") * 1024
}
