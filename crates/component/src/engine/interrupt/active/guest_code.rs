//! The addresses of a store's guest code, for a signal handler to look at.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Where the functions of the modules are that a store runs. Clones are the same.
///
/// Grows only, since an engine frees a module's code after the stores that run it. Looking takes no lock and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct GuestCode(Arc<Place>);

#[derive(Debug, Default)]
struct Place(OnceLock<Box<Entry>>);

#[derive(Debug)]
struct Entry {
    functions: Range<usize>,
    next: Place,
}

impl GuestCode {
    /// Adds a module's functions.
    pub fn add(&self, functions: Option<Range<usize>>) {
        let Some(functions) = functions else { return };
        let mut place = &*self.0;
        let mut new = None;
        loop {
            while let Some(entry) = place.0.get() {
                if entry.functions == functions {
                    return;
                }
                place = &entry.next;
            }
            let entry = new.take().unwrap_or_else(|| {
                Box::new(Entry {
                    functions: functions.clone(),
                    next: Place::default(),
                })
            });
            match place.0.set(entry) {
                Ok(()) => return,
                // Another thread of the same program was quicker.
                Err(entry) => new = Some(entry),
            }
        }
    }

    /// Returns whether the instruction at this address is a guest's. May be called in a signal handler.
    pub(super) fn contains(&self, address: usize) -> bool {
        let mut place = &*self.0;
        while let Some(entry) = place.0.get() {
            if entry.functions.contains(&address) {
                return true;
            }
            place = &entry.next;
        }
        false
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // One after the other: a list of thousands would not fit the stack.
        let mut next = self.0.take();
        while let Some(mut entry) = next {
            next = entry.next.0.take();
        }
    }
}

/// The addresses from the first of a module's functions to the end of the last; `None` if there are none here.
pub fn functions(module: &wasmer::Module) -> Option<Range<usize>> {
    let functions = module.sys_artifact()?.finished_function_extents()?;
    let mut all: Option<Range<usize>> = None;
    for (_, function) in functions {
        let start = (*function.ptr).addr();
        let end = start.saturating_add(function.length);
        all = Some(match all {
            Some(all) => all.start.min(start)..all.end.max(end),
            None => start..end,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_all_that_was_added_once() {
        let code = GuestCode::default();
        assert!(!code.contains(10));
        for functions in [Some(10..20), None, Some(40..50), Some(10..20)] {
            code.clone().add(functions);
        }
        for (address, is_guest) in [
            (9, false),
            (10, true),
            (19, true),
            (20, false),
            (45, true),
            (50, false),
        ] {
            assert_eq!(code.contains(address), is_guest, "{address}");
        }
        let second = code
            .0
            .0
            .get()
            .and_then(|entry| entry.next.0.get())
            .expect("two entries");
        assert!(
            second.next.0.get().is_none(),
            "the same functions are there twice"
        );
    }

    #[test]
    fn a_list_of_a_hundred_thousand_is_dropped() {
        let code = GuestCode::default();
        let mut place = &*code.0;
        for start in 0..100_000 {
            let functions = start..start + 1;
            let next = Place::default();
            assert!(place.0.set(Box::new(Entry { functions, next })).is_ok());
            place = &place.0.get().expect("it was set").next;
        }
        assert!(code.contains(99_999));
        drop(code);
    }
}
