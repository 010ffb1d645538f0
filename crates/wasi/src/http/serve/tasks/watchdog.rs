//! The time at which an instance that computes is stopped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use airssys_wasm_component::internal::{InterruptHandle, timer};

use super::GRACE;

/// Stops an instance that computes while the time of all its requests is over.
///
/// No request can end before its time while another computes, and none can begin. So the latest of their ends bounds how long a guest may
/// compute, and a request that is late ends no other that has time left.
pub(super) struct Watchdog<'a> {
    interrupter: &'a InterruptHandle,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// The ends of the requests, by their numbers.
    ends: BTreeMap<u64, Instant>,
    next: u64,
    /// The latest of them, and the watch for it.
    armed: Option<(Instant, Option<timer::Armed>)>,
}

/// The part of a request in the watch, until it is dropped.
pub(super) struct Watched<'a> {
    watchdog: &'a Watchdog<'a>,
    number: u64,
}

impl<'a> Watchdog<'a> {
    pub(super) fn new(interrupter: &'a InterruptHandle) -> Watchdog<'a> {
        Watchdog {
            interrupter,
            state: RefCell::default(),
        }
    }

    /// Lets the instance compute until `end`, if that is later than all others.
    pub(super) fn watch(&'a self, end: Instant) -> Watched<'a> {
        let number = {
            let mut state = self.state.borrow_mut();
            state.next += 1;
            state.next
        };
        self.set(number, Some(end));
        Watched {
            watchdog: self,
            number,
        }
    }

    fn set(&self, number: u64, end: Option<Instant>) {
        let mut state = self.state.borrow_mut();
        match end {
            Some(end) => state.ends.insert(number, end),
            None => state.ends.remove(&number),
        };
        let latest = state.ends.values().max().copied();
        if latest != state.armed.as_ref().map(|(end, _)| *end) {
            // Nothing computes now. Requests that are late, since another computed, are cancelled next.
            let soonest = Instant::now() + GRACE;
            let arm = |end: Instant| timer::arm(end.max(soonest), self.interrupter.clone());
            state.armed = latest.map(|end| (end, arm(end)));
        }
    }

    #[cfg(test)]
    fn end(&self) -> Option<Instant> {
        self.state.borrow().armed.as_ref().map(|(end, _)| *end)
    }
}

impl Watched<'_> {
    /// Moves the end of the request to `end`, if that is later.
    pub(super) fn extend(&self, end: Instant) {
        let before = self.watchdog.state.borrow().ends.get(&self.number).copied();
        self.watchdog.set(self.number, before.max(Some(end)));
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.watchdog.set(self.number, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use airssys_wasm_component::component::Store;
    use airssys_wasm_component::engine::Engine;
    use std::time::Duration;

    #[test]
    fn an_instance_may_compute_until_the_latest_end_of_its_requests() {
        let store = Store::new(&Engine::default(), ());
        let interrupter = store.interrupter();
        let watchdog = Watchdog::new(&interrupter);
        let at = |seconds: u64| Instant::now() + Duration::from_secs(1000 + seconds);
        let (soon, later, last) = (at(1), at(2), at(3));
        assert_eq!(watchdog.end(), None, "nothing runs");
        let first = watchdog.watch(later);
        assert_eq!(watchdog.end(), Some(later));
        let second = watchdog.watch(soon);
        assert_eq!(
            watchdog.end(),
            Some(later),
            "a request that is late ends no other"
        );
        drop(first);
        assert_eq!(watchdog.end(), Some(soon));
        second.extend(last);
        second.extend(soon);
        assert_eq!(watchdog.end(), Some(last));
        drop(second);
        assert_eq!(watchdog.end(), None);
    }
}
