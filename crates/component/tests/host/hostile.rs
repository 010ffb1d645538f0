//! Producers and consumers of the host that fail, panic, or make no progress.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Component, FutureConsumer, FutureReader, HostResult, Linker, Source, Store, StoreContextMut,
    StreamConsumer, StreamReader, StreamResult, TypedFunc,
};
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::{Error, ResourceError, TrapKind};

use crate::support::{
    Chunks, Host, Lives, NOTHING, block_on, call, engines, func, guest, new, run_until, settle,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Takes an item, waits, and says then that it has.
    TakesAndWaits,
    /// Says that it has taken something.
    Lies(StreamResult),
    Fails,
    Panics,
}

/// A consumer that behaves in this way, until there are three items.
struct Odd {
    way: Way,
    taken: Vec<u32>,
    waited: bool,
    _lives: Lives,
}

impl Odd {
    fn new(host: &Host, way: Way) -> Odd {
        Odd {
            way,
            taken: Vec::new(),
            waited: false,
            _lives: host.living.one(),
        }
    }
}

impl StreamConsumer<Host> for Odd {
    type Item = u32;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, Host>,
        mut source: Source<'_, u32>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        match self.way {
            Way::Lies(result) => return Poll::Ready(Ok(result)),
            Way::Fails => return Poll::Ready(Err("a consumer that fails".into())),
            Way::Panics => panic!("a consumer that panics"),
            Way::TakesAndWaits => {}
        }
        if !std::mem::take(&mut self.waited) {
            let mut item = None;
            source.read(&mut store, &mut item)?;
            self.taken.extend(item);
            self.waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(match self.taken.len() {
            3 => StreamResult::Dropped,
            _ => StreamResult::Completed,
        }))
    }
}

fn numbers(store: &mut Store<Host>) -> StreamReader<u32> {
    let producer = Chunks::new(store.data(), [Some(vec![1u32, 2]), Some(vec![3, 4, 5])]);
    StreamReader::new(store, producer)
}

