//! Minimum pace of a connection's other side, while it is waited for.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::executor::Timer;

/// The slowest progress that is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Maximum time without any progress.
    pub(crate) pause: Duration,
    /// Bytes per second, on average over a period of `pause`; 0 accepts any rate.
    pub(crate) rate: u64,
}

impl Pace {
    /// Returns the bytes that must arrive in one period.
    fn least(self) -> u64 {
        let millis = u64::try_from(self.pause.as_millis()).unwrap_or(u64::MAX);
        self.rate.saturating_mul(millis) / 1000
    }
}

/// A watch on progress. Only time spent waiting for the other side counts: it is not late while this side does not
/// poll.
pub(crate) struct Watch {
    pace: Pace,
    /// Time waited in this period, before the current wait.
    waited: Duration,
    /// Bytes that arrived in this period.
    came: u64,
    wait: Option<Wait>,
}

struct Wait {
    /// Start of the wait: nothing has arrived since.
    since: Instant,
    /// Start of the part of the wait that counts for this period.
    counted: Instant,
    timer: Timer,
}

impl Watch {
    pub(crate) fn new(pace: Pace) -> Watch {
        Watch {
            pace,
            waited: Duration::ZERO,
            came: 0,
            wait: None,
        }
    }

    /// Records progress.
    pub(crate) fn progress(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.waited = self.waited.saturating_add(wait.counted.elapsed());
        }
        self.came = self.came.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Ready when the pace is not kept. To be polled while there is no progress.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let pause = self.pace.pause;
            let left = pause.saturating_sub(self.waited);
            let wait = self.wait.get_or_insert_with(|| {
                let now = Instant::now();
                Wait {
                    since: now,
                    counted: now,
                    timer: Timer::at(after(now, left)),
                }
            });
            if wait.timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            if wait.since.elapsed() >= pause || self.came < self.pace.least() {
                return Poll::Ready(());
            }
            // The period is over, and enough bytes arrived in it.
            self.waited = Duration::ZERO;
            self.came = 0;
            wait.counted = Instant::now();
            wait.timer = Timer::at(after(wait.since, pause));
        }
    }
}

fn after(moment: Instant, time: Duration) -> Instant {
    moment.checked_add(time).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::wait;

    fn slow(watch: &mut Watch, within: Duration) -> bool {
        wait(Instant::now() + within, |cx| watch.poll(cx))
            .unwrap()
            .is_some()
    }

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn a_pause_is_bounded() {
        let mut patient = Watch::new(Pace {
            pause: Duration::from_secs(60),
            rate: 0,
        });
        let pause = Duration::from_millis(60);
        let mut watch = Watch::new(Pace { pause, rate: 0 });
        let start = Instant::now();
        for _ in 0..3 {
            assert!(!slow(&mut patient, Duration::from_millis(1)));
            patient.progress(1);
        }
        assert!(slow(&mut watch, LONG));
        assert!(start.elapsed() >= pause);
    }

    #[test]
    fn bytes_that_only_drip_do_not_count_as_progress() {
        let pace = Pace {
            pause: Duration::from_millis(50),
            rate: 1000,
        };
        let mut watch = Watch::new(pace);
        let mut drops = 0;
        // 50 bytes are needed in each period.
        while !slow(&mut watch, Duration::from_millis(2)) {
            watch.progress(1);
            drops += 1;
            assert!(drops < 1000, "it drips on and on");
        }
        // Enough bytes in each of several periods. This thread may itself pause for longer than one, so it tries again.
        let steady = || {
            let mut watch = Watch::new(pace);
            (0..100).all(|_| {
                let is_slow = slow(&mut watch, Duration::from_millis(1));
                watch.progress(100_000);
                !is_slow
            })
        };
        assert!((0..50).any(|_| steady()));
    }
}
