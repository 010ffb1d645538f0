//! Builds without the feature `durable`: no actor is durable.

use std::convert::Infallible;
use std::sync::Arc;

use super::actor::Actor;
use super::core::Core;
use super::dead_letters::{DeadLetter, DeadLetterReason};
use super::error::ActorError;
use super::letter::Letter;
use super::mailbox::Entry;
use super::options::{ActorOptions, InvalidActorOptions};
use crate::host::SavedSettings;
use crate::messaging::ComponentId;

#[derive(Clone, Debug, Default)]
pub(super) struct SystemStore;

impl SystemStore {
    pub(super) fn settings(
        &self,
        _: &ActorOptions,
    ) -> Result<Option<Arc<dyn SavedSettings>>, InvalidActorOptions> {
        Ok(None)
    }

    pub(super) fn take_dead_letters(&self) -> Vec<DeadLetter> {
        Vec::new()
    }

    pub(super) fn lost(&self) -> u64 {
        0
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue;

impl Queue {
    pub(super) fn open(_: &Core, _: &ComponentId, _: bool) -> Result<Queue, ActorError> {
        Ok(Queue)
    }

    pub(super) fn is_in_memory(&self) -> bool {
        true
    }

    pub(super) fn attach(&self, _: &mut Letter) {}

    pub(super) fn close(&self) {}
}

#[derive(Debug, Default)]
pub(super) struct Stored;

/// There is none.
#[derive(Debug)]
pub(super) struct Slot(Infallible);

impl Slot {
    pub(super) fn store(self: Arc<Self>, _: &Arc<Actor>) {
        match self.0 {}
    }
}

impl Stored {
    pub(super) fn set_ticket(&self, _: u64) {}

    pub(super) fn admitted(&self) -> Option<Arc<Slot>> {
        None
    }

    pub(super) fn restore(slot: &Slot) {
        match slot.0 {}
    }

    pub(super) fn stays(&self, _: &DeadLetterReason) -> bool {
        false
    }

    pub(super) fn dies(&self, _: &DeadLetterReason) -> bool {
        false
    }

    pub(super) fn end(self, then: impl FnOnce()) {
        then();
    }
}

impl Actor {
    pub(super) fn take_up(self: &Arc<Self>) -> Result<(), ActorError> {
        Ok(())
    }
}

pub(super) fn is_storing(_: Option<&Entry<Box<Letter>>>) -> bool {
    false
}
