//! Messages to components outside of the runtime.

use std::fmt;
use std::time::Instant;

use super::{Message, SendError};

/// Takes the messages of a runtime's components (`send-message`) whose targets the runtime does not have.
///
/// Set by [`ComponentRuntime::forward_messages`](crate::ComponentRuntime::forward_messages).
pub trait Forwarder: fmt::Debug + Send + Sync {
    /// Hands a message over. Returns when its target has accepted or refused it; blocks the sender's call until then, and not beyond
    /// `deadline`, which is that of the call. One that blocks calls [`before_blocking`](crate::actors::before_blocking) first.
    ///
    /// # Errors
    /// Each case of [`SendError`]: [`SendError::UnknownTarget`] if there is no such target here either.
    fn forward(&self, target: &str, message: Message, deadline: Option<Instant>) -> Result<(), SendError>;
}
