//! Calls in both directions.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use airssys_wasm_component::component::{Accessor, AccessorTask, HostResult, TypedFunc, Val};
use airssys_wasm_component::error::{Error, TrapKind};

use crate::support::{Gate, Host, NOTHING, block_on, call, engines, func, new};

#[test]
fn a_call_waits_for_a_future_of_the_host_that_another_thread_wakes() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            for (x, waits) in [(6, false), (7, true)] {
                let (mut store, instance) = new(&engine);
                if waits {
                    store.data().gate.open_soon();
                }
                let (answer,): (u32,) = call(&mut store, &instance, name, (x,)).unwrap();
                assert_eq!(answer, x + 1, "{name}");
                assert_eq!(store.concurrency_counts(), NOTHING);
                assert_eq!(store.data().living.count(), 0);
            }
        }
    }
}

#[test]
fn the_result_of_a_late_call_is_lowered_to_the_guests_memory() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        store.data().gate.open_soon();
        let (name,): (String,) = call(&mut store, &instance, "named", ("the rose",)).unwrap();
        assert_eq!(name, "the name of the rose");
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A call whose answer is checked.
struct Calls {
    sleep: TypedFunc<(u32,), (u32,)>,
    x: u32,
}

impl AccessorTask<Host> for Calls {
    async fn run(self, accessor: &Accessor<Host>) -> HostResult<()> {
        let (answer,) = self.sleep.call_concurrent(accessor, (self.x,)).await?;
        assert_eq!(answer, self.x + 1);
        Ok(())
    }
}

#[test]
fn calls_run_at_a_time() {
    for engine in engines() {
        for name in ["sleep-async", "sleep-sync"] {
            let (mut store, instance) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, name);
            let count = 200;
            block_on(store.run_concurrent(async |accessor| {
                let tasks: Vec<_> = (0..count)
                    .map(|x| {
                        accessor.spawn(Calls {
                            sleep: sleep.clone(),
                            x: 2 * x + 101,
                        })
                    })
                    .collect();
                // All have begun before any can end.
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    match accessor.with(|mut access| access.get().calls) == count {
                        true => std::task::Poll::Ready(()),
                        false => std::task::Poll::Pending,
                    }
                })
                .await;
                accessor.with(|mut access| access.get().gate.open());
                for task in tasks {
                    task.await;
                }
            }))
            .unwrap();
            assert_eq!(store.concurrency_counts(), NOTHING);
            assert_eq!(store.data().living.count(), 0);
        }
    }
}

#[test]
fn dynamic_calls_run_at_a_time_too() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep = instance.get_func(&mut store, "sleep-async").unwrap();
        store.data().gate.open_soon();
        let answer = block_on(
            store.run_concurrent(async |accessor| sleep.call_concurrent(accessor, &[Val::U32(9)]).await),
        );
        assert_eq!(answer.unwrap().unwrap(), Some(Val::U32(10)));
        let misfit = block_on(
            store.run_concurrent(async |accessor| sleep.call_concurrent(accessor, &[Val::Bool(true)]).await),
        );
        assert!(
            matches!(misfit.unwrap(), Err(Error::Argument(_))),
            "of the host's own values"
        );
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_cancelled_call_ends_the_hosts_future() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let (state,): (u32,) = call(&mut store, &instance, "sleep-cancel", (7u32,)).unwrap();
        assert_eq!(state, 4, "cancelled before it returned");
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.data().calls, 1);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// Lets the store's tasks run until `calls` of the host have begun.
async fn begun(accessor: &Accessor<Host>, calls: u32) {
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        match accessor.with(|mut access| access.get().calls) >= calls {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

#[test]
fn the_host_cancels_a_call_that_waits() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        let run = store.run_concurrent(async |accessor| {
            let (result, mut task) = sleep.begin_concurrent(accessor, (7,)).unwrap();
            begun(accessor, 1).await;
            assert!(!task.has_ended());
            task.cancel();
            (&mut task).await;
            // An ended task has nothing to cancel.
            task.cancel();
            result.await
        });
        let ended = block_on(run).unwrap().unwrap_err();
        assert!(matches!(
            ended.trap().map(|trap| trap.kind()),
            Some(TrapKind::Poisoned)
        ));
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
        // The instance goes on.
        store.data().gate.open();
        let (answer,): (u32,) = call(&mut store, &instance, "sleep-async", (7u32,)).unwrap();
        assert_eq!(answer, 8);
    }
}

#[test]
fn a_call_that_is_cancelled_before_its_task_has_begun_does_not_run() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        let run = store.run_concurrent(async |accessor| {
            let (result, task) = sleep.begin_concurrent(accessor, (7,)).unwrap();
            task.cancel();
            task.await;
            result.await
        });
        block_on(run).unwrap().unwrap_err();
        assert_eq!(store.data().calls, 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_task_ends_after_its_result_and_a_cancellation_does_not_change_that() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        store.data().gate.open();
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        let run = store.run_concurrent(async |accessor| {
            let (result, task) = sleep.begin_concurrent(accessor, (7,)).unwrap();
            let result = result.await;
            task.cancel();
            task.await;
            result
        });
        assert_eq!(block_on(run).unwrap().unwrap(), (8,));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_future_that_fails_traps_its_caller_only() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            store.data().gate.open_soon();
            let failed = call::<_, (u32,)>(&mut store, &instance, name, (17u32,)).unwrap_err();
            assert!(
                matches!(&failed, Error::Host { name, .. } if name.contains("sleep")),
                "{failed}"
            );
            assert!(instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), NOTHING);
            let (mut other, instance) = new(&engine);
            let (answer,): (u32,) = call(&mut other, &instance, name, (6u32,)).unwrap();
            assert_eq!(answer, 7);
        }
    }
}

