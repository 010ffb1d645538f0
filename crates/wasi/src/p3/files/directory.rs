//! The entries of a directory as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Access, Destination, FutureReader, HostResult, StoreContextMut, StreamProducer, StreamReader,
    StreamResult,
};

use super::convert::{self, answer};
use crate::files::Entries;
use crate::p3::bindings::wasi::filesystem::types::{DirectoryEntry, ErrorCode};
use crate::p3::streams::{Ended, Later};
use crate::view::HasWasi;

/// Entries that are read from the system at once. Stops a read of a million entries from keeping the store's thread.
const BATCH: usize = 256;

/// Creates a stream of a directory's entries. A directory that cannot be read is an empty stream with a failure.
pub(super) fn read<T: Send + 'static>(
    mut store: Access<'_, T, HasWasi>,
    entries: Result<Entries, ErrorCode>,
) -> (StreamReader<DirectoryEntry>, FutureReader<Ended<ErrorCode>>) {
    let (mut result, future) = Later::new(&mut store);
    let entries = entries.map_err(|error| result.set(Err(error))).ok();
    let stream = EntryStream { entries, result };
    (StreamReader::new(&mut store, stream), future)
}

struct EntryStream {
    /// `None` if they could not be read.
    entries: Option<Entries>,
    result: Later<ErrorCode>,
}

impl<T: Send + 'static> StreamProducer<T> for EntryStream {
    type Item = DirectoryEntry;
    type Buffer = Vec<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        mut destination: Destination<'a, DirectoryEntry, Vec<DirectoryEntry>>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = &mut *self;
        let Some(entries) = &mut this.entries else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let room = destination.remaining(&mut store).unwrap_or(BATCH).min(BATCH);
        let mut read = Vec::new();
        let ended = loop {
            if read.len() >= room {
                break false;
            }
            match answer(entries.next())? {
                Ok(Some(entry)) => read.push(convert::entry(entry)),
                Ok(None) => {
                    this.result.set(Ok(()));
                    break true;
                }
                Err(error) => {
                    this.result.set(Err(error));
                    break true;
                }
            }
        };
        destination.set_buffer(read);
        Poll::Ready(Ok(match ended {
            true => StreamResult::Dropped,
            false => StreamResult::Completed,
        }))
    }
}
