//! Requests that wait for a thread or an instance, in their order.

use std::collections::VecDeque;

/// A request that waits.
pub(super) trait Waits {
    /// Returns whether its client has left.
    fn has_left(&mut self) -> bool;
}

/// Requests that are looked at for one whose client has left, each time that there is no place. Stops a long queue from taking the time of each
/// request that it refuses.
const LOOKS: usize = 1024;

/// The queue. Requests whose clients have left keep their places only until others need them.
#[derive(Debug)]
pub(super) struct Waiting<W> {
    all: VecDeque<W>,
    /// The place at which the next search begins.
    next: usize,
}

impl<W> Default for Waiting<W> {
    fn default() -> Waiting<W> {
        Waiting {
            all: VecDeque::new(),
            next: 0,
        }
    }
}

impl<W> Waiting<W> {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn front(&self) -> Option<&W> {
        self.all.front()
    }

    pub(super) fn pop(&mut self) -> Option<W> {
        self.all.pop_front()
    }
}

impl<W: Waits> Waiting<W> {
    /// Adds a request if fewer than `most` wait. Returns the one whose place it got, if there was none left: to be dropped without a lock.
    ///
    /// # Errors
    /// The request itself if there is no place.
    pub(super) fn push(&mut self, request: W, most: usize) -> Result<Option<W>, W> {
        let left = match self.all.len() < most {
            true => None,
            false => match self.remove_left() {
                Some(left) => Some(left),
                None => return Err(request),
            },
        };
        self.all.push_back(request);
        Ok(left)
    }

    /// Removes a request whose client has left.
    fn remove_left(&mut self) -> Option<W> {
        let len = self.all.len();
        for _ in 0..len.min(LOOKS) {
            let at = self.next % len;
            if self.all.get_mut(at).is_some_and(W::has_left) {
                self.next = at;
                return self.all.remove(at);
            }
            self.next = at + 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request, by its number, and whether its client has left.
    #[derive(Debug, PartialEq)]
    struct Request(u32, bool);

    impl Waits for Request {
        fn has_left(&mut self) -> bool {
            self.1
        }
    }

    #[test]
    fn requests_whose_clients_have_left_make_room() {
        let mut waiting = Waiting::default();
        for number in 0..4 {
            let has_left = number == 1 || number == 3;
            assert_eq!(waiting.push(Request(number, has_left), 4), Ok(None));
        }
        assert_eq!(waiting.push(Request(4, false), 4), Ok(Some(Request(1, true))));
        assert_eq!(waiting.push(Request(5, false), 4), Ok(Some(Request(3, true))));
        assert_eq!(waiting.push(Request(6, false), 4), Err(Request(6, false)));
        let order: Vec<u32> = std::iter::from_fn(|| waiting.pop())
            .map(|request| request.0)
            .collect();
        assert_eq!(order, [0, 2, 4, 5]);
        assert_eq!(waiting.push(Request(7, false), 0), Err(Request(7, false)));
    }

    #[test]
    fn a_search_ends_and_goes_on_with_the_next_request() {
        let mut waiting = Waiting::default();
        let most = 3 * LOOKS;
        for number in 0..most {
            let _ = waiting.push(Request(0, number == most - 1), most);
        }
        assert!(waiting.push(Request(1, false), most).is_err());
        assert!(waiting.push(Request(1, false), most).is_err());
        assert_eq!(waiting.push(Request(1, false), most), Ok(Some(Request(0, true))));
    }
}
