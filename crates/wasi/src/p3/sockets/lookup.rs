//! `wasi:sockets/ip-name-lookup` 0.3.

use airssys_wasm_component::component::{Accessor, HostResult};

use crate::WasiCtx;
use crate::bindings::wasi::sockets::network::IpAddress;
use crate::net::NetError;
use crate::p3::bindings::wasi::sockets::ip_name_lookup::{self, ErrorCode};
use crate::p3::wait::wait;
use crate::view::HasWasi;

fn code(error: &NetError) -> ErrorCode {
    match error {
        NetError::Denied => ErrorCode::AccessDenied,
        NetError::InvalidName => ErrorCode::InvalidArgument,
        NetError::Unresolvable => ErrorCode::NameUnresolvable,
        NetError::Busy => ErrorCode::TemporaryResolverFailure,
    }
}

impl ip_name_lookup::Host for WasiCtx {}

impl<T: Send + 'static> ip_name_lookup::HostWithStore<T> for HasWasi {
    async fn resolve_addresses(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> HostResult<Result<Vec<IpAddress>, ErrorCode>> {
        let mut asking = match accessor.with(|mut store| store.get().looking_up(name)) {
            Ok(asking) => asking,
            Err(error) => return Ok(Err(code(&error))),
        };
        let found = wait(accessor, |cx| asking.as_mut().poll(cx)).await?;
        // An IPv4 address in the form of an IPv6 address is returned as what it is.
        let converted = |found: Vec<_>| {
            let canonical = found
                .into_iter()
                .map(|address: std::net::IpAddr| address.to_canonical());
            canonical.map(IpAddress::from).collect()
        };
        Ok(found.map(converted).map_err(|error| code(&error)))
    }
}
