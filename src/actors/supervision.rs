//! Decisions on failed instances: restart after a pause, or give up. No threads, no clock: the time is a parameter.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::options::{InvalidActorOptions, Restart, RestartPolicy};

/// Largest [`RestartPolicy::intensity`]. Bounds the times that are remembered for each actor.
const MAX_INTENSITY: u32 = 10_000;
/// Largest [`RestartPolicy::max_tries`].
const MAX_TRIES: u32 = 1000;

/// An end of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The component exited with status 0.
    #[cfg_attr(
        not(any(feature = "wasi", test)),
        expect(dead_code, reason = "components exit through WASI")
    )]
    Finished,
    /// A trap, a limit, a failed `init`, or another exit status.
    Failed,
}

/// Consequence of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Replace the instance at this time.
    RestartAt(Instant),
    /// Too many ends in the period.
    GiveUp,
    /// The kind of restart does not provide one.
    Stop,
}

/// The restarts of one actor.
#[derive(Debug)]
pub(super) struct Supervisor {
    policy: RestartPolicy,
    /// Restarts within the period, the oldest first; at most `intensity`.
    recent: VecDeque<Instant>,
    /// Ends since the last message that was handled.
    in_a_row: u32,
    restarts: u64,
    random: u64,
}

impl RestartPolicy {
    pub(super) fn check(&self) -> Result<(), InvalidActorOptions> {
        let range = |what, value: u64, least, most| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(InvalidActorOptions::Range {
                what,
                value,
                least,
                most,
            }),
        };
        range(
            "the intensity of restarts",
            self.intensity.into(),
            0,
            MAX_INTENSITY.into(),
        )?;
        range("the number of tries", self.max_tries.into(), 1, MAX_TRIES.into())?;
        range("the jitter, in percent,", self.jitter_percent.into(), 0, 100)?;
        match self.longest_pause < self.first_pause {
            true => Err(InvalidActorOptions::Pauses {
                first: self.first_pause,
                longest: self.longest_pause,
            }),
            false => Ok(()),
        }
    }
}

impl Supervisor {
    pub(super) fn new(policy: RestartPolicy) -> Supervisor {
        let seed = policy.seed.unwrap_or_else(|| RandomState::new().hash_one(0u8));
        Supervisor {
            policy,
            recent: VecDeque::new(),
            in_a_row: 0,
            restarts: 0,
            random: seed,
        }
    }

    pub(super) fn policy(&self) -> &RestartPolicy {
        &self.policy
    }

    /// Returns the number of restarts so far.
    pub(super) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Records that a message was handled: the next pause is the first again.
    pub(super) fn succeeded(&mut self) {
        self.in_a_row = 0;
    }

    /// Records that an instance was replaced without having failed.
    pub(super) fn replaced(&mut self) {
        self.restarts += 1;
    }

