//! Wall-clock time.

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// Source of the time of day for components and messages. Deadlines do not depend on it.
pub trait Clock: Debug + Send + Sync {
    /// Returns milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> u64;
}

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Returns zero for a clock that is set before 1970.
    fn now_millis(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
