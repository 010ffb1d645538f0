//! `wasi:sockets`: TCP, UDP and name look-up, within the component's grants. No function waits for the network.

mod address;
mod connection;
mod error;
mod lookup;
mod options;
mod tcp;
mod tcp_options;
mod udp;
mod udp_streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use error::SocketError;
pub(crate) use lookup::ResolveAddressStream;
pub(crate) use tcp::TcpSocket;
pub(crate) use udp::UdpSocket;
pub(crate) use udp_streams::{IncomingDatagramStream, OutgoingDatagramStream};

use super::WasiCtx;
use super::bindings::wasi::sockets::network::ErrorCode;
use super::bindings::wasi::sockets::{instance_network, network};
use airssys_wasm_component::component::{HostResult, Resource};

/// The resource `network`. Access is granted to the component, not by the resource.
#[derive(Debug)]
pub(crate) struct Network;

impl network::HostNetwork for WasiCtx {
    fn drop(&mut self, network: Resource<Network>) -> HostResult<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl instance_network::Host for WasiCtx {
    fn instance_network(&mut self) -> HostResult<Resource<Network>> {
        Ok(self.table.push(Network)?)
    }
}

/// Count and limit of a component's sockets.
#[derive(Clone, Debug)]
pub(super) struct Places {
    max: usize,
    taken: Arc<AtomicUsize>,
}

impl Places {
    pub(super) fn new(max: usize) -> Places {
        Places {
            max,
            taken: Arc::default(),
        }
    }

    /// Takes a place for one more socket.
    fn take(&self) -> Result<Place, SocketError> {
        let more = |taken: usize| (taken < self.max).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map_err(|_| ErrorCode::NewSocketLimit)?;
        Ok(Place(self.taken.clone()))
    }
}

/// The place of one socket; dropping it makes room for another.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let places = Places::new(2);
        let first = places.take().unwrap();
        let second = places.take().unwrap();
        assert!(matches!(
            places.take(),
            Err(SocketError::Code(ErrorCode::NewSocketLimit))
        ));
        drop(first);
        assert!(places.take().is_ok());
        drop(second);
    }
}
