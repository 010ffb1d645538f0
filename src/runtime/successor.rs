//! Another version of a component that is an actor, under the same identity.

use std::any::Any;
use std::sync::{Arc, Weak};

use super::directory::Entry;
use super::error::RuntimeError;
use super::instantiate;
use super::options::ComponentOptions;
use super::supervised::Supervised;
use crate::load::Loaded;

impl Supervised {
    /// Links and instantiates another version of the component, which has the same identity and mailbox. It is not yet
    /// visible: [`Supervised::install`] puts it in place of this one.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::load_loaded`](crate::ComponentRuntime::load_loaded).
    pub(crate) fn successor(
        &self,
        loaded: &Loaded,
        mut options: ComponentOptions,
    ) -> Result<Supervised, RuntimeError> {
        // The identity is in use, by this version.
        options.id = None;
        options.near = None;
        options.supervised = true;
        let runtime = &self.runtime;
        let settings = runtime.check(&options)?;
        let (original, tiered) = instantiate::original(loaded)?;
        let limits = runtime.config().effective_limits(self.id(), &options);
        let limits = runtime.shared.limits.share(limits);
        let entry = Entry {
            mailbox: self.slot.shared_mailbox().clone(),
            metadata: runtime.shared.directory.cell(),
        };
        let slot = runtime.build(&original, tiered, options, settings, self.id(), entry, limits)?;
        Ok(Supervised {
            runtime: runtime.clone(),
            slot: Arc::new(slot),
        })
    }

    /// Links and instantiates one more instance of a version of the component, as [`Supervised::successor`] does. It never has the
    /// identity and the mailbox for itself.
    ///
    /// # Errors
    /// Those of [`Supervised::successor`].
    pub(crate) fn twin(
        &self,
        loaded: &Loaded,
        options: ComponentOptions,
    ) -> Result<Supervised, RuntimeError> {
        let twin = self.successor(loaded, options)?;
        twin.slot.leave_mailbox();
        Ok(twin)
    }

    /// Makes this version the one that its identity refers to, with its actor.
    pub(crate) fn install(&self, actor: Weak<dyn Any + Send + Sync>) {
        self.attach(actor);
        let shared = &self.runtime.shared;
        shared
            .directory
            .replace(self.id(), self.slot.metadata_cell().clone());
        let before = self
            .runtime
            .slots_write()
            .insert(self.id().clone(), self.slot.clone());
        drop(before);
    }

    /// Ends this version while another has the identity and the mailbox: calls `shutdown`, unless the instance has failed, and
    /// frees it.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::shutdown`](crate::ComponentRuntime::shutdown). The instance is freed all the same.
    pub(crate) fn retire(&self) -> Result<(), RuntimeError> {
        self.slot.leave_mailbox();
        let result = match self.has_failed() {
            true => Ok(()),
            false => self.shutdown(),
        };
        self.slot.discard();
        result
    }
}
