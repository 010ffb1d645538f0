//! Messages between the components of one runtime: identities, mailboxes, routing.
//!
//! A message is uninterpreted bytes. Every component has one [`Mailbox`], bounded in messages and in bytes, so that a
//! sender that never stops fills its target's mailbox and not the host's memory. A message to [a topic](Topic) goes to the
//! mailbox of each subscriber. A [`Forwarder`] takes those to targets that the runtime does not have.

mod forward;
mod id;
mod mailbox;
mod router;
mod topic;

pub use forward::Forwarder;
pub use id::{ComponentId, InvalidComponentId, MAX_COMPONENT_ID_BYTES};
pub use mailbox::{Mailbox, MailboxLimits, Message, Receiver, SendError};
pub use router::Router;
pub use topic::{InvalidTopic, MAX_TOPIC_BYTES, TOPIC_PREFIX, Topic};
