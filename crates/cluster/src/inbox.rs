//! Decisions about durable messages that a host gets. No clock, no input, no output: the order of what happened goes in, and
//! the next step comes out.

use std::time::Duration;

/// Tries of a message that is refused for reasons that may pass with it only, before it is a dead letter.
const MAX_TRIES: u32 = 5;
/// Shortest and longest pause before a message that was refused is handed over again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(2));

/// The numbers of deliveries, which a consumer counts from 1. Another than the next one means that a delivery was lost on its
/// way: later messages must not be handled before it.
#[derive(Debug)]
pub(crate) struct Deliveries {
    next: u64,
}

impl Deliveries {
    pub(crate) fn new() -> Deliveries {
        Deliveries { next: 1 }
    }

    /// Records a delivery; returns false if others before it are missing.
    pub(crate) fn is_next(&mut self, number: u64) -> bool {
        let is_next = number == self.next;
        self.next = number.saturating_add(1);
        is_next
    }
}

/// The end of handing a message over to its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handed {
    /// It and its id are in the store.
    Stored,
    /// Its id was there already.
    Repeated,
    /// There is no room now.
    NoRoom,
    /// The actor is not there, or does not go on.
    Away,
    /// The actor will never take it.
    Never,
    /// Any other failure.
    Failed,
}

/// The next step with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is removed from the stream.
    Acknowledge,
    /// It, and those behind it, wait.
    Wait(Duration),
    /// It becomes a dead letter, and is removed then.
    Bury,
}

/// The first message that was not stored yet, as to its tries.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pauses: u32,
    failures: u32,
}

impl Head {
    /// Decides about the first message that is not done.
    pub(crate) fn handed(&mut self, handed: Handed) -> Next {
        match handed {
            Handed::Stored | Handed::Repeated => {
                *self = Head::default();
                Next::Acknowledge
            }
            Handed::Never => {
                *self = Head::default();
                Next::Bury
            }
            Handed::Failed if self.failures + 1 >= MAX_TRIES => {
                *self = Head::default();
                Next::Bury
            }
            Handed::Failed => {
                self.failures += 1;
                self.pause()
            }
            Handed::NoRoom | Handed::Away => self.pause(),
        }
    }

    /// Decides about a message behind one that waits, which alone counts as tried.
    pub(crate) fn behind(handed: Handed, pause: Duration) -> Next {
        match handed {
            Handed::Stored | Handed::Repeated => Next::Acknowledge,
            Handed::NoRoom | Handed::Away | Handed::Never | Handed::Failed => Next::Wait(pause),
        }
    }

    fn pause(&mut self) -> Next {
        let (first, longest) = PAUSES;
        let pause = first.saturating_mul(1 << self.pauses.min(16)).min(longest);
        self.pauses = self.pauses.saturating_add(1);
        Next::Wait(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_that_is_missing_is_noticed() {
        let mut deliveries = Deliveries::new();
        assert!(deliveries.is_next(1) && deliveries.is_next(2));
        assert!(!deliveries.is_next(4), "3 is missing");
        assert!(!Deliveries::new().is_next(2), "the first is missing");
        assert!(!Deliveries { next: u64::MAX }.is_next(1));
    }

    #[test]
    fn a_message_without_room_waits_without_end_and_longer_each_time() {
        let mut head = Head::default();
        let mut before = Duration::ZERO;
        for _ in 0..100 {
            let Next::Wait(pause) = head.handed(Handed::NoRoom) else {
                panic!("it waits")
            };
            assert!(pause >= before && pause <= PAUSES.1);
            before = pause;
        }
        assert_eq!(before, PAUSES.1);
        assert_eq!(head.handed(Handed::Stored), Next::Acknowledge);
        assert_eq!(head.handed(Handed::Away), Next::Wait(PAUSES.0), "it starts anew");
    }

    #[test]
    fn a_message_that_fails_is_buried_after_its_tries_only() {
        let mut head = Head::default();
        for _ in 1..MAX_TRIES {
            assert!(matches!(head.handed(Handed::Failed), Next::Wait(_)));
            assert!(
                matches!(head.handed(Handed::NoRoom), Next::Wait(_)),
                "which is no try"
            );
        }
        assert_eq!(head.handed(Handed::Failed), Next::Bury);
        assert!(
            matches!(head.handed(Handed::Failed), Next::Wait(_)),
            "the next one's"
        );
        assert_eq!(head.handed(Handed::Never), Next::Bury);
        assert_eq!(head.handed(Handed::Repeated), Next::Acknowledge);
    }

    #[test]
    fn a_message_behind_one_that_waits_is_not_counted_as_tried() {
        let mut head = Head::default();
        for _ in 1..MAX_TRIES {
            let Next::Wait(pause) = head.handed(Handed::Failed) else {
                panic!("it waits")
            };
            for behind in [Handed::Failed, Handed::Never, Handed::NoRoom] {
                assert_eq!(Head::behind(behind, pause), Next::Wait(pause));
            }
            assert_eq!(Head::behind(Handed::Stored, pause), Next::Acknowledge);
        }
        assert_eq!(
            head.handed(Handed::Failed),
            Next::Bury,
            "the first one's last try"
        );
    }
}
