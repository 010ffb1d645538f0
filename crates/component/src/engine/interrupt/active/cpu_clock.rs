//! Clocks of the CPU time that single threads use.
#![allow(
    unsafe_code,
    reason = "the system has the clocks of threads as functions of C, which write through pointers"
)]

use std::io;
use std::time::Duration;

/// The clock of one thread's CPU time. May be read from any thread, as long as the clock's own thread lives. Reading it
/// fails later, as soon as the system has removed the thread; that may be shortly after a join.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuClock(#[cfg(target_os = "linux")] libc::clockid_t);

#[cfg(target_os = "linux")]
impl CpuClock {
    /// Returns the clock of the calling thread.
    ///
    /// # Errors
    /// The operating system's error.
    pub(super) fn of_this_thread() -> io::Result<CpuClock> {
        let mut clock = 0;
        // SAFETY: the calling thread lives, and `clock` is written before the function returns.
        match unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) } {
            0 => Ok(CpuClock(clock)),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Returns the CPU time that the thread has used.
    ///
    /// # Errors
    /// The operating system's error, if the thread has ended.
    pub(super) fn now(self) -> io::Result<Duration> {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is written before the function returns. The system looks the thread up by the number in the
        // clock's, and refuses that of a thread which has ended.
        if unsafe { libc::clock_gettime(self.0, &raw mut time) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
        Ok(Duration::new(seconds, nanoseconds))
    }
}

#[cfg(not(target_os = "linux"))]
impl CpuClock {
    /// Fails: clocks of threads are read on Linux only.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`].
    pub(super) fn of_this_thread() -> io::Result<CpuClock> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// As [`CpuClock::of_this_thread`].
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`].
    pub(super) fn now(self) -> io::Result<Duration> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_thread_that_sleeps_uses_no_time_and_one_that_has_ended_has_no_clock() {
        let (asleep, sleeper) = std::thread::spawn(|| {
            let clock = CpuClock::of_this_thread().expect("Linux");
            let before = clock.now().expect("it lives");
            std::thread::sleep(Duration::from_millis(50));
            (clock.now().expect("it lives") - before, clock)
        })
        .join()
        .expect("it does not panic");
        assert!(asleep < Duration::from_millis(25), "{asleep:?}");
        // A join returns before the system has removed the thread.
        let end = Instant::now() + Duration::from_secs(30);
        while sleeper.now().is_ok() {
            assert!(Instant::now() < end, "the clock outlives its thread");
            std::thread::yield_now();
        }
        let clock = CpuClock::of_this_thread().expect("Linux");
        let before = clock.now().expect("it lives");
        let used = || clock.now().expect("it lives") - before;
        while used() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        // Read from another thread.
        let used = std::thread::scope(|scope| scope.spawn(used).join().expect("it does not panic"));
        assert!(used >= Duration::from_millis(50), "{used:?}");
    }
}
