//! One request and its response: checked, admitted, answered.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answer::{self, Access, AnswerBody, Cut};
use super::component;
use super::connections::Shared;
use super::flight::Flight;
use super::heads::Head;
use super::pool::SlowPlace;
use super::request;
use super::wire::Wire;
use crate::http::body::{Bounds, Direction, Pace, Reader};
use crate::http::response::Answer;
use crate::http::{IncomingBody, errors, fields};

/// The client of a connection.
#[derive(Clone)]
pub(super) struct Client {
    shared: Arc<Shared>,
    peer: SocketAddr,
    wire: Wire,
    head: Head,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>, peer: SocketAddr, wire: Wire, head: Head) -> Client {
        Client {
            shared,
            peer,
            wire,
            head,
        }
    }
}

/// Stops the component on drop, if the connection ends before the component has answered.
struct Wanted(Arc<Flight>, bool);

impl Drop for Wanted {
    fn drop(&mut self) {
        if !self.1 {
            self.0.cancel();
        }
    }
}

/// Answers a request.
pub(super) async fn respond(
    client: Client,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let turn = client.head.turn();
    let access = Access::new(client.peer, request.method(), request.uri(), turn);
    Ok(match exchange(&client, request).await {
        Ok((response, cut)) => answer::of_guest(response, cut, access),
        Err(Refusal::Request(status)) => answer::refusal(status, access),
        Err(Refusal::Answer(status)) => answer::plain(status, access),
    })
}

/// A reason for a response of the server itself.
enum Refusal {
    /// The request is invalid, and its rest is not read.
    Request(StatusCode),
    /// The component gave no answer.
    Answer(StatusCode),
}

type Guests = Response<Option<Reader>>;

async fn exchange(client: &Client, request: Request<Incoming>) -> Result<(Guests, Cut), Refusal> {
    let shared = &client.shared;
    let limits = &shared.limits;
    let (head, body) = request.into_parts();
    let length = body.size_hint().lower();
    let authority = request::check(&head, length, limits).map_err(Refusal::Request)?;
    let (method, version) = (head.method.clone(), head.version);
    let bounds = Bounds {
        bytes: limits.body_bytes,
        pace: Pace {
            pause: limits.read_time,
            rate: limits.read_rate,
        },
        direction: Direction::Request,
    };
    let body = IncomingBody::of_hyper(body, bounds, None, errors::of_request);
    let failure = body.failure();
    let place = admit(shared, &body, request::expects_continue(&head)).await?;
    let request = component::Request {
        head,
        authority,
        body,
    };
    let (sender, receiver) = oneshot::channel::<Answer>();
    let flight = Arc::new(Flight::default());
    let (handler, in_flight) = (shared.handler.clone(), flight.clone());
    let work = Box::new(move |seat: &_| {
        if !in_flight.is_cancelled() {
            handler.answer(request, &in_flight, seat, move |answer| {
                // The request may have been canceled; its answer is then not needed.
                let _ = sender.send(answer);
            });
        }
    });
    if !shared.pool.submit(work, place) {
        return Err(Refusal::Answer(StatusCode::SERVICE_UNAVAILABLE));
    }
    let mut wanted = Wanted(flight, false);
    let begun = async {
        match receiver.await {
            Ok(Ok(response)) => begin(response, &method).await.ok_or(None),
            Ok(Err(error)) => Err(Some(answer::status(&error))),
            // It trapped, or ended without an answer. Clients do not learn the reason.
            Err(_) => Err(None),
        }
    };
    let gone = client.wire.gone(limits.half_closed_time);
    let begun = match future::select(pin!(begun), pin!(gone)).await {
        Either::Left((begun, _)) => begun,
        Either::Right(_) => return Err(Refusal::Answer(StatusCode::GATEWAY_TIMEOUT)),
    };
    wanted.1 = true;
    match begun {
        Ok(response) => {
            let length = response.headers().contains_key(header::CONTENT_LENGTH);
            let cut = Cut::new(client.wire.clone(), version < Version::HTTP_11 && !length);
            Ok((response, cut))
        }
        // If the request itself is broken, that is the cause, whatever the component reports.
        Err(status) => Err(match (failure.get(), status) {
            (Some(error), _) => Refusal::Request(answer::of_body(error)),
            (None, Some(status)) => Refusal::Answer(status),
            (None, None) if wanted.0.is_late() => Refusal::Answer(StatusCode::GATEWAY_TIMEOUT),
            (None, None) => Refusal::Answer(StatusCode::INTERNAL_SERVER_ERROR),
        }),
    }
}

/// Admits a request once it blocks no thread of other requests: when its body has arrived, or when there is a slow
/// place for it. Until then, the body is read ahead.
async fn admit(shared: &Shared, body: &IncomingBody, asks: bool) -> Result<Option<SlowPlace>, Refusal> {
    let most = shared.limits.ahead_bytes;
    if body.is_whole() {
        return Ok(None);
    }
    // Reading would send a 100 to a client that holds its body back; the component may answer without the body.
    let here = !asks && poll_fn(|cx| Poll::Ready(body.poll_ahead(cx, most) == Poll::Ready(true))).await;
    if here {
        return Ok(None);
    }
    if let Some(place) = shared.pool.slow_place() {
        return Ok(Some(place));
    }
    let whole = pin!(poll_fn(|cx| match body.poll_ahead(cx, most) {
        Poll::Ready(true) => Poll::Ready(()),
        // The buffer for one request is full. A free place wakes this.
        Poll::Ready(false) | Poll::Pending => Poll::Pending,
    }));
    let place = pin!(shared.pool.next_slow_place());
    match timeout(shared.limits.request_time, future::select(whole, place)).await {
        // A broken request is refused without calling the component.
        Ok(Either::Left(_)) => match body.failure().get() {
            Some(error) => Err(Refusal::Request(answer::of_body(error))),
            None => Ok(None),
        },
        Ok(Either::Right((place, _))) => Ok(place),
        Err(_) => Err(Refusal::Request(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

/// Returns the response once its head may be sent; `None` if the component fails before that.
fn begin(response: Guests, method: &Method) -> impl Future<Output = Option<Guests>> {
    let (head, mut reader) = response.into_parts();
    if !request::has_content(method, head.status) {
        reader = None;
    } else if reader.is_none() && !matches!(fields::declared_length(&head.headers), Ok(None | Some(0))) {
        // The head declares a body, and there is none.
        return future::ready(None).left_future();
    }
    async move {
        if let Some(reader) = &reader {
            poll_fn(|cx| reader.poll_begun(cx)).await.ok()?;
        }
        Some(Response::from_parts(head, reader))
    }
    .right_future()
}