#[test]
fn an_item_taken_before_a_wait_counts_after_it() {
    for engine in engines() {
        for of_guest in [false, true] {
            let (mut store, instance) = new(&engine);
            let stream = match of_guest {
                true => {
                    call::<_, (StreamReader<u32>,)>(&mut store, &instance, "count", (9u32,))
                        .unwrap()
                        .0
                }
                false => numbers(&mut store),
            };
            let consumer = Odd::new(store.data(), Way::TakesAndWaits);
            stream.pipe(&mut store, consumer).unwrap();
            let living = store.data().living.clone();
            run_until(&mut store, || living.count() == 0);
            settle(&mut store);
            assert!(!instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_consumer_that_takes_nothing_from_a_producer_is_an_error() {
    for engine in engines() {
        for result in [StreamResult::Completed, StreamResult::Cancelled] {
            for ended in [false, true] {
                let (mut store, _) = new(&engine);
                let chunks = Chunks::new(
                    store.data(),
                    [Some(vec![1u32])]
                        .into_iter()
                        .chain((!ended).then_some(Some(vec![2]))),
                );
                let stream = StreamReader::new(&mut store, chunks);
                let consumer = Odd::new(store.data(), Way::Lies(result));
                stream.pipe(&mut store, consumer).unwrap();
                let error = block_on(store.run_concurrent(async |_| {
                    let mut polls = 0;
                    std::future::poll_fn(|cx| {
                        polls += 1;
                        cx.waker().wake_by_ref();
                        match polls {
                            1000 => Poll::Ready(()),
                            _ => Poll::Pending,
                        }
                    })
                    .await;
                }));
                assert!(matches!(error, Err(Error::Host { .. })), "{error:?}");
                assert_eq!(store.data().living.count(), 0);
                assert_eq!(store.concurrency_counts(), NOTHING);
            }
        }
    }
}

#[test]
fn a_future_without_a_reader_of_its_value_is_an_error() {
    struct Ignores(#[expect(dead_code, reason = "held for its drop")] Lives);
    impl FutureConsumer<Host> for Ignores {
        type Item = u32;

        fn poll_consume(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: StoreContextMut<'_, Host>,
            _: Source<'_, u32>,
            _: bool,
        ) -> Poll<HostResult<()>> {
            Poll::Ready(Ok(()))
        }
    }
    for engine in engines() {
        let (mut store, _) = new(&engine);
        let future = FutureReader::new(&mut store, async { Ok(1u32) });
        let consumer = Ignores(store.data().living.one());
        future.pipe(&mut store, consumer).unwrap();
        let error = block_on(store.run_concurrent(async |_| std::future::pending::<()>().await));
        assert!(matches!(error, Err(Error::Host { .. })), "{error:?}");
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_consumer_that_fails_traps_the_guest_that_writes() {
    for engine in engines() {
        for way in [
            Way::Fails,
            Way::Lies(StreamResult::Completed),
            Way::Lies(StreamResult::Cancelled),
        ] {
            let (mut store, instance) = new(&engine);
            let other = guest(&mut store);
            let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (9u32,)).unwrap();
            let consumer = Odd::new(store.data(), way);
            stream.pipe(&mut store, consumer).unwrap();
            store.data().gate.open_soon();
            // A call of another instance, during which the consumer is polled.
            let (answer,): (u32,) = call(&mut store, &other, "sleep-async", (7u32,)).unwrap();
            assert_eq!(answer, 8);
            assert!(instance.is_poisoned() && !other.is_poisoned(), "{way:?}");
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_failure_between_the_hosts_own_ends_is_no_guests() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let stream = numbers(&mut store);
        // It reads, and passes the stream on.
        let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "taste", (stream,)).unwrap();
        let consumer = Odd::new(store.data(), Way::Fails);
        stream.pipe(&mut store, consumer).unwrap();
        let error = block_on(store.run_concurrent(async |_| std::future::pending::<()>().await));
        assert!(matches!(error, Err(Error::Host { .. })), "{error:?}");
        assert!(!instance.is_poisoned());
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_consumer_that_panics_leaves_nothing() {
    for engine in engines() {
        for of_guest in [false, true] {
            let (mut store, instance) = new(&engine);
            let stream = match of_guest {
                true => {
                    call::<_, (StreamReader<u32>,)>(&mut store, &instance, "count", (9u32,))
                        .unwrap()
                        .0
                }
                false => numbers(&mut store),
            };
            let consumer = Odd::new(store.data(), Way::Panics);
            stream.pipe(&mut store, consumer).unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| settle(&mut store)));
            assert!(panicked.is_err());
            assert_eq!(instance.is_poisoned(), of_guest);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_host_function_that_panics_in_a_run_ends_its_caller() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, name);
            store.data().gate.open_soon();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                block_on(store.run_concurrent(async |accessor| sleep.call_concurrent(accessor, (13,)).await))
            }));
            assert!(panicked.is_err());
            assert!(instance.is_poisoned());
            settle(&mut store);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

#[test]
fn a_host_function_that_panics_at_once_in_a_run_ends_its_caller() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, name);
            store.data().gate.open();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                block_on(store.run_concurrent(async |accessor| sleep.call_concurrent(accessor, (13,)).await))
            }));
            assert!(panicked.is_err());
            assert!(instance.is_poisoned());
            let again = sleep.call(&mut store, (6,)).unwrap_err();
            assert_eq!(*again.trap().unwrap().kind(), TrapKind::Poisoned, "{name}");
            settle(&mut store);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

#[test]
fn a_stream_that_finds_no_room_for_its_handle_is_closed() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        // That of the task.
        limits.handles = 1;
        let mut store = Store::with_limits(&engine, Host::default(), limits);
        let instance = guest(&mut store);
        let stream = numbers(&mut store);
        let full = call::<_, (u32,)>(&mut store, &instance, "sum", (stream,)).unwrap_err();
        assert!(
            matches!(full, Error::Resource(ResourceError::TableFull { .. })) || full.trap().is_some(),
            "{full}"
        );
        settle(&mut store);
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn streams_that_a_host_function_drops_end_while_the_guest_runs() {
    let text = r#"(component
      (import "drop" (func $drop))
      (core func $drop (canon lower (func $drop)))
      (core module $m
        (import "" "drop" (func $drop))
        (func (export "run") (param $count i32)
          (loop $more
            (call $drop)
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $more (local.get $count)))))
      (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
      (func (export "run") (param "count" u32) (canon lift (core func $i "run"))))"#;
    for engine in engines() {
        let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut linker = Linker::<Host>::new(&engine);
        linker
            .root()
            .func_wrap("drop", |mut store: StoreContextMut<'_, Host>, (): ()| {
                let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
                drop(StreamReader::new(&mut store, producer));
                match store.data().living.count() {
                    0..3 => Ok(()),
                    many => Err(format!("{many} producers live").into()),
                }
            })
            .unwrap();
        let mut store = Store::new(&engine, Host::default());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        call::<_, ()>(&mut store, &instance, "run", (1000u32,)).unwrap();
        settle(&mut store);
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn an_item_that_does_not_fit_stops_the_guest_that_reads() {
    let text = r#"(component
      (type $numbers (stream u32))
      (type $outer (stream $numbers))
      (core module $libc (memory (export "mem") 1))
      (core instance $libc (instantiate $libc))
      (core func $return (canon task.return (result u32)))
      (core func $read (canon stream.read $outer (memory (core memory $libc "mem"))))
      (core func $drop (canon stream.drop-readable $outer))
      (core func $drop-inner (canon stream.drop-readable $numbers))
      (core module $m
        (import "" "mem" (memory 1))
        (import "" "return" (func $return (param i32)))
        (import "" "read" (func $read (param i32 i32 i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "drop-inner" (func $drop-inner (param i32)))
        (func (export "peel") (param i32)
          (local $result i32)
          (local.set $result (call $read (local.get 0) (i32.const 16) (i32.const 1)))
          (if (i32.shr_u (local.get $result) (i32.const 4))
            (then (call $drop-inner (i32.load (i32.const 16)))))
          (call $drop (local.get 0))
          (call $return (local.get $result))))
      (core instance $i (instantiate $m (with "" (instance
        (export "mem" (memory $libc "mem"))
        (export "return" (func $return))
        (export "read" (func $read))
        (export "drop" (func $drop))
        (export "drop-inner" (func $drop-inner))))))
      (func (export "peel") async (param "of" $outer) (result u32) (canon lift (core func $i "peel") async)))"#;
    for engine in engines() {
        for given_away in [false, true] {
            let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
            let mut store = Store::new(&engine, Host::default());
            let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
            let inner = numbers(&mut store).into_stream_any();
            if given_away {
                inner.close(&mut store).unwrap();
            }
            let inner = StreamReader::<u32>::try_from_stream_any(inner).unwrap();
            let producer = Chunks::new(store.data(), [Some(vec![inner])]);
            let outer = StreamReader::new(&mut store, producer);
            let peel: TypedFunc<(StreamReader<StreamReader<u32>>,), (u32,)> =
                func(&mut store, &instance, "peel");
            let peeled = block_on(
                store.run_concurrent(async |accessor| peel.call_concurrent(accessor, (outer,)).await),
            )
            .unwrap();
            match given_away {
                false => assert_eq!(peeled.unwrap(), (16,)),
                true => assert!(matches!(peeled, Err(Error::Host { .. })), "{peeled:?}"),
            }
            assert_eq!(instance.is_poisoned(), given_away);
            settle(&mut store);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}
