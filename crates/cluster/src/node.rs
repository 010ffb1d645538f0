//! A host in the cluster: its connection, and the tasks on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use airssys_wasm::ComponentRuntime;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::counters::Counters;
use crate::envelope::{MessageId, Unsealed};
use crate::error::ClusterError;
use crate::mail::Mail;
use crate::nats::Nats;
use crate::options::ClusterOptions;
use crate::post::Post;
use crate::presence::Presence;
use crate::registry::{self, Registry};
use crate::seen::Seen;
use crate::slots::Slots;
use crate::subjects::Subjects;
use crate::time::Clock;
use crate::transport::{Actors, Message, Subscription, Transport};
use crate::{connect, serve};

/// Bytes that a message leaves of the server's `max_payload`, for the headers of the protocol.
pub const RESERVED_BYTES: usize = 1024;

/// One host, shared by its tasks.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) options: ClusterOptions,
    pub(crate) subjects: Subjects,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) actors: Arc<dyn Actors>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) served: Arc<Semaphore>,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) presence: Presence,
    /// In the order of sending.
    outbox: mpsc::UnboundedSender<Queued>,
    /// Places in it. Requests whose results were dropped take one too, until they are with the client.
    outgoing: Arc<Semaphore>,
    /// True once the host leaves.
    closing: watch::Sender<bool>,
    /// True once it has left.
    left: watch::Sender<bool>,
    tasks: Mutex<Tasks>,
}

/// Tasks that the end of the host awaits.
#[derive(Debug, Default)]
struct Tasks {
    serving: Option<JoinHandle<()>>,
    renewing: Option<JoinHandle<()>>,
}

/// A request that waits for the client, with its place.
#[derive(Debug)]
struct Queued {
    outgoing: Outgoing,
    _place: OwnedSemaphorePermit,
}

/// A request on its way to the client.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) subject: String,
    pub(crate) reply: String,
    pub(crate) bytes: Bytes,
    /// Milliseconds since 1970.
    pub(crate) deadline: u64,
}

impl Node {
    /// Connects, and starts the tasks.
    pub(crate) async fn join(
        runtime: ComponentRuntime,
        options: ClusterOptions,
    ) -> Result<Arc<Post>, ClusterError> {
        let servers = options.check()?;
        let counters = Arc::new(Counters::default());
        let (client, context) = connect::connect(&options, servers, &counters).await?;
        let store = registry::open_bucket(&options, &context).await?;
        let mail = Mail::open(&options, &context).await?;
        let transport = Arc::new(Nats::new(client.clone(), store, options.clone()));
        let node = Node::start(transport, Arc::new(runtime.clone()), options, counters).await?;
        Ok(Post::new(node, runtime, client, context, mail))
    }

    /// Takes the host's name, and starts the tasks.
    pub(crate) async fn start(
        transport: Arc<dyn Transport>,
        actors: Arc<dyn Actors>,
        options: ClusterOptions,
        counters: Arc<Counters>,
    ) -> Result<Arc<Node>, ClusterError> {
        let process = MessageId::random().map_err(|error| ClusterError::Random(error.to_string()))?;
        let subjects = Subjects::new(&options.cluster, &options.host, process);
        let registry = Registry::new(transport.clone(), options.clone());
        let presence = Presence::take(registry, &options, process).await?;
        let (outbox, queued) = mpsc::unbounded_channel();
        let replies = transport.subscribe(subjects.all_replies()).await?;
        let requests = transport.subscribe(subjects.requests(&options.host)).await?;
        // The server knows the subscriptions before the host is there for its callers: it has read them when it answers this.
        // The client's `flush` ends when they are written.
        presence.confirm(&options).await?;
        let node = Arc::new(Node {
            subjects,
            actors,
            counters,
            slots: Slots::new(options.max_requests),
            served: Arc::new(Semaphore::new(options.max_served)),
            seen: Mutex::new(Seen::default()),
            presence,
            outbox,
            outgoing: Arc::new(Semaphore::new(options.max_requests)),
            closing: watch::Sender::new(false),
            left: watch::Sender::new(false),
            tasks: Mutex::default(),
            transport: transport.clone(),
            options,
        });
        let every = node.options.lease_time / 3;
        let renewing = tokio::spawn(Presence::renew(Arc::downgrade(&node), every));
        tokio::spawn(publish(transport, queued, node.options.clock));
        tokio::spawn(node.clone().read_replies(replies));
        let serving = tokio::spawn(node.clone().serve(requests));
        *node.tasks.lock().unwrap_or_else(PoisonError::into_inner) = Tasks {
            serving: Some(serving),
            renewing: Some(renewing),
        };
        Ok(node)
    }

    /// Returns the most bytes that a message may have.
    pub(crate) fn max_bytes(&self) -> usize {
        self.transport.max_payload().saturating_sub(RESERVED_BYTES)
    }

