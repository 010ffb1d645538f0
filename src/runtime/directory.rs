//! Directory of the components of one runtime, as visible to each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use super::alike::Alike;
use crate::host::{CallScope, Clock, ComponentError, ComponentMetadata, HostServices, MessagingError};
use crate::messaging::{ComponentId, Mailbox, MailboxLimits, Message, Router, SendError};

/// A component's metadata, filled in once it is known.
#[derive(Clone, Debug)]
pub(super) struct MetadataCell(Arc<Cell>);

#[derive(Debug)]
struct Cell {
    metadata: OnceLock<Arc<ComponentMetadata>>,
    alike: Arc<Alike<ComponentMetadata>>,
}

impl MetadataCell {
    /// Returns the metadata, if it is known.
    pub(super) fn get(&self) -> Option<&Arc<ComponentMetadata>> {
        self.0.metadata.get()
    }

    /// Fills it in, unless that is done; returns the metadata.
    pub(super) fn fill(&self, metadata: ComponentMetadata) -> &Arc<ComponentMetadata> {
        self.0.metadata.get_or_init(|| self.0.alike.share(metadata))
    }
}

/// Mailboxes, metadata and the clock. Holds no instances, so no call into one can start here, and no lock is held while one
/// runs.
#[derive(Debug)]
pub(super) struct Directory {
    router: Router,
    metadata: RwLock<BTreeMap<ComponentId, MetadataCell>>,
    alike: Arc<Alike<ComponentMetadata>>,
    numbers: Mutex<Numbers>,
    clock: Arc<dyn Clock>,
}

/// A component's place in the directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) metadata: MetadataCell,
}

impl Directory {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Directory {
        Directory {
            router: Router::new(),
            metadata: RwLock::default(),
            alike: Arc::default(),
            numbers: Mutex::default(),
            clock,
        }
    }

    pub(super) fn router(&self) -> &Router {
        &self.router
    }

    /// Registers an identity, whose mailbox has `limits`; `None` if it is in use.
    pub(super) fn enter(&self, id: &ComponentId, limits: MailboxLimits) -> Option<Entry> {
        let mut metadata = self.metadata.write().unwrap_or_else(PoisonError::into_inner);
        let mailbox = self.router.open(id, limits)?;
        let cell = self.cell();
        metadata.insert(id.clone(), cell.clone());
        Some(Entry {
            mailbox,
            metadata: cell,
        })
    }

    /// Creates a place for metadata.
    pub(super) fn cell(&self) -> MetadataCell {
        MetadataCell(Arc::new(Cell {
            metadata: OnceLock::new(),
            alike: self.alike.clone(),
        }))
    }

    /// Replaces the metadata of a component that is registered.
    pub(super) fn replace(&self, id: &ComponentId, cell: MetadataCell) {
        let mut metadata = self.metadata.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = metadata.get_mut(id) {
            *known = cell;
        }
    }

    /// Releases an identity.
    pub(super) fn leave(&self, id: &ComponentId) {
        let mut metadata = self.metadata.write().unwrap_or_else(PoisonError::into_inner);
        self.router.remove(id);
        metadata.remove(id);
        drop(metadata);
        self.numbers().free(id);
    }

    /// Returns the numbers that identities of the same name end with. Locked while one is chosen.
    pub(super) fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names whose numbers are remembered. Bounds the memory for names that do not come again; more are forgotten, and their numbers
/// counted from the first.
const MAX_NAMES: usize = 1024;

/// For each name the least number whose identity may be free, so that the thousandth component of a name need not try a thousand.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<ComponentId, u64>);

impl Numbers {
    /// Returns a number below which no identity of this name is free.
    pub(super) fn least(&self, name: &ComponentId) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Records that no identity is free up to this number.
    pub(super) fn take(&mut self, name: &ComponentId, number: u64) {
        if self.0.len() >= MAX_NAMES && !self.0.contains_key(name) {
            self.0.clear();
        }
        self.0.insert(name.clone(), number.saturating_add(1));
    }

    fn free(&mut self, id: &ComponentId) {
        let Some((name, number)) = id.as_str().rsplit_once('-') else {
            return;
        };
        if let (Some(least), Ok(number)) = (self.0.get_mut(name), number.parse::<u64>()) {
            *least = number.min(*least);
        }
    }
}

impl HostServices for Directory {
    fn now_millis(&self) -> u64 {
        self.clock.now_millis()
    }

    fn list_components(&self) -> Vec<ComponentId> {
        self.router.ids()
    }

    fn component_metadata(&self, id: &str) -> Result<Arc<ComponentMetadata>, ComponentError> {
        let metadata = self.metadata.read().unwrap_or_else(PoisonError::into_inner);
        match metadata.get(id).map(|cell| cell.get()) {
            Some(Some(metadata)) => Ok(metadata.clone()),
            Some(None) => Err(ComponentError::NotInitialized),
            None => Err(ComponentError::NotFound(id.to_owned())),
        }
    }

    fn send(
        &self,
        sender: &ComponentId,
        target: &str,
        payload: Vec<u8>,
        call: &CallScope,
        deadline: Option<Instant>,
    ) -> Result<(), MessagingError> {
        let message = Message {
            sender: sender.clone(),
            payload,
            sent_at_millis: self.clock.now_millis(),
            request_id: call.request_id.clone(),
            trace: call.trace.clone(),
        };
        let sent = match self.router.forwarder(target) {
            Some(forwarder) => forwarder.forward(target, message, deadline),
            None => self.router.send(target, message),
        };
        sent.map_err(|error| match error {
            SendError::UnknownTarget(id) => MessagingError::UnknownTarget(id),
            SendError::Full => MessagingError::MailboxFull(target.to_owned()),
            SendError::TooLarge(limit) => MessagingError::TooLarge(limit),
            SendError::Closed | SendError::Unreachable => MessagingError::Closed,
            SendError::Denied => MessagingError::Denied,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_free_number_is_remembered() {
        let id = |text: &str| -> ComponentId { text.parse().unwrap() };
        let mut numbers = Numbers::default();
        assert_eq!(numbers.least(&id("a-b")), 0);
        numbers.take(&id("a-b"), 7);
        assert_eq!(numbers.least(&id("a-b")), 8);
        for other in ["a-b", "a-b-9", "a-b-x", "a-3", "b-3"] {
            numbers.free(&id(other));
        }
        assert_eq!(numbers.least(&id("a-b")), 8);
        numbers.free(&id("a-b-3"));
        assert_eq!(numbers.least(&id("a-b")), 3);
        for name in 0..MAX_NAMES {
            numbers.take(&id(&format!("n{name}")), 1);
        }
        assert!(numbers.0.len() <= MAX_NAMES);
    }
}
