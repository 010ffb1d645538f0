//! The newest lines of the log of each component, for `host logs`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airssys_wasm::ComponentId;
use airssys_wasm::host::LOG_TARGET;
use airssys_wasm::security::rfc3339;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Metadata, Record};
use serde_json::{Map, json};

use crate::logging::{EVENTS, Keep};

/// The key of a record that names its component.
const COMPONENT_KEY: &str = "component";

/// Least severe level that is kept.
pub(super) const LEVEL: Level = Level::Debug;

/// Bytes that a line takes beside its texts.
const LINE_BYTES: usize = 64;

/// The kept lines of all components of a host.
#[derive(Clone)]
pub(super) struct Logs(Arc<HashMap<String, Ring>>);

struct Ring {
    most_lines: usize,
    most_bytes: usize,
    kept: Mutex<Kept>,
    added: Condvar,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Line>,
    bytes: usize,
    /// Number of the line that comes next. Those before the first that is kept were dropped.
    next: u64,
    closed: bool,
}

/// One line of a component's log.
#[derive(Clone)]
pub(super) struct Line {
    millis: u64,
    level: Level,
    message: String,
    pairs: Vec<(String, String)>,
}

/// Lines from a number on.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Number of lines before these that were dropped.
    pub(super) lost: u64,
    /// Number of the line after these.
    pub(super) next: u64,
    /// True if there will be no more.
    pub(super) closed: bool,
}

impl Logs {
    /// Keeps `most_lines` lines and `most_bytes` bytes of each of these components.
    pub(super) fn new<'a>(
        ids: impl Iterator<Item = &'a ComponentId>,
        most_lines: usize,
        most_bytes: usize,
    ) -> Logs {
        let ring = || Ring {
            most_lines,
            most_bytes,
            kept: Mutex::default(),
            added: Condvar::new(),
        };
        Logs(Arc::new(ids.map(|id| (id.to_string(), ring())).collect()))
    }

    /// Returns the lines of a component from number `from` on, at most `most`. If there are none, waits for the next, at most
    /// `wait`. `None` for a component that the host does not have.
    pub(super) fn read(&self, id: &str, from: u64, most: usize, wait: Duration) -> Option<Lines> {
        let ring = self.0.get(id)?;
        let mut kept = ring.lock();
        if kept.next <= from && !kept.closed && !wait.is_zero() {
            let waited = ring.added.wait_timeout(kept, wait);
            kept = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let first = kept.next - kept.lines.len() as u64;
        let start = from.clamp(first, kept.next);
        let skipped = usize::try_from(start - first).unwrap_or(usize::MAX);
        let lines: Vec<_> = kept.lines.iter().skip(skipped).take(most).cloned().collect();
        let next = start + lines.len() as u64;
        Some(Lines {
            lost: start.saturating_sub(from),
            closed: kept.closed && next == kept.next,
            lines,
            next,
        })
    }

    /// Ends all logs: those who wait for more lines wait no more.
    pub(super) fn close(&self) {
        for ring in self.0.values() {
            ring.lock().closed = true;
            ring.added.notify_all();
        }
    }
}

impl Keep for Logs {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LEVEL && matches!(metadata.target(), LOG_TARGET | EVENTS)
    }

    fn keep(&self, record: &Record<'_>) {
        let mut pairs = Pairs::default();
        // It stops at no pair.
        let _ = record.key_values().visit(&mut pairs);
        let Some(ring) = pairs.component.as_ref().and_then(|id| self.0.get(id)) else {
            return;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ring.add(Line {
            millis: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            level: record.level(),
            message: record.args().to_string(),
            pairs: pairs.others,
        });
    }
}

impl Ring {
    fn add(&self, line: Line) {
        {
            let mut kept = self.lock();
            kept.bytes += line.bytes();
            kept.lines.push_back(line);
            kept.next += 1;
            while kept.lines.len() > self.most_lines || kept.bytes > self.most_bytes {
                let Some(oldest) = kept.lines.pop_front() else {
                    break;
                };
                kept.bytes -= oldest.bytes();
            }
        }
        self.added.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No step in between panics.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn bytes(&self) -> usize {
        let pairs = self.pairs.iter().map(|(key, value)| key.len() + value.len());
        LINE_BYTES + self.message.len() + pairs.sum::<usize>()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let fields: Map<_, _> = self
            .pairs
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        json!({
            "time": rfc3339(self.millis),
            "level": self.level.as_str().to_lowercase(),
            "message": self.message,
            "fields": fields,
        })
    }
}

/// The pairs of a record.
#[derive(Default)]
struct Pairs {
    component: Option<String>,
    others: Vec<(String, String)>,
}

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        match key.as_str() {
            COMPONENT_KEY => self.component = Some(value.to_string()),
            key => self.others.push((key.to_owned(), value.to_string())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Line {
        Line {
            millis: 0,
            level: Level::Info,
            message: message.to_owned(),
            pairs: Vec::new(),
        }
    }

    fn texts(lines: &Lines) -> Vec<&str> {
        lines.lines.iter().map(|line| line.message.as_str()).collect()
    }

    #[test]
    fn a_full_log_drops_its_oldest_lines_and_counts_them() {
        let id: ComponentId = "a".parse().expect("an identity");
        let logs = Logs::new([&id].into_iter(), 3, LINE_BYTES * 3 + 10);
        let read = |from| logs.read("a", from, 10, Duration::ZERO).expect("it is known");
        for message in ["1", "2", "3", "4"] {
            logs.0["a"].add(line(message));
        }
        let all = read(0);
        assert_eq!((texts(&all), all.lost, all.next), (vec!["2", "3", "4"], 1, 4));
        let rest = read(3);
        assert_eq!((texts(&rest), rest.lost, rest.next), (vec!["4"], 0, 4));
        logs.0["a"].add(line("123456789"));
        let fewer = read(0);
        assert_eq!((texts(&fewer), fewer.lost), (vec!["4", "123456789"], 3));
        logs.0["a"].add(line(&"x".repeat(1000)));
        let none = read(0);
        assert_eq!((none.lines.len(), none.lost, none.next), (0, 6, 6));
        assert!(!none.closed);
        logs.close();
        assert!(read(6).closed);
        assert!(logs.read("b", 0, 1, Duration::ZERO).is_none());
    }
}
