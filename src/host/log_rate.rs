//! Limit on the lines that a component writes to the log.

use std::time::{Duration, Instant};

use super::log;
use crate::limits::{EffectiveLimits, Resource};
use crate::messaging::ComponentId;

/// Time that the rates refer to.
const WINDOW: Duration = Duration::from_secs(1);

/// Limits how much a component writes to the host's log in one second. The default limits nothing.
///
/// Lines beyond a limit are dropped. Their number is logged with the next line that is not, at the latest when the component
/// ends.
#[derive(Debug)]
pub struct LogRate {
    lines: u64,
    bytes: u64,
    /// Start of the present second, and what it had so far.
    window: Option<Instant>,
    used: (u64, u64),
    /// The lines that were dropped and not reported, and the component that wrote them.
    dropped: u64,
    id: Option<ComponentId>,
}

impl Default for LogRate {
    fn default() -> LogRate {
        LogRate::new(u64::MAX, u64::MAX)
    }
}

/// A copy has its own second, and nothing to report.
impl Clone for LogRate {
    fn clone(&self) -> LogRate {
        LogRate::new(self.lines, self.bytes)
    }
}

impl LogRate {
    /// Creates a limit of lines and bytes per second.
    pub fn new(lines: u64, bytes: u64) -> LogRate {
        LogRate {
            lines,
            bytes,
            window: None,
            used: (0, 0),
            dropped: 0,
            id: None,
        }
    }

    /// Creates the limit that applies to a component.
    pub(crate) fn of(limits: &EffectiveLimits) -> LogRate {
        LogRate::new(limits.value(Resource::LogLines), limits.value(Resource::LogBytes))
    }

    /// Reports whether a line of this size may be written at `now`, and counts it. Reports earlier lines that were dropped.
    pub(super) fn admits(&mut self, id: &ComponentId, bytes: u64, now: Instant) -> bool {
        if self
            .window
            .is_none_or(|start| now.duration_since(start) >= WINDOW)
        {
            self.window = Some(now);
            self.used = (0, 0);
        }
        let (lines, total) = (self.used.0 + 1, self.used.1.saturating_add(bytes));
        if lines > self.lines || total > self.bytes {
            self.dropped += 1;
            self.id.get_or_insert_with(|| id.clone());
            return false;
        }
        self.used = (lines, total);
        self.report();
        true
    }

    fn report(&mut self) {
        if let Some(id) = self.id.take() {
            let dropped = std::mem::take(&mut self.dropped);
            log::write_dropped(&id, dropped, (self.lines, self.bytes));
        }
    }
}

impl Drop for LogRate {
    fn drop(&mut self) {
        self.report();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_only_so_many_lines_and_bytes() {
        let id: ComponentId = "flood".parse().expect("an identity");
        let start = Instant::now();
        let mut rate = LogRate::new(3, 10);
        let mut admits = |bytes, millis| rate.admits(&id, bytes, start + Duration::from_millis(millis));
        assert!(admits(4, 0));
        assert!(!admits(7, 1), "11 bytes");
        assert!(admits(6, 2), "10 bytes");
        assert!(!admits(1, 3));
        assert!(admits(0, 4), "the third line");
        assert!(!admits(0, 999), "the fourth line");
        assert!(admits(10, 1000), "another second");
        assert!(!admits(u64::MAX, 1001));
        assert_eq!(rate.dropped, 1, "the three before are reported");
        assert_eq!(rate.clone().dropped, 0);
    }
}
