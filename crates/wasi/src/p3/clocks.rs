//! `wasi:clocks` 0.3.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use airssys_wasm_component::component::{Accessor, HostResult};

use super::bindings::wasi::clocks::{monotonic_clock, system_clock};
use super::wait::wait;
use crate::WasiCtx;
use crate::clocks::Alarm;
use crate::io::Waits;
use crate::view::HasWasi;

impl monotonic_clock::Host for WasiCtx {
    fn now(&mut self) -> HostResult<u64> {
        Ok(self.monotonic_now())
    }

    fn get_resolution(&mut self) -> HostResult<u64> {
        Ok(1)
    }
}

impl<T: Send + 'static> monotonic_clock::HostWithStore<T> for HasWasi {
    async fn wait_until(accessor: &Accessor<T, Self>, when: u64) -> HostResult<()> {
        let alarm = accessor.with(|mut store| {
            let ctx = store.get();
            (when > ctx.monotonic_now()).then(|| ctx.alarm_at(when))
        });
        ring(accessor, alarm).await
    }

    async fn wait_for(accessor: &Accessor<T, Self>, how_long: u64) -> HostResult<()> {
        let alarm = (how_long > 0).then(|| Alarm::after(Instant::now(), how_long));
        ring(accessor, alarm).await
    }
}

/// Waits for an alarm, if there is one.
async fn ring<T: Send + 'static>(accessor: &Accessor<T, HasWasi>, alarm: Option<Alarm>) -> HostResult<()> {
    match alarm {
        Some(mut alarm) => wait(accessor, move |cx| alarm.poll_ready(cx)).await,
        None => Ok(()),
    }
}

impl system_clock::Host for WasiCtx {
    fn now(&mut self) -> HostResult<system_clock::Instant> {
        Ok(instant(SystemTime::now()))
    }

    fn get_resolution(&mut self) -> HostResult<u64> {
        Ok(1)
    }
}

/// Converts a time of the system. Nanoseconds count forward, also before 1970.
pub(super) fn instant(time: SystemTime) -> system_clock::Instant {
    let signed = |since: Duration| i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => system_clock::Instant {
            seconds: signed(since),
            nanoseconds: since.subsec_nanos(),
        },
        Err(before) => {
            let before = before.duration();
            let (whole, nanoseconds) = match before.subsec_nanos() {
                0 => (signed(before), 0),
                part => (signed(before).saturating_add(1), 1_000_000_000 - part),
            };
            system_clock::Instant {
                seconds: -whole,
                nanoseconds,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_have_negative_seconds_and_positive_nanoseconds() {
        let parts = |time| {
            let instant = instant(time);
            (instant.seconds, instant.nanoseconds)
        };
        assert_eq!(parts(UNIX_EPOCH), (0, 0));
        assert_eq!(parts(UNIX_EPOCH + Duration::new(7, 9)), (7, 9));
        assert_eq!(parts(UNIX_EPOCH - Duration::new(7, 0)), (-7, 0));
        assert_eq!(parts(UNIX_EPOCH - Duration::from_nanos(1)), (-1, 999_999_999));
        assert_eq!(parts(UNIX_EPOCH - Duration::new(7, 9)), (-8, 999_999_991));
    }
}
