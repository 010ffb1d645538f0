//! Host functions of the body resources.

use super::{FutureTrailers, IncomingBody, OutgoingBody, Trailers};
use crate::bindings::wasi::http::types::{ErrorCode, HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use crate::http::Fields;
use crate::io::{self, InputStream, OutputStream, Pollable};
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{HostResult, Resource};

impl HostIncomingBody for WasiCtx {
    fn stream(&mut self, body: Resource<IncomingBody>) -> HostResult<Result<Resource<InputStream>, ()>> {
        match self.table.get(&body)?.stream() {
            Some(stream) => Ok(Ok(self.table.push_child(InputStream::new(stream), &body)?)),
            None => Ok(Err(())),
        }
    }

    fn finish(&mut self, body: Resource<IncomingBody>) -> HostResult<Resource<FutureTrailers>> {
        let body = self.table.delete(body)?;
        Ok(self.table.push(body.finish())?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> HostResult<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl WasiCtx {
    /// Converts the result of a body to that of the interface.
    pub(crate) fn received_trailers(
        &mut self,
        got: Trailers,
    ) -> HostResult<Result<Option<Resource<Fields>>, ErrorCode>> {
        let fields = match got {
            Ok(Some(map)) => Fields::received(map, &self.http.room, &self.http.limits),
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        Ok(match fields {
            Ok(fields) => Ok(Some(self.table.push(fields)?)),
            Err(_) => Err(ErrorCode::HttpResponseTrailerSectionSize(None)),
        })
    }
}

impl HostFutureTrailers for WasiCtx {
    fn subscribe(&mut self, trailers: Resource<FutureTrailers>) -> HostResult<Resource<Pollable>> {
        Ok(io::subscribe(&mut self.table, &trailers)?)
    }

    fn get(
        &mut self,
        trailers: Resource<FutureTrailers>,
    ) -> HostResult<Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>> {
        let _context = executor::enter()?;
        let Some(got) = self.table.get_mut(&trailers)?.get() else {
            return Ok(None);
        };
        let Some(got) = got else {
            return Ok(Some(Err(())));
        };
        Ok(Some(Ok(self.received_trailers(got)?)))
    }

    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> HostResult<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}

impl HostOutgoingBody for WasiCtx {
    fn write(&mut self, body: Resource<OutgoingBody>) -> HostResult<Result<Resource<OutputStream>, ()>> {
        match self.table.get_mut(&body)?.stream() {
            Some(stream) => Ok(Ok(self.table.push_child(OutputStream::new(stream), &body)?)),
            None => Ok(Err(())),
        }
    }

    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> HostResult<Result<(), ErrorCode>> {
        let trailers = match trailers {
            Some(trailers) => Some(self.table.delete(trailers)?.into_map()),
            None => None,
        };
        Ok(self.table.delete(body)?.finish(trailers))
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> HostResult<()> {
        self.table.delete(body)?;
        Ok(())
    }
}