    /// Reports whether the host leaves, or has left.
    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Queues a request, behind those before it.
    pub(crate) fn post(&self, outgoing: Outgoing) -> Result<(), ClusterError> {
        let limit = self.options.max_requests;
        let place = self.outgoing.clone().try_acquire_owned();
        let queued = Queued {
            outgoing,
            _place: place.map_err(|_| ClusterError::TooManyRequests { limit })?,
        };
        self.outbox.send(queued).map_err(|_| ClusterError::Left)
    }

    /// Counts a message that is not one of this cluster.
    pub(crate) fn count_unsealed(&self, unsealed: Unsealed) {
        match unsealed {
            Unsealed::Version(_) => self.counters.other_version.add(),
            Unsealed::Forged => self.counters.forged.add(),
            Unsealed::Malformed => self.counters.malformed.add(),
        }
    }

    async fn read_replies(self: Arc<Self>, mut replies: Box<dyn Subscription>) {
        while let Some(reply) = replies.next().await {
            self.reply(&reply);
        }
    }

    async fn serve(self: Arc<Self>, mut requests: Box<dyn Subscription>) {
        let mut closing = self.closing.subscribe();
        loop {
            tokio::select! {
                biased;
                // Its sender lives in this node.
                _ = closing.wait_for(|closing| *closing) => break,
                message = requests.next() => match message {
                    Some(message) => self.request(message),
                    None => return,
                },
            }
        }
        // Those that the server has sent already are handled.
        if requests.drain().await {
            while let Some(message) = requests.next().await {
                self.request(message);
            }
        }
    }

    fn request(self: &Arc<Self>, message: Message) {
        serve::request(self, message);
    }

    /// Leaves as [`Node::leave_after`] does, with nothing to do before the name is given back.
    #[cfg(test)]
    pub(crate) async fn leave(&self, time: Duration) {
        self.leave_after(time, std::future::ready(())).await;
    }

    /// Leaves: no request is accepted any more, those being handled are answered while `last_work` is done, and all that was sent
    /// reaches the server, as far as `time` allows. A part of it is kept for giving the name back. Returns without leaving a second time if
    /// the host leaves already, after that or at the end of `time`.
    pub(crate) async fn leave_after(&self, time: Duration, last_work: impl Future<Output = ()>) {
        let now = Instant::now();
        let end = now.checked_add(time).unwrap_or(now);
        if self.closing.send_replace(true) {
            return self.left(end).await;
        }
        let last = end.checked_sub(self.last_part(time)).unwrap_or(now);
        let Tasks { serving, renewing } =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(serving) = serving {
            // Without the servers it has no end, and the components need time too.
            let _ = timeout_at(now + last.saturating_duration_since(now) / 2, serving).await;
        }
        let all = u32::try_from(self.options.max_served).unwrap_or(u32::MAX);
        let handled = async {
            if timeout_at(last, self.served.acquire_many(all)).await.is_err() {
                log::warn!("the host leaves the cluster while requests of other hosts are handled");
            }
        };
        let worked = async {
            if timeout_at(last, last_work).await.is_err() {
                log::warn!(
                    "the host leaves the cluster while its placed components start or stop: another host may start them before \
                     that"
                );
            }
        };
        tokio::join!(handled, worked);
        self.slots.close();
        // A renewal could take the name again.
        if let Some(renewing) = renewing {
            renewing.abort();
            let _ = timeout_at(end, renewing).await;
        }
        match timeout_at(end, self.presence.release(&self.options)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("the host's name is held until its lease ends: {error}"),
            Err(_) => {
                log::warn!("the host's name is held until its lease ends: there was no time to give it back")
            }
        }
        if timeout_at(end, self.transport.end()).await.is_err() {
            log::warn!("the host leaves the cluster while its last messages are sent");
        }
        self.left.send_replace(true);
    }

    /// Returns the part of a time to leave that is kept for what is said to the servers at the end.
    pub(crate) fn last_part(&self, time: Duration) -> Duration {
        (time / 4).min(self.options.call_timeout)
    }

    /// Awaits the end of leaving until a time.
    pub(crate) async fn left(&self, end: Instant) {
        let mut left = self.left.subscribe();
        // Its sender lives in this node.
        let _ = timeout_at(end, left.wait_for(|left| *left)).await;
    }
}

/// Publishes requests in their order. Waits while the client's own queue is full, as it is without a server; requests whose
/// time ended meanwhile are dropped.
async fn publish(transport: Arc<dyn Transport>, mut queued: mpsc::UnboundedReceiver<Queued>, clock: Clock) {
    while let Some(Queued { outgoing, _place }) = queued.recv().await {
        let Outgoing {
            subject,
            reply,
            bytes,
            deadline,
        } = outgoing;
        let left = Duration::from_millis(deadline.saturating_sub(clock.now_ms()));
        if left.is_zero() {
            continue;
        }
        let published = timeout(left, transport.publish(subject, Some(reply), bytes)).await;
        // The request ends at its deadline.
        match published {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("a request was not sent: {error}"),
            Err(_) => log::debug!("a request was not sent within its time"),
        }
    }
}
