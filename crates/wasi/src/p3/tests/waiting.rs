//! Waits, and their ends.

use std::time::{Duration, Instant};

use super::engines;
use super::functions::is_interrupted;
use super::guest::Guest;
use crate::executor;
use crate::{WasiCtxBuilder, WasiLimits};

/// Nanoseconds that no test lives to see.
const FOREVER: u64 = 1 << 63;

#[test]
fn a_wait_takes_its_time() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let start = Instant::now();
        guest.call("wait-for", (20_000_000_u64,)).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(20));
        let now: u64 = guest.get("now");
        guest.call("wait-until", (now + 20_000_000,)).unwrap();
        assert!(guest.get::<u64>("now") >= now + 20_000_000);
        // Past times.
        guest.call("wait-for", (0_u64,)).unwrap();
        guest.call("wait-until", (0_u64,)).unwrap();
        assert_eq!(guest.store.concurrency_counts().activities, 0);
    }
}

#[test]
fn other_tasks_run_during_a_wait() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let wait = guest
            .instance
            .get_typed_func::<(u64,), (u32,)>(&mut guest.store, "wait-for")
            .unwrap();
        let run = guest.store.run_concurrent(async |accessor| {
            let long = async {
                wait.call_concurrent(accessor, (500_000_000,)).await.unwrap();
                Instant::now()
            };
            let short = async {
                wait.call_concurrent(accessor, (10_000_000,)).await.unwrap();
                Instant::now()
            };
            futures_util::future::join(long, short).await
        });
        let (long, short) = executor::block_on(run).unwrap().unwrap();
        // The one that began later, and ends earlier.
        assert!(short < long);
    }
}

#[test]
fn a_wait_ends_at_the_deadline_of_the_call() {
    for engine in engines() {
        for (name, time) in [
            ("wait-for", FOREVER),
            ("wait-for", u64::MAX),
            ("wait-until", u64::MAX),
        ] {
            let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
            let deadline = Instant::now() + Duration::from_millis(30);
            guest.store.data_mut().ctx.set_deadline(Some(deadline));
            let error = guest.call(name, (time,)).unwrap_err();
            assert!(is_interrupted(&error), "{error:?}");
            let late = deadline.elapsed();
            assert!(late < Duration::from_secs(5), "{late:?}");
            let counts = guest.store.concurrency_counts();
            assert_eq!((counts.tasks, counts.activities, counts.stacks), (0, 0, 0));
        }
    }
}

#[test]
fn a_wait_ends_at_the_deadline_of_the_call_that_runs_it() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let wait = guest
            .instance
            .get_typed_func::<(u64,), (u32,)>(&mut guest.store, "wait-for")
            .unwrap();
        let soon = Instant::now() + Duration::from_millis(40);
        guest.store.data_mut().ctx.set_deadline(Some(soon));
        let run = guest.store.run_concurrent(async |accessor| {
            // The next call, while the wait goes on.
            let next = async {
                let late = Instant::now() + Duration::from_secs(20);
                accessor.with(|mut store| store.data_mut().ctx.set_deadline(Some(late)));
            };
            futures_util::future::join(wait.call_concurrent(accessor, (120_000_000,)), next).await
        });
        let (waited, ()) = executor::block_on(run).unwrap().unwrap();
        assert_eq!(waited.unwrap(), (0,));
    }
}

#[test]
fn a_wait_without_a_deadline_ends_at_the_limit() {
    for engine in engines() {
        let limits = WasiLimits {
            longest_wait: Duration::from_millis(30),
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, WasiCtxBuilder::new().limits(limits));
        let error = guest.call("wait-for", (FOREVER,)).unwrap_err();
        assert!(is_interrupted(&error), "{error:?}");
    }
}

#[test]
fn a_wait_without_a_deadline_goes_on_while_others_end() {
    for engine in engines() {
        let limits = WasiLimits {
            longest_wait: Duration::from_millis(400),
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, WasiCtxBuilder::new().limits(limits));
        let wait = guest
            .instance
            .get_typed_func::<(u64,), (u32,)>(&mut guest.store, "wait-for")
            .unwrap();
        let run = guest.store.run_concurrent(async |accessor| {
            let long = wait.call_concurrent(accessor, (1_500_000_000,));
            let short = async {
                for _ in 0..50 {
                    wait.call_concurrent(accessor, (20_000_000,)).await.unwrap();
                }
            };
            futures_util::future::join(long, short).await.0
        });
        assert_eq!(executor::block_on(run).unwrap().unwrap().unwrap(), (0,));
    }
}

#[test]
fn a_wait_can_be_cancelled() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let before = guest.store.concurrency_counts();
        // Started, and cancelled before it returned.
        assert_eq!(guest.call("cancel-wait", (FOREVER,)).unwrap(), 1 | 4 << 4);
        // Returned at once.
        assert_eq!(guest.call("cancel-wait", (0_u64,)).unwrap(), 2);
        assert_eq!(guest.store.concurrency_counts(), before);
    }
}
