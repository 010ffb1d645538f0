//! One component's mailbox.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ComponentId;

/// Bounds of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxLimits {
    /// Maximum number of waiting messages; 1024 by default. Stops a flood of small messages.
    pub messages: usize,
    /// Maximum bytes of all waiting messages together; 16 MiB by default. Stops a few large messages from filling the host's
    /// memory.
    pub bytes: usize,
    /// Maximum bytes of one message; 1 MiB by default. Stops one message that fills the mailbox.
    pub message_bytes: usize,
}

impl Default for MailboxLimits {
    fn default() -> MailboxLimits {
        MailboxLimits {
            messages: 1024,
            bytes: 16 << 20,
            message_bytes: 1 << 20,
        }
    }
}

/// One message. `Debug` shows the number of its bytes: they may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender, as identified by the host.
    pub sender: ComponentId,
    /// The bytes that were sent, unchanged.
    pub payload: Vec<u8>,
    /// Time of acceptance, in milliseconds since 1970-01-01T00:00:00Z.
    pub sent_at_millis: u64,
    /// The request that its sender executed, if it was in one.
    pub request_id: Option<String>,
    /// The trace of that request: the value of `traceparent` (W3C Trace Context).
    pub trace: Option<String>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("sender", &self.sender)
            .field("payload_bytes", &self.payload.len())
            .field("sent_at_millis", &self.sent_at_millis)
            .finish()
    }
}

/// Reasons for which a message was not delivered, or none could be received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No component has this identity.
    #[error("no component is named {0:?}")]
    UnknownTarget(String),
    /// The target has no room for the message now.
    #[error("the mailbox is full")]
    Full,
    /// The message has more bytes than allowed.
    #[error("the message exceeds the limit of {0} bytes")]
    TooLarge(u64),
    /// The target accepts no more messages.
    #[error("the mailbox is closed: its component has been shut down or has failed")]
    Closed,
    /// The receiver may not receive messages of this sender.
    #[error("the policy does not allow the receiver messages of this sender")]
    Denied,
    /// The target is not in this runtime, and whether it has the message is unknown.
    #[error("the target's host did not answer: whether it has the message is unknown")]
    Unreachable,
}

/// Gets the messages of a mailbox in its place.
pub trait Receiver: fmt::Debug + Send + Sync {
    /// Accepts or refuses a message. Never waits.
    ///
    /// # Errors
    /// Each case of [`SendError`] except [`SendError::UnknownTarget`] and [`SendError::Unreachable`].
    fn receive(&self, message: Message) -> Result<(), SendError>;
}

/// The waiting messages of one component, oldest first.
#[derive(Debug)]
pub struct Mailbox {
    limits: MailboxLimits,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    closed: bool,
    receiver: Option<Arc<dyn Receiver>>,
}

impl Mailbox {
    /// Creates an empty mailbox.
    pub fn new(limits: MailboxLimits) -> Mailbox {
        Mailbox {
            limits,
            queue: Mutex::default(),
        }
    }

    /// Appends a message.
    ///
    /// # Errors
    /// [`SendError::TooLarge`], [`SendError::Closed`], [`SendError::Full`], checked in this order. After an
    /// error the mailbox is as it was.
    pub fn put(&self, message: Message) -> Result<(), SendError> {
        let size = message.payload.len();
        if size > self.limits.message_bytes {
            return Err(SendError::TooLarge(
                u64::try_from(self.limits.message_bytes).unwrap_or(u64::MAX),
            ));
        }
        let mut queue = self.queue();
        if queue.closed {
            return Err(SendError::Closed);
        }
        if let Some(receiver) = &queue.receiver {
            let receiver = receiver.clone();
            drop(queue);
            return receiver.receive(message);
        }
        let bytes = queue.bytes.saturating_add(size);
        if queue.messages.len() >= self.limits.messages || bytes > self.limits.bytes {
            return Err(SendError::Full);
        }
        queue.bytes = bytes;
        queue.messages.push_back(message);
        Ok(())
    }

    /// Passes all messages on to `receiver` from now on, those that wait here first. Returns those that it refused, with its
    /// reasons.
    pub fn forward_to(&self, receiver: Arc<dyn Receiver>) -> Vec<(Message, SendError)> {
        // Locked to the end, so that no later message overtakes. The receiver never waits.
        let mut queue = self.queue();
        queue.bytes = 0;
        let waiting = std::mem::take(&mut queue.messages);
        let refused = waiting.into_iter().filter_map(|message| {
            let copy = message.clone();
            receiver.receive(message).err().map(|error| (copy, error))
        });
        let refused = refused.collect();
        queue.receiver = Some(receiver);
        refused
    }

