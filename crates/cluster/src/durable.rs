//! Sending of durable messages: published to the stream, and again with the same id until the stream has it.

use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::SendOptions;
use airssys_wasm::runtime::TraceContext;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, Context, ErrorCode};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::body;
use crate::counters::Counters;
use crate::envelope::{Envelope, Kind, MessageId};
use crate::error::ClusterError;
use crate::key::ClusterKey;
use crate::names::Address;
use crate::options::MAX_REQUEST_TIME;
use crate::post::Post;
use crate::time::millis;

/// Most bytes of the id of a durable message. Stops payloads disguised as ids.
pub const MAX_MESSAGE_ID_BYTES: usize = 1024;

/// Pause before a message is published again.
const PAUSE: Duration = Duration::from_millis(100);

/// Options of one durable message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DurableOptions {
    /// Identifies the message among those to the same component, at most [`MAX_MESSAGE_ID_BYTES`]: one with the same id is handled
    /// once, however often it is sent. `None`, the default: a random one, which the result has.
    pub message_id: Option<String>,
    /// Time after which the message is not handled any more, but a dead letter of the host that gets it. `None`, the default,
    /// and at most: [`MailLimits::age`](crate::MailLimits::age).
    pub time_to_live: Option<Duration>,
    /// Time until the stream has the message; by default that of requests
    /// ([`ClusterOptions::with_request_timeout`](crate::ClusterOptions::with_request_timeout)), at most
    /// [`MAX_REQUEST_TIME`](crate::MAX_REQUEST_TIME).
    pub timeout: Option<Duration>,
    /// Identifies the request in logs and traces. None by default: the receiver generates one.
    pub request_id: Option<String>,
    /// The trace that the message belongs to. Passed on unchanged.
    pub trace_context: Option<TraceContext>,
}

impl DurableOptions {
    /// Creates options with the defaults.
    pub fn new() -> DurableOptions {
        DurableOptions::default()
    }

    /// Sets [`DurableOptions::message_id`].
    #[must_use]
    pub fn with_message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// Sets [`DurableOptions::time_to_live`].
    #[must_use]
    pub fn with_time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Sets [`DurableOptions::timeout`].
    #[must_use]
    pub fn with_timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Sets [`DurableOptions::request_id`].
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets [`DurableOptions::trace_context`].
    #[must_use]
    pub fn with_trace_context(mut self, trace: TraceContext) -> Self {
        self.trace_context = Some(trace);
        self
    }
}

/// Result of a durable message: it is in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its id.
    pub message_id: String,
    /// The stream had a message with this id already, which came within the last two minutes. That of an earlier one, the
    /// receiver notices.
    pub repeated: bool,
}

/// A message on its way to the stream.
#[derive(Debug)]
pub(crate) struct Job {
    to: ComponentId,
    message_id: String,
    subject: String,
    /// Unique in the stream.
    header: String,
    payload: Bytes,
    end: Instant,
    time: Duration,
    receiver: oneshot::Sender<Result<Stored, ClusterError>>,
    _permit: OwnedSemaphorePermit,
}

impl Post {
    /// Queues a durable message, behind those that were queued before it.
    pub(crate) fn post_durable(
        &self,
        to: &ComponentId,
        payload: &[u8],
        options: DurableOptions,
    ) -> Result<oneshot::Receiver<Result<Stored, ClusterError>>, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let message_id = match options.message_id {
            Some(id) if id.len() > MAX_MESSAGE_ID_BYTES => return Err(ClusterError::LongOptions),
            Some(id) => id,
            None => random()?.to_string(),
        };
        let id = MessageId::of(&message_id);
        let age = self.node.options.mail.age;
        let live = options.time_to_live.unwrap_or(age).min(age);
        let mut of_body = SendOptions::new();
        (of_body.request_id, of_body.trace_context) = (options.request_id, options.trace_context);
        let body = body::request(payload, &of_body).ok_or(ClusterError::LongOptions)?;
        let envelope = Envelope {
            kind: Kind::Durable,
            id,
            deadline: self.node.options.clock.now_ms().saturating_add(millis(live)),
            sender: self.node.options.host.as_str(),
            target: to.as_str(),
            body: &body,
        };
        let (bytes, limit) = (envelope.sealed_bytes(), self.node.max_bytes());
        if bytes > limit {
            let to = Address::new(self.node.options.host.clone(), to.clone());
            return Err(ClusterError::TooLarge { to, bytes, limit });
        }
        let subject = self.node.subjects.mail(to);
        let sealed = envelope.seal(&self.node.options.key, &subject);
        let sealed = sealed.ok_or(ClusterError::LongOptions)?;
        let limit = self.node.options.max_requests;
        let permit = self.places.clone().try_acquire_owned();
        let permit = permit.map_err(|_| ClusterError::TooManyRequests { limit })?;
        let time = options.timeout.unwrap_or(self.node.options.request_timeout);
        let time = time.min(MAX_REQUEST_TIME);
        let now = Instant::now();
        let (receiver, stored) = oneshot::channel();
        let job = Job {
            to: to.clone(),
            header: header(&self.node.options.key, id, to),
            message_id,
            subject,
            payload: sealed.into(),
            end: now.checked_add(time).unwrap_or(now),
            time,
            receiver,
            _permit: permit,
        };
        self.jobs.send(job).map_err(|_| ClusterError::Left)?;
        self.node.counters.durable_sent.add();
        Ok(stored)
    }
}

