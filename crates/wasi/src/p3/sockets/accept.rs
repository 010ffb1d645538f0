//! The connections of a listening socket as a stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use airssys_wasm_component::component::{
    Access, Destination, HostResult, Resource, StoreContextMut, StreamProducer, StreamReader, StreamResult,
};

use crate::executor;
use crate::p3::wait::End;
use crate::sockets::{Incoming, TcpSocket};
use crate::view::{Attached, HasWasi};

/// Creates a stream of connections. Dropping it ends the accepting; the socket listens until it is dropped too.
pub(super) fn stream<T: Send + 'static>(
    mut store: Access<'_, T, HasWasi>,
    incoming: Incoming,
) -> StreamReader<Resource<TcpSocket>> {
    let connections = Connections {
        incoming,
        next: None,
        end: End::default(),
        ctx: store.getter(),
    };
    StreamReader::new(&mut store, connections)
}

/// A stream of connections. One is accepted for each read, so that all others wait in the system's backlog.
struct Connections<T> {
    incoming: Incoming,
    /// The connection that a reader asked for without room for it.
    next: Option<TcpSocket>,
    end: End,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T: Send + 'static> StreamProducer<T> for Connections<T> {
    type Item = Resource<TcpSocket>;
    type Buffer = Option<Resource<TcpSocket>>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = &mut *self;
        if this.next.is_none() {
            let _context = executor::enter()?;
            match this.incoming.poll_next(cx) {
                Poll::Ready(Some(socket)) => this.next = Some(socket),
                Poll::Ready(None) => return Poll::Ready(Ok(StreamResult::Dropped)),
                Poll::Pending => {
                    ready!(this.end.poll_stream(cx, &mut store, this.ctx, finish))?;
                    this.incoming.pause();
                    return Poll::Ready(Ok(StreamResult::Cancelled));
                }
            }
        }
        this.end.reset();
        (this.ctx)(store.data_mut()).goes_on();
        if destination.remaining(&mut store) != Some(0)
            && let Some(socket) = this.next.take()
        {
            let socket = (this.ctx)(store.data_mut()).table.push(socket)?;
            destination.set_buffer(Some(socket));
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
