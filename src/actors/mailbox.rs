//! The queue of one actor: bounded, in the order of sending. No threads, no clock.

use std::collections::VecDeque;

use super::options::Backpressure;
use crate::messaging::MailboxLimits;

/// Maximum number of senders that wait for room in one mailbox ([`Backpressure::Wait`]); each keeps its message. Stops
/// senders that never wait for each other from filling the host's memory. Further messages are refused.
pub const MAX_WAITING_SENDERS: usize = 1024;

/// The waiting messages of one actor, the oldest first, and behind them those whose senders wait for room.
#[derive(Debug)]
pub(super) struct Mailbox<M> {
    limits: MailboxLimits,
    full: Full,
    /// In the order of tickets, like `outside`.
    inside: VecDeque<Entry<M>>,
    bytes: usize,
    /// Empty unless the mailbox was full when the first of them came.
    outside: VecDeque<Entry<M>>,
    next: u64,
}

/// Behavior of a full mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    Refuse,
    Wait,
    DropOldest,
}

/// A message, with its number in the order of sending.
#[derive(Debug)]
pub(super) struct Entry<M> {
    pub(super) ticket: u64,
    pub(super) bytes: usize,
    pub(super) message: M,
}

/// Result of offering a message.
#[derive(Debug)]
pub(super) enum Offer<M> {
    /// The message waits in the mailbox; these older ones were dropped for it.
    Accepted(Vec<M>),
    /// The message waits for room.
    Waits,
    /// The message is too large for any mailbox with this limit, in bytes.
    TooLarge(M, usize),
    /// There is no room.
    Full(M),
}

impl<M> Mailbox<M> {
    pub(super) fn new(limits: MailboxLimits, backpressure: &Backpressure) -> Mailbox<M> {
        Mailbox {
            limits,
            full: match backpressure {
                Backpressure::Refuse => Full::Refuse,
                Backpressure::Wait { .. } => Full::Wait,
                Backpressure::DropOldest => Full::DropOldest,
            },
            inside: VecDeque::new(),
            bytes: 0,
            outside: VecDeque::new(),
            next: 0,
        }
    }

    /// Returns the ticket of the next message that is offered.
    pub(super) fn next_ticket(&self) -> u64 {
        self.next
    }

    /// Offers a message, whose sender waits for room if it may. Each offer uses up a ticket.
    pub(super) fn offer(&mut self, bytes: usize, message: M, may_wait: bool) -> Offer<M> {
        let ticket = self.next;
        self.next += 1;
        let largest = self.limits.message_bytes.min(self.limits.bytes);
        if bytes > largest {
            return Offer::TooLarge(message, largest);
        }
        let entry = Entry {
            ticket,
            bytes,
            message,
        };
        // A sender that waits has its turn before those that come later.
        if self.outside.is_empty() && self.has_room(bytes) {
            self.push(entry);
            return Offer::Accepted(Vec::new());
        }
        match self.full {
            Full::Wait if may_wait && self.outside.len() < MAX_WAITING_SENDERS => {
                self.outside.push_back(entry);
                Offer::Waits
            }
            Full::Refuse | Full::Wait => Offer::Full(entry.message),
            Full::DropOldest => {
                let mut dropped = Vec::new();
                while !self.has_room(bytes)
                    && let Some(oldest) = self.pop()
                {
                    dropped.push(oldest.message);
                }
                self.push(entry);
                Offer::Accepted(dropped)
            }
        }
    }

    /// Removes and returns the oldest message. `admitted` gets those that come in from outside.
    pub(super) fn take(&mut self, admitted: impl FnMut(&mut M)) -> Option<Entry<M>> {
        let oldest = self.pop();
        self.admit(admitted);
        oldest
    }

    /// Returns a message that was taken to its place, whether there is room or not.
    pub(super) fn put_back(&mut self, entry: Entry<M>) {
        self.bytes += entry.bytes;
        // Those of other instances may have come back before.
        let at = self.inside.partition_point(|other| other.ticket < entry.ticket);
        self.inside.insert(at, entry);
    }

    /// Removes a message, wherever it waits. `admitted` gets those that come in from outside.
    pub(super) fn remove(&mut self, ticket: u64, admitted: impl FnMut(&mut M)) -> Option<M> {
        let removed = match position(&self.inside, ticket) {
            Some(at) => {
                let entry = self.inside.remove(at)?;
                self.bytes -= entry.bytes;
                entry
            }
            None => self.outside.remove(position(&self.outside, ticket)?)?,
        };
        self.admit(admitted);
        Some(removed.message)
    }

    /// Returns a message that waits in the mailbox.
    pub(super) fn inside(&self, ticket: u64) -> Option<&M> {
        position(&self.inside, ticket).map(|at| &self.inside[at].message)
    }

