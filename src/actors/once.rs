//! Messages that come from a queue elsewhere, which can deliver one again: each is accepted once, by its id.

use std::sync::Arc;

use super::actor::Actor;
use super::dead_letters::DeadLetterReason;
use super::error::ActorError;
use super::letter::{Letter, Receipt};
use super::options::SendOptions;
use super::pending::{Pending, pending};
use crate::messaging::ComponentId;
use crate::runtime::ComponentRuntime;

impl ComponentRuntime {
    /// Sends a message to a durable actor, as [`ComponentRuntime::tell_with`] does, unless one with the same id came before:
    /// within `StoreOptions::with_seen`, also before the end of an earlier process. The message and its id are in the same
    /// commit, which has been made when the result is there; so a queue that delivered the message can remove it then.
    ///
    /// Does not wait for room: a full mailbox refuses the message, also with
    /// [`Backpressure::Wait`](super::Backpressure::Wait). Dropping the result changes nothing. A message that is refused at
    /// once has its result when this returns ([`Pending::is_done`]), so that a caller that sends several in order can stop
    /// there.
    ///
    /// # Errors
    /// [`ActorError::Repeated`] for a message that came before; [`ActorError::NotDurable`]; those of
    /// [`ComponentRuntime::tell_with`], with which the id is not remembered. [`ActorError::Store`] with
    /// [`StoreError::TooLarge`](airssys_wasm_store::StoreError::TooLarge) for an id that is longer than
    /// [`MAX_NAME_BYTES`](airssys_wasm_store::MAX_NAME_BYTES).
    pub fn tell_once(
        &self,
        id: &ComponentId,
        message_id: impl Into<Vec<u8>>,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
    ) -> Pending<()> {
        let actor = match self.durable_actor(id) {
            Ok(actor) => actor,
            Err(error) => return Pending::ready(Err(error)),
        };
        let (receiver, accepted) = pending();
        let receipt = Receipt::Acceptance(Some(receiver));
        let mut letter = Letter::new(payload.into(), options, receipt);
        letter.once = Some(message_id.into());
        actor.offer_now(letter);
        accepted
    }

    /// Adds a message that a queue elsewhere delivered, and that a durable actor cannot take, to the dead letters in its store,
    /// as [`DeadLetterReason::Refused`]. The result is there when it is in the store.
    ///
    /// # Errors
    /// [`ActorError::Unknown`]; [`ActorError::NotDurable`]; [`ActorError::Store`].
    pub fn bury_message(
        &self,
        id: &ComponentId,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
        reason: impl Into<String>,
    ) -> Pending<()> {
        let actor = match self.durable_actor(id) {
            Ok(actor) => actor,
            Err(error) => return Pending::ready(Err(error)),
        };
        let (receiver, buried) = pending();
        let letter = Letter::new(payload.into(), options, Receipt::Acceptance(None));
        let error = reason.into();
        let done = move |result: Result<(), _>| {
            receiver.complete(result.map_err(ActorError::Store));
        };
        actor
            .queue
            .bury(&letter, &DeadLetterReason::Refused { error }, done);
        buried
    }

    /// Reports whether an actor is durable ([`ActorOptions::durable`](super::ActorOptions::durable)).
    ///
    /// # Errors
    /// [`ActorError::Unknown`].
    pub fn is_durable_actor(&self, id: &ComponentId) -> Result<bool, ActorError> {
        let actor = self.actor(id).ok_or_else(|| ActorError::Unknown(id.clone()))?;
        Ok(actor.queue.is_open())
    }

    fn durable_actor(&self, id: &ComponentId) -> Result<Arc<Actor>, ActorError> {
        let actor = self.actor(id).ok_or_else(|| ActorError::Unknown(id.clone()))?;
        if !actor.queue.is_open() {
            return Err(ActorError::NotDurable(id.clone()));
        }
        Ok(actor)
    }
}
