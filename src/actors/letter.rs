//! A message on its way through an actor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dead_letters::{DeadLetter, DeadLetterReason};
use super::durable::{Slot, Stored};
use super::error::ActorError;
use super::options::SendOptions;
use super::pending::Completer;
use super::timer::Set;
use crate::messaging::ComponentId;
use crate::runtime::ExecuteOptions;

/// A message, and the receiver of its answer.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) payload: Vec<u8>,
    pub(super) options: SendOptions,
    /// End of its time.
    pub(super) deadline: Option<Instant>,
    /// Number of instances that it ended.
    pub(super) tries: u32,
    pub(super) receipt: Receipt,
    /// Its place in the store.
    pub(super) stored: Stored,
    /// The id by which it is accepted once only.
    #[cfg(feature = "durable")]
    pub(super) once: Option<Vec<u8>>,
    /// Alarm at its deadline.
    pub(super) alarm: Option<Set>,
    /// Alarm at the end of its sender's waiting for room.
    pub(super) room_alarm: Option<Set>,
}

/// The step after a message came into the mailbox.
#[derive(Debug)]
pub(super) enum Accepted {
    /// Its sender is notified.
    Notify(Completer<()>),
    /// It is stored, and accepted then.
    Store(Arc<Slot>),
}

/// Receiver of the result.
#[derive(Debug)]
pub(super) enum Receipt {
    /// Of the answer.
    Answer(Completer<Vec<u8>>),
    /// Of the acceptance, until then.
    Acceptance(Option<Completer<()>>),
}

impl Letter {
    pub(super) fn new(payload: Vec<u8>, options: SendOptions, receipt: Receipt) -> Box<Letter> {
        let deadline = options.timeout.and_then(|time| Instant::now().checked_add(time));
        Box::new(Letter {
            payload,
            options,
            deadline,
            tries: 0,
            receipt,
            stored: Stored::default(),
            #[cfg(feature = "durable")]
            once: None,
            alarm: None,
            room_alarm: None,
        })
    }

    /// Reports whether its time is over.
    pub(super) fn is_expired(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    pub(super) fn expired(&self, id: &ComponentId) -> ActorError {
        ActorError::Expired {
            id: id.clone(),
            after: self.options.timeout.unwrap_or(Duration::ZERO),
        }
    }

    /// Records that it came into the mailbox. Returns the step that follows from that.
    pub(super) fn accepted(&mut self) -> Option<Accepted> {
        self.room_alarm = None;
        if let Some(slot) = self.stored.admitted() {
            return Some(Accepted::Store(slot));
        }
        match &mut self.receipt {
            Receipt::Answer(_) => None,
            Receipt::Acceptance(receiver) => receiver.take().map(Accepted::Notify),
        }
    }

    /// Undoes [`Letter::accepted`].
    pub(super) fn restore(&mut self, accepted: Option<Accepted>) {
        match accepted {
            Some(Accepted::Notify(receiver)) => self.receipt = Receipt::Acceptance(Some(receiver)),
            Some(Accepted::Store(slot)) => Stored::restore(&slot),
            None => {}
        }
    }

    /// Returns the options of the call, which has the time that is left.
    pub(super) fn execute_options(&self) -> ExecuteOptions {
        let options = self.options.clone();
        ExecuteOptions {
            request_id: options.request_id,
            caller: options.caller,
            timeout: self
                .deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now())),
            trace_context: options.trace_context,
        }
    }

    /// Passes the answer on, once the message is out of the store.
    pub(super) fn answer(self: Box<Self>, answer: Result<Vec<u8>, ActorError>) {
        let receipt = self.receipt;
        self.stored.end(move || {
            match receipt {
                Receipt::Answer(receiver) => receiver.complete(answer),
                Receipt::Acceptance(None) => false,
                Receipt::Acceptance(Some(receiver)) => receiver.complete(answer.map(drop)),
            };
        });
    }

    /// Returns the dead letter, with the payload; `None` if it will be in the store. The receiver remains, for the error.
    pub(super) fn dead(&mut self, id: &ComponentId, reason: DeadLetterReason) -> Option<DeadLetter> {
        if self.stored.dies(&reason) {
            return None;
        }
        Some(DeadLetter {
            id: id.clone(),
            payload: std::mem::take(&mut self.payload),
            request_id: self.options.request_id.clone(),
            reason,
        })
    }
}
