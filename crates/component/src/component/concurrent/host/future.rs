//! Producers and consumers of futures: the host's ends, with Rust types.
//!
//! The host's side of [Future State].
//!
//! [Future State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#future-state

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::stream::{Destination, Source, StreamConsumer, StreamProducer, StreamResult};
use crate::component::link::linker::HostResult;
use crate::component::store::StoreContextMut;

/// The host's writable end of a future. Implemented by Rust's futures of a [`HostResult`].
pub trait FutureProducer<D: Send + 'static>: Send + 'static {
    /// The Rust type of the value; `()` for a future without.
    type Item;

    /// Makes the value for a reader that waits. [`Poll::Pending`] if there is none yet: `cx` is to be woken. `None` if there is none
    /// yet, and `finish` is true: the reader has given up.
    ///
    /// # Errors
    /// The guest that reads traps with them.
    fn poll_produce(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        finish: bool,
    ) -> Poll<HostResult<Option<Self::Item>>>;
}

impl<T, D, F> FutureProducer<D> for F
where
    F: Future<Output = HostResult<T>> + Send + 'static,
    D: Send + 'static,
{
    type Item = T;

    fn poll_produce(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'_, D>,
        finish: bool,
    ) -> Poll<HostResult<Option<T>>> {
        match self.poll(cx) {
            Poll::Ready(value) => Poll::Ready(value.map(Some)),
            Poll::Pending if finish => Poll::Ready(Ok(None)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The host's readable end of a future.
pub trait FutureConsumer<D: Send + 'static>: Send + 'static {
    /// The Rust type of the value; `()` for a future without.
    type Item;

    /// Takes the value of a writer that waits from `source`. Without the value, it is [`Poll::Pending`], or ready if `finish` is true:
    /// the writer has given up.
    ///
    /// # Errors
    /// The guest that writes traps with them.
    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, Self::Item>,
        finish: bool,
    ) -> Poll<HostResult<()>>;
}

/// A future's producer as that of a stream of one item.
pub(super) struct OneItem<P>(pub(super) Pin<Box<P>>);

impl<P, D> StreamProducer<D> for OneItem<P>
where
    P: FutureProducer<D>,
    P::Item: Send + 'static,
    D: Send + 'static,
{
    type Item = P::Item;
    type Buffer = Option<P::Item>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, P::Item, Option<P::Item>>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        self.0
            .as_mut()
            .poll_produce(cx, store, finish)
            .map_ok(|item| match item {
                Some(item) => {
                    destination.set_buffer(Some(item));
                    StreamResult::Dropped
                }
                None => StreamResult::Cancelled,
            })
    }
}

/// A future's consumer as that of a stream of one item.
pub(super) struct OneValue<C>(pub(super) Pin<Box<C>>);

impl<C, D> StreamConsumer<D> for OneValue<C>
where
    C: FutureConsumer<D>,
    D: Send + 'static,
{
    type Item = C::Item;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, D>,
        mut source: Source<'_, C::Item>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let before = source.remaining(&mut store);
        let polled = {
            let store = crate::component::store::AsContextMut::as_context_mut(&mut store);
            self.0.as_mut().poll_consume(cx, store, source.reborrow(), finish)
        };
        let taken = source.remaining(&mut store) < before;
        polled.map_ok(|()| match taken {
            true => StreamResult::Dropped,
            false => StreamResult::Cancelled,
        })
    }
}