    /// Removes and returns the oldest message; `None` if there is none.
    ///
    /// # Errors
    /// [`SendError::Closed`] once it is closed and empty.
    pub fn take(&self) -> Result<Option<Message>, SendError> {
        let mut queue = self.queue();
        match queue.messages.pop_front() {
            Some(message) => {
                queue.bytes -= message.payload.len();
                Ok(Some(message))
            }
            None if queue.closed => Err(SendError::Closed),
            None => Ok(None),
        }
    }

    /// Refuses further messages. Waiting messages can still be received.
    pub fn close(&self) {
        self.queue().closed = true;
    }

    /// Closes the mailbox and drops the waiting messages.
    pub fn discard(&self) {
        let waiting = {
            let mut queue = self.queue();
            queue.closed = true;
            queue.bytes = 0;
            std::mem::take(&mut queue.messages)
        };
        drop(waiting);
    }

    /// Returns the number of waiting messages.
    pub fn len(&self) -> usize {
        self.queue().messages.len()
    }

    /// Reports whether no message is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No operation on the queue panics half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(size: usize) -> Message {
        Message {
            sender: ComponentId::new("sender").unwrap(),
            payload: vec![0; size],
            sent_at_millis: 0,
            request_id: None,
            trace: None,
        }
    }

    fn mailbox() -> Mailbox {
        Mailbox::new(MailboxLimits {
            messages: 3,
            bytes: 10,
            message_bytes: 8,
        })
    }

    #[test]
    fn bounds_are_exact_and_an_error_leaves_nothing_behind() {
        let mailbox = mailbox();
        assert_eq!(mailbox.put(message(9)), Err(SendError::TooLarge(8)));
        mailbox.put(message(8)).unwrap();
        assert_eq!(mailbox.put(message(3)), Err(SendError::Full));
        mailbox.put(message(2)).unwrap();
        mailbox.put(message(0)).unwrap();
        assert_eq!(mailbox.put(message(0)), Err(SendError::Full));
        assert_eq!(mailbox.take().unwrap().unwrap().payload.len(), 8);
        mailbox.put(message(8)).unwrap();
        assert_eq!(mailbox.len(), 3);
    }

    /// Accepts messages of up to 4 bytes.
    #[derive(Debug, Default)]
    struct Small(Mutex<Vec<usize>>);

    impl Receiver for Small {
        fn receive(&self, message: Message) -> Result<(), SendError> {
            match message.payload.len() {
                size @ 0..=4 => self.0.lock().unwrap().push(size),
                _ => return Err(SendError::Full),
            }
            Ok(())
        }
    }

    #[test]
    fn a_receiver_gets_all_messages_in_their_order() {
        let mailbox = mailbox();
        for size in [1, 5, 2] {
            mailbox.put(message(size)).unwrap();
        }
        let small = Arc::new(Small::default());
        let refused = mailbox.forward_to(small.clone());
        assert_eq!(refused, [(message(5), SendError::Full)]);
        assert_eq!(mailbox.put(message(9)), Err(SendError::TooLarge(8)));
        assert_eq!(mailbox.put(message(6)), Err(SendError::Full));
        assert_eq!(mailbox.put(message(3)), Ok(()));
        assert_eq!(*small.0.lock().unwrap(), [1, 2, 3]);
        assert_eq!((mailbox.len(), mailbox.take()), (0, Ok(None)));
        mailbox.close();
        assert_eq!(mailbox.put(message(1)), Err(SendError::Closed));
    }

    #[test]
    fn a_closed_mailbox_can_be_emptied() {
        let mailbox = mailbox();
        mailbox.put(message(1)).unwrap();
        mailbox.close();
        assert_eq!(mailbox.put(message(1)), Err(SendError::Closed));
        assert!(mailbox.take().unwrap().is_some());
        assert_eq!(mailbox.take(), Err(SendError::Closed));
    }

    #[test]
    fn a_discarded_mailbox_is_empty() {
        let mailbox = mailbox();
        mailbox.put(message(1)).unwrap();
        mailbox.discard();
        assert!(mailbox.is_empty());
        assert_eq!(mailbox.take(), Err(SendError::Closed));
    }
}
