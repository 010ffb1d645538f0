//! Durable topics: a record of the subscribers in the registry, and a durable message to each.
//!
//! The record of a topic is an [`Envelope`] of the kind 5 under the name of its key, so that a stranger cannot make one. Its body has
//! the identities of the subscribers in order, each as a length (1 byte) and its text.

use std::collections::BTreeSet;
use std::sync::Arc;

use airssys_wasm::ComponentId;
use airssys_wasm::messaging::Topic;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::durable::{DurableOptions, Stored, random};
use crate::envelope::{Envelope, Kind};
use crate::error::ClusterError;
use crate::lease::token;
use crate::node::Node;
use crate::placing::unreadable;
use crate::post::Post;

/// Most subscribers of a durable topic. Stops one publication from becoming messages without end.
pub const MAX_SUBSCRIBERS: usize = 1024;

/// Tries of a change that others make at the same time.
const MAX_TRIES: u32 = 16;

/// Result of publishing to a durable topic.
#[derive(Debug)]
#[non_exhaustive]
pub struct DurablePublished {
    /// The id of the message, the same for all subscribers.
    pub message_id: String,
    /// Number of subscribers whose message is in the stream.
    pub stored: usize,
    /// The other subscribers, each with the reason: as for [`Cluster::send_durable`](crate::Cluster::send_durable). Publish again with the
    /// same id: those that have the message drop the copy.
    pub failed: Vec<(ComponentId, ClusterError)>,
}

/// A message on its way to the subscribers.
#[derive(Debug)]
pub(crate) struct Publication {
    topic: Topic,
    payload: Vec<u8>,
    options: DurableOptions,
    receiver: oneshot::Sender<Result<DurablePublished, ClusterError>>,
    permit: OwnedSemaphorePermit,
}

fn key(topic: &Topic) -> String {
    format!("topic.{}", token(topic.as_str()))
}

fn encode(subscribers: &BTreeSet<ComponentId>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for id in subscribers {
        body.push(u8::try_from(id.as_str().len()).ok()?);
        body.extend(id.as_str().as_bytes());
    }
    Some(body)
}

fn decode(mut body: &[u8]) -> Option<BTreeSet<ComponentId>> {
    let mut subscribers = BTreeSet::new();
    while let Some((length, rest)) = body.split_first() {
        let (text, rest) = rest.split_at_checked((*length).into())?;
        subscribers.insert(ComponentId::new(std::str::from_utf8(text).ok()?).ok()?);
        body = rest;
    }
    (subscribers.len() <= MAX_SUBSCRIBERS).then_some(subscribers)
}

impl Node {
    /// Returns the subscribers of a topic, and the revision of the record.
    async fn subscribers(&self, topic: &Topic) -> Result<(u64, BTreeSet<ComponentId>), ClusterError> {
        let key = key(topic);
        let Some((revision, value)) = self.transport.read(&key).await? else {
            return Ok((0, BTreeSet::new()));
        };
        // The mark of one that was removed.
        if value.is_empty() {
            return Ok((revision, BTreeSet::new()));
        }
        let opened = Envelope::open(&self.options.key, &key, &value).ok();
        let of_topic = opened.filter(|envelope| envelope.kind == Kind::Topic);
        let subscribers = of_topic.and_then(|envelope| decode(envelope.body));
        // Publications would reach none of the subscribers of one that was taken for empty.
        let subscribers = subscribers.ok_or_else(|| unreadable(&self.options.cluster, &key))?;
        Ok((revision, subscribers))
    }

    /// Adds or removes a subscriber.
    pub(crate) async fn change_subscribers(
        &self,
        topic: &Topic,
        id: &ComponentId,
        is_in: bool,
    ) -> Result<(), ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let key = key(topic);
        for _ in 0..MAX_TRIES {
            let (revision, mut subscribers) = self.subscribers(topic).await?;
            let is_changed = match is_in {
                true => subscribers.insert(id.clone()),
                false => subscribers.remove(id),
            };
            if !is_changed {
                return Ok(());
            }
            if subscribers.len() > MAX_SUBSCRIBERS {
                return Err(ClusterError::TooManySubscribers(topic.clone()));
            }
            let body = encode(&subscribers).ok_or(ClusterError::LongOptions)?;
            let envelope = Envelope {
                kind: Kind::Topic,
                id: self.presence.holder(),
                deadline: u64::MAX,
                sender: self.options.host.as_str(),
                target: "",
                body: &body,
            };
            let sealed = envelope.seal(&self.options.key, &key);
            let sealed = sealed.ok_or(ClusterError::LongOptions)?;
            if self
                .transport
                .write(&key, sealed.into(), revision)
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(ClusterError::Contended(id.clone()))
    }
}

