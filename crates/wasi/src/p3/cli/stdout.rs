//! Standard output and standard error as consumers of streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Access, FutureReader, HostResult, Source, StoreContextMut, StreamConsumer, StreamReader, StreamResult,
};
use tokio::sync::oneshot;

use super::{StreamEnd, code, later};
use crate::WasiCtx;
use crate::cli::{OutputKind, SharedOutput};
use crate::io::StreamError;
use crate::p3::bindings::wasi::cli::{stderr, stdout};
use crate::view::{Attached, HasWasi};

impl stdout::Host for WasiCtx {}

impl stderr::Host for WasiCtx {}

impl<T: Send + 'static> stdout::HostWithStore<T> for HasWasi {
    fn write_via_stream(
        store: Access<'_, T, Self>,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<StreamEnd>> {
        write(store, OutputKind::Stdout, data)
    }
}

impl<T: Send + 'static> stderr::HostWithStore<T> for HasWasi {
    fn write_via_stream(
        store: Access<'_, T, Self>,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<StreamEnd>> {
        write(store, OutputKind::Stderr, data)
    }
}

fn write<T: Send + 'static>(
    mut store: Access<'_, T, HasWasi>,
    kind: OutputKind,
    data: StreamReader<u8>,
) -> HostResult<FutureReader<StreamEnd>> {
    let (result, future) = later();
    let output = store.get().cli.output(kind).clone();
    let bytes = OutputBytes {
        output,
        result: Some(result),
        ctx: store.getter(),
    };
    data.pipe(&mut store, bytes)?;
    Ok(FutureReader::new(&mut store, future))
}

/// Writes a stream. Bytes are written before the guest's write returns, so that none are lost or change places when the guest exits.
struct OutputBytes<T> {
    output: SharedOutput,
    /// Place of the result. Dropping it means success: the guest has closed the stream.
    result: Option<oneshot::Sender<StreamEnd>>,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T: Send + 'static> StreamConsumer<T> for OutputBytes<T> {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let most = (self.ctx)(store.data_mut()).limits.write_bytes.max(1);
        let mut direct = source.as_direct(store)?;
        let bytes = direct.remaining();
        let bytes = &bytes[..bytes.len().min(most)];
        // A write of nothing asks whether there is room.
        let (written, len) = match bytes.is_empty() {
            true => (Ok(()), 0),
            false => (self.output.write_bytes(bytes), bytes.len()),
        };
        let failed = match written {
            Ok(()) => {
                direct.mark_read(len);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Err(StreamError::Closed) => Ok(()),
            Err(StreamError::Failed(error)) => Err(code(&error)),
            Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
        };
        if let Some(sender) = self.result.take() {
            // The guest may have dropped the future.
            let _ = sender.send(failed);
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}
