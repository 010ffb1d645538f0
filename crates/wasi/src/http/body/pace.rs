//! The pace that the other side of a connection has to keep while it is waited for.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::executor::Timer;

/// The slowest progress that is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Time without any progress.
    pub(crate) pause: Duration,
    /// Bytes per second, on average over a period of `pause`; 0 for any.
    pub(crate) rate: u64,
}

impl Pace {
    /// Bytes that have to come in a period.
    fn least(self) -> u64 {
        let millis = u64::try_from(self.pause.as_millis()).unwrap_or(u64::MAX);
        self.rate.saturating_mul(millis) / 1000
    }
}

/// A watch on progress. Only the time counts in which it is waited for: a side that does not ask keeps the other one waiting.
pub(crate) struct Watch {
    pace: Pace,
    /// Time waited in this period, before the wait in course.
    waited: Duration,
    /// Bytes that came in this period.
    came: u64,
    wait: Option<Wait>,
}

struct Wait {
    /// Since when nothing came.
    since: Instant,
    /// Since when this period counts it.
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

    /// Notes progress.
    pub(crate) fn progress(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.waited = self.waited.saturating_add(wait.counted.elapsed());
        }
        self.came = self.came.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Ready when the pace is not kept. Asked while there is no progress.
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
            // The period is over, and enough has come in it.
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
        let pause = Duration::from_millis(60);
        let mut watch = Watch::new(Pace { pause, rate: 0 });
        let start = Instant::now();
        for _ in 0..3 {
            assert!(!slow(&mut watch, Duration::from_millis(1)));
            watch.progress(1);
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
        let mut watch = Watch::new(pace);
        for _ in 0..100 {
            assert!(!slow(&mut watch, Duration::from_millis(1)));
            watch.progress(100_000);
        }
    }
}
