//! Mailboxes by component identity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use super::{ComponentId, Forwarder, Mailbox, MailboxLimits, Message, SendError, Topic};

/// The mailboxes of all components of one runtime.
#[derive(Debug, Default)]
pub struct Router {
    mailboxes: RwLock<BTreeMap<ComponentId, Arc<Mailbox>>>,
    topics: RwLock<BTreeMap<Topic, BTreeSet<ComponentId>>>,
    forwarder: RwLock<Option<Arc<dyn Forwarder>>>,
}

impl Router {
    /// Creates a router without mailboxes.
    pub fn new() -> Router {
        Router::default()
    }

    /// Creates a mailbox with `limits` for a component; `None` if that identity already has one.
    pub fn open(&self, id: &ComponentId, limits: MailboxLimits) -> Option<Arc<Mailbox>> {
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        if mailboxes.contains_key(id) {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new(limits));
        mailboxes.insert(id.clone(), mailbox.clone());
        Some(mailbox)
    }

    /// Removes a component's mailbox: its messages are dropped, and its identity is unknown from then on.
    pub fn remove(&self, id: &ComponentId) {
        let removed = self
            .mailboxes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.retain(|_, subscribers| {
            subscribers.remove(id);
            !subscribers.is_empty()
        });
        drop(topics);
        if let Some(mailbox) = removed {
            mailbox.discard();
        }
    }

    /// Delivers a message to the component called `target`, or to all subscribers of [a topic](Topic). Never blocks on a
    /// target.
    ///
    /// # Errors
    /// [`SendError::UnknownTarget`], also for a topic without subscribers, and the errors of [`Mailbox::put`]: for a topic the
    /// first of them, if no subscriber accepted the message.
    pub fn send(&self, target: &str, message: Message) -> Result<(), SendError> {
        match Topic::of_target(target) {
            Some(topic) => self.publish(&topic, target, message),
            None => match self.mailbox(target) {
                Some(mailbox) => mailbox.put(message),
                None => Err(SendError::UnknownTarget(target.to_owned())),
            },
        }
    }

    /// Sets what takes messages to targets without a mailbox; `None` for nothing.
    pub fn forward(&self, forwarder: Option<Arc<dyn Forwarder>>) {
        *self.forwarder.write().unwrap_or_else(PoisonError::into_inner) = forwarder;
    }

    /// Returns what takes messages to `target`, if it has no mailbox and is no topic.
    pub fn forwarder(&self, target: &str) -> Option<Arc<dyn Forwarder>> {
        let forwarder = self.forwarder.read().unwrap_or_else(PoisonError::into_inner);
        let forwarder = forwarder.as_ref()?;
        let is_elsewhere = Topic::of_target(target).is_none() && self.mailbox(target).is_none();
        is_elsewhere.then(|| forwarder.clone())
    }

    /// Subscribes a component to a topic; false if it already is.
    pub fn subscribe(&self, topic: &Topic, id: &ComponentId) -> bool {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.entry(topic.clone()).or_default().insert(id.clone())
    }

    /// Ends a component's subscription to a topic; false if there is none.
    pub fn unsubscribe(&self, topic: &Topic, id: &ComponentId) -> bool {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let Some(subscribers) = topics.get_mut(topic) else {
            return false;
        };
        let removed = subscribers.remove(id);
        if subscribers.is_empty() {
            topics.remove(topic);
        }
        removed
    }

    /// Returns the subscribers of a topic, in order.
    pub fn subscribers(&self, topic: &Topic) -> Vec<ComponentId> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.get(topic).into_iter().flatten().cloned().collect()
    }

    fn publish(&self, topic: &Topic, target: &str, message: Message) -> Result<(), SendError> {
        let mut first = None;
        let mut accepted = false;
        for id in self.subscribers(topic) {
            let Some(mailbox) = self.mailbox(id.as_str()) else {
                continue;
            };
            match mailbox.put(message.clone()) {
                Ok(()) => accepted = true,
                Err(error) => {
                    log::debug!("`{id}` did not get a message of the topic `{topic}`: {error}");
                    first.get_or_insert(error);
                }
            }
        }
        match accepted {
            true => Ok(()),
            false => Err(first.unwrap_or_else(|| SendError::UnknownTarget(target.to_owned()))),
        }
    }

    fn mailbox(&self, id: &str) -> Option<Arc<Mailbox>> {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.get(id).cloned()
    }

    /// Returns every identity that has a mailbox, in order.
    pub fn ids(&self) -> Vec<ComponentId> {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.keys().cloned().collect()
    }
}
