//! Streams whose ends fail: consumers learn that they have not got all, and streams of the host alone have room of the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Aborts, AsContextMut, Destination, HostResult, Source, Store, StoreContextMut, StreamConsumer,
    StreamProducer, StreamReader, StreamResult,
};
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::{CoreTrap, Error, TrapKind};

use crate::support::{Chunks, Host, Lives, NOTHING, block_on, call, collect, engines, new, settle};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    None,
    /// As that of a wait whose time is over.
    Deadline,
    Other,
    Panic,
}

impl Failure {
    fn occur(self) -> HostResult<StreamResult> {
        match self {
            Failure::None => Ok(StreamResult::Dropped),
            Failure::Deadline => Err(Error::from(TrapKind::Core(CoreTrap::Interrupted)).into()),
            Failure::Other => Err("an end that fails".into()),
            Failure::Panic => panic!("an end that panics"),
        }
    }
}

/// A producer of one item, and of this end.
struct One {
    failure: Failure,
    item: Option<u32>,
    _lives: Lives,
}

impl StreamProducer<Host> for One {
    type Item = u32;
    type Buffer = Option<u32>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, u32, Option<u32>>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let item = self.item.take();
        Poll::Ready(match item {
            Some(_) => {
                destination.set_buffer(item);
                Ok(StreamResult::Completed)
            }
            None => self.failure.occur(),
        })
    }
}

/// The knowledge of a consumer when it is dropped.
type Ended = Arc<Mutex<Option<bool>>>;

/// A consumer that fails after its first item, or takes all, and records whether it was cut off.
struct Witness {
    failure: Failure,
    taken: usize,
    aborts: Aborts,
    cut: Ended,
}

impl Witness {
    fn new(store: &mut Store<Host>, failure: Failure) -> (Witness, Ended) {
        let cut = Ended::default();
        let witness = Witness {
            failure,
            taken: 0,
            aborts: store.as_context_mut().aborts(),
            cut: Arc::clone(&cut),
        };
        (witness, cut)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        *self.cut.lock().unwrap() = Some(self.aborts.is_aborting());
    }
}

impl StreamConsumer<Host> for Witness {
    type Item = u32;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, Host>,
        mut source: Source<'_, u32>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let mut item = None;
        source.read(&mut store, &mut item)?;
        self.taken += item.map_or(0, |_| 1);
        match self.failure {
            Failure::None => Poll::Ready(Ok(StreamResult::Completed)),
            failure => Poll::Ready(failure.occur()),
        }
    }
}

#[test]
fn a_consumer_learns_whether_a_stream_of_the_host_was_cut_off() {
    for engine in engines() {
        let none = Failure::None;
        for (producing, consuming) in [
            (none, none),
            (Failure::Deadline, none),
            (Failure::Other, none),
            (Failure::Panic, none),
            (none, Failure::Deadline),
            (none, Failure::Other),
            (none, Failure::Panic),
        ] {
            let (mut store, _) = new(&engine);
            let producer = One {
                failure: producing,
                item: Some(1),
                _lives: store.data().living.one(),
            };
            let stream = StreamReader::new(&mut store, producer);
            let (witness, cut) = Witness::new(&mut store, consuming);
            stream.pipe(&mut store, witness).unwrap();
            let ran = catch_unwind(AssertUnwindSafe(|| {
                block_on(store.run_concurrent(async |_| {
                    // Until the stream has ended, or its failure has ended the run.
                    std::future::poll_fn(|cx| {
                        cx.waker().wake_by_ref();
                        match *cut.lock().unwrap() {
                            Some(_) => Poll::Ready(()),
                            None => Poll::Pending,
                        }
                    })
                    .await;
                }))
            }));
            let failure = if producing == none { consuming } else { producing };
            let case = format!("{producing:?} {consuming:?}: {ran:?}");
            assert_eq!(*cut.lock().unwrap(), Some(failure != none), "{case}");
            match failure {
                // It concerns the stream alone.
                Failure::None | Failure::Deadline => assert!(matches!(ran, Ok(Ok(()))), "{case}"),
                Failure::Other => assert!(matches!(ran, Ok(Err(Error::Host { .. }))), "{case}"),
                Failure::Panic => assert!(ran.is_err(), "{case}"),
            }
            assert_eq!(store.data().living.count(), 0, "{case}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{case}");
        }
    }
}

#[test]
fn a_consumer_that_fails_learns_that_the_stream_of_its_guest_was_cut_off() {
    for engine in engines() {
        for failure in [Failure::None, Failure::Deadline, Failure::Other] {
            let (mut store, instance) = new(&engine);
            let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (3u32,)).unwrap();
            let (witness, cut) = Witness::new(&mut store, failure);
            stream.pipe(&mut store, witness).unwrap();
            let ran = block_on(store.run_concurrent(async |_| {
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    match *cut.lock().unwrap() {
                        Some(_) => Poll::Ready(()),
                        None => Poll::Pending,
                    }
                })
                .await;
            }));
            assert_eq!(
                *cut.lock().unwrap(),
                Some(failure != Failure::None),
                "{failure:?}"
            );
            // The guest that writes traps.
            assert_eq!(ran.is_err(), failure == Failure::Deadline, "{failure:?}: {ran:?}");
            settle(&mut store);
            assert_eq!(instance.is_poisoned(), failure != Failure::None, "{failure:?}");
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

/// A guest that has the host pipe one of its streams into another of its ends, and drops the results, had no bound.
#[test]
fn streams_between_the_hosts_own_ends_have_room_of_the_store() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 3;
        let mut store = Store::with_limits(&engine, Host::default(), limits);
        let pipe = |store: &mut Store<Host>| {
            let producer = Chunks::new(store.data(), [None, Some(vec![1u32])]);
            let (consumer, _) = collect(store.data());
            StreamReader::new(&mut *store, producer).pipe(&mut *store, consumer)
        };
        for _ in 0..3 {
            pipe(&mut store).unwrap();
        }
        let full = pipe(&mut store).unwrap_err();
        assert!(full.to_string().contains("the limit of 3 handles"), "{full}");
        // Of the one that found no room, nothing is left.
        assert_eq!(store.data().living.count(), 6);
        let gate = store.data().gate.clone();
        gate.open();
        settle(&mut store);
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
        // The room comes back.
        for _ in 0..3 {
            pipe(&mut store).unwrap();
        }
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