    /// Returns a message that waits in the mailbox, to change it.
    #[cfg(feature = "durable")]
    pub(super) fn inside_mut(&mut self, ticket: u64) -> Option<&mut M> {
        position(&self.inside, ticket).map(|at| &mut self.inside[at].message)
    }

    /// Returns the oldest message in the mailbox.
    pub(super) fn first(&self) -> Option<&Entry<M>> {
        self.inside.front()
    }

    /// Adds a message of an earlier process, whether there is room or not. It uses up a ticket.
    #[cfg(feature = "durable")]
    pub(super) fn take_up(&mut self, bytes: usize, message: M) {
        let ticket = self.next;
        self.next += 1;
        self.push(Entry {
            ticket,
            bytes,
            message,
        });
    }

    /// Returns a message whose sender waits for room.
    pub(super) fn outside(&mut self, ticket: u64) -> Option<&mut M> {
        position(&self.outside, ticket).map(|at| &mut self.outside[at].message)
    }

    /// Removes all messages; those whose senders wait for room are separate.
    pub(super) fn drain(&mut self) -> (Vec<M>, Vec<M>) {
        self.bytes = 0;
        let messages = |queue: &mut VecDeque<Entry<M>>| {
            let all = std::mem::take(queue).into_iter();
            all.map(|entry| entry.message).collect()
        };
        (messages(&mut self.inside), messages(&mut self.outside))
    }

    /// Returns the number of messages in the mailbox.
    pub(super) fn len(&self) -> usize {
        self.inside.len()
    }

    /// Returns the number of senders that wait for room.
    pub(super) fn senders(&self) -> usize {
        self.outside.len()
    }

    /// Returns the bytes of all messages in the mailbox.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.inside.len() < self.limits.messages && self.bytes.saturating_add(bytes) <= self.limits.bytes
    }

    fn push(&mut self, entry: Entry<M>) {
        self.bytes += entry.bytes;
        self.inside.push_back(entry);
    }

    fn pop(&mut self) -> Option<Entry<M>> {
        let entry = self.inside.pop_front()?;
        self.bytes -= entry.bytes;
        Some(entry)
    }

    fn admit(&mut self, mut admitted: impl FnMut(&mut M)) {
        while self
            .outside
            .front()
            .is_some_and(|first| self.has_room(first.bytes))
            && let Some(mut entry) = self.outside.pop_front()
        {
            admitted(&mut entry.message);
            self.push(entry);
        }
    }
}

