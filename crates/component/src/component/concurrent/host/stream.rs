//! Producers and consumers: the host's ends of streams, with Rust types.
//!
//! The host's side of [Stream State].
//!
//! [Stream State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use wasmer::{AsStoreMut, StoreMut};

use super::buffers::{ReadBuffer, WriteBuffer};
use super::ends::{Consume, Produce, Reader, Writer};
use super::guest_buffer;
use crate::component::call::typed::{Lift, Lower};
use crate::component::concurrent::state::WaitableKey;
use crate::component::link::host_func::misfit;
use crate::component::link::linker::HostResult;
use crate::component::store::{AsContextMut, Env, StoreContextMut, StoreCore};
use crate::error::{Error, Result};

/// The result of one step of a producer or consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamResult {
    /// It has produced or consumed items, and can go on.
    Completed,
    /// It has stopped because it was to finish, without an item, and can go on.
    Cancelled,
    /// It has ended. Items that it has made before are still delivered.
    Dropped,
}

/// The host's writable end of a stream.
pub trait StreamProducer<D: Send + 'static>: Send + 'static {
    /// The Rust type of the stream's elements; `()` for a stream without.
    type Item;
    /// The buffer that items are delivered from.
    type Buffer: WriteBuffer<Self::Item> + Default;

    /// Makes items for a reader that waits, and sets them as the buffer of `destination`. Those that the reader has no room for are kept
    /// for its next read; this is called again once all are delivered.
    ///
    /// - [`StreamResult::Completed`] after at least one item; without one only if the reader has room for none
    ///   ([`Destination::remaining`] is `Some(0)`), which asks whether there are items;
    /// - [`Poll::Pending`] if there are none yet: `cx` is to be woken;
    /// - [`StreamResult::Cancelled`] if there are none yet and `finish` is true: the reader has given up. With `Pending`, it waits
    ///   for the end of its cancellation;
    /// - [`StreamResult::Dropped`] after the last item, or without one.
    ///
    /// # Errors
    /// The guest that reads traps with them. Errors that it is to handle are values, such as those of a future beside the stream.
    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>>;
}

/// The host's readable end of a stream.
pub trait StreamConsumer<D: Send + 'static>: Send + 'static {
    /// The Rust type of the stream's elements; `()` for a stream without.
    type Item;

    /// Takes items of a writer that waits from `source`. The writer waits until this returns other than [`Poll::Pending`], also after items
    /// were taken.
    ///
    /// - [`StreamResult::Completed`] after at least one item; without one only if the writer has none ([`Source::remaining`] is 0), which
    ///   asks whether there is room;
    /// - [`Poll::Pending`] if there is no room yet: `cx` is to be woken;
    /// - [`StreamResult::Cancelled`] if there is no room yet and `finish` is true: the writer has given up;
    /// - [`StreamResult::Dropped`] if it takes no more.
    ///
    /// It is dropped once the writable end is.
    ///
    /// # Errors
    /// The guest that writes traps with them.
    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, Self::Item>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>>;
}

/// The place for the items of a producer.
pub struct Destination<'a, T, B> {
    /// `None` for a reader of the host's.
    reader: Option<WaitableKey>,
    buffer: &'a mut B,
    /// Bytes for a reader of the host's.
    bytes: &'a mut Vec<u8>,
    marker: PhantomData<fn() -> T>,
}

impl<T, B> fmt::Debug for Destination<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").finish_non_exhaustive()
    }
}

impl<'a, T, B> Destination<'a, T, B> {
    /// Takes the buffer, for its memory.
    pub fn take_buffer(&mut self) -> B
    where
        B: Default,
    {
        std::mem::take(self.buffer)
    }

    /// Sets the items to be delivered.
    pub fn set_buffer(&mut self, buffer: B) {
        *self.buffer = buffer;
    }

    /// Returns the number of items that the reader has room for; `None` if the reader is the host.
    pub fn remaining(&self, mut store: impl AsContextMut) -> Option<usize> {
        let cx = store.as_context_mut();
        let remain = cx.core.tasks().remain(self.reader?);
        remain.ok().map(|remain| remain as usize)
    }
}

impl<'a, B> Destination<'a, u8, B> {
    /// Gives access to the reader's own memory. If the reader is the host, that is a buffer of `capacity` bytes.
    ///
    /// # Errors
    /// [`Error::Bug`] if the reader is gone.
    pub fn as_direct<D: Send + 'static>(
        self,
        store: StoreContextMut<'a, D>,
        capacity: usize,
    ) -> Result<DirectDestination<'a, D>> {
        let place = match self.reader {
            Some(reader) => Some((reader, guest_buffer::place(store.core, reader)?)),
            None => {
                self.bytes.resize(capacity, 0);
                None
            }
        };
        Ok(DirectDestination {
            store,
            place,
            bytes: self.bytes,
            written: 0,
        })
    }
}

