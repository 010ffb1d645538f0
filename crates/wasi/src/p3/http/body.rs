//! Bodies of messages, and their consumption by guests.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use airssys_wasm_component::component::{
    Access, FutureConsumer, FutureProducer, FutureReader, HostResult, Source, StoreContextMut, StreamReader,
};
use tokio::sync::oneshot;

use super::{Consumed, Done, Ending};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::body::{BodyStream, Transmission};
use crate::http::{FutureTrailers, IncomingBody, errors};
use crate::io::Waits;
use crate::p3::streams;
use crate::p3::wait::End;
use crate::view::{Attached, HasWasi};

/// The body of a message.
#[derive(Debug)]
pub(crate) enum Body {
    /// The body of a message that a guest makes.
    Made(Made),
    /// The body of a message that was received.
    Received(IncomingBody),
}

/// The parts of a body that a guest makes. Dropping them closes the guest's ends.
#[derive(Debug)]
pub(crate) struct Made {
    pub(super) contents: Option<StreamReader<u8>>,
    pub(super) trailers: FutureReader<Ending>,
    /// The result of sending the message; failure if it is dropped unsent.
    pub(super) transmission: Transmission,
}

impl Body {
    /// Creates a body that a guest makes, and the future of the result of sending it. The message is sent also if that is dropped.
    pub(super) fn made<T: Send + 'static>(
        store: &mut Access<'_, T, HasWasi>,
        contents: Option<StreamReader<u8>>,
        trailers: FutureReader<Ending>,
    ) -> (Body, FutureReader<Done>) {
        let (transmission, sent) = Transmission::new();
        let sent = async move {
            let unsent = |_| Err(errors::internal("the message was not sent"));
            Ok(sent.await.unwrap_or_else(unsent))
        };
        let made = Made {
            contents,
            trailers,
            transmission,
        };
        (Body::Made(made), FutureReader::new(store, sent))
    }

    /// Gives a body to the guest; `res` is the result of its processing.
    pub(super) fn consume<T: Send + 'static>(
        self,
        mut store: Access<'_, T, HasWasi>,
        res: FutureReader<Done>,
    ) -> HostResult<Consumed> {
        match self {
            Body::Made(made) => {
                let processed = Processed(Some(made.transmission));
                res.pipe(&mut store, processed)?;
                let contents = match made.contents {
                    Some(contents) => contents,
                    None => streams::bytes_of(&mut store, None::<BodyStream>, drop),
                };
                Ok((contents, made.trailers))
            }
            Body::Received(body) => {
                res.pipe(&mut store, Processed(None))?;
                let (sender, ended) = oneshot::channel::<()>();
                // The guest learns of a failure by the ending.
                let contents = streams::bytes_of(&mut store, body.stream(), move |_| drop(sender));
                let ending = EndingOf {
                    ended: Some(ended),
                    trailers: body.finish(),
                    end: End::default(),
                    ctx: store.getter(),
                };
                Ok((contents, FutureReader::new(&mut store, ending)))
            }
        }
    }
}

/// Takes the result of the processing of a message: that of sending it, if another guest has made it.
struct Processed(Option<Transmission>);

impl<T: Send + 'static> FutureConsumer<T> for Processed {
    type Item = Done;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        mut source: Source<'_, Done>,
        finish: bool,
    ) -> Poll<HostResult<()>> {
        let mut result = None;
        source.read(&mut store, &mut result)?;
        match (result, &self.0) {
            (Some(result), Some(transmission)) => transmission.set(result),
            // Of a message of another host: there is no way to let that know.
            (Some(_), None) => {}
            (None, _) if finish => {}
            (None, _) => return Poll::Pending,
        }
        Poll::Ready(Ok(()))
    }
}

/// The ending of a body that was received, once its stream has ended. The rest that the guest has not read is passed over.
struct EndingOf<T> {
    /// `None` once the stream has ended, or was dropped.
    ended: Option<oneshot::Receiver<()>>,
    trailers: FutureTrailers,
    end: End,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T> EndingOf<T> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(ended) = &mut self.ended {
            let _ = ready!(Pin::new(ended).poll(cx));
            self.ended = None;
        }
        self.trailers.poll_ready(cx)
    }
}

impl<T: Send + 'static> FutureProducer<T> for EndingOf<T> {
    type Item = Ending;

    fn poll_produce(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        finish: bool,
    ) -> Poll<HostResult<Option<Ending>>> {
        let this = &mut *self;
        if this.poll_ready(cx).is_pending() {
            ready!(this.end.poll_stream(cx, &mut store, this.ctx, finish))?;
            return Poll::Ready(Ok(None));
        }
        (this.ctx)(store.data_mut()).goes_on();
        let got = this.trailers.get().flatten();
        // It is delivered once.
        let got = got.unwrap_or(Err(ErrorCode::InternalError(None)));
        let ending = (this.ctx)(store.data_mut()).received_trailers(got)?;
        Poll::Ready(Ok(Some(ending)))
    }
}