/// Returns the id of a message for the stream, which drops others with the same one. Only hosts of the cluster can know it before
/// the message is sent: a stranger that sent one with this id first would have the message itself dropped.
fn header(key: &ClusterKey, id: MessageId, to: &ComponentId) -> String {
    let bytes = [&id.as_bytes()[..], to.as_str().as_bytes()].concat();
    // No envelope has this subject.
    key.authenticate("message id", &bytes).to_hex().to_string()
}

pub(crate) fn random() -> Result<MessageId, ClusterError> {
    MessageId::random().map_err(|error| ClusterError::Random(error.to_string()))
}

/// Publishes messages in their order. Only the acknowledgments are awaited beside each other, and what is published again comes
/// behind those that were published meanwhile.
pub(crate) async fn publish(
    context: Context,
    counters: Arc<Counters>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
) {
    while let Some(job) = jobs.recv().await {
        let first = post(&context, &job).await;
        tokio::spawn(complete(context.clone(), counters.clone(), job, first));
    }
}

type Posted = Option<Result<PublishAckFuture, PublishError>>;

/// Publishes a message; `None` if its time is over.
async fn post(context: &Context, job: &Job) -> Posted {
    let message = PublishMessage::build()
        .message_id(&job.header)
        .payload(job.payload.clone());
    let publish = context.send_publish(job.subject.clone(), message);
    timeout_at(job.end, publish).await.ok()
}

/// The meaning of an attempt.
enum Attempt {
    Stored(PublishAck),
    Refused(ClusterError),
    /// It is not known, or may be otherwise next time.
    Again,
}

async fn complete(context: Context, counters: Arc<Counters>, job: Job, mut posted: Posted) {
    let result = loop {
        match attempt(&job, posted).await {
            Some(Attempt::Stored(ack)) => {
                counters.durable_stored.add();
                break Ok(Stored {
                    message_id: job.message_id,
                    repeated: ack.duplicate,
                });
            }
            Some(Attempt::Refused(error)) => break Err(error),
            Some(Attempt::Again) if Instant::now() + PAUSE < job.end && !job.receiver.is_closed() => {}
            None | Some(Attempt::Again) => {
                break Err(ClusterError::NotKnownStored {
                    to: job.to,
                    message_id: job.message_id,
                    after: job.time,
                });
            }
        }
        tokio::time::sleep(PAUSE).await;
        posted = post(&context, &job).await;
    };
    // The receiver may have given up.
    let _ = job.receiver.send(result);
}

/// Awaits the acknowledgment of an attempt; `None` if the message's time is over.
async fn attempt(job: &Job, posted: Posted) -> Option<Attempt> {
    let result = match posted? {
        Ok(ack) => timeout_at(job.end, ack.into_future()).await.ok()?,
        Err(error) => Err(error),
    };
    Some(match result {
        Ok(ack) => Attempt::Stored(ack),
        Err(error) => refused(job, error),
    })
}

fn refused(job: &Job, error: PublishError) -> Attempt {
    let answer = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
    let answer: Option<&jetstream::Error> = answer;
    match answer.map(jetstream::Error::error_code) {
        // A limit of the stream, of the account or of the server.
        Some(
            ErrorCode::STREAM_STORE_FAILED
            | ErrorCode::INSUFFICIENT_RESOURCES
            | ErrorCode::STORAGE_RESOURCES_EXCEEDED
            | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ) => Attempt::Refused(ClusterError::MailFull {
            to: job.to.clone(),
            reason: answer.map(ToString::to_string).unwrap_or_default(),
        }),
        // Larger than another server accepts.
        None if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
            Attempt::Refused(ClusterError::Server {
                call: "publish",
                source: error.into(),
            })
        }
        _ => {
            log::debug!("a durable message is published again: {error}");
            Attempt::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_for_the_stream_is_known_to_hosts_with_the_key_only() {
        let key = |byte| ClusterKey::new(&[byte; 32]).unwrap();
        let component = |text| ComponentId::new(text).unwrap();
        let (id, to) = (MessageId::of("order 1"), component("a"));
        let known = header(&key(1), id, &to);
        assert_eq!(header(&key(1), id, &to), known, "it is the same each time");
        assert_ne!(header(&key(2), id, &to), known);
        assert_ne!(header(&key(1), id, &component("b")), known);
        assert_ne!(header(&key(1), MessageId::of("order 2"), &to), known);
    }
}
