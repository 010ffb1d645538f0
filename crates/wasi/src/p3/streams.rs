//! The host's ends of streams of bytes, and of the futures of their results.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use airssys_wasm_component::component::{
    Aborts, Access, AsContextMut, Destination, FutureReader, HostResult, Lower, Source, StoreContextMut,
    StreamConsumer, StreamProducer, StreamReader, StreamResult,
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
    let ended = move |ended: Result<(), IoError>| result.set(ended.map_err(|error| code(&error)));
    (bytes_of(&mut store, input, ended), future)
}

/// Creates a stream of the bytes of `input`, an empty one without. `ended` gets the result once they have ended; it is dropped with the
/// stream.
pub(super) fn bytes_of<T, I, F>(
    store: &mut Access<'_, T, HasWasi>,
    input: Option<I>,
    ended: F,
) -> StreamReader<u8>
where
    T: Send + 'static,
    I: Input + Unpin,
    F: FnOnce(Result<(), IoError>) + Send + Unpin + 'static,
{
    let bytes = InputBytes {
        input,
        ended: Some(ended),
        end: End::default(),
        ctx: store.getter(),
    };
    StreamReader::new(store, bytes)
}

/// A stream of bytes from an input. It takes none that it does not deliver, since other streams may share them.
struct InputBytes<T, I, F> {
    /// `None` if it could not be opened.
    input: Option<I>,
    ended: Option<F>,
    end: End,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T, I, F> InputBytes<T, I, F>
where
    F: FnOnce(Result<(), IoError>),
{
    fn end(&mut self, result: Result<(), IoError>) -> Poll<HostResult<StreamResult>> {
        if let Some(ended) = self.ended.take() {
            ended(result);
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<T, I, F> StreamProducer<T> for InputBytes<T, I, F>
where
    T: Send + 'static,
    I: Input + Unpin,
    F: FnOnce(Result<(), IoError>) + Send + Unpin + 'static,
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
                ready!(this.end.poll_stream(cx, &mut store, this.ctx, finish))?;
                return Poll::Ready(Ok(StreamResult::Cancelled));
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
                Err(StreamError::Closed) => return this.end(Ok(())),
                Err(StreamError::Failed(error)) => return this.end(Err(error)),
            }
        };
        this.end.reset();
        (this.ctx)(store.data_mut()).goes_on();
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
    store: Access<'_, T, HasWasi>,
    data: StreamReader<u8>,
    output: Result<O, E>,
    code: fn(&IoError) -> E,
) -> HostResult<FutureReader<Ended<E>>>
where
    T: Send + 'static,
    O: FnMut(&[u8]) -> Result<(), StreamError> + Send + Unpin + 'static,
    E: Send + Unpin + 'static,
    Ended<E>: Lower,
{
    pipe(store, data, output.map(AtOnce), code)
}

/// Writes a stream of the guest's to a sink. One that cannot be opened closes the stream with a failure.
pub(super) fn pipe<T, S, E>(
    mut store: Access<'_, T, HasWasi>,
    mut data: StreamReader<u8>,
    output: Result<S, E>,
    code: fn(&IoError) -> E,
) -> HostResult<FutureReader<Ended<E>>>
where
    T: Send + 'static,
    S: Sink,
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
                end: End::default(),
                aborts: AsContextMut::as_context_mut(&mut store).aborts(),
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

/// A sink of bytes. It is dropped when the guest has closed the stream.
pub(super) trait Sink: Send + Unpin + 'static {
    /// Writes as many of these bytes as there is room for, and returns their number. Ready with the first; without any, when there is
    /// room.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>>;
}

/// A sink that writes all bytes at once, or fails.
struct AtOnce<O>(O);

impl<O> Sink for AtOnce<O>
where
    O: FnMut(&[u8]) -> Result<(), StreamError> + Send + Unpin + 'static,
{
    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        // A write of nothing asks whether there is room.
        let written = match bytes.is_empty() {
            true => Ok(()),
            false => (self.0)(bytes),
        };
        Poll::Ready(written.map(|()| bytes.len()))
    }
}

/// Writes a stream. Bytes are written before the guest's write returns, so that none are lost or change places when the guest exits.
struct OutputBytes<T, S, E> {
    // Dropped before the result is known.
    output: S,
    /// Dropping it means success: the guest has closed the stream.
    result: Later<E>,
    code: fn(&IoError) -> E,
    end: End,
    /// A stream that was cut off was not written whole.
    aborts: Aborts,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T, S, E> Drop for OutputBytes<T, S, E> {
    fn drop(&mut self) {
        if self.aborts.is_aborting()
            && let Some(result) = self.result.0.take()
        {
            let error = io::Error::new(io::ErrorKind::Interrupted, "the stream was cut off");
            let _ = result.send(Err((self.code)(&IoError::new(error))));
        }
    }
}

impl<T, S, E> StreamConsumer<T> for OutputBytes<T, S, E>
where
    T: Send + 'static,
    S: Sink,
    E: Send + Unpin + 'static,
{
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        mut source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = &mut *self;
        let most = (this.ctx)(store.data_mut()).limits.write_bytes.max(1);
        let written = {
            let mut direct = source.reborrow().as_direct(store.as_context_mut())?;
            let bytes = direct.remaining();
            let written = this.output.poll_write(cx, &bytes[..bytes.len().min(most)]);
            if let Poll::Ready(Ok(len)) = &written {
                direct.mark_read(*len);
            }
            written
        };
        let Poll::Ready(written) = written else {
            ready!(this.end.poll_stream(cx, &mut store, this.ctx, finish))?;
            return Poll::Ready(Ok(StreamResult::Cancelled));
        };
        this.end.reset();
        (this.ctx)(store.data_mut()).goes_on();
        match written {
            Ok(_) => return Poll::Ready(Ok(StreamResult::Completed)),
            Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
            Err(StreamError::Closed) => this.result.set(Ok(())),
            Err(StreamError::Failed(error)) => this.result.set(Err((this.code)(&error))),
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}
