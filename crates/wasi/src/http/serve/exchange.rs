//! One request and its response: checked, admitted, answered.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::answer::{self, Access, AnswerBody, Cut};
use super::component;
use super::connections::{Handler, Shared};
use super::flight::Flight;
use super::heads::Head;
use super::pool::{PATIENCE, Seat, SlowPlace, Work};
use super::request;
use super::tasks::{self, Ticket};
use super::wire::Wire;
use crate::http::body::{Bounds, Direction, Pace, Sent};
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

/// The component's part in a request. On drop, it is stopped, if the connection ends before it has answered.
struct Wanted(By);

enum By {
    Fresh(Arc<Flight>),
    Task {
        shared: Arc<Shared>,
        handler: Arc<tasks::Handler>,
        ticket: Option<Ticket>,
    },
    Answered,
}

impl Wanted {
    /// Has an instance of its own answer a request.
    fn fresh(
        shared: &Shared,
        handler: Arc<component::Handler>,
        request: component::Request,
        place: Option<SlowPlace>,
        answer: oneshot::Sender<Answer>,
    ) -> Result<Wanted, Refusal> {
        let flight = Arc::new(Flight::default());
        let in_flight = flight.clone();
        let work = Work::of(flight.clone(), move |seat: &Seat| {
            if !in_flight.is_cancelled() {
                handler.answer(request, &in_flight, seat, move |response| {
                    // The request may have been canceled; its answer is then not needed.
                    let _ = answer.send(response);
                });
            }
        });
        match shared.pool.submit(work, place) {
            true => Ok(Wanted(By::Fresh(flight))),
            false => Err(Refusal::Answer(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }

    /// Has an instance answer a request beside others.
    fn task(
        shared: &Arc<Shared>,
        handler: Arc<tasks::Handler>,
        request: component::Request,
        answer: oneshot::Sender<Answer>,
    ) -> Result<Wanted, Refusal> {
        let (ticket, job) = Ticket::new(request, answer);
        match handler.submit(&shared.pool, job) {
            true => Ok(Wanted(By::Task {
                shared: shared.clone(),
                handler,
                ticket: Some(ticket),
            })),
            false => Err(Refusal::Answer(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }

    /// Completes if no instance has begun with the request after `time`. Starts another instance if they take long.
    async fn unbegun(&self, time: Duration) {
        let By::Task {
            shared,
            handler,
            ticket: Some(ticket),
        } = &self.0
        else {
            return future::pending().await;
        };
        sleep(PATIENCE.min(time)).await;
        if !ticket.has_begun() {
            handler.grow(&shared.pool, true);
            sleep(time.saturating_sub(PATIENCE)).await;
        }
        if ticket.has_begun() {
            future::pending().await
        }
    }

    /// Leaves the rest to the component. Returns whether its time is over.
    fn answered(mut self) -> bool {
        match std::mem::replace(&mut self.0, By::Answered) {
            By::Fresh(flight) => flight.is_late(),
            By::Task { ticket, .. } => ticket.is_some_and(|ticket| {
                let is_late = ticket.is_late();
                ticket.answered();
                is_late
            }),
            By::Answered => false,
        }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        // Dropping a ticket does the same.
        if let By::Fresh(flight) = &self.0 {
            flight.cancel();
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

type Guests = Response<Sent>;

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
    let asks = request::expects_continue(&head);
    let request = component::Request {
        head,
        authority,
        body,
    };
    let (sender, receiver) = oneshot::channel::<Answer>();
    let wanted = match &shared.handler {
        Handler::Fresh(handler) => {
            let place = admit(shared, &request.body, asks).await?;
            Wanted::fresh(shared, handler.clone(), request, place, sender)?
        }
        Handler::Tasks(handler) => Wanted::task(shared, handler.clone(), request, sender)?,
    };
    let begun = async {
        match receiver.await {
            Ok(Ok(response)) => begin(response, &method).await.ok_or(None),
            Ok(Err(error)) => Err(Some(answer::status(&error))),
            // It trapped, or ended without an answer. Clients do not learn the reason.
            Err(_) => Err(None),
        }
    };
    let gone = client.wire.gone(limits.half_closed_time);
    let (begun, gone) = (pin!(begun), pin!(gone));
    let begun = match future::select(
        future::select(begun, gone),
        pin!(wanted.unbegun(limits.request_time)),
    )
    .await
    {
        Either::Left((Either::Left((begun, _)), _)) => begun,
        Either::Left((Either::Right(_), _)) => return Err(Refusal::Answer(StatusCode::GATEWAY_TIMEOUT)),
        Either::Right(_) => return Err(Refusal::Answer(StatusCode::SERVICE_UNAVAILABLE)),
    };
    let is_late = wanted.answered();
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
            (None, None) if is_late => Refusal::Answer(StatusCode::GATEWAY_TIMEOUT),
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
    let (head, mut body) = response.into_parts();
    if !request::has_content(method, head.status) {
        body.discard();
    } else if body.is_empty() && !matches!(fields::declared_length(&head.headers), Ok(None | Some(0))) {
        // The head declares a body, and there is none.
        return future::ready(None).left_future();
    }
    async move {
        poll_fn(|cx| body.poll_begun(cx)).await.ok()?;
        Some(Response::from_parts(head, body))
    }
    .right_future()
}