/// The memory of a reader of bytes. Delivers the bytes that were marked as written when it is dropped.
pub struct DirectDestination<'a, D: Send + 'static> {
    store: StoreContextMut<'a, D>,
    place: Option<(WaitableKey, guest_buffer::Place)>,
    bytes: &'a mut Vec<u8>,
    written: usize,
}

impl<D: Send + 'static> fmt::Debug for DirectDestination<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectDestination")
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl<D: Send + 'static> DirectDestination<'_, D> {
    /// Returns the memory that is not written yet.
    pub fn remaining(&mut self) -> &mut [u8] {
        let all = match &self.place {
            Some((_, place)) => place.bytes_mut(&mut self.store.store),
            None => &mut self.bytes[..],
        };
        let written = self.written.min(all.len());
        &mut all[written..]
    }

    /// Marks the next `count` bytes as written; at most as many as there are.
    pub fn mark_written(&mut self, count: usize) {
        let left = self.remaining().len();
        self.written += count.min(left);
    }
}

impl<D: Send + 'static> Drop for DirectDestination<'_, D> {
    fn drop(&mut self) {
        match &self.place {
            Some((reader, _)) => guest_buffer::advance(self.store.core, *reader, self.written),
            None => self.bytes.truncate(self.written),
        }
    }
}

/// The items of a writer.
pub struct Source<'a, T> {
    from: From<'a, T>,
}

enum From<'a, T> {
    Guest(WaitableKey),
    Host(&'a mut Vec<T>),
}

impl<T> fmt::Debug for Source<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl<'a, T> Source<'a, T> {
    /// Borrows it again.
    pub fn reborrow(&mut self) -> Source<'_, T> {
        let from = match &mut self.from {
            From::Guest(writer) => From::Guest(*writer),
            From::Host(items) => From::Host(items),
        };
        Source { from }
    }

    /// Takes as many items as `buffer` has room for.
    ///
    /// # Errors
    /// A trap, if the guest broke the canonical ABI or exceeded the limit on lifted bytes.
    pub fn read<B: ReadBuffer<T>>(&mut self, mut store: impl AsContextMut, buffer: &mut B) -> Result<()>
    where
        T: Lift,
    {
        let room = buffer.remaining_capacity();
        match &mut self.from {
            From::Guest(writer) => {
                let mut cx = store.as_context_mut();
                let core = Arc::clone(cx.core);
                buffer.fill(guest_buffer::lift(&mut cx.store, &core, *writer, room)?);
            }
            From::Host(items) => buffer.fill(items.drain(..room.min(items.len())).collect()),
        }
        Ok(())
    }

    /// Returns the number of items that the writer has.
    pub fn remaining(&self, mut store: impl AsContextMut) -> usize {
        match &self.from {
            From::Guest(writer) => {
                let cx = store.as_context_mut();
                let remain = cx.core.tasks().remain(*writer);
                remain.map_or(0, |remain| remain as usize)
            }
            From::Host(items) => items.len(),
        }
    }
}

impl<'a> Source<'a, u8> {
    /// Gives access to the writer's own memory.
    ///
    /// # Errors
    /// [`Error::Bug`] if the writer is gone.
    pub fn as_direct<D: Send + 'static>(self, store: StoreContextMut<'a, D>) -> Result<DirectSource<'a, D>> {
        let from = match self.from {
            From::Guest(writer) => Direct::Guest(writer, guest_buffer::place(store.core, writer)?),
            From::Host(items) => Direct::Host(items),
        };
        Ok(DirectSource { store, from, read: 0 })
    }
}

/// The memory of a writer of bytes. Takes the bytes that were marked as read when it is dropped.
pub struct DirectSource<'a, D: Send + 'static> {
    store: StoreContextMut<'a, D>,
    from: Direct<'a>,
    read: usize,
}

enum Direct<'a> {
    Guest(WaitableKey, guest_buffer::Place),
    Host(&'a mut Vec<u8>),
}

impl<D: Send + 'static> fmt::Debug for DirectSource<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectSource")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl<D: Send + 'static> DirectSource<'_, D> {
    /// Returns the bytes that are not read yet.
    pub fn remaining(&mut self) -> &[u8] {
        let all = match &self.from {
            Direct::Guest(_, place) => place.bytes(&self.store.store),
            Direct::Host(items) => &items[..],
        };
        &all[self.read.min(all.len())..]
    }

    /// Marks the next `count` bytes as read; at most as many as there are.
    pub fn mark_read(&mut self, count: usize) {
        let left = self.remaining().len();
        self.read += count.min(left);
    }
}

impl<D: Send + 'static> Drop for DirectSource<'_, D> {
    fn drop(&mut self) {
        match &mut self.from {
            Direct::Guest(writer, _) => guest_buffer::advance(self.store.core, *writer, self.read),
            Direct::Host(items) => drop(items.drain(..self.read.min(items.len()))),
        }
    }
}

