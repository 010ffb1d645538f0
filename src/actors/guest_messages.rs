//! Messages of other components (`send-message`) as calls of an actor.

use std::sync::{Arc, Weak};

use super::actor::Actor;
use super::error::ActorError;
use super::letter::{Letter, Receipt};
use super::options::SendOptions;
use super::pending::pending;
use crate::messaging::{Message, Receiver, SendError};
use crate::runtime::{CallerInfo, TraceContext};

/// Hands messages over to an actor. The mailbox of the contract owns it, so it does not own the actor.
#[derive(Debug)]
pub(super) struct GuestMessages(pub(super) Weak<Actor>);

impl Receiver for GuestMessages {
    fn receive(&self, message: Message) -> Result<(), SendError> {
        self.0.upgrade().ok_or(SendError::Closed)?.receive(message)
    }
}

impl Actor {
    /// Makes the messages of other components its own from now on, those first that came since it was loaded.
    pub(super) fn receive_all(self: &Arc<Self>) {
        let receiver = Arc::new(GuestMessages(Arc::downgrade(self)));
        for (message, error) in self.component().forward_messages(receiver) {
            log::warn!(
                "`{}` did not get a message of `{}`: {error}",
                self.id(),
                message.sender
            );
        }
    }

    fn receive(self: &Arc<Self>, message: Message) -> Result<(), SendError> {
        if !self.component().may_receive(&message.sender) {
            return Err(SendError::Denied);
        }
        let options = SendOptions {
            timeout: None,
            request_id: message.request_id,
            caller: Some(CallerInfo::Component(message.sender.as_str().to_owned())),
            trace_context: message.trace.map(|traceparent| TraceContext {
                traceparent,
                tracestate: None,
            }),
        };
        // The sender is a guest, which does not wait for room.
        let accepted = if self.queue.is_in_memory() {
            let letter = Letter::new(message.payload, options, Receipt::Acceptance(None));
            let offered = self.offer_waiting(letter, false);
            self.core.accepted_guest_message();
            offered.map(drop).map_err(|(_, error)| error)
        } else {
            let (receiver, accepted) = pending();
            let receipt = Receipt::Acceptance(Some(receiver));
            self.offer_now(Letter::new(message.payload, options, receipt));
            self.core.accepted_guest_message();
            accepted.wait()
        };
        accepted.map_err(|error| match error {
            ActorError::Full { .. } => SendError::Full,
            ActorError::TooLarge { limit, .. } => {
                SendError::TooLarge(u64::try_from(limit).unwrap_or(u64::MAX))
            }
            _ => SendError::Closed,
        })
    }
}
