//! Standard streams.

use std::io;

use airssys_wasm_component::component::{Access, FutureReader, HostResult, StreamReader};

use crate::WasiCtx;
use crate::cli::OutputKind;
use crate::io::IoError;
use crate::p3::bindings::wasi::cli::types::ErrorCode;
use crate::p3::bindings::wasi::cli::{stderr, stdin, stdout};
use crate::p3::streams::{self, Ended, Made};
use crate::view::HasWasi;

/// Converts the failure of a standard stream.
fn code(error: &IoError) -> ErrorCode {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) => ErrorCode::Pipe,
        Some(io::ErrorKind::InvalidData) => ErrorCode::IllegalByteSequence,
        _ => ErrorCode::Io,
    }
}

impl stdin::Host for WasiCtx {}

impl stdout::Host for WasiCtx {}

impl stderr::Host for WasiCtx {}

impl<T: Send + 'static> stdin::HostWithStore<T> for HasWasi {
    fn read_via_stream(mut store: Access<'_, T, Self>) -> HostResult<Made<ErrorCode>> {
        let input = store.get().cli.stdin.clone();
        Ok(streams::read(store, Ok(input), code))
    }
}

impl<T: Send + 'static> stdout::HostWithStore<T> for HasWasi {
    fn write_via_stream(
        store: Access<'_, T, Self>,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<Ended<ErrorCode>>> {
        write(store, OutputKind::Stdout, data)
    }
}

impl<T: Send + 'static> stderr::HostWithStore<T> for HasWasi {
    fn write_via_stream(
        store: Access<'_, T, Self>,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<Ended<ErrorCode>>> {
        write(store, OutputKind::Stderr, data)
    }
}

fn write<T: Send + 'static>(
    mut store: Access<'_, T, HasWasi>,
    kind: OutputKind,
    data: StreamReader<u8>,
) -> HostResult<FutureReader<Ended<ErrorCode>>> {
    let output = store.get().cli.output(kind).clone();
    streams::write(
        store,
        data,
        Ok(move |bytes: &[u8]| output.write_bytes(bytes)),
        code,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_codes_of_the_interface() {
        let of = |kind: io::ErrorKind| code(&IoError::new(io::Error::from(kind)));
        assert_eq!(of(io::ErrorKind::BrokenPipe), ErrorCode::Pipe);
        assert_eq!(of(io::ErrorKind::InvalidData), ErrorCode::IllegalByteSequence);
        assert_eq!(of(io::ErrorKind::StorageFull), ErrorCode::Io);
        assert_eq!(code(&IoError::new("another error")), ErrorCode::Io);
    }
}
