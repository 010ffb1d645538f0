//! `wasi:http/client`, and `handler` for components that pass requests on: the network, by the grants of the component.

use airssys_wasm_component::component::{Accessor, HostResult, Resource};

use super::sending::Outbound;
use super::{Request, Response};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::body::{Direction, Transmission};
use crate::http::errors;
use crate::io::Waits;
use crate::p3::bindings::wasi::http::{client, handler};
use crate::p3::wait::wait;
use crate::view::HasWasi;

type Answer = HostResult<Result<Resource<Response>, ErrorCode>>;

impl client::Host for WasiCtx {}

impl handler::Host for WasiCtx {}

impl<T: Send + 'static> client::HostWithStore<T> for HasWasi {
    async fn send(accessor: &Accessor<T, Self>, request: Resource<Request>) -> Answer {
        send(accessor, request).await
    }
}

impl<T: Send + 'static> handler::HostWithStore<T> for HasWasi {
    async fn handle(accessor: &Accessor<T, Self>, request: Resource<Request>) -> Answer {
        send(accessor, request).await
    }
}

/// An exchange, which fails if the guest cancels it.
struct Exchange(Option<Transmission>);

impl Exchange {
    /// Records that the exchange has its answer.
    fn succeed(mut self) {
        if let Some(transmission) = self.0.take() {
            transmission.set_answered();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(transmission) = &self.0 {
            transmission.set(Err(canceled()));
        }
    }
}

fn canceled() -> ErrorCode {
    errors::internal("the exchange was canceled")
}

/// Sends a request, and waits for the head of the response. Dropping the future ends the exchange.
async fn send<T: Send + 'static>(accessor: &Accessor<T, HasWasi>, request: Resource<Request>) -> Answer {
    let begun = accessor.with(|mut store| {
        let Request { head, options, body } = store.get().table.delete(request)?;
        let outbound = Outbound::new(&mut store, body, head.headers.map(), Direction::Request)?;
        HostResult::Ok(outbound.map(|outbound| (head, options, outbound)))
    })?;
    let (head, options, mut outbound) = match begun {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    wait(accessor, |cx| outbound.poll_ready(cx)).await?;
    let transmission = outbound.transmission;
    let exchange = Exchange(transmission.clone());
    // A failure of the guest's own body is the reason for that of the exchange.
    let failed = |error: ErrorCode| match &transmission {
        Some(transmission) => {
            transmission.set(Err(error.clone()));
            transmission.failure().unwrap_or(error)
        }
        None => error,
    };
    let options = options.unwrap_or_default();
    let sent = accessor.with(|mut store| store.get().send(head, outbound.body, options));
    let mut response = match sent {
        Ok(response) => response,
        Err(error) => return Ok(Err(failed(error))),
    };
    wait(accessor, |cx| response.poll_ready(cx)).await?;
    let taken = response.take().unwrap_or_else(|| Err(canceled()));
    let taken = taken.map_err(failed);
    if taken.is_ok() {
        exchange.succeed();
    }
    accessor.with(|mut store| {
        let mut ctx = store.get();
        Ok(match ctx.receive(taken) {
            Ok(response) => Ok(ctx.table.push(Response::received(response))?),
            Err(error) => Err(error),
        })
    })
}
