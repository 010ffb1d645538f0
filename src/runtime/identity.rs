//! Identities of components.

use std::sync::Arc;

use super::directory::Entry;
use super::error::RuntimeError;
use super::options::ComponentOptions;
use super::{ComponentId, ComponentRuntime};
use crate::limits::EffectiveLimits;
use crate::messaging::TOPIC_PREFIX;

impl ComponentRuntime {
    /// Registers the requested identity, or else the first free one.
    pub(super) fn take_identity(
        &self,
        options: &ComponentOptions,
    ) -> Result<(ComponentId, Entry, Arc<EffectiveLimits>), RuntimeError> {
        let config = &self.shared.config;
        let enter = |id: ComponentId| {
            let limits = config.effective_limits(&id, options);
            let mailbox = config.mailbox_limits(&limits);
            let entry = self.shared.directory.enter(&id, mailbox)?;
            Some((id, entry, self.shared.limits.share(limits)))
        };
        if let Some(id) = &options.id {
            return enter(id.clone()).ok_or_else(|| RuntimeError::DuplicateId(id.clone()));
        }
        let free = |near: &&ComponentId| !near.as_str().starts_with(TOPIC_PREFIX);
        let (near, first) = match options.near.as_ref().filter(free) {
            Some(near) => match enter(near.clone()) {
                Some(taken) => return Ok(taken),
                None => (near.clone(), 2),
            },
            None => (ComponentId::near("component"), 1),
        };
        let mut numbers = self.shared.directory.numbers();
        let first = numbers.least(&near).max(first);
        let free = |number| Some((number, enter(near.numbered(number))?));
        let Some((number, taken)) = (first..=u64::MAX).find_map(free) else {
            return Err(RuntimeError::DuplicateId(near));
        };
        numbers.take(&near, number);
        Ok(taken)
    }
}
