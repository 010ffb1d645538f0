//! Wake-ups, loops within polls, and interruptions of the loop.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use airssys_wasm_component::component::{
    Accessor, AccessorTask, Destination, HasSelf, HostResult, Store, StoreContextMut, StreamProducer,
    StreamReader, StreamResult, TypedFunc,
};
use airssys_wasm_component::error::{CoreTrap, Error, TrapKind};

use crate::support::{Chunks, Host, Lives, NOTHING, block_on, call, engines, func, new, settle};

/// Wakes itself, runs the loop within its poll, and waits for the wake-up.
struct Nests(TypedFunc<(u32,), (u32,)>);

impl AccessorTask<Host> for Nests {
    async fn run(self, accessor: &Accessor<Host>) -> HostResult<()> {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            // Its own wake-up is found by the inner loop.
            let answer = accessor.with(|mut access| self.0.call(&mut access, (7,)));
            assert_eq!(answer.unwrap(), (8,));
            Poll::Pending
        })
        .await;
        Ok(())
    }
}

#[test]
fn a_wake_up_within_a_poll_is_not_lost_to_a_loop_within_it() {
    for engine in engines() {
        for name in ["sleep-async", "sleep-sync"] {
            let (mut store, instance) = new(&engine);
            let sleep = func(&mut store, &instance, name);
            store.data().gate.open_soon();
            let task = store.spawn(Nests(sleep));
            let mut polls = 0;
            let mut task = Box::pin(task);
            block_on(store.run_concurrent(async |_| {
                poll_fn(|cx| {
                    polls += 1;
                    assert!(polls < 1000, "{name}: the wake-up is lost");
                    cx.waker().wake_by_ref();
                    task.as_mut().poll(cx)
                })
                .await;
            }))
            .unwrap();
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_store_that_ends_drops_tasks_in_the_background() {
    struct Waits(#[expect(dead_code, reason = "held for its drop")] Lives);
    impl AccessorTask<Host> for Waits {
        async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
            std::future::pending::<()>().await;
            drop(self);
            Ok(())
        }
    }
    for engine in engines() {
        for runs in [false, true] {
            let (mut store, _) = new(&engine);
            let living = store.data().living.clone();
            let mut task = Box::pin(store.spawn(Waits(living.one())));
            if runs {
                settle(&mut store);
            }
            assert_eq!(living.count(), 1);
            drop(store);
            assert_eq!(living.count(), 0);
            let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(()), "it has ended");
        }
    }
}
