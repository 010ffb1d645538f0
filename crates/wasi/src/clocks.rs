//! `wasi:clocks`.

use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::WasiCtx;
use super::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use super::executor::Timer;
use super::io::{Pollable, Waits, subscribe_own};
use airssys_wasm_component::component::{HostResult, Resource};

/// Ready at a given time; never ready if the host's clock cannot represent that time.
pub(crate) struct Alarm(Option<Timer>);

impl Alarm {
    /// Creates an alarm for `nanos` after `start`.
    pub(crate) fn after(start: Instant, nanos: u64) -> Alarm {
        let when = start.checked_add(Duration::from_nanos(nanos));
        Alarm(when.map(Timer::at))
    }
}

impl Waits for Alarm {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The call's deadline ends a wait that would last forever.
        self.0.as_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
    }
}

impl WasiCtx {
    /// Returns the nanoseconds since the creation of the context, so that components learn nothing about the host.
    #[inline]
    pub(crate) fn monotonic_now(&self) -> u64 {
        let since = self.started.elapsed().as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    /// Creates an alarm for a time of the monotonic clock.
    pub(crate) fn alarm_at(&self, when: u64) -> Alarm {
        Alarm::after(self.started, when)
    }
}

impl monotonic_clock::Host for WasiCtx {
    #[inline]
    fn now(&mut self) -> HostResult<u64> {
        Ok(self.monotonic_now())
    }

    fn resolution(&mut self) -> HostResult<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> HostResult<Resource<Pollable>> {
        let alarm = self.alarm_at(when);
        Ok(subscribe_own(&mut self.table, alarm)?)
    }

    fn subscribe_duration(&mut self, when: u64) -> HostResult<Resource<Pollable>> {
        let alarm = Alarm::after(Instant::now(), when);
        Ok(subscribe_own(&mut self.table, alarm)?)
    }
}

impl wall_clock::Host for WasiCtx {
    fn now(&mut self) -> HostResult<wall_clock::Datetime> {
        // The type cannot represent a time before 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(wall_clock::Datetime {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        })
    }

    fn resolution(&mut self) -> HostResult<wall_clock::Datetime> {
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}