impl Post {
    /// Queues a message to the subscribers of a topic, behind those that were queued before it.
    pub(crate) fn publish(
        &self,
        topic: &Topic,
        payload: Vec<u8>,
        options: DurableOptions,
    ) -> Result<oneshot::Receiver<Result<DurablePublished, ClusterError>>, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let limit = self.node.options.max_requests;
        let permit = self.publishing.clone().try_acquire_owned();
        let permit = permit.map_err(|_| ClusterError::TooManyRequests { limit })?;
        let (receiver, published) = oneshot::channel();
        let publication = Publication {
            topic: topic.clone(),
            payload,
            options,
            receiver,
            permit,
        };
        let queued = self.publications.send(publication);
        queued.map_err(|_| ClusterError::Left)?;
        Ok(published)
    }
}

/// Posts publications in their order; only the acknowledgments are awaited beside each other.
pub(crate) async fn post(
    post: std::sync::Weak<Post>,
    mut publications: mpsc::UnboundedReceiver<Publication>,
) {
    while let Some(publication) = publications.recv().await {
        let Some(post) = post.upgrade() else { return };
        let Publication {
            topic,
            payload,
            options,
            receiver,
            permit,
        } = publication;
        let posted = post_one(&post, &topic, &payload, options).await;
        tokio::spawn(async move {
            let result = match posted {
                Ok((message_id, waiting)) => Ok(settle(message_id, waiting).await),
                Err(error) => Err(error),
            };
            // The receiver may have given up.
            let _ = receiver.send(result);
            drop(permit);
        });
    }
}

type Waiting = (
    ComponentId,
    Result<oneshot::Receiver<Result<Stored, ClusterError>>, ClusterError>,
);

async fn post_one(
    post: &Arc<Post>,
    topic: &Topic,
    payload: &[u8],
    mut options: DurableOptions,
) -> Result<(String, Vec<Waiting>), ClusterError> {
    let message_id = match options.message_id.take() {
        Some(id) => id,
        None => random()?.to_string(),
    };
    let (_, subscribers) = post.node.subscribers(topic).await?;
    let mut waiting = Vec::with_capacity(subscribers.len());
    for id in subscribers {
        let options = options.clone().with_message_id(&message_id);
        let posted = post.post_durable(&id, payload, options);
        waiting.push((id, posted));
    }
    Ok((message_id, waiting))
}

async fn settle(message_id: String, waiting: Vec<Waiting>) -> DurablePublished {
    let mut published = DurablePublished {
        message_id,
        stored: 0,
        failed: Vec::new(),
    };
    for (id, posted) in waiting {
        let stored = match posted {
            Ok(stored) => stored.await.unwrap_or(Err(ClusterError::Left)),
            Err(error) => Err(error),
        };
        match stored {
            Ok(_) => published.stored += 1,
            Err(error) => published.failed.push((id, error)),
        }
    }
    published
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_are_read_as_they_were_written() {
        let ids = ["a", "b.c:d/e@f", &"x".repeat(128)];
        let subscribers: BTreeSet<ComponentId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        let body = encode(&subscribers).unwrap();
        assert_eq!(decode(&body), Some(subscribers));
        assert_eq!(decode(&[]), Some(BTreeSet::new()));
        for refused in [&[1][..], &[0], &[2, b'a'], &[1, 0xff], &[1, b' ']] {
            assert_eq!(decode(refused), None, "{refused:?}");
        }
        let too_many: Vec<u8> = (0..=MAX_SUBSCRIBERS)
            .flat_map(|number| [&[4][..], format!("{number:04}").as_bytes()].concat())
            .collect();
        assert_eq!(decode(&too_many), None);
        assert!(decode(&too_many[5..]).is_some());
    }
}
