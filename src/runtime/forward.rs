//! Messages between components of several runtimes.

use std::sync::Arc;

use super::{ComponentId, ComponentRuntime, TraceContext};
use crate::host::HostServices;
use crate::messaging::{Forwarder, Message, SendError, Topic};

/// # Messages of components elsewhere
impl ComponentRuntime {
    /// Hands messages that components send with the contract's `send-message` to targets that this runtime does not have to
    /// `forwarder`, in place of the one before; `None` refuses them, as it is at first. Topics stay within the runtime.
    pub fn forward_messages(&self, forwarder: Option<Arc<dyn Forwarder>>) {
        self.shared.directory.router().forward(forwarder);
    }

    /// Delivers a message of a component elsewhere, as if `sender` was a component of this runtime: to the actor, or to the mailbox for
    /// `receive-message`. Waits for the store if the actor is durable.
    ///
    /// # Errors
    /// Each case of [`SendError`] except [`SendError::Unreachable`]; `Denied` if the target may not receive messages of `sender`.
    pub fn deliver_message(
        &self,
        sender: ComponentId,
        target: &ComponentId,
        payload: Vec<u8>,
        request_id: Option<String>,
        trace: Option<TraceContext>,
    ) -> Result<(), SendError> {
        if Topic::of_target(target.as_str()).is_some() {
            return Err(SendError::UnknownTarget(target.as_str().to_owned()));
        }
        let directory = &self.shared.directory;
        let message = Message {
            sender,
            payload,
            sent_at_millis: directory.now_millis(),
            request_id,
            trace: trace.map(|trace| trace.traceparent),
        };
        directory.router().send(target.as_str(), message)
    }
}