fn position<M>(queue: &VecDeque<Entry<M>>, ticket: u64) -> Option<usize> {
    queue.binary_search_by_key(&ticket, |entry| entry.ticket).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mailbox(backpressure: &Backpressure) -> Mailbox<u32> {
        let limits = MailboxLimits {
            messages: 3,
            bytes: 10,
            message_bytes: 8,
        };
        Mailbox::new(limits, backpressure)
    }

    const WAIT: Backpressure = Backpressure::Wait {
        longest: Duration::from_secs(1),
    };

    fn taken(mailbox: &mut Mailbox<u32>) -> Vec<u32> {
        std::iter::from_fn(|| mailbox.take(|_| ()).map(|entry| entry.message)).collect()
    }

    #[test]
    fn bounds_are_exact_in_messages_and_in_bytes() {
        let mut mailbox = mailbox(&Backpressure::Refuse);
        assert!(matches!(mailbox.offer(9, 0, true), Offer::TooLarge(0, 8)));
        assert!(matches!(mailbox.offer(8, 1, true), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(3, 2, true), Offer::Full(2)));
        assert!(matches!(mailbox.offer(2, 3, true), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(0, 4, true), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(0, 5, true), Offer::Full(5)));
        assert_eq!((mailbox.len(), mailbox.bytes()), (3, 10));
        assert_eq!(taken(&mut mailbox), [1, 3, 4]);
        assert_eq!((mailbox.len(), mailbox.bytes()), (0, 0));
    }

    #[test]
    fn messages_of_several_instances_come_back_to_their_places() {
        let mut mailbox = mailbox(&Backpressure::Refuse);
        for message in 1..=3 {
            assert!(matches!(mailbox.offer(2, message, true), Offer::Accepted(_)));
        }
        let (first, second) = (mailbox.take(|_| ()).unwrap(), mailbox.take(|_| ()).unwrap());
        let ticket = first.ticket;
        mailbox.put_back(first);
        mailbox.put_back(second);
        assert_eq!(mailbox.bytes(), 6);
        assert_eq!(mailbox.inside(ticket), Some(&1));
        assert_eq!(mailbox.remove(ticket, |_| ()), Some(1));
        assert_eq!(taken(&mut mailbox), [2, 3]);
    }

    #[test]
    fn a_message_larger_than_the_whole_mailbox_is_too_large() {
        let limits = MailboxLimits {
            bytes: 4,
            ..MailboxLimits::default()
        };
        let mut mailbox = Mailbox::new(limits, &Backpressure::DropOldest);
        assert!(matches!(mailbox.offer(4, 1, true), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(5, 2, true), Offer::TooLarge(2, 4)));
        assert_eq!(mailbox.len(), 1);
    }

    #[test]
    fn the_oldest_messages_make_room_and_no_more_than_needed() {
        let mut mailbox = mailbox(&Backpressure::DropOldest);
        for (bytes, message) in [(2, 1), (2, 2), (2, 3)] {
            assert!(
                matches!(mailbox.offer(bytes, message, true), Offer::Accepted(dropped) if dropped.is_empty())
            );
        }
        assert!(matches!(mailbox.offer(0, 4, true), Offer::Accepted(dropped) if dropped == [1]));
        assert!(matches!(mailbox.offer(8, 5, true), Offer::Accepted(dropped) if dropped == [2]));
        assert_eq!(taken(&mut mailbox), [3, 4, 5]);
    }

    #[test]
    fn senders_wait_in_their_order_and_none_overtakes() {
        let mut mailbox = mailbox(&WAIT);
        assert!(matches!(mailbox.offer(8, 1, true), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(8, 2, true), Offer::Waits));
        // It would fit, but came later.
        assert!(matches!(mailbox.offer(1, 3, true), Offer::Waits));
        assert_eq!((mailbox.len(), mailbox.senders()), (1, 2));
        let mut admitted = Vec::new();
        let first = mailbox
            .take(|message| admitted.push(*message))
            .map(|entry| entry.message);
        assert_eq!((first, &admitted[..]), (Some(1), &[2, 3][..]));
        assert_eq!(taken(&mut mailbox), [2, 3]);
    }

    #[test]
    fn the_number_of_waiting_senders_is_bounded() {
        let mut mailbox = mailbox(&WAIT);
        assert!(matches!(mailbox.offer(8, 0, true), Offer::Accepted(_)));
        for number in 0..MAX_WAITING_SENDERS {
            assert!(matches!(mailbox.offer(8, number as u32, true), Offer::Waits));
        }
        assert!(matches!(mailbox.offer(8, 7, true), Offer::Full(7)));
        assert_eq!(mailbox.senders(), MAX_WAITING_SENDERS);
    }

    #[test]
    fn a_sender_that_may_not_wait_is_refused_and_does_not_overtake() {
        let mut mailbox = mailbox(&WAIT);
        assert!(matches!(mailbox.offer(8, 1, false), Offer::Accepted(_)));
        assert!(matches!(mailbox.offer(8, 2, false), Offer::Full(2)));
        assert!(matches!(mailbox.offer(8, 3, true), Offer::Waits));
        // It would fit, but another sender waits.
        assert!(matches!(mailbox.offer(1, 4, false), Offer::Full(4)));
        assert_eq!(taken(&mut mailbox), [1, 3]);
    }

    #[test]
    fn a_removed_message_makes_room_for_a_waiting_sender() {
        let mut mailbox = mailbox(&WAIT);
        for message in 1..=5 {
            drop(mailbox.offer(0, message, true));
        }
        assert_eq!((mailbox.len(), mailbox.senders()), (3, 2));
        let mut admitted = Vec::new();
        assert_eq!(mailbox.remove(1, |message| admitted.push(*message)), Some(2));
        assert_eq!(admitted, [4]);
        assert_eq!(mailbox.remove(4, |_| ()), Some(5));
        assert_eq!(mailbox.remove(4, |_| ()), None);
        assert_eq!((mailbox.inside(3), mailbox.inside(4)), (Some(&4), None));
        assert_eq!(taken(&mut mailbox), [1, 3, 4]);
    }

    #[test]
    fn a_message_that_is_put_back_comes_first_and_needs_no_room() {
        let mut mailbox = mailbox(&WAIT);
        for message in 1..=4 {
            drop(mailbox.offer(2, message, true));
        }
        let first = mailbox.take(|_| ()).expect("there are four");
        assert_eq!(mailbox.len(), 3);
        mailbox.put_back(first);
        assert_eq!((mailbox.len(), mailbox.bytes()), (4, 8));
        assert!(matches!(mailbox.offer(0, 5, true), Offer::Waits));
        assert_eq!(mailbox.remove(0, |_| ()), Some(1), "by its ticket");
        assert_eq!(mailbox.senders(), 1, "it is as full as it may be");
        assert_eq!(taken(&mut mailbox), [2, 3, 4, 5]);
    }

    #[test]
    fn draining_returns_every_message_once() {
        let mut mailbox = mailbox(&WAIT);
        for message in 1..=5 {
            drop(mailbox.offer(1, message, true));
        }
        assert_eq!(mailbox.drain(), (vec![1, 2, 3], vec![4, 5]));
        assert_eq!((mailbox.len(), mailbox.senders(), mailbox.bytes()), (0, 0, 0));
    }
}
