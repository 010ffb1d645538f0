//! Messages of components to components of other hosts: the contract's `send-message`.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{SendOptions, before_blocking};
use airssys_wasm::messaging::{Forwarder, Message, SendError};
use airssys_wasm::runtime::TraceContext;
use tokio::time::timeout;

use crate::body;
use crate::envelope::Kind;
use crate::error::{Answer, ClusterError, FailureKind, failed};
use crate::executor::Executor;
use crate::names::Address;
use crate::node::Node;
use crate::request::at_its_host;

/// Takes the messages of a runtime's components to other hosts. Refuses them when the host has left.
#[derive(Debug)]
pub(crate) struct Told {
    node: Weak<Node>,
    executor: Weak<Executor>,
}

impl Told {
    pub(crate) fn new(node: &Arc<Node>, executor: &Arc<Executor>) -> Arc<Told> {
        Arc::new(Told {
            node: Arc::downgrade(node),
            executor: Arc::downgrade(executor),
        })
    }
}

impl Forwarder for Told {
    fn forward(&self, target: &str, message: Message, deadline: Option<Instant>) -> Result<(), SendError> {
        let unknown = || SendError::UnknownTarget(target.to_owned());
        let (Some(node), Some(executor)) = (self.node.upgrade(), self.executor.upgrade()) else {
            return Err(unknown());
        };
        let mut options = SendOptions::new();
        options.timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        options.request_id = message.request_id;
        options.trace_context = message.trace.map(|traceparent| TraceContext {
            traceparent,
            tracestate: None,
        });
        let time = options.timeout;
        let told = tell(node, message.sender, target.to_owned(), message.payload, options);
        // The time is that of looking the target up, too.
        let in_time = async move {
            match time {
                Some(after) => timeout(after, told).await.unwrap_or(Err(ClusterError::Timeout {
                    call: "send-message",
                    after,
                })),
                None => told.await,
            }
        };
        before_blocking();
        executor.spawn(in_time).wait().map_err(|error| match error {
            ClusterError::NotAnnounced(_) | ClusterError::NoHost(_) | ClusterError::Left => unknown(),
            ClusterError::TooManyRequests { .. } => SendError::Full,
            ClusterError::TooLarge { limit, .. } => SendError::TooLarge(count(limit)),
            ClusterError::Failed { kind, text, .. } => match kind {
                FailureKind::Unknown => unknown(),
                FailureKind::Full | FailureKind::Busy => SendError::Full,
                FailureKind::TooLarge => SendError::TooLarge(text.parse().unwrap_or(0)),
                FailureKind::Denied => SendError::Denied,
                _ => SendError::Closed,
            },
            error => {
                log::warn!("a message of a component to `{target}`: {error}");
                SendError::Unreachable
            }
        })
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Converts the result of a delivery to a reply.
pub(crate) fn answer(result: Result<(), SendError>) -> Answer {
    let error = match result {
        Ok(()) => return Ok(Vec::new()),
        Err(error) => error,
    };
    let kind = match error {
        SendError::UnknownTarget(_) => FailureKind::Unknown,
        SendError::Full => FailureKind::Full,
        SendError::TooLarge(limit) => return Err((FailureKind::TooLarge, limit.to_string())),
        SendError::Denied => FailureKind::Denied,
        _ => FailureKind::Unavailable,
    };
    Err((kind, error.to_string()))
}

/// Delivers a message to a component that a host has announced, or else to the address that the target is.
async fn tell(
    node: Arc<Node>,
    sender: ComponentId,
    target: String,
    payload: Vec<u8>,
    options: SendOptions,
) -> Result<(), ClusterError> {
    // No component has a name that is no identity.
    let Ok(id) = ComponentId::new(&target) else {
        return Err(ClusterError::NotAnnounced(ComponentId::near(&target)));
    };
    let end = options.timeout.and_then(|time| Instant::now().checked_add(time));
    let deliver = |to| {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let options = left.into_iter().fold(options.clone(), SendOptions::with_timeout);
        deliver(&node, to, &sender, payload.clone(), options)
    };
    match at_its_host(&node, &id, deliver).await {
        Err(ClusterError::NotAnnounced(id)) => match target.parse() {
            Ok(address) => deliver(address).await,
            Err(_) => Err(ClusterError::NotAnnounced(id)),
        },
        told => told,
    }
}

/// Delivers a message on this host or another.
async fn deliver(
    node: &Node,
    to: Address,
    sender: &ComponentId,
    payload: Vec<u8>,
    options: SendOptions,
) -> Result<(), ClusterError> {
    if to.host == node.options.host {
        let pending = node
            .actors
            .deliver(sender.clone(), &to.component, payload, options);
        let answer = answer(pending.await).map(drop);
        return answer.map_err(|failure| failed(to.component, to.host, failure));
    }
    let body = body::told(sender.as_str(), &payload, &options);
    let time: Option<Duration> = options.timeout;
    node.post_request(to, Kind::Told, body, time)?
        .answer()
        .await
        .map(drop)
}
