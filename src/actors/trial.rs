//! The trial of a new version beside the one before: which messages it gets, and when it has passed or failed. No threads, no
//! clock.

use super::options::InvalidActorOptions;

/// Largest [`TrialPolicy::messages`].
const MAX_TRIAL_MESSAGES: u32 = 1_000_000;

/// Conditions under which a new version takes the place of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrialPolicy {
    /// Part of the messages that it gets, in percent.
    pub(super) percent: u32,
    /// Messages after which it has passed.
    pub(super) messages: u32,
    /// Part of them that may fail, in percent.
    pub(super) max_error_percent: u32,
}

/// The messages of one trial.
#[derive(Debug)]
pub(super) struct Tally {
    policy: TrialPolicy,
    handled: u32,
    failed: u32,
    /// Hundredths of a message that the new version is behind its part.
    credit: u32,
}

/// State of a trial after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    Passed,
    Failed { failed: u32, of: u32 },
}

impl TrialPolicy {
    pub(super) fn check(&self) -> Result<(), InvalidActorOptions> {
        for (what, value, least, most) in [
            ("the part of a new version, in percent,", self.percent, 1, 100),
            (
                "the number of messages of a trial",
                self.messages,
                0,
                MAX_TRIAL_MESSAGES,
            ),
            (
                "the part of messages that may fail, in percent,",
                self.max_error_percent,
                0,
                100,
            ),
        ] {
            if !(least..=most).contains(&value) {
                return Err(InvalidActorOptions::Range {
                    what,
                    value: value.into(),
                    least: least.into(),
                    most: most.into(),
                });
            }
        }
        Ok(())
    }
}

impl Tally {
    pub(super) fn new(policy: TrialPolicy) -> Tally {
        Tally {
            policy,
            handled: 0,
            failed: 0,
            credit: 0,
        }
    }

    /// Reports whether the next message goes to the new version. Each call counts one message.
    pub(super) fn takes_next(&mut self) -> bool {
        self.credit += self.policy.percent;
        let takes = self.credit >= 100;
        if takes {
            self.credit -= 100;
        }
        takes
    }

    /// Records that the new version handled a message.
    pub(super) fn record(&mut self, has_failed: bool) -> Verdict {
        self.handled += 1;
        self.failed += u32::from(has_failed);
        let (messages, percent) = (
            u64::from(self.policy.messages),
            u64::from(self.policy.max_error_percent),
        );
        if u64::from(self.failed) * 100 > messages * percent {
            let (failed, of) = (self.failed, self.handled);
            return Verdict::Failed { failed, of };
        }
        match self.handled >= self.policy.messages {
            true => Verdict::Passed,
            false => Verdict::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(percent: u32, messages: u32, max_error_percent: u32) -> Tally {
        let policy = TrialPolicy {
            percent,
            messages,
            max_error_percent,
        };
        assert!(policy.check().is_ok());
        Tally::new(policy)
    }

    #[test]
    fn the_new_version_gets_its_part_spread_evenly() {
        for percent in [1, 10, 33, 50, 99, 100] {
            let mut tally = tally(percent, 10, 0);
            let taken: Vec<bool> = (0..1000).map(|_| tally.takes_next()).collect();
            let count = taken.iter().filter(|taken| **taken).count();
            assert_eq!(count, 10 * percent as usize, "{percent}");
            for hundred in taken.chunks(100) {
                let count = hundred.iter().filter(|taken| **taken).count();
                assert_eq!(count, percent as usize, "{percent}");
            }
        }
    }

    #[test]
    fn it_passes_after_its_messages() {
        let mut tally = tally(100, 3, 0);
        let verdicts = [false; 3].map(|failed| tally.record(failed));
        assert_eq!(verdicts, [Verdict::Open, Verdict::Open, Verdict::Passed]);
    }

    #[test]
    fn it_fails_with_the_first_error_beyond_the_part_that_may_fail() {
        let mut strict = tally(100, 100, 0);
        assert_eq!(strict.record(false), Verdict::Open);
        assert_eq!(strict.record(true), Verdict::Failed { failed: 1, of: 2 });
        let mut lenient = tally(100, 10, 20);
        let verdicts = [true, true, false, true].map(|failed| lenient.record(failed));
        let failed = Verdict::Failed { failed: 3, of: 4 };
        assert_eq!(verdicts, [Verdict::Open, Verdict::Open, Verdict::Open, failed]);
    }

    #[test]
    fn policies_outside_their_ranges_are_refused() {
        let policy = |percent, messages, max_error_percent| TrialPolicy {
            percent,
            messages,
            max_error_percent,
        };
        for refused in [
            policy(0, 1, 0),
            policy(101, 1, 0),
            policy(1, MAX_TRIAL_MESSAGES + 1, 0),
            policy(1, 1, 101),
        ] {
            assert!(refused.check().is_err(), "{refused:?}");
        }
    }
}
