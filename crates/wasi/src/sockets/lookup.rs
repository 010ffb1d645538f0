//! `wasi:sockets/ip-name-lookup`.

use std::fmt;
use std::future::{self, Future};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::vec;

use super::{Network, SocketError};
use crate::bindings::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use crate::io::{Pollable, Waits, subscribe};
use crate::net::{NetError, parse_address};
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{HostResult, Resource};

/// A running look-up.
pub(crate) type Asking = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, NetError>> + Send>>;

/// The resource `resolve-address-stream`.
pub(crate) enum ResolveAddressStream {
    /// The look-up is running.
    Asking(Asking),
    /// Addresses that were not returned yet.
    Answer(vec::IntoIter<IpAddr>),
    /// The look-up failed.
    Failed(NetError),
}

impl fmt::Debug for ResolveAddressStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveAddressStream").finish_non_exhaustive()
    }
}

impl Waits for ResolveAddressStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let ResolveAddressStream::Asking(future) = self {
            let Poll::Ready(answer) = future.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            *self = match answer {
                Ok(addresses) => ResolveAddressStream::Answer(addresses.into_iter()),
                Err(error) => ResolveAddressStream::Failed(error),
            };
        }
        Poll::Ready(())
    }
}

impl WasiCtx {
    /// Prepares the look-up of a name, which begins with the first poll. An address leads to itself.
    ///
    /// # Errors
    /// [`NetError::Denied`], [`NetError::InvalidName`].
    pub(crate) fn looking_up(&self, name: String) -> Result<Asking, NetError> {
        self.net.check_any()?;
        // Connecting checks whether the address is granted.
        if let Some(address) = parse_address(&name) {
            return Ok(Box::pin(future::ready(Ok(vec![address]))));
        }
        self.net.check_look_up(&name)?;
        let net = self.net.clone();
        Ok(Box::pin(async move { net.resolve_any(&name).await }))
    }
}

impl Host for WasiCtx {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        self.table.get(&network)?;
        let mut stream = ResolveAddressStream::Asking(self.looking_up(name)?);
        let _context = executor::enter()?;
        // Starts the look-up.
        if stream
            .poll_ready(&mut Context::from_waker(Waker::noop()))
            .is_ready()
            && let ResolveAddressStream::Failed(error) = stream
        {
            return Err(error.into());
        }
        Ok(self.table.push(stream)?)
    }
}

impl HostResolveAddressStream for WasiCtx {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let _context = executor::enter()?;
        let stream = self.table.get_mut(&stream)?;
        if stream
            .poll_ready(&mut Context::from_waker(Waker::noop()))
            .is_pending()
        {
            return Err(ErrorCode::WouldBlock.into());
        }
        match stream {
            ResolveAddressStream::Asking(_) => Err(ErrorCode::WouldBlock.into()),
            ResolveAddressStream::Answer(addresses) => Ok(addresses.next().map(IpAddress::from)),
            ResolveAddressStream::Failed(error) => Err(error.clone().into()),
        }
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &stream)?)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
