//! The part of a host that concerns durable messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airssys_wasm::{ComponentId, ComponentRuntime};
use async_nats::Client;
use async_nats::jetstream::Context;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::durable::{self, Job};
use crate::error::ClusterError;
use crate::mail::Mail;
use crate::node::Node;
use crate::placed::Placing;
use crate::receive::Receivers;
use crate::topics::{self, Publication};

/// Durable messages of one host, shared by its tasks.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) node: Arc<Node>,
    pub(crate) runtime: ComponentRuntime,
    pub(crate) mail: Mail,
    pub(crate) receivers: Receivers,
    pub(crate) placing: Arc<Placing>,
    /// Places for messages that are not acknowledged yet.
    pub(crate) places: Arc<Semaphore>,
    /// In the order of sending.
    pub(crate) jobs: mpsc::UnboundedSender<Job>,
    /// Places for publications whose messages are not acknowledged yet.
    pub(crate) publishing: Arc<Semaphore>,
    /// In the order of publishing.
    pub(crate) publications: mpsc::UnboundedSender<Publication>,
    pub(crate) context: Context,
    client: Client,
    closing: AtomicBool,
}

impl Post {
    pub(crate) fn new(
        node: Arc<Node>,
        runtime: ComponentRuntime,
        client: Client,
        context: Context,
        mail: Mail,
    ) -> Arc<Post> {
        let (jobs, posted) = mpsc::unbounded_channel();
        tokio::spawn(durable::publish(context.clone(), node.counters.clone(), posted));
        let (publications, published) = mpsc::unbounded_channel();
        let post = Arc::new(Post {
            publishing: Arc::new(Semaphore::new(node.options.max_requests)),
            publications,
            places: Arc::new(Semaphore::new(node.options.max_requests)),
            placing: Placing::new(node.clone()),
            node,
            runtime,
            mail,
            receivers: Receivers::default(),
            jobs,
            context,
            client,
            closing: AtomicBool::new(false),
        });
        tokio::spawn(topics::post(Arc::downgrade(&post), published));
        post
    }

    /// Returns the number of connections that were made, which is known before the first message of the last one comes.
    pub(crate) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Acquire)
    }

    /// Reports whether the host leaves, or has left.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.node.is_closing()
    }

    /// Ends the receiving of a component's messages, and removes it from the registry.
    pub(crate) async fn withdraw(&self, id: &ComponentId) -> Result<(), ClusterError> {
        self.receivers.end(id).await;
        self.node.withdraw(id).await
    }

    /// Leaves the cluster, as far as `time` allows. Returns without leaving a second time if the host leaves already, after that
    /// or at the end of `time`.
    pub(crate) async fn leave(&self, time: Duration) {
        let now = Instant::now();
        let end = now.checked_add(time).unwrap_or(now);
        if self.closing.swap(true, Ordering::AcqRel) {
            return self.node.left(end).await;
        }
        let carrier = self.placing.end();
        let last = end.checked_sub(2 * self.node.last_part(time)).unwrap_or(now);
        // Before the names are given back, so that the next host gets what is not stored here.
        if timeout_at(last, self.receivers.end_all()).await.is_err() {
            log::warn!("the host leaves the cluster while it stores durable messages");
        }
        let all = u32::try_from(self.node.options.max_requests).unwrap_or(u32::MAX);
        let acknowledged = async {
            // Publications become messages.
            drop(self.publishing.acquire_many(all).await);
            drop(self.places.acquire_many(all).await);
        };
        if timeout_at(last, acknowledged).await.is_err() {
            log::warn!("the host leaves the cluster while durable messages are not acknowledged");
        }
        // Other hosts start placed components when this one has given its name back.
        let stopped = async {
            if let Some(carrier) = &carrier {
                self.placing.stop_all(carrier).await;
            }
        };
        self.node
            .leave_after(end.saturating_duration_since(Instant::now()), stopped)
            .await;
    }
}
