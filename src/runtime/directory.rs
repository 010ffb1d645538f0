//! Directory of the components of one runtime, as visible to each other.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::host::{CallScope, Clock, ComponentError, ComponentMetadata, HostServices, MessagingError};
use crate::messaging::{ComponentId, Mailbox, MailboxLimits, Message, Router, SendError};

/// A component's metadata, filled in once it is known.
pub(super) type MetadataCell = Arc<OnceLock<Arc<ComponentMetadata>>>;

/// Mailboxes, metadata and the clock. Holds no instances, so no call into one can start here, and no lock is held while one
/// runs.
#[derive(Debug)]
pub(super) struct Directory {
    router: Router,
    metadata: RwLock<BTreeMap<ComponentId, MetadataCell>>,
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
        let cell = MetadataCell::default();
        metadata.insert(id.clone(), cell.clone());
        Some(Entry {
            mailbox,
            metadata: cell,
        })
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
    ) -> Result<(), MessagingError> {
        let message = Message {
            sender: sender.clone(),
            payload,
            sent_at_millis: self.clock.now_millis(),
            request_id: call.request_id.clone(),
            trace: call.trace.clone(),
        };
        self.router.send(target, message).map_err(|error| match error {
            SendError::UnknownTarget(id) => MessagingError::UnknownTarget(id),
            SendError::Full => MessagingError::MailboxFull(target.to_owned()),
            SendError::TooLarge(limit) => MessagingError::TooLarge(limit),
            SendError::Closed => MessagingError::Closed,
            SendError::Denied => MessagingError::Denied,
        })
    }
}
