//! Messages of the host to all subscribers of a topic.

use super::error::ActorError;
use super::letter::{Letter, Receipt};
use super::options::SendOptions;
use super::pending::pending;
use crate::messaging::{ComponentId, Topic};
use crate::runtime::ComponentRuntime;

/// Result of [`ComponentRuntime::publish`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Published {
    /// Number of subscribers with the message in their mailboxes.
    pub accepted: usize,
    /// Subscribers that refused it, each with the reason: as for [`ComponentRuntime::tell`], and [`ActorError::Unknown`] for a
    /// component that is not an actor.
    pub refused: Vec<(ComponentId, ActorError)>,
}

impl ComponentRuntime {
    /// Sends a message whose answers are dropped to each [subscriber](ComponentRuntime::subscribe_to_topic) of a topic, in the
    /// order of their identities. Does not wait: a full mailbox refuses it, also with
    /// [`Backpressure::Wait`](super::Backpressure::Wait).
    pub fn publish(&self, topic: &Topic, payload: impl Into<Vec<u8>>, options: SendOptions) -> Published {
        let payload = payload.into();
        let mut published = Published::default();
        for id in self.topic_subscribers(topic) {
            let Some(actor) = self.actor(&id) else {
                published.refused.push((id.clone(), ActorError::Unknown(id)));
                continue;
            };
            let (receiver, accepted) = pending();
            let receipt = Receipt::Acceptance(Some(receiver));
            actor.offer_now(Letter::new(payload.clone(), options.clone(), receipt));
            match accepted.wait() {
                Ok(()) => published.accepted += 1,
                Err(error) => published.refused.push((id, error)),
            }
        }
        published
    }
}
