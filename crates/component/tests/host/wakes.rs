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

/// Wakes itself for ever.
struct Spins;

impl AccessorTask<Host> for Spins {
    async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
        .await;
        Ok(())
    }
}

#[test]
fn a_task_that_wakes_itself_for_ever_holds_nothing_up() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let task = store.spawn(Spins);
        store.data().gate.open_soon();
        let (answer,): (u32,) = call(&mut store, &instance, "sleep-async", (7u32,)).unwrap();
        assert_eq!(answer, 8);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-sync");
        let answer =
            block_on(store.run_concurrent(async |accessor| sleep.call_concurrent(accessor, (9,)).await));
        assert_eq!(answer.unwrap().unwrap(), (10,));
        task.abort();
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

fn interrupt_soon(store: &Store<Host>) {
    let handle = store.interrupt_handle();
    std::thread::spawn(move || {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(20));
            handle.interrupt();
        }
    });
}

fn is_interruption(error: &Error) -> bool {
    error
        .trap()
        .is_some_and(|trap| *trap.kind() == TrapKind::Core(CoreTrap::Interrupted))
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn an_interruption_ends_a_loop_that_only_the_host_keeps_busy() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        store.spawn(Spins);
        interrupt_soon(&store);
        let ended = call::<_, (u32,)>(&mut store, &instance, "sleep-async", (7u32,)).unwrap_err();
        assert!(is_interruption(&ended), "{ended}");
        let ended = block_on(store.run_concurrent(async |_| std::future::pending::<()>().await)).unwrap_err();
        assert!(is_interruption(&ended), "{ended}");
    }
}

/// Ones without end.
struct Ones;

impl StreamProducer<Host> for Ones {
    type Item = u32;
    type Buffer = Option<u32>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, u32, Option<u32>>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        destination.set_buffer(Some(1));
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn an_interrupted_guest_ends_the_run() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let stream = StreamReader::new(&mut store, Ones);
        let sum: TypedFunc<(StreamReader<u32>,), (u32,)> = func(&mut store, &instance, "sum");
        interrupt_soon(&store);
        let ended = block_on(store.run_concurrent(async |accessor| {
            let _ = sum.call_concurrent(accessor, (stream,)).await;
            // It does not go on without the guest.
            std::future::pending::<()>().await;
        }));
        assert!(is_interruption(&ended.unwrap_err()));
        assert!(instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// Spawns a task when it is woken.
struct Spawns(Accessor<Host, HasSelf<Host>>);

impl Wake for Spawns {
    fn wake(self: Arc<Self>) {
        self.0.spawn(Ends);
    }
}

struct Ends;

impl AccessorTask<Host> for Ends {
    async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
        Ok(())
    }
}

#[test]
fn a_waker_may_use_the_store_when_a_trap_ends_its_call() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-async");
        let gate = store.data().gate.clone();
        block_on(store.run_concurrent(async |accessor| {
            let spawns = Arc::new(Spawns(accessor.with_getter::<HasSelf<Host>>(|host| host)));
            let waker = Waker::from(spawns);
            let mut calls = [17, 33, 35].map(|x| Box::pin(sleep.call_concurrent(accessor, (x,))));
            poll_fn(|_| {
                for call in &mut calls {
                    let _ = call.as_mut().poll(&mut Context::from_waker(&waker));
                }
                Poll::Ready(())
            })
            .await;
            gate.open_soon();
            for call in calls {
                call.await.unwrap_err();
            }
        }))
        .unwrap();
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A waker that keeps the end of a stream, as an executor's may keep a whole future.
struct Keeps(#[expect(dead_code, reason = "held for its drop")] Mutex<Option<StreamReader<u32>>>);

impl Wake for Keeps {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_may_drop_a_stream_when_the_loop_drops_it() {
    for engine in engines() {
        let (mut store, _) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
        let stream = StreamReader::new(&mut store, producer);
        settle(&mut store);
        let waker = Waker::from(Arc::new(Keeps(Mutex::new(Some(stream)))));
        for waker in [waker, Waker::noop().clone()] {
            let mut run = pin!(store.run_concurrent(async |_| std::future::pending::<()>().await));
            assert!(run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
        }
        settle(&mut store);
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_run_on_another_thread_is_refused_and_harms_nothing() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "sleep-sync");
        block_on(store.run_concurrent(async |accessor| {
            let mut calling = Box::pin(sleep.call_concurrent(accessor, (7,)));
            let mut polls = 0;
            poll_fn(|cx| {
                let _ = calling.as_mut().poll(cx);
                cx.waker().wake_by_ref();
                polls += 1;
                match polls {
                    10 => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            })
            .await;
        }))
        .unwrap();
        store.data().gate.open();
        let (mut store, refused) = std::thread::spawn(move || {
            let refused = block_on(store.run_concurrent(async |_| std::future::pending::<()>().await));
            (store, refused)
        })
        .join()
        .unwrap();
        assert!(matches!(refused, Err(Error::SuspendedCalls(_))), "{refused:?}");
        assert!(!instance.is_poisoned());
        settle(&mut store);
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
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

type Calling = Pin<Box<dyn Future<Output = Result<(u32,), Error>> + Send>>;

/// Polls a call within its own wake-up, as another thread may at that moment.
struct Polls {
    call: Mutex<Option<Calling>>,
    seen: Mutex<Option<Result<(u32,), Error>>>,
}

impl Wake for Polls {
    fn wake(self: Arc<Self>) {
        let mut call = self.call.lock().unwrap();
        if let Some(polled) = call.as_mut()
            && let Poll::Ready(result) = polled.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            *call = None;
            *self.seen.lock().unwrap() = Some(result);
        }
    }
}

/// The first that a future of a call learns of its end is the reason.
#[test]
fn a_call_that_traps_ends_with_its_trap_for_those_who_look_at_once() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, name);
            store.data().gate.open();
            let polls = block_on(store.run_concurrent(async |accessor| {
                let (calling, task) = sleep.begin_concurrent(accessor, (17,)).unwrap();
                let polls = Arc::new(Polls {
                    call: Mutex::new(Some(Box::pin(calling))),
                    seen: Mutex::new(None),
                });
                let waker = Waker::from(Arc::clone(&polls));
                let first = polls
                    .call
                    .lock()
                    .unwrap()
                    .as_mut()
                    .map(|call| call.as_mut().poll(&mut Context::from_waker(&waker)));
                assert!(matches!(first, Some(Poll::Pending)));
                task.await;
                polls
            }))
            .unwrap();
            let seen = polls.seen.lock().unwrap().take();
            let Some(Err(error)) = seen else {
                panic!("{name}: {seen:?}");
            };
            assert!(matches!(error, Error::Host { .. }), "{name}: {error:?}");
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}
