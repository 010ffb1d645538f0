//! Requests of this host that wait for their replies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::envelope::MessageId;
use crate::error::{Answer, ClusterError};
use crate::names::Name;

/// A reply, or the report that no host listens.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    NoHost,
}

/// The requests, by identity.
#[derive(Debug)]
pub(crate) struct Slots {
    waiting: Mutex<Option<BTreeMap<MessageId, Waiting>>>,
    most: usize,
}

#[derive(Debug)]
struct Waiting {
    host: Name,
    sender: oneshot::Sender<Outcome>,
}

/// The place of one request, which is free again when this value is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    id: MessageId,
    receiver: oneshot::Receiver<Outcome>,
}

impl Slots {
    pub(crate) fn new(most: usize) -> Arc<Slots> {
        Arc::new(Slots {
            waiting: Mutex::new(Some(BTreeMap::new())),
            most,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<MessageId, Waiting>>> {
        // Each change is a single step.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a request to a host.
    pub(crate) fn take(self: &Arc<Self>, id: MessageId, host: Name) -> Result<Slot, ClusterError> {
        let mut waiting = self.lock();
        let waiting = waiting.as_mut().ok_or(ClusterError::Left)?;
        if waiting.len() >= self.most {
            return Err(ClusterError::TooManyRequests { limit: self.most });
        }
        let (sender, receiver) = oneshot::channel();
        waiting.insert(id, Waiting { host, sender });
        Ok(Slot {
            slots: self.clone(),
            id,
            receiver,
        })
    }

    /// Passes an outcome to a request that waits; returns false if none does, or the reply is of another host than the
    /// request was sent to.
    pub(crate) fn complete(&self, id: MessageId, sender: Option<&str>, outcome: Outcome) -> bool {
        let mut waiting = self.lock();
        let Some(waiting) = waiting.as_mut() else {
            return false;
        };
        let of_receiver = |waiting: &Waiting| sender.is_none_or(|sender| sender == waiting.host.as_str());
        if !waiting.get(&id).is_some_and(of_receiver) {
            return false;
        }
        // The request may end at this moment.
        waiting
            .remove(&id)
            .is_some_and(|waiting| waiting.sender.send(outcome).is_ok())
    }

    /// Ends all requests, also those to come.
    pub(crate) fn close(&self) {
        let waiting = self.lock().take();
        drop(waiting);
    }
}

impl Slot {
    /// Awaits the outcome. `None` if the host leaves.
    pub(crate) async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(waiting) = self.slots.lock().as_mut() {
            waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_free_again() {
        let (slots, host) = (Slots::new(1), Name::new("h").unwrap());
        let id = MessageId::random().unwrap();
        let first = slots.take(id, host.clone()).unwrap();
        let full = slots.take(MessageId::random().unwrap(), host.clone());
        assert!(
            matches!(full, Err(ClusterError::TooManyRequests { limit: 1 })),
            "{full:?}"
        );
        assert!(!slots.complete(id, Some("other"), Outcome::NoHost));
        assert!(slots.complete(id, Some("h"), Outcome::NoHost));
        assert!(!slots.complete(id, None, Outcome::NoHost));
        drop(first);
        let again = slots.take(id, host.clone()).unwrap();
        slots.close();
        assert!(matches!(slots.take(id, host), Err(ClusterError::Left)));
        drop(again);
    }
}
