//! Which mailbox belongs to whom.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{ComponentId, Mailbox, MailboxLimits, Message, SendError};

/// The mailboxes of all components of one runtime.
#[derive(Debug)]
pub struct Router {
    limits: MailboxLimits,
    mailboxes: RwLock<BTreeMap<ComponentId, Arc<Mailbox>>>,
}

impl Router {
    /// A router whose mailboxes all get `limits`.
    pub fn new(limits: MailboxLimits) -> Router {
        Router {
            limits,
            mailboxes: RwLock::default(),
        }
    }

    /// A new mailbox for a component; `None` if that identity has one already.
    pub fn open(&self, id: &ComponentId) -> Option<Arc<Mailbox>> {
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        if mailboxes.contains_key(id) {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new(self.limits.clone()));
        mailboxes.insert(id.clone(), mailbox.clone());
        Some(mailbox)
    }

    /// Takes a component's mailbox away: its messages are dropped, and its identity is unknown from now on.
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

    /// Delivers a message to the component called `target`. Never waits for it.
    ///
    /// # Errors
    /// [`SendError::UnknownTarget`], and those of [`Mailbox::put`].
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

    /// Every identity that has a mailbox, in order.
    pub fn ids(&self) -> Vec<ComponentId> {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.keys().cloned().collect()
    }
}