    /// Records the end of an instance at `now`.
    pub(super) fn ended(&mut self, ending: Ending, now: Instant) -> Decision {
        match (self.policy.restart, ending) {
            (Restart::Temporary, _) | (Restart::Transient, Ending::Finished) => return Decision::Stop,
            (Restart::Permanent, _) | (Restart::Transient, Ending::Failed) => {}
        }
        while self
            .recent
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= self.policy.period)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.policy.intensity as usize {
            return Decision::GiveUp;
        }
        self.recent.push_back(now);
        self.restarts += 1;
        let pause = self.pause();
        self.in_a_row = self.in_a_row.saturating_add(1);
        match now.checked_add(pause) {
            Some(at) => Decision::RestartAt(at),
            None => Decision::GiveUp,
        }
    }

    /// Returns the next pause: doubled for each end in a row, less a random part.
    fn pause(&mut self) -> Duration {
        let doubled = 1u32.checked_shl(self.in_a_row).unwrap_or(u32::MAX);
        let longest = self.policy.longest_pause;
        let full = self
            .policy
            .first_pause
            .checked_mul(doubled)
            .unwrap_or(longest)
            .min(longest);
        // Steps of a thousandth of the jitter are fine enough.
        let part = (self.next_random() % 1001) as u32 * self.policy.jitter_percent;
        full - full / 100_000 * part
    }

    /// SplitMix64: enough to spread pauses.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn policy() -> RestartPolicy {
        RestartPolicy {
            intensity: 3,
            period: 100 * MS,
            first_pause: 10 * MS,
            longest_pause: 50 * MS,
            jitter_percent: 0,
            seed: Some(1),
            ..RestartPolicy::default()
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again_after_a_success() {
        let start = Instant::now();
        let mut supervisor = Supervisor::new(RestartPolicy {
            intensity: 100,
            ..policy()
        });
        let pause = |supervisor: &mut Supervisor| match supervisor.ended(Ending::Failed, start) {
            Decision::RestartAt(at) => at - start,
            other => panic!("{other:?}"),
        };
        let pauses: Vec<_> = (0..40).map(|_| pause(&mut supervisor)).collect();
        assert_eq!(pauses[..4], [10 * MS, 20 * MS, 40 * MS, 50 * MS]);
        assert!(pauses[4..].iter().all(|pause| *pause == 50 * MS));
        supervisor.succeeded();
        assert_eq!(pause(&mut supervisor), 10 * MS);
        assert_eq!(supervisor.restarts(), 41);
    }

    #[test]
    fn it_gives_up_after_the_intensity_and_forgets_after_the_period() {
        let start = Instant::now();
        let mut supervisor = Supervisor::new(policy());
        let mut at = |ms: u32| supervisor.ended(Ending::Failed, start + ms * MS);
        for ms in [0, 10, 20] {
            assert!(matches!(at(ms), Decision::RestartAt(_)), "{ms}");
        }
        assert_eq!(at(99), Decision::GiveUp);
        // The first is a period ago.
        assert!(matches!(at(100), Decision::RestartAt(_)));
        assert_eq!(at(109), Decision::GiveUp);
        assert!(matches!(at(110), Decision::RestartAt(_)));
    }

    #[test]
    fn no_intensity_gives_up_at_once() {
        let mut supervisor = Supervisor::new(RestartPolicy {
            intensity: 0,
            ..policy()
        });
        assert_eq!(supervisor.ended(Ending::Failed, Instant::now()), Decision::GiveUp);
        assert_eq!(supervisor.restarts(), 0);
    }

    #[test]
    fn the_kind_of_restart_decides_which_ends_have_one() {
        for (restart, finished, failed) in [
            (Restart::Permanent, true, true),
            (Restart::Transient, false, true),
            (Restart::Temporary, false, false),
        ] {
            for (ending, expected) in [(Ending::Finished, finished), (Ending::Failed, failed)] {
                let mut supervisor = Supervisor::new(RestartPolicy { restart, ..policy() });
                let decision = supervisor.ended(ending, Instant::now());
                match expected {
                    true => assert!(
                        matches!(decision, Decision::RestartAt(_)),
                        "{restart:?} {ending:?}"
                    ),
                    false => assert_eq!(decision, Decision::Stop, "{restart:?} {ending:?}"),
                }
            }
        }
    }

    #[test]
    fn jitter_shortens_pauses_within_its_part_and_repeats_with_its_seed() {
        let start = Instant::now();
        let pauses = |seed| {
            let mut supervisor = Supervisor::new(RestartPolicy {
                intensity: 200,
                first_pause: 100 * MS,
                longest_pause: 100 * MS,
                jitter_percent: 25,
                seed: Some(seed),
                ..policy()
            });
            let mut pause = || match supervisor.ended(Ending::Failed, start) {
                Decision::RestartAt(at) => at - start,
                other => panic!("{other:?}"),
            };
            (0..100).map(|_| pause()).collect::<Vec<_>>()
        };
        let first = pauses(7);
        assert!(
            first.iter().all(|pause| (75 * MS..=100 * MS).contains(pause)),
            "{first:?}"
        );
        assert!(first.iter().any(|pause| *pause < 80 * MS));
        assert!(first.iter().any(|pause| *pause > 95 * MS));
        assert_eq!(first, pauses(7));
        assert_ne!(first, pauses(8));
    }

    #[test]
    fn policies_outside_their_ranges_are_refused() {
        let refused = [
            RestartPolicy {
                intensity: MAX_INTENSITY + 1,
                ..policy()
            },
            RestartPolicy {
                max_tries: 0,
                ..policy()
            },
            RestartPolicy {
                jitter_percent: 101,
                ..policy()
            },
            RestartPolicy {
                longest_pause: 9 * MS,
                ..policy()
            },
        ];
        for policy in refused {
            assert!(policy.check().is_err(), "{policy:?}");
        }
        assert!(policy().check().is_ok() && RestartPolicy::default().check().is_ok());
    }
}
