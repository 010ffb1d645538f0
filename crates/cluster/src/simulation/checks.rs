//! The requests of a schedule, and what must hold of them.

use std::collections::BTreeMap;

use crate::error::{ClusterError, FailureKind};

/// Requests by number.
#[derive(Default)]
pub(super) struct Requests {
    all: Vec<Request>,
    /// The last request in the order of one sender that came to one receiver.
    last: BTreeMap<(usize, usize), u64>,
    pub(super) disorder: Vec<String>,
}

struct Request {
    sender: usize,
    is_ordered: bool,
    handled: Vec<usize>,
    result: Option<Result<Vec<u8>, ClusterError>>,
}

/// Numbers of what happened in schedules.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) answered: u64,
    pub(super) unanswered: u64,
    pub(super) refused: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) no_responders: u64,
    pub(super) taken: u64,
    pub(super) announced: u64,
    pub(super) conflicts: u64,
    pub(super) killed: u64,
    pub(super) left: u64,
    pub(super) cut: u64,
    pub(super) restarts: u64,
    pub(super) expired_leases: u64,
}

impl Sum {
    fn numbers(&mut self) -> [(&'static str, &mut u64); 14] {
        [
            ("answered", &mut self.answered),
            ("unanswered", &mut self.unanswered),
            ("refused", &mut self.refused),
            ("lost", &mut self.lost),
            ("doubled", &mut self.doubled),
            ("no responders", &mut self.no_responders),
            ("taken", &mut self.taken),
            ("announced", &mut self.announced),
            ("conflicts", &mut self.conflicts),
            ("killed", &mut self.killed),
            ("left", &mut self.left),
            ("cut", &mut self.cut),
            ("restarts", &mut self.restarts),
            ("expired leases", &mut self.expired_leases),
        ]
    }

    pub(super) fn add(&mut self, other: &Sum) {
        let mut other = other.clone();
        for ((_, mine), (_, theirs)) in self.numbers().into_iter().zip(other.numbers()) {
            *mine += *theirs;
        }
    }

    /// A simulation in which some kind of fault never happens checks nothing of it.
    pub(super) fn assert_all_happened(&mut self) {
        for (name, number) in self.numbers() {
            assert!(*number > 0, "no schedule has one: {name}");
        }
    }
}

fn number(payload: &[u8]) -> usize {
    let number = payload.try_into().map(u64::from_le_bytes);
    usize::try_from(number.expect("a request of the simulation")).expect("64 bits")
}

impl Requests {
    /// Creates a request, and returns its payload.
    pub(super) fn create(&mut self, sender: usize, is_ordered: bool) -> [u8; 8] {
        self.all.push(Request {
            sender,
            is_ordered,
            handled: Vec::new(),
            result: None,
        });
        (self.all.len() as u64 - 1).to_le_bytes()
    }

    /// Notes that a request came into a mailbox.
    pub(super) fn came(&mut self, payload: &[u8], receiver: usize) {
        let (number, request) = (number(payload) as u64, &self.all[number(payload)]);
        if !request.is_ordered {
            return;
        }
        let last = self.last.entry((request.sender, receiver)).or_insert(number);
        if *last > number {
            self.disorder
                .push(format!("{number} came after {last}, both of {}", request.sender));
        }
        *last = number;
    }

    pub(super) fn handled(&mut self, payload: &[u8], receiver: usize) {
        self.all[number(payload)].handled.push(receiver);
    }

    pub(super) fn ended(&mut self, payload: &[u8], result: Result<Vec<u8>, ClusterError>) {
        self.all[number(payload)].result = Some(result);
    }

    /// Returns the process that handled a request.
    pub(super) fn handler(&self, payload: &[u8]) -> Option<usize> {
        self.all[number(payload)].handled.first().copied()
    }

    /// Returns what is wrong with the requests, and counts their ends.
    pub(super) fn check(&self, sum: &mut Sum) -> Vec<String> {
        let mut faults = self.disorder.clone();
        for (number, request) in self.all.iter().enumerate() {
            let Request { handled, result, .. } = request;
            let right = match result {
                Some(Ok(answer)) => {
                    sum.answered += 1;
                    let asked = (number as u64).to_le_bytes();
                    handled.len() == 1 && *answer == [b"answer to ", &asked[..]].concat()
                }
                // Of processes that were killed, too.
                None | Some(Err(ClusterError::Unanswered { .. } | ClusterError::Left)) => {
                    sum.unanswered += 1;
                    handled.len() <= 1
                }
                Some(Err(
                    ClusterError::NoHost(_)
                    | ClusterError::NotAnnounced(_)
                    | ClusterError::TooManyRequests { .. }
                    | ClusterError::Timeout { .. }
                    | ClusterError::Failed {
                        kind:
                            FailureKind::Unknown
                            | FailureKind::Busy
                            | FailureKind::Unavailable
                            | FailureKind::Expired,
                        ..
                    },
                )) => {
                    sum.refused += 1;
                    handled.is_empty()
                }
                Some(Err(_)) => false,
            };
            if !right {
                faults.push(format!(
                    "request {number} of {} was handled by {handled:?}; result: {result:?}",
                    request.sender
                ));
            }
        }
        faults
    }
}
