//! Standard input as a stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use airssys_wasm_component::component::{
    Access, Destination, FutureReader, HostResult, StoreContextMut, StreamProducer, StreamReader,
    StreamResult,
};
use tokio::sync::oneshot;

use super::{StreamEnd, code, later};
use crate::WasiCtx;
use crate::cli::SharedInput;
use crate::io::{Input, StreamError, Waits};
use crate::p3::bindings::wasi::cli::stdin;
use crate::p3::wait::End;
use crate::view::{Attached, HasWasi};

impl stdin::Host for WasiCtx {}

impl<T: Send + 'static> stdin::HostWithStore<T> for HasWasi {
    fn read_via_stream(
        mut store: Access<'_, T, Self>,
    ) -> HostResult<(StreamReader<u8>, FutureReader<StreamEnd>)> {
        let (result, future) = later();
        let input = store.get().cli.stdin.clone();
        let bytes = InputBytes {
            input,
            result: Some(result),
            end: End::default(),
            ctx: store.getter(),
        };
        let bytes = StreamReader::new(&mut store, bytes);
        Ok((bytes, FutureReader::new(&mut store, future)))
    }
}

/// A stream of the bytes of standard input. It takes none that it does not deliver, since all streams share them.
struct InputBytes<T> {
    input: SharedInput,
    /// Place of the stream's result.
    result: Option<oneshot::Sender<StreamEnd>>,
    end: End,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T> InputBytes<T> {
    /// Ends the stream with this result.
    fn finish(&mut self, result: StreamEnd) -> Poll<HostResult<StreamResult>> {
        if let Some(sender) = self.result.take() {
            // The guest may have dropped the future.
            let _ = sender.send(result);
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<T: Send + 'static> StreamProducer<T> for InputBytes<T> {
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
        let most = (this.ctx)(store.data_mut()).limits.read_bytes.max(1);
        let room = destination.remaining(&mut store);
        let bytes = loop {
            if this.input.poll_ready(cx).is_pending() {
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
            match this.input.read(room.map_or(most, |room| room.min(most))) {
                // The bytes that were ready are gone again.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => break bytes,
                Err(StreamError::Closed) => return this.finish(Ok(())),
                Err(StreamError::Failed(error)) => return this.finish(Err(code(&error))),
                Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
            }
        };
        this.end.reset();
        let mut direct = destination.as_direct(store, bytes.len())?;
        direct.remaining()[..bytes.len()].copy_from_slice(&bytes);
        direct.mark_written(bytes.len());
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
