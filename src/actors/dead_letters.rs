//! Messages that were accepted and not handled.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::messaging::ComponentId;

/// A message that was accepted and not handled. `Debug` shows the number of its bytes: they may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The actor that it was sent to.
    pub id: ComponentId,
    /// The message, unchanged.
    pub payload: Vec<u8>,
    /// [`SendOptions::request_id`](super::SendOptions::request_id).
    pub request_id: Option<String>,
    /// The reason.
    pub reason: DeadLetterReason,
}

/// Reasons for which a message was not handled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetterReason {
    /// A newer message took its place in a full mailbox ([`Backpressure::DropOldest`](super::Backpressure::DropOldest)).
    Displaced,
    /// Its time ended in the mailbox.
    Expired,
    /// Its time ended in the call, which was stopped.
    TimedOut,
    /// It ended the instance as often as it may.
    Poison {
        /// Number of tries.
        tries: u32,
        /// The last failure.
        error: String,
    },
    /// It waited when the actor gave up, or was stopped by its policy.
    GaveUp,
    /// The actor cannot take it, and the queue that it came from must not deliver it again; as for a message that is larger
    /// than the mailbox accepts.
    Refused {
        /// The reason.
        error: String,
    },
    /// It waited, or was handled, at the end of the time for the shutdown of the actor system.
    ShutDown,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("id", &self.id)
            .field("payload_bytes", &self.payload.len())
            .field("request_id", &self.request_id)
            .field("reason", &self.reason)
            .finish()
    }
}

/// The dead letters of a system: the newest, up to a number and to a size.
#[derive(Debug)]
pub(super) struct DeadLetters {
    most: usize,
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    letters: VecDeque<DeadLetter>,
    bytes: usize,
    lost: u64,
}

impl DeadLetters {
    pub(super) fn new(most: usize, most_bytes: usize) -> DeadLetters {
        DeadLetters {
            most,
            most_bytes,
            kept: Mutex::default(),
        }
    }

    pub(super) fn add(&self, letter: DeadLetter) {
        let mut kept = self.lock();
        kept.bytes += letter.payload.len();
        kept.letters.push_back(letter);
        while kept.letters.len() > self.most || kept.bytes > self.most_bytes {
            let Some(oldest) = kept.letters.pop_front() else {
                break;
            };
            kept.bytes -= oldest.payload.len();
            kept.lost += 1;
        }
    }

    /// Removes and returns all, the oldest first.
    pub(super) fn take(&self) -> Vec<DeadLetter> {
        let mut kept = self.lock();
        kept.bytes = 0;
        std::mem::take(&mut kept.letters).into()
    }

    /// Returns the number of those that were not kept.
    pub(super) fn lost(&self) -> u64 {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No step in between panics.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(payload: &[u8]) -> DeadLetter {
        DeadLetter {
            id: "a".parse().unwrap(),
            payload: payload.to_vec(),
            request_id: None,
            reason: DeadLetterReason::Displaced,
        }
    }

    fn kept(letters: &DeadLetters) -> Vec<Vec<u8>> {
        letters.take().into_iter().map(|letter| letter.payload).collect()
    }

    #[test]
    fn the_newest_are_kept_within_both_bounds() {
        let letters = DeadLetters::new(2, 5);
        for payload in [&b"one"[..], b"to", b""] {
            letters.add(letter(payload));
        }
        assert_eq!(
            (letters.lost(), kept(&letters)),
            (1, vec![b"to".to_vec(), Vec::new()])
        );
        letters.add(letter(b"12345"));
        letters.add(letter(b"6"));
        letters.add(letter(b"too long"));
        assert_eq!((letters.lost(), kept(&letters).len()), (4, 0));
        letters.add(letter(b"12345"));
        assert_eq!(kept(&letters), [b"12345".to_vec()]);
        let none = DeadLetters::new(0, 5);
        none.add(letter(b""));
        assert_eq!((none.lost(), kept(&none).len()), (1, 0));
    }

    #[test]
    fn debug_hides_the_payload() {
        let shown = format!("{:?}", letter(b"secret"));
        assert!(
            shown.contains("payload_bytes: 6") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
