//! Wall-clock times, in messages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of a host.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Clock {
    /// That of the operating system.
    #[default]
    System,
    /// Virtual time, from an instant that shows these milliseconds.
    #[cfg(test)]
    Simulated(tokio::time::Instant, u64),
}

impl Clock {
    /// Returns the milliseconds since 1970; 0 for a clock before that.
    pub(crate) fn now_ms(self) -> u64 {
        match self {
            Clock::System => millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            #[cfg(test)]
            Clock::Simulated(start, at_start) => at_start + millis(start.elapsed()),
        }
    }
}

/// Returns a duration in milliseconds, at most the largest number.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
