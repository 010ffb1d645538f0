//! Ends of streams, cancellation, and what is left behind.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Destination, FutureReader, HostResult, StoreContextMut, StreamProducer, StreamReader, StreamResult,
};

use crate::support::{Chunks, Collect, Host, Lives, NOTHING, call, collect, engines, new, run_until, settle};

#[test]
fn a_guest_that_drops_a_stream_drops_its_producer() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
        let stream = StreamReader::new(&mut store, producer);
        assert_eq!(store.data().living.count(), 1);
        call::<_, (u32,)>(&mut store, &instance, "ignore", (stream,)).unwrap();
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_cancelled_read_ends_without_items() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let producer = Chunks::new(store.data(), [None, Some(vec![1u32])]);
        let stream = StreamReader::new(&mut store, producer);
        let (result,): (u32,) = call(&mut store, &instance, "cancel-read", (stream,)).unwrap();
        assert_eq!(result, 2, "cancelled");
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_host_that_drops_a_reader_ends_the_writer() {
    for engine in engines() {
        for way in ["drop", "close"] {
            let (mut store, instance) = new(&engine);
            let (mut stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (9u32,)).unwrap();
            match way {
                "close" => {
                    stream.close(&mut store).unwrap();
                    assert!(stream.close(&mut store).is_err(), "a second time");
                }
                _ => drop(stream),
            }
            // The task of the writer ends when the store runs next.
            settle(&mut store);
            assert_eq!(store.concurrency_counts(), NOTHING, "{way}");
        }
    }
}

#[test]
fn what_is_never_used_leaves_nothing() {
    for engine in engines() {
        let (mut store, _) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
        drop(StreamReader::new(&mut store, producer));
        drop(FutureReader::<u32>::new(
            &mut store,
            std::future::pending::<HostResult<u32>>(),
        ));
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(store.data().living.count(), 0);
    }
}

#[test]
fn a_guest_that_traps_drops_its_producers_and_consumers() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let (written,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (9u32,)).unwrap();
        let items = Arc::new(Mutex::new(Vec::new()));
        let consumer = Collect {
            items: Arc::clone(&items),
            room: 1,
            most: 100,
            gate: Some(store.data().gate.clone()),
            _lives: store.data().living.one(),
        };
        written.pipe(&mut store, consumer).unwrap();
        let producer = Chunks::new(store.data(), [Some(vec![1u32]), None, Some(vec![2])]);
        let stream = StreamReader::new(&mut store, producer);
        call::<_, (u32,)>(&mut store, &instance, "trap", (stream,)).unwrap_err();
        assert_eq!(store.data().living.count(), 0);
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert!(items.lock().unwrap().is_empty());
    }
}

#[test]
fn a_store_that_ends_drops_producers_and_consumers() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let (written,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (9u32,)).unwrap();
        let (mut consumer, _) = collect(store.data());
        consumer.gate = Some(store.data().gate.clone());
        written.pipe(&mut store, consumer).unwrap();
        let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
        let unread = StreamReader::new(&mut store, producer);
        let living = store.data().living.clone();
        assert_eq!(living.count(), 2);
        drop(store);
        assert_eq!(living.count(), 0);
        // After its store.
        drop(unread);
    }
}

#[test]
fn a_stream_outlives_the_call_that_made_it() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let streams: Vec<StreamReader<u32>> = (0..3u32)
            .map(|count| {
                call::<_, (StreamReader<u32>,)>(&mut store, &instance, "count", (count,))
                    .unwrap()
                    .0
            })
            .collect();
        let mut all = Vec::new();
        for stream in streams {
            let (consumer, items) = collect(store.data());
            stream.pipe(&mut store, consumer).unwrap();
            all.push(items);
        }
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        let lengths: Vec<usize> = all.iter().map(|items| items.lock().unwrap().len()).collect();
        assert_eq!(lengths, [0, 1, 2]);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A producer that waits until its reader gives up, and once more after that if it `lingers`.
struct Reluctant {
    lingers: bool,
    result: StreamResult,
    item: Option<u32>,
    _lives: Lives,
}

impl StreamProducer<Host> for Reluctant {
    type Item = u32;
    type Buffer = Option<u32>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, u32, Option<u32>>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        if !finish || std::mem::take(&mut self.lingers) {
            if finish {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        destination.set_buffer(self.item.take());
        Poll::Ready(Ok(self.result))
    }
}

#[test]
fn a_cancelled_read_gets_the_item_that_comes_with_its_end() {
    for engine in engines() {
        for lingers in [false, true] {
            for (result, item, wanted) in [
                (StreamResult::Completed, Some(1), 0x10),
                (StreamResult::Dropped, Some(1), 0x10),
                (StreamResult::Cancelled, Some(1), 0x10),
                (StreamResult::Completed, None, 2),
                (StreamResult::Cancelled, None, 2),
                (StreamResult::Dropped, None, 1),
            ] {
                let (mut store, instance) = new(&engine);
                let producer = Reluctant {
                    lingers,
                    result,
                    item,
                    _lives: store.data().living.one(),
                };
                let stream = StreamReader::new(&mut store, producer);
                let (got,): (u32,) = call(&mut store, &instance, "cancel-read", (stream,)).unwrap();
                assert_eq!(got, wanted, "{result:?} {item:?} {lingers}");
                assert_eq!(store.data().living.count(), 0);
                assert_eq!(store.concurrency_counts(), NOTHING);
            }
        }
    }
}
