//! Mailboxes by component identity.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{ComponentId, Mailbox, MailboxLimits, Message, SendError};

/// The mailboxes of all components of one runtime.
#[derive(Debug, Default)]
pub struct Router {
    mailboxes: RwLock<BTreeMap<ComponentId, Arc<Mailbox>>>,
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
        if let Some(mailbox) = removed {
            mailbox.discard();
        }
    }

    /// Delivers a message to the component called `target`. Never blocks on the target.
    ///
    /// # Errors
    /// [`SendError::UnknownTarget`], and the errors of [`Mailbox::put`].
    pub fn send(&self, target: &str, message: Message) -> Result<(), SendError> {
        let mailbox = self
            .mailboxes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(target)
            .cloned();
        match mailbox {
            Some(mailbox) => mailbox.put(message),
            None => Err(SendError::UnknownTarget(target.to_owned())),
        }
    }

    /// Returns every identity that has a mailbox, in order.
    pub fn ids(&self) -> Vec<ComponentId> {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.keys().cloned().collect()
    }
}
