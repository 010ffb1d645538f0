//! The component that answers requests, with a fresh or reset instance for each.

use std::time::Instant;

use http::uri::{Authority, PathAndQuery};

use super::flight::Flight;
use super::pool::Seat;
use super::{SERVE_LOG, ServeError, ServeLimits};
use crate::bindings::exports::wasi::http::incoming_handler::Guest;
use crate::bindings::wasi::http::types::Scheme;
use crate::http::body::Behind;
use crate::http::fields::Fields;
use crate::http::response::Answer;
use crate::http::{HttpCtx, IncomingBody, IncomingRequest, ResponseOutparam};
use crate::{WasiCtx, WasiCtxBuilder, WasiState};
use airssys_wasm_component::component::{Component, InstancePool, Linker, PooledInstance};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::{CoreTrap, Error, Result, Trap, TrapKind};
use airssys_wasm_component::internal::timer;

/// A request for the component.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) head: http::request::Parts,
    pub(super) authority: Option<Authority>,
    pub(super) body: IncomingBody,
}

impl Request {
    /// Converts the request to a resource of a component with these limits.
    pub(super) fn into_resource(self, http: &HttpCtx) -> Result<IncomingRequest> {
        let Request {
            head,
            authority,
            body,
        } = self;
        Ok(IncomingRequest {
            method: head.method,
            path: path(&head.uri),
            scheme: Scheme::Http,
            authority,
            headers: Fields::received(head.headers, &http.room, &http.limits).map_err(misfit)?,
            body: Some(body),
        })
    }
}

/// Creator of instances that answer requests.
#[derive(Debug)]
pub(super) struct Handler {
    instances: InstancePool<WasiState>,
    wasi: WasiCtxBuilder,
    limits: ServeLimits,
}

impl Handler {
    /// Links the component, and creates one instance to check that it instantiates and exports the handler.
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        wasi: WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Result<Handler, ServeError> {
        let mut linker = Linker::new(engine);
        crate::add_imports_to_linker(&mut linker, component)?;
        let handler = Handler {
            instances: InstancePool::new(
                engine,
                linker.instantiate_pre(component)?,
                limits.store.clone(),
                limits.instances,
            ),
            wasi,
            limits,
        };
        let deadline = Instant::now().checked_add(handler.limits.request_time);
        let mut instance = handler.instances.get(handler.wasi(deadline).into())?;
        guest(&mut instance)?;
        drop(instance);
        Ok(handler)
    }

    fn wasi(&self, deadline: Option<Instant>) -> WasiCtx {
        let mut wasi = self.wasi.build();
        wasi.set_deadline(deadline);
        wasi
    }

    /// Calls the component with a request, and returns when the call has ended.
    pub(super) fn answer(
        &self,
        request: Request,
        flight: &Flight,
        seat: &Seat,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) {
        let deadline = Instant::now().checked_add(self.limits.request_time);
        let mut begun = false;
        let mut wasi = self.wasi(deadline);
        let seat = seat.clone();
        wasi.http.behind = Some(Behind::new(move || seat.give_way()));
        let instance = self.instances.get_watched(wasi.into(), |store| {
            let armed = deadline.and_then(|deadline| timer::arm(deadline, store.interrupter()));
            begun = flight.begin(store.interrupter());
            armed
        });
        if !begun {
            return;
        }
        let (result, instance) = match instance {
            Ok((mut instance, armed)) => {
                let result = self.call(&mut instance, request, answer);
                if result.is_ok() {
                    instance.parts().0.data().ctx.http.set_ended();
                }
                drop(armed);
                (result, Some(instance))
            }
            Err(error) => (Err(error), None),
        };
        let cancelled = flight.end();
        let in_time = deadline.is_none_or(|deadline| Instant::now() < deadline);
        if let Err(error) = result
            && !cancelled
        {
            if matches!(
                error.trap().map(Trap::kind),
                Some(TrapKind::Core(CoreTrap::Interrupted))
            ) {
                flight.set_late();
            }
            log::warn!(target: SERVE_LOG, "a request failed: {error}");
        }
        if let Some(mut instance) = instance
            && (cancelled || !in_time)
        {
            // An interrupt may have been requested that has not arrived yet.
            instance.discard();
        }
    }

    fn call(
        &self,
        instance: &mut PooledInstance<WasiState>,
        request: Request,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Result<()> {
        let guest = guest(instance)?;
        let (store, _) = instance.parts();
        let wasi = store.data_mut();
        let request = request.into_resource(&wasi.ctx.http)?;
        let request = wasi.table.push(request).map_err(misfit)?;
        let param = wasi.table.push(ResponseOutparam::new(answer)).map_err(misfit)?;
        guest.call_handle(store, request, param)
    }
}

fn guest(instance: &mut PooledInstance<WasiState>) -> Result<Guest> {
    let (store, instance) = instance.parts();
    Guest::new(store, instance)
}

/// Returns the path; `*` is one, too: that of `OPTIONS` for the server itself.
fn path(uri: &http::Uri) -> Option<PathAndQuery> {
    uri.path_and_query().cloned()
}

/// Creates the error for a request that exceeds a limit of the component.
pub(super) fn misfit(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Host {
        name: "wasi:http/incoming-handler#handle".to_owned(),
        source: Box::new(error),
    }
}
