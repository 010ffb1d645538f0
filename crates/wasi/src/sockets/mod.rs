//! `wasi:sockets`: TCP, UDP and name look-up, within the component's grants. No function waits for the network.

mod address;
mod connection;
mod error;
mod incoming;
mod lookup;
mod options;
mod tcp;
mod tcp_options;
mod udp;
mod udp_streams;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use connection::{Connection, TcpInput};
pub(crate) use error::{SocketError, code_of};
pub(crate) use incoming::Incoming;
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
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    pub(super) fn new(max: usize) -> Places {
        Places(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a place for one more socket.
    fn take(&self) -> Result<Place, SocketError> {
        match self.0.clone().try_acquire_owned() {
            Ok(permit) => Ok(Place { _permit: permit }),
            Err(_) => Err(ErrorCode::NewSocketLimit.into()),
        }
    }

    /// Waits until there is a place, and takes it.
    async fn next(self) -> Place {
        match self.0.acquire_owned().await {
            Ok(permit) => Place { _permit: permit },
            // It is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns the number of places that are left.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.0.available_permits()
    }
}

/// The place of one socket; dropping it makes room for another.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
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
        assert_eq!(places.left(), 2);
    }

    #[test]
    fn a_place_is_waited_for() {
        let places = Places::new(1);
        let first = places.take().unwrap();
        let mut next = std::pin::pin!(places.clone().next());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        drop(first);
        assert!(next.as_mut().poll(&mut cx).is_ready());
        assert_eq!(places.left(), 1);
    }
}
