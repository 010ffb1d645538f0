//! Entries into the engine that new fibers share.

use super::*;

#[test]
fn new_ones_share_an_entry_until_one_is_suspended() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let stacks = guest.stacks.clone();
        let mut plain = guest.fiber("plain", 3);
        let mut falls = guest.fiber("fall", 0);
        let mut waits = guest.fiber("twice", 2);
        let mut late = guest.fiber("fall", 0);
        let fell = |switched: Switch<Outcome>| matches!(&switched, Switch::Ended(Err(error)) if error.contains("out of bounds"));
        let resume = |fiber: &mut Fiber<Outcome>, store: &mut StoreMut<'_>, entry: &EngineEntry| {
            let switched = fiber.resume_in(Some(entry), store, Resume::Continue);
            assert!(!is_running(store));
            assert_eq!(panics::depth(), 0);
            switched.expect("it is resumed")
        };
        let entered = stacks.entered(&mut guest.store.as_store_mut(), |store, entry| {
            assert_eq!(resume(&mut plain, store, entry), Switch::Ended(Ok(3)));
            assert!(entry.is_intact());
            assert!(fell(resume(&mut falls, store, entry)));
            assert!(entry.is_intact());
            assert_eq!(resume(&mut waits, store, entry), Switch::Suspended);
            assert!(!entry.is_intact());
            // Its own entry is made for it.
            assert!(fell(resume(&mut late, store, entry)));
            assert!(!entry.is_intact());
        });
        assert!(entered.is_ok());
        assert_eq!(guest.plain(9), 9);
        let ended = stacks.entered(&mut guest.store.as_store_mut(), |store, entry| {
            assert_eq!(resume(&mut waits, store, entry), Switch::Suspended);
            assert!(entry.is_intact());
            let switched = resume(&mut waits, store, entry);
            assert!(entry.is_intact());
            switched
        });
        assert_eq!(ended.expect("it is entered"), Switch::Ended(Ok(2002)));
        let fallen = guest.function("fall").call(&mut *guest.store, 0);
        assert!(fallen.is_err_and(|error| error.to_string().contains("out of bounds")));
        guest.ends_empty();
    });
}

#[test]
fn a_panic_within_an_entry_passes() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let stacks = guest.stacks.clone();
        let mut store = guest.store.as_store_mut();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            stacks.entered(&mut store, |_, _| -> () { panic!("of the host") })
        }));
        let panic = panicked.expect_err("it passes");
        assert_eq!(panic.downcast_ref(), Some(&"of the host"));
        assert_eq!(panics::depth(), 0);
        guest.ends_empty();
    });
}
