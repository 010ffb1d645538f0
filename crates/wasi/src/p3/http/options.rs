//! The resource `request-options`.

use std::time::Duration;

use airssys_wasm_component::component::{HostResult, Resource};

use crate::WasiCtx;
use crate::http::{RequestOptions, nanoseconds};
use crate::p3::bindings::wasi::http::types::{HostRequestOptions, RequestOptionsError};

/// The timeouts of a request. Those that belong to one cannot be changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(super) times: RequestOptions,
    is_immutable: bool,
}

impl Options {
    /// Returns a view of the timeouts of a request.
    pub(super) fn view(times: RequestOptions) -> Options {
        Options {
            times,
            is_immutable: true,
        }
    }
}

type Changed = HostResult<Result<(), RequestOptionsError>>;

impl WasiCtx {
    fn options_time(
        &self,
        options: &Resource<Options>,
        time: impl FnOnce(&RequestOptions) -> Option<Duration>,
    ) -> HostResult<Option<u64>> {
        Ok(nanoseconds(time(&self.table.get(options)?.times)))
    }

    fn set_options_time(
        &mut self,
        options: &Resource<Options>,
        nanoseconds: Option<u64>,
        time: impl FnOnce(&mut RequestOptions) -> &mut Option<Duration>,
    ) -> Changed {
        let options = self.table.get_mut(options)?;
        if options.is_immutable {
            return Ok(Err(RequestOptionsError::Immutable));
        }
        *time(&mut options.times) = nanoseconds.map(Duration::from_nanos);
        Ok(Ok(()))
    }
}

impl HostRequestOptions for WasiCtx {
    fn new(&mut self) -> HostResult<Resource<Options>> {
        Ok(self.table.push(Options::default())?)
    }

    fn get_connect_timeout(&mut self, options: Resource<Options>) -> HostResult<Option<u64>> {
        self.options_time(&options, |times| times.connect)
    }

    fn set_connect_timeout(&mut self, options: Resource<Options>, duration: Option<u64>) -> Changed {
        self.set_options_time(&options, duration, |times| &mut times.connect)
    }

    fn get_first_byte_timeout(&mut self, options: Resource<Options>) -> HostResult<Option<u64>> {
        self.options_time(&options, |times| times.first_byte)
    }

    fn set_first_byte_timeout(&mut self, options: Resource<Options>, duration: Option<u64>) -> Changed {
        self.set_options_time(&options, duration, |times| &mut times.first_byte)
    }

    fn get_between_bytes_timeout(&mut self, options: Resource<Options>) -> HostResult<Option<u64>> {
        self.options_time(&options, |times| times.between_bytes)
    }

    fn set_between_bytes_timeout(&mut self, options: Resource<Options>, duration: Option<u64>) -> Changed {
        self.set_options_time(&options, duration, |times| &mut times.between_bytes)
    }

    fn clone(&mut self, options: Resource<Options>) -> HostResult<Resource<Options>> {
        let times = self.table.get(&options)?.times;
        Ok(self.table.push(Options {
            times,
            is_immutable: false,
        })?)
    }

    fn drop(&mut self, options: Resource<Options>) -> HostResult<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
