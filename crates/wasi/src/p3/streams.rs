//! The host's ends of streams of bytes, and of the futures of their results.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use airssys_wasm_component::component::{
    Access, Destination, FutureReader, HostResult, Lower, Source, StoreContextMut, StreamConsumer,
    StreamProducer, StreamReader, StreamResult,
};
use tokio::sync::oneshot;

use super::wait::End;
use crate::io::{Input, IoError, StreamError};
use crate::view::{Attached, HasWasi};

/// The result of a stream, with the error code of its interface.
pub(super) type Ended<E> = Result<(), E>;

/// A stream of bytes that the host makes, and its result.
pub(super) type Made<E> = (StreamReader<u8>, FutureReader<Ended<E>>);

/// A result that is known later: success if it is dropped.
pub(super) struct Later<E>(Option<oneshot::Sender<Ended<E>>>);

impl<E: Send + 'static> Later<E> {
    /// Creates a result, and the guest's future of it.
    pub(super) fn new<T: Send + 'static>(
        store: &mut Access<'_, T, HasWasi>,
    ) -> (Later<E>, FutureReader<Ended<E>>)
    where
        Ended<E>: Lower,
    {
        let (sender, receiver) = oneshot::channel();
        let future = async move { Ok(receiver.await.unwrap_or(Ok(()))) };
        (Later(Some(sender)), FutureReader::new(store, future))
    }

    /// Sets the result. The first one counts.
    pub(super) fn set(&mut self, result: Ended<E>) {
        if let Some(sender) = self.0.take() {
            // The guest may have dropped the future.
            let _ = sender.send(result);
        }
    }
}

/// Creates a stream of the bytes of `input`. One that cannot be opened is an empty stream with a failure.
pub(super) fn read<T, I, E>(
    mut store: Access<'_, T, HasWasi>,
    input: Result<I, E>,
    code: fn(&IoError) -> E,
) -> Made<E>
where
    T: Send + 'static,
    I: Input + Unpin,
    E: Send + Unpin + 'static,
    Ended<E>: Lower,
{
    let (mut result, future) = Later::new(&mut store);
    let input = input.map_err(|error| result.set(Err(error))).ok();
    let bytes = InputBytes {
        input,
        result,
        code,
        end: End::default(),
        ctx: store.getter(),
    };
    (StreamReader::new(&mut store, bytes), future)
}

/// A stream of bytes from an input. It takes none that it does not deliver, since other streams may share them.
struct InputBytes<T, I, E> {
    /// `None` if it could not be opened.
    input: Option<I>,
    result: Later<E>,
    code: fn(&IoError) -> E,
    end: End,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T, I, E> StreamProducer<T> for InputBytes<T, I, E>
where
    T: Send + 'static,
    I: Input + Unpin,
    E: Send + Unpin + 'static,
{
    type Item = u8;
    type Buffer = Vec<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        destination: Destination<'a, u8, Vec<u8>>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = &mut *self;
        let Some(input) = &mut this.input else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let most = (this.ctx)(store.data_mut()).limits.read_bytes.max(1);
        let room = destination.remaining(&mut store);
        let bytes = loop {
            if input.poll_ready(cx).is_pending() {
                if finish {
                    this.end.reset();
                    return Poll::Ready(Ok(StreamResult::Cancelled));
                }
                let when = |began| (this.ctx)(store.data_mut()).end_of_wait(began);
                let over = ready!(this.end.poll(cx, when))?;
                return Poll::Ready(Err(over.into()));
            }
            if room == Some(0) {
                this.end.reset();
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            match input.read(room.map_or(most, |room| room.min(most))) {
                // The bytes that were ready are gone again.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => break bytes,
                Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
                Err(StreamError::Closed) => {
                    this.result.set(Ok(()));
                    return Poll::Ready(Ok(StreamResult::Dropped));
                }
                Err(StreamError::Failed(error)) => {
                    this.result.set(Err((this.code)(&error)));
                    return Poll::Ready(Ok(StreamResult::Dropped));
                }
            }
        };
        this.end.reset();
        let mut direct = destination.as_direct(store, bytes.len())?;
        let place = direct.remaining();
        // As many as there is room for, which was asked for above.
        let len = place.len().min(bytes.len());
        place[..len].copy_from_slice(&bytes[..len]);
        direct.mark_written(len);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Writes a stream of the guest's with `output`, which writes all bytes or fails. One that cannot be opened closes the stream with a
/// failure.
pub(super) fn write<T, O, E>(
    mut store: Access<'_, T, HasWasi>,
    mut data: StreamReader<u8>,
    output: Result<O, E>,
    code: fn(&IoError) -> E,
) -> HostResult<FutureReader<Ended<E>>>
where
    T: Send + 'static,
    O: FnMut(&[u8]) -> Result<(), StreamError> + Send + Unpin + 'static,
    E: Send + Unpin + 'static,
    Ended<E>: Lower,
{
    let (mut result, future) = Later::new(&mut store);
    match output {
        Ok(output) => {
            let ctx = store.getter();
            let bytes = OutputBytes {
                output,
                result,
                code,
                ctx,
            };
            data.pipe(&mut store, bytes)?;
        }
        Err(error) => {
            result.set(Err(error));
            data.close(&mut store)?;
        }
    }
    Ok(future)
}

/// Writes a stream. Bytes are written before the guest's write returns, so that none are lost or change places when the guest exits.
struct OutputBytes<T, O, E> {
    output: O,
    /// Dropping it means success: the guest has closed the stream.
    result: Later<E>,
    code: fn(&IoError) -> E,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T, O, E> StreamConsumer<T> for OutputBytes<T, O, E>
where
    T: Send + 'static,
    O: FnMut(&[u8]) -> Result<(), StreamError> + Send + Unpin + 'static,
    E: Send + Unpin + 'static,
{
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = &mut *self;
        let most = (this.ctx)(store.data_mut()).limits.write_bytes.max(1);
        let mut direct = source.as_direct(store)?;
        let bytes = direct.remaining();
        let bytes = &bytes[..bytes.len().min(most)];
        // A write of nothing asks whether there is room.
        let (written, len) = match bytes.is_empty() {
            true => (Ok(()), 0),
            false => ((this.output)(bytes), bytes.len()),
        };
        match written {
            Ok(()) => {
                direct.mark_read(len);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
            Err(StreamError::Closed) => this.result.set(Ok(())),
            Err(StreamError::Failed(error)) => this.result.set(Err((this.code)(&error))),
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}
