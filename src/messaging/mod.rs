//! Messages between the components of one runtime: identities, mailboxes, routing.
//!
//! A message is uninterpreted bytes. Every component has one [`Mailbox`], bounded in messages and in bytes, so that a
//! sender that never stops fills its target's mailbox and not the host's memory.

mod id;
mod mailbox;
mod router;

pub use id::{ComponentId, InvalidComponentId, MAX_COMPONENT_ID_BYTES};
pub use mailbox::{Mailbox, MailboxLimits, Message, SendError};
pub use router::Router;
