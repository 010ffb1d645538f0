//! Identities of requests that came, so that none is handled twice within its time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use crate::envelope::MessageId;

/// Most identities that are remembered, about 64 bytes each. Stops hosts with very many requests from filling the memory;
/// beyond, requests are refused.
const MAX_SEEN: usize = 1 << 20;

/// The identities, until their requests' deadlines.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    known: HashSet<MessageId>,
    by_deadline: BinaryHeap<Reverse<(u64, MessageId)>>,
}

/// Results of [`Seen::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    New,
    Known,
    /// There is no room.
    Full,
}

impl Seen {
    /// Remembers an identity until `until`. Times are in milliseconds since 1970.
    pub(crate) fn insert(&mut self, id: MessageId, until: u64, now: u64) -> Inserted {
        while let Some(Reverse((deadline, old))) = self.by_deadline.peek()
            && *deadline < now
        {
            self.known.remove(old);
            self.by_deadline.pop();
        }
        if self.known.contains(&id) {
            return Inserted::Known;
        }
        if self.known.len() >= MAX_SEEN {
            return Inserted::Full;
        }
        self.known.insert(id);
        self.by_deadline.push(Reverse((until, id)));
        Inserted::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_known_until_its_deadline() {
        let (first, second) = (MessageId::random().unwrap(), MessageId::random().unwrap());
        let mut seen = Seen::default();
        assert_eq!(seen.insert(first, 10, 0), Inserted::New);
        assert_eq!(seen.insert(second, 5, 0), Inserted::New);
        assert_eq!(seen.insert(first, 10, 10), Inserted::Known);
        assert_eq!(seen.insert(second, 20, 10), Inserted::New);
        assert_eq!((seen.known.len(), seen.by_deadline.len()), (2, 2));
        assert_eq!(seen.insert(first, 30, 11), Inserted::New);
    }

    #[test]
    fn the_number_of_identities_is_bounded() {
        let mut seen = Seen::default();
        for _ in 0..MAX_SEEN {
            assert_eq!(seen.insert(MessageId::random().unwrap(), 1, 0), Inserted::New);
        }
        assert_eq!(seen.insert(MessageId::random().unwrap(), 1, 0), Inserted::Full);
        assert_eq!(seen.insert(MessageId::random().unwrap(), 3, 2), Inserted::New);
        assert_eq!(seen.known.len(), 1);
    }
}
