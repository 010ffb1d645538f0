//! Subscriptions of components to topics.

use super::error::RuntimeError;
use super::{ComponentId, ComponentRuntime};
use crate::messaging::Topic;

/// # Topics
impl ComponentRuntime {
    /// Subscribes a component to a topic: it gets what other components, or it itself, send to `topic:NAME` with the
    /// contract's `send-message`, as it gets their other messages, and, if it is an actor, what the host
    /// [publishes](ComponentRuntime::publish). Without effect if it is subscribed. Unloading it ends its subscriptions.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn subscribe_to_topic(&self, id: &ComponentId, topic: &Topic) -> Result<(), RuntimeError> {
        // Locked until it is subscribed, so that unloading it ends the subscription.
        let slots = self.slots_read();
        if !slots.contains_key(id) {
            return Err(RuntimeError::UnknownComponent(id.clone()));
        }
        self.shared.directory.router().subscribe(topic, id);
        Ok(())
    }

    /// Ends a component's subscription to a topic. Without effect if there is none.
    pub fn unsubscribe_from_topic(&self, id: &ComponentId, topic: &Topic) {
        self.shared.directory.router().unsubscribe(topic, id);
    }

    /// Returns the subscribers of a topic, in the order of their identities.
    pub fn topic_subscribers(&self, topic: &Topic) -> Vec<ComponentId> {
        self.shared.directory.router().subscribers(topic)
    }
}
