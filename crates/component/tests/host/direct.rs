//! Producers and consumers that use the guest's memory itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Destination, HostResult, Source, StoreContextMut, StreamConsumer, StreamProducer, StreamReader,
    StreamResult,
};

use crate::support::{Host, Lives, NOTHING, call, engines, new, run_until, settle};

/// Bytes that count up. It waits after each write, and marks more than there is room for.
struct Counts {
    next: u8,
    left: usize,
    wrote: bool,
    _lives: Lives,
}

impl StreamProducer<Host> for Counts {
    type Item = u8;
    type Buffer = Vec<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, Host>,
        destination: Destination<'a, u8, Vec<u8>>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        if std::mem::take(&mut self.wrote) {
            return Poll::Ready(Ok(match self.left {
                0 => StreamResult::Dropped,
                _ => StreamResult::Completed,
            }));
        }
        let mut direct = destination.as_direct(store, 100)?;
        let room = direct.remaining();
        let count = room.len().min(self.left);
        for byte in &mut room[..count] {
            *byte = self.next;
            self.next = self.next.wrapping_add(1);
        }
        self.left -= count;
        direct.mark_written(match self.left {
            0 => count,
            _ => usize::MAX,
        });
        assert!(self.left == 0 || direct.remaining().is_empty());
        // What was written is the guest's already.
        self.wrote = !finish;
        cx.waker().wake_by_ref();
        match self.wrote {
            true => Poll::Pending,
            false => Poll::Ready(Ok(StreamResult::Completed)),
        }
    }
}

/// Takes all that there is, and marks more than that. It waits after each read.
struct Takes {
    bytes: Arc<Mutex<Vec<u8>>>,
    read: bool,
    _lives: Lives,
}

impl StreamConsumer<Host> for Takes {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, Host>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        if std::mem::take(&mut self.read) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let mut direct = source.as_direct(store)?;
        self.bytes.lock().unwrap().extend_from_slice(direct.remaining());
        direct.mark_read(usize::MAX);
        assert!(direct.remaining().is_empty());
        direct.mark_read(usize::MAX);
        self.read = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn bytes_that_are_marked_before_a_wait_pass_once() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let count = 200_000;
        let producer = Counts {
            next: 0,
            left: count,
            wrote: false,
            _lives: store.data().living.one(),
        };
        let stream = StreamReader::new(&mut store, producer);
        let (echoed,): (StreamReader<u8>,) = call(&mut store, &instance, "echo", (stream,)).unwrap();
        let bytes = Arc::default();
        let consumer = Takes {
            bytes: Arc::clone(&bytes),
            read: false,
            _lives: store.data().living.one(),
        };
        echoed.pipe(&mut store, consumer).unwrap();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        settle(&mut store);
        let wanted: Vec<u8> = (0..count).map(|index| index as u8).collect();
        assert!(*bytes.lock().unwrap() == wanted);
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