/// Converts the error of the host's end.
pub(super) fn failed(what: &str, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    crate::component::link::host_func::failed(what, source)
}

/// A producer with its types.
pub(super) struct Producer<P: StreamProducer<D>, D: Send + 'static> {
    producer: Pin<Box<P>>,
    buffer: P::Buffer,
    ended: bool,
    env: Env<D>,
}

impl<P: StreamProducer<D>, D: Send + 'static> Producer<P, D> {
    pub(super) fn new(producer: P, env: Env<D>) -> Producer<P, D> {
        Producer {
            producer: Box::pin(producer),
            buffer: P::Buffer::default(),
            ended: false,
            env,
        }
    }
}

impl<P, D> Produce for Producer<P, D>
where
    P: StreamProducer<D>,
    P::Item: Lower + Send + 'static,
    D: Send + 'static,
{
    fn produce(
        &mut self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        cx: &mut Context<'_>,
        reader: Reader<'_>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let guest = match &reader {
            Reader::Guest(key) => Some(*key),
            Reader::Host(_) => None,
        };
        let (mut result, mut bytes) = (StreamResult::Completed, Vec::new());
        if self.buffer.remaining().is_empty() {
            if self.ended {
                return Poll::Ready(Ok(StreamResult::Dropped));
            }
            let destination = Destination {
                reader: guest,
                buffer: &mut self.buffer,
                bytes: &mut bytes,
                marker: PhantomData,
            };
            let cx_of_store = StoreContextMut {
                store: store.as_store_mut(),
                env: &self.env,
                core,
            };
            let polled = self
                .producer
                .as_mut()
                .poll_produce(cx, cx_of_store, destination, finish);
            match ready!(polled) {
                Ok(StreamResult::Dropped) => self.ended = true,
                Ok(other) => result = other,
                Err(error) => return Poll::Ready(Err(failed("the producer of a stream", error))),
            }
        }
        match reader {
            Reader::Guest(key) => {
                let lowered = guest_buffer::lower(store, core, key, &mut self.buffer);
                // The guest has begun: it cannot go on as after a call whose arguments do not fit.
                lowered.map_err(|error| misfit("the producer of a stream", error))?;
            }
            Reader::Host(list) => into_list::<P::Item, _>(list, bytes, &mut self.buffer)?,
        }
        Poll::Ready(Ok(match self.ended && self.buffer.remaining().is_empty() {
            true => StreamResult::Dropped,
            false if self.ended => StreamResult::Completed,
            false => result,
        }))
    }
}

/// Moves items to the list of a reader of the host's, which has them in the same Rust type.
fn into_list<T: 'static, B: WriteBuffer<T>>(
    list: &mut (dyn Any + Send),
    bytes: Vec<u8>,
    buffer: &mut B,
) -> Result<()> {
    if let Some(list) = list.downcast_mut::<Vec<u8>>() {
        list.extend(bytes);
    }
    match list.downcast_mut::<Vec<T>>() {
        Some(list) => {
            let count = buffer.remaining().len();
            buffer.take(count, list);
            Ok(())
        }
        None => Err(Error::Host {
            name: "the host's end of a stream".into(),
            source: "its consumer has another Rust type of items than its producer".into(),
        }),
    }
}

/// A consumer with its types.
pub(super) struct Consumer<C: StreamConsumer<D>, D: Send + 'static> {
    consumer: Pin<Box<C>>,
    /// Items of a producer of the host's.
    items: Vec<C::Item>,
    env: Env<D>,
}

impl<C: StreamConsumer<D>, D: Send + 'static> Consumer<C, D> {
    pub(super) fn new(consumer: C, env: Env<D>) -> Consumer<C, D> {
        Consumer {
            consumer: Box::pin(consumer),
            items: Vec::new(),
            env,
        }
    }
}

impl<C, D> Consume for Consumer<C, D>
where
    C: StreamConsumer<D>,
    C::Item: Lift + Send + 'static,
    D: Send + 'static,
{
    fn consume(
        &mut self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        cx: &mut Context<'_>,
        writer: Writer,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let from = match writer {
            Writer::Guest(key) => From::Guest(key),
            Writer::Host => From::Host(&mut self.items),
        };
        let cx_of_store = StoreContextMut {
            store: store.as_store_mut(),
            env: &self.env,
            core,
        };
        let polled = self
            .consumer
            .as_mut()
            .poll_consume(cx, cx_of_store, Source { from }, finish);
        polled.map_err(|error| failed("the consumer of a stream", error))
    }

    fn list(&mut self) -> &mut (dyn Any + Send) {
        &mut self.items
    }

    fn list_len(&self) -> usize {
        self.items.len()
    }
}
