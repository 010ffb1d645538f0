//! Requests of other hosts: checked, handed to their components, answered.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::SendOptions;

use crate::body;
use crate::envelope::{Envelope, Kind, MessageId};
use crate::error::{Answer, FailureKind, answer};
use crate::node::Node;
use crate::options::MAX_REQUEST_TIME;
use crate::seen::Inserted;
use crate::time::millis;
use crate::told;
use crate::transport::{Boxed, Message};

/// An authentic request, with what its reply needs.
struct Request {
    id: MessageId,
    deadline: u64,
    reply: String,
}

/// Handles one message that came for this host's components. Called in the order in which they came, which is that of the
/// mailboxes; only the answers are awaited in tasks.
pub(crate) fn request(node: &Arc<Node>, message: Message) {
    let Some((request, component, work)) = read(node, &message) else {
        return;
    };
    if !node.presence.is_held() {
        let text = "the lease of the host's name is over".to_owned();
        tokio::spawn(reply(
            node.clone(),
            request,
            Err((FailureKind::Unavailable, text)),
        ));
        return;
    }
    let Ok(permit) = node.served.clone().try_acquire_owned() else {
        node.counters.busy.add();
        let text = "the host handles as many requests of other hosts as it may".to_owned();
        tokio::spawn(reply(node.clone(), request, Err((FailureKind::Busy, text))));
        return;
    };
    node.counters.served.add();
    let left = request.deadline.saturating_sub(node.options.clock.now_ms());
    let pending: Boxed<'static, Answer> = match work {
        Work::Execute(payload, options) => {
            let options = options.with_timeout(Duration::from_millis(left));
            let pending = node.actors.send(&component, payload, options);
            Box::pin(async move { answer(pending.await) })
        }
        Work::Deliver(sender, payload, options) => {
            let pending = node.actors.deliver(sender, &component, payload, options);
            Box::pin(async move { told::answer(pending.await) })
        }
    };
    let node = node.clone();
    tokio::spawn(async move {
        reply(node, request, pending.await).await;
        // After the reply is in the client's queue, for the end of the host.
        drop(permit);
    });
}

/// The message of a request, and what its component does with it.
enum Work {
    Execute(Vec<u8>, SendOptions),
    /// For `receive-message`, or the actor; of this component.
    Deliver(ComponentId, Vec<u8>, SendOptions),
}

impl Work {
    fn read(envelope: &Envelope<'_>) -> Option<Work> {
        match envelope.kind {
            Kind::Request => {
                let (payload, options) = body::read_request(envelope.body)?;
                Some(Work::Execute(payload.to_vec(), options))
            }
            Kind::Told => {
                let (sender, payload, options) = body::read_told(envelope.body)?;
                let sender = ComponentId::new(format!("{}/{sender}", envelope.sender)).ok()?;
                Some(Work::Deliver(sender, payload.to_vec(), options))
            }
            _ => None,
        }
    }
}

/// Checks a message, and counts the reason for which it is dropped.
fn read(node: &Node, message: &Message) -> Option<(Request, ComponentId, Work)> {
    let (subject, counters) = (message.subject.as_str(), &node.counters);
    let envelope = match Envelope::open(&node.options.key, subject, &message.payload) {
        Ok(envelope) => envelope,
        Err(unsealed) => {
            node.count_unsealed(unsealed);
            return None;
        }
    };
    let malformed = || {
        counters.malformed.add();
        None
    };
    let reply = message.reply.as_deref();
    let Some(reply) = reply.filter(|reply| node.subjects.is_reply(reply)) else {
        return malformed();
    };
    let (now, tolerance) = (node.options.clock.now_ms(), millis(node.options.clock_tolerance));
    let latest = now + millis(MAX_REQUEST_TIME) + tolerance;
    let until = envelope.deadline.saturating_add(tolerance);
    if until <= now || envelope.deadline > latest {
        counters.expired.add();
        return None;
    }
    let Ok(component) = ComponentId::new(envelope.target) else {
        return malformed();
    };
    let Some(work) = Work::read(&envelope) else {
        return malformed();
    };
    let mut seen = node.seen.lock().unwrap_or_else(PoisonError::into_inner);
    match seen.insert(envelope.id, until, now) {
        Inserted::New => {}
        Inserted::Known => {
            counters.replayed.add();
            return None;
        }
        Inserted::Full => {
            counters.busy.add();
            return None;
        }
    }
    let request = Request {
        id: envelope.id,
        // At least one millisecond, for a sender whose clock is behind.
        deadline: envelope.deadline.max(now + 1),
        reply: reply.to_owned(),
    };
    Some((request, component, work))
}

/// Sends a reply, at most until the request's deadline.
async fn reply(node: Arc<Node>, request: Request, answer: Answer) {
    let limit = node.max_bytes();
    let sealed = sealed_reply(&node, &request, &answer).filter(|sealed| sealed.len() <= limit);
    let sealed = sealed.or_else(|| {
        let text =
            format!("the answer is larger than the NATS server accepts: {limit} bytes with its envelope");
        sealed_reply(&node, &request, &Err((FailureKind::TooLarge, text)))
    });
    let Some(sealed) = sealed else { return };
    let left = Duration::from_millis(
        request
            .deadline
            .saturating_sub(node.options.clock.now_ms())
            .max(1),
    );
    let published =
        tokio::time::timeout(left, node.transport.publish(request.reply, None, sealed.into())).await;
    if !matches!(published, Ok(Ok(()))) {
        log::warn!("the reply to a request of another host was not sent: {published:?}");
    }
}

/// Writes a reply. `None` for names that are too long, which those of hosts are not.
fn sealed_reply(node: &Node, request: &Request, answer: &Answer) -> Option<Vec<u8>> {
    let body = body::reply(answer);
    let envelope = Envelope {
        kind: Kind::Reply,
        id: request.id,
        deadline: request.deadline,
        sender: node.options.host.as_str(),
        target: "",
        body: &body,
    };
    envelope.seal(&node.options.key, &request.reply)
}
