//! Values that many components of a runtime have alike, kept once.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Distinct values that are remembered. Bounds the comparisons of a start.
const REMEMBERED: usize = 16;

/// The values of recent components, as long as some component has them.
pub(super) struct Alike<T>(Mutex<VecDeque<Weak<T>>>);

impl<T> Default for Alike<T> {
    fn default() -> Alike<T> {
        Alike(Mutex::default())
    }
}

impl<T> fmt::Debug for Alike<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alike")
    }
}

impl<T: PartialEq> Alike<T> {
    /// Returns the value, shared with a recent component that has the same.
    pub(super) fn share(&self, value: T) -> Arc<T> {
        // A panic while it was held left at worst a value out of the list.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known
            .iter()
            .filter_map(Weak::upgrade)
            .find(|other| **other == value);
        if let Some(same) = same {
            return same;
        }
        let value = Arc::new(value);
        known.retain(|other| other.strong_count() > 0);
        known.truncate(REMEMBERED - 1);
        known.push_front(Arc::downgrade(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_kept_once_as_long_as_they_are_used() {
        let alike = Alike::default();
        let first = alike.share("a".to_owned());
        assert!(Arc::ptr_eq(&first, &alike.share("a".to_owned())));
        assert_ne!(first, alike.share("b".to_owned()));
        let others: Vec<_> = (0..100).map(|number| alike.share(number.to_string())).collect();
        let (Some(oldest), Some(latest)) = (others.first(), others.last()) else {
            unreachable!("there are a hundred");
        };
        assert!(Arc::ptr_eq(latest, &alike.share("99".to_owned())));
        assert!(!Arc::ptr_eq(oldest, &alike.share("0".to_owned())));
        drop(others);
        let _again = alike.share("c".to_owned());
        assert_eq!(alike.0.lock().expect("it is not poisoned").len(), 1);
    }
}
