//! Components that are actors: the host's direct calls of them are refused, and a failed instance is replaced.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::error::RuntimeError;
use super::instantiate::Original;
use super::options::{Allowance, ComponentOptions, ExecuteOptions, TimeLimit};
use super::slot::Slot;
use super::state::ComponentState;
use super::{ComponentId, ComponentRuntime};
use crate::host::{ComponentMetadata, HealthStatus, HostContext};
use crate::load::Loaded;
use crate::messaging::{MailboxLimits, Message, Receiver, SendError};
use crate::security::Request;
use airssys_wasm_component::internal::InterruptHandle;

/// Parameters of further instances of a component, and the actor that makes its calls.
#[derive(Debug)]
pub(super) struct Seat {
    original: Original,
    context: HostContext,
    memory_reserve: Option<u64>,
    /// Set once the component is initialized. Weak, since the actor refers to the runtime.
    actor: OnceLock<Weak<dyn Any + Send + Sync>>,
}

impl Seat {
    pub(super) fn new(original: Original, context: HostContext, memory_reserve: Option<u64>) -> Seat {
        Seat {
            original,
            context,
            memory_reserve,
            actor: OnceLock::new(),
        }
    }
}

impl ComponentRuntime {
    /// Links and instantiates a component, for an actor. Otherwise as [`ComponentRuntime::load_loaded`].
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::load`].
    pub(crate) fn supervise(
        &self,
        loaded: &Loaded,
        mut options: ComponentOptions,
    ) -> Result<Supervised, RuntimeError> {
        options.supervised = true;
        let id = self.load_loaded(loaded, options)?;
        self.supervised(&id)
    }

    fn supervised(&self, id: &ComponentId) -> Result<Supervised, RuntimeError> {
        Ok(Supervised {
            runtime: self.clone(),
            slot: self.slot(id)?,
        })
    }

    /// Returns the actor that was attached to the component with this identity.
    pub(crate) fn actor_of(&self, id: &ComponentId) -> Option<Arc<dyn Any + Send + Sync>> {
        let slots = self.slots_read();
        slots.get(id)?.seat.as_ref()?.actor.get()?.upgrade()
    }
}

/// A component whose calls its actor makes, one at a time.
#[derive(Debug)]
pub(crate) struct Supervised {
    pub(super) runtime: ComponentRuntime,
    pub(super) slot: Arc<Slot>,
}

impl Supervised {
    pub(crate) fn id(&self) -> &ComponentId {
        self.slot.id()
    }

    /// Returns the limits of the component's mailbox that apply without options of the actor.
    pub(crate) fn mailbox_limits(&self) -> MailboxLimits {
        self.runtime.config().mailbox_limits(self.slot.limits())
    }

    /// Makes the actor known to [`ComponentRuntime::actor_of`]. Only the first has an effect.
    pub(crate) fn attach(&self, actor: Weak<dyn Any + Send + Sync>) {
        if let Some(seat) = &self.slot.seat {
            let _ = seat.actor.set(actor);
        }
    }

    /// Passes the messages of other components on to `receiver`. Returns those that it refused of the messages that waited.
    pub(crate) fn forward_messages(&self, receiver: Arc<dyn Receiver>) -> Vec<(Message, SendError)> {
        self.slot.shared_mailbox().forward_to(receiver)
    }

    /// Reports whether the policy lets the component receive messages of `sender`. A denial is recorded.
    pub(crate) fn may_receive(&self, sender: &ComponentId) -> bool {
        let request = Request::ReceiveMessage(sender.as_str());
        let seat = self.slot.seat.as_ref();
        seat.is_none_or(|seat| seat.context.is_allowed(&request))
    }

    /// Calls `init`.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::init`].
    pub(crate) fn init(&self) -> Result<(), RuntimeError> {
        self.runtime.init_in(&self.slot)
    }

    /// Runs one operation; `started` gets the handle that stops it, before the guest runs.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::execute_with`].
    pub(crate) fn execute(
        &self,
        operation: &[u8],
        options: ExecuteOptions,
        started: impl FnOnce(InterruptHandle),
    ) -> Result<Vec<u8>, RuntimeError> {
        self.runtime.execute_in(&self.slot, operation, options, started)
    }

    /// Queries the health, within `time`; `started` gets the handle that stops the call, before the guest runs.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::health`].
    pub(crate) fn health(
        &self,
        time: Duration,
        started: impl FnOnce(InterruptHandle),
    ) -> Result<HealthStatus, RuntimeError> {
        let usual = self.runtime.default_time(&self.slot);
        let asked = Allowance::new(time, TimeLimit::Caller);
        self.slot.health(asked.or_shorter(Some(usual)), started)
    }

    /// Returns the metadata, which is known once the component is initialized.
    pub(crate) fn metadata(&self) -> Option<&ComponentMetadata> {
        self.slot.known_metadata().map(|metadata| &**metadata)
    }

    /// Reports whether the instance is gone: it trapped, exceeded a limit, or refused its configuration.
    pub(crate) fn has_failed(&self) -> bool {
        self.slot.state() == ComponentState::Failed
    }

    /// Frees the instance, which counts as failed from now on. Without effect while a call runs.
    pub(crate) fn end_instance(&self) {
        self.slot.fail();
    }

    /// Replaces the instance by a new one with the settings of the first, which is to be initialized. Start functions run.
    /// With a tiered backend, it has the fastest code that is available now.
    ///
    /// # Errors
    /// As for [`ComponentRuntime::load_loaded`].
    pub(crate) fn replace(&self) -> Result<(), RuntimeError> {
        let Some(seat) = &self.slot.seat else {
            return Err(RuntimeError::Load(crate::Error::bug("an actor without a seat")));
        };
        let grants = self.slot.grants();
        let config = self.runtime.config();
        let limits = config.store_limits(self.id(), &grants.limits, seat.memory_reserve)?;
        let original = match self.slot.tiered() {
            Some(tiered) => Original::Component(tiered.current()),
            None => seat.original.clone(),
        };
        let mut context = seat.context.clone();
        let read = context.settings.read_saved();
        read.map_err(|problem| RuntimeError::SavedSettings(self.id().clone(), problem))?;
        let guest = self.runtime.make(&original, context, grants, limits)?;
        self.slot.replace(guest)
    }

    /// Calls `shutdown`, and frees the instance.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::shutdown`].
    pub(crate) fn shutdown(&self) -> Result<(), RuntimeError> {
        self.slot.shutdown(self.runtime.default_time(&self.slot))
    }

    /// Frees the instance. The identity stays in use.
    pub(crate) fn discard(&self) {
        self.slot.discard();
    }

    /// Frees the instance and the identity.
    pub(crate) fn unload(&self) {
        self.slot.discard();
        // It is there, since only this removes it.
        let _ = self.runtime.remove(self.id());
    }
}
