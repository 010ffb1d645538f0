//! State of the host that a component relies on for its whole life, also if that begins with a snapshot.

use std::time::{Duration, Instant};

use crate::WasiCtx;

/// The monotonic clock, and the seed of hash tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lasting {
    /// Time of the monotonic clock.
    pub clock: Duration,
    /// The insecure seed, if it was asked for.
    pub seed: Option<(u64, u64)>,
}

impl WasiCtx {
    /// Returns the state that a component which begins with this one's memory relies on.
    pub fn lasting(&self) -> Lasting {
        Lasting {
            clock: self.started.elapsed(),
            seed: self.seed,
        }
    }

    /// Continues with the state of another context. A clock that is further than the system's can go stays as it is.
    pub fn resume(&mut self, lasting: Lasting) {
        if let Some(started) = Instant::now().checked_sub(lasting.clock) {
            self.started = started;
        }
        self.seed = lasting.seed;
    }

    /// Returns the number of open descriptors of preview 1, without standard streams that are as they were at first.
    pub fn open_descriptors(&self) -> usize {
        self.snapshot1
            .as_ref()
            .map_or(0, |descriptors| descriptors.beyond_standard_streams())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WasiCtxBuilder;
    use crate::bindings::wasi::clocks::monotonic_clock;
    use crate::bindings::wasi::random::insecure_seed;

    #[test]
    fn clock_and_seed_go_on() {
        let mut first = WasiCtxBuilder::new().build();
        let seed = insecure_seed::Host::insecure_seed(&mut first).expect("random numbers");
        let mut lasting = first.lasting();
        assert_eq!(lasting.seed, Some(seed));
        lasting.clock += Duration::from_secs(7);
        let mut second = WasiCtxBuilder::new().build();
        second.resume(lasting);
        assert_eq!(
            insecure_seed::Host::insecure_seed(&mut second).expect("it is known"),
            seed
        );
        let now = monotonic_clock::Host::now(&mut second).expect("it runs");
        assert!(u128::from(now) >= lasting.clock.as_nanos(), "{now}");
        second.resume(Lasting {
            clock: Duration::MAX,
            seed: None,
        });
        assert!(monotonic_clock::Host::now(&mut second).is_ok());
    }
}