#[test]
fn a_future_that_panics_leaves_the_store_usable() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            store.data().gate.open_soon();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                call::<_, (u32,)>(&mut store, &instance, name, (13u32,))
            }));
            assert!(panicked.is_err());
            assert!(instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
            let instance = crate::support::guest(&mut store);
            let (answer,): (u32,) = call(&mut store, &instance, name, (6u32,)).unwrap();
            assert_eq!(answer, 7);
        }
    }
}

#[test]
fn a_trap_ends_all_calls_of_its_instance_and_no_others() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let other = crate::support::guest(&mut store);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        let elsewhere: TypedFunc<(u32,), (u32,)> = func(&mut store, &other, "sleep-async");
        let gate = store.data().gate.clone();
        let (failed, ended, fine) = block_on(store.run_concurrent(async |accessor| {
            let (mut failed, mut ended, mut fine) = (
                Box::pin(sleep.call_concurrent(accessor, (17,))),
                Box::pin(sleep.call_concurrent(accessor, (33,))),
                Box::pin(elsewhere.call_concurrent(accessor, (35,))),
            );
            // Starts all three.
            std::future::poll_fn(|cx| {
                let _ = failed.as_mut().poll(cx);
                let _ = ended.as_mut().poll(cx);
                let _ = fine.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
            gate.open_soon();
            (failed.await, ended.await, fine.await)
        }))
        .unwrap();
        let both = [failed.unwrap_err(), ended.unwrap_err()];
        assert!(
            both.iter().any(|error| matches!(error, Error::Host { .. })),
            "{both:?}"
        );
        let poisoned = |error: &Error| {
            error
                .trap()
                .is_some_and(|trap| *trap.kind() == TrapKind::Poisoned)
        };
        assert!(both.iter().any(poisoned), "{both:?}");
        assert_eq!(fine.unwrap(), (36,));
        assert!(instance.is_poisoned() && !other.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_dropped_call_goes_on() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        block_on(store.run_concurrent(async |accessor| {
            let mut calling = Box::pin(sleep.call_concurrent(accessor, (7,)));
            std::future::poll_fn(|cx| {
                let _ = calling.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
        }))
        .unwrap();
        store.data().gate.open();
        let (answer,): (u32,) = call(&mut store, &instance, "sleep-async", (9u32,)).unwrap();
        assert_eq!(answer, 10);
        crate::support::settle(&mut store);
        assert_eq!(store.data().calls, 2, "that of the dropped call too");
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_store_that_ends_drops_the_futures_that_its_tasks_wait_for() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, name);
            let living = store.data().living.clone();
            block_on(store.run_concurrent(async |accessor| {
                accessor.spawn(Calls {
                    sleep: sleep.clone(),
                    x: 7,
                });
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    match accessor.with(|mut access| access.get().calls) {
                        0 => std::task::Poll::Pending,
                        _ => std::task::Poll::Ready(()),
                    }
                })
                .await;
            }))
            .unwrap();
            assert_eq!(living.count(), 1);
            drop(store);
            assert_eq!(living.count(), 0);
        }
    }
}

#[test]
fn an_aborted_task_ends() {
    struct Waits(Gate, crate::support::Lives);
    impl AccessorTask<Host> for Waits {
        async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
            let _lives = self.1;
            self.0.await;
            Ok(())
        }
    }
    for engine in engines() {
        let (mut store, _) = new(&engine);
        let (gate, lives) = (store.data().gate.clone(), store.data().living.one());
        let task = store.spawn(Waits(gate, lives));
        block_on(store.run_concurrent(async |accessor| {
            accessor.with(|mut access| access.get().calls += 1);
            task.abort();
            task.await;
        }))
        .unwrap();
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_failed_task_in_the_background_ends_the_run() {
    struct Fails;
    impl AccessorTask<Host> for Fails {
        async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
            Err("it fails".into())
        }
    }
    for engine in engines() {
        let (mut store, _) = new(&engine);
        store.spawn(Fails);
        let failed = block_on(store.run_concurrent(async |_| std::future::pending::<()>().await));
        assert!(
            failed
                .unwrap_err()
                .to_string()
                .contains("a task in the background")
        );
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn an_interruption_ends_a_call_that_waits_for_the_host() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let handle = store.interrupt_handle();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                handle.interrupt();
            });
            let start = Instant::now();
            let ended = call::<_, (u32,)>(&mut store, &instance, name, (7u32,)).unwrap_err();
            assert!(ended.to_string().contains("interrupt"), "{ended}");
            assert!(start.elapsed() < Duration::from_secs(20));
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
            assert_eq!(store.data().living.count(), 0);
        }
    }
}
