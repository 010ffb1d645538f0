//! Requests to the components of other hosts.

use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorError, SendOptions};
use tokio::time::Instant;

use crate::body;
use crate::envelope::{Envelope, Kind, MessageId};
use crate::error::{ClusterError, FailureKind, failed};
use crate::names::Address;
use crate::node::{Node, Outgoing};
use crate::options::MAX_REQUEST_TIME;
use crate::slots::{Outcome, Slot};
use crate::time::millis;
use crate::transport::{Boxed, Message};

/// A request that is queued.
#[derive(Debug)]
pub(crate) struct Posted {
    slot: Slot,
    to: Address,
    time: Duration,
    end: Instant,
}

impl Node {
    /// Queues a request with a body, behind those that were queued before it. Without a time, it has that of the host's options.
    pub(crate) fn post_request(
        &self,
        to: Address,
        kind: Kind,
        body: Option<Vec<u8>>,
        time: Option<Duration>,
    ) -> Result<Posted, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let time = time.unwrap_or(self.options.request_timeout);
        let time = time.min(MAX_REQUEST_TIME);
        let id = MessageId::random().map_err(|error| ClusterError::Random(error.to_string()))?;
        let body = body.ok_or(ClusterError::LongOptions)?;
        let deadline = self.options.clock.now_ms().saturating_add(millis(time));
        let envelope = Envelope {
            kind,
            id,
            deadline,
            sender: self.options.host.as_str(),
            target: to.component.as_str(),
            body: &body,
        };
        let (bytes, limit) = (envelope.sealed_bytes(), self.max_bytes());
        if bytes > limit {
            return Err(ClusterError::TooLarge { to, bytes, limit });
        }
        let subject = self.subjects.requests(&to.host);
        let sealed = envelope.seal(&self.options.key, &subject);
        let sealed = sealed.ok_or(ClusterError::LongOptions)?;
        let slot = self.slots.take(id, to.host.clone())?;
        self.post(Outgoing {
            subject,
            reply: self.subjects.reply(id),
            bytes: sealed.into(),
            deadline,
        })?;
        self.counters.requests.add();
        let now = Instant::now();
        let end = now.checked_add(time).unwrap_or(now);
        Ok(Posted { slot, to, time, end })
    }

    /// Handles a message that came on the subjects of replies.
    pub(crate) fn reply(&self, message: &Message) {
        let subject = message.subject.as_str();
        let id = self.subjects.request_of(subject).and_then(MessageId::parse);
        let Some(id) = id else {
            self.counters.malformed.add();
            return;
        };
        // Of the server itself, which has no key. A stranger that may publish here can end a request early with it, and
        // cannot answer one.
        if message.no_responders {
            self.count_late(self.slots.complete(id, None, Outcome::NoHost));
            return;
        }
        let envelope = match Envelope::open(&self.options.key, subject, &message.payload) {
            Ok(envelope) => envelope,
            Err(unsealed) => return self.count_unsealed(unsealed),
        };
        let answer = body::read_reply(envelope.body);
        let (Kind::Reply, true, Some(answer)) = (envelope.kind, envelope.id == id, answer) else {
            self.counters.malformed.add();
            return;
        };
        let known = self
            .slots
            .complete(id, Some(envelope.sender), Outcome::Answer(answer));
        if known {
            self.counters.replies.add();
        }
        self.count_late(known);
    }

    fn count_late(&self, known: bool) {
        if !known {
            self.counters.late.add();
        }
    }
}

impl Posted {
    /// Awaits the answer until the request's deadline.
    pub(crate) async fn answer(mut self) -> Result<Vec<u8>, ClusterError> {
        let outcome = tokio::time::timeout_at(self.end, self.slot.outcome()).await;
        let Address { host, component } = self.to.clone();
        match outcome {
            Err(_) => Err(ClusterError::Unanswered {
                to: self.to.clone(),
                after: self.time,
            }),
            Ok(None) => Err(ClusterError::Left),
            Ok(Some(Outcome::NoHost)) => Err(ClusterError::NoHost(host)),
            Ok(Some(Outcome::Answer(Ok(answer)))) => Ok(answer),
            Ok(Some(Outcome::Answer(Err(failure)))) => Err(failed(component, host, failure)),
        }
    }
}

/// Sends a message to a component wherever it is announced.
pub(crate) async fn send_to(
    node: Arc<Node>,
    id: ComponentId,
    payload: Vec<u8>,
    options: SendOptions,
) -> Result<Vec<u8>, ClusterError> {
    let deliver = |to| {
        let sent = send(&node, to, payload.clone(), options.clone());
        async move { sent?.await }
    };
    at_its_host(&node, &id, deliver).await
}

/// Delivers a message to a component wherever it is announced. Looks again, once, if its host is gone or has no such component:
/// then the component did not get the message.
pub(crate) async fn at_its_host<T, F: Future<Output = Result<T, ClusterError>>>(
    node: &Arc<Node>,
    id: &ComponentId,
    deliver: impl Fn(Address) -> F,
) -> Result<T, ClusterError> {
    match deliver(node.locate(id).await?).await {
        Err(
            ClusterError::NoHost(_)
            | ClusterError::Failed {
                kind: FailureKind::Unknown,
                ..
            },
        ) => {}
        other => return other,
    }
    node.presence.forget(id);
    deliver(node.locate(id).await?).await
}

/// Sends a message to a component, on this host or another.
pub(crate) fn send(
    node: &Arc<Node>,
    to: Address,
    payload: Vec<u8>,
    options: SendOptions,
) -> Result<impl Future<Output = Result<Vec<u8>, ClusterError>> + Send + 'static, ClusterError> {
    enum Way {
        Here(Boxed<'static, Result<Vec<u8>, ActorError>>, Address),
        There(Posted),
    }
    let way = if to.host == node.options.host {
        if node.is_closing() {
            return Err(ClusterError::Left);
        }
        let time = options.timeout.unwrap_or(node.options.request_timeout);
        let options = options.with_timeout(time.min(MAX_REQUEST_TIME));
        let pending = node.actors.send(&to.component, payload, options);
        Way::Here(pending, to)
    } else {
        let body = body::request(&payload, &options);
        Way::There(node.post_request(to, Kind::Request, body, options.timeout)?)
    };
    Ok(async move {
        match way {
            Way::Here(pending, to) => {
                crate::error::answer(pending.await).map_err(|failure| failed(to.component, to.host, failure))
            }
            Way::There(posted) => posted.answer().await,
        }
    })
}
