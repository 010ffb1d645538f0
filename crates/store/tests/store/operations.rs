//! All changes, and what is read after them.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use airssys_wasm_store::{
    Appended, Bound, ConfigurationBounds, MAX_NAME_BYTES, Store, StoreError, StoreOptions,
};

use super::{Folder, bounds, open, values};

#[test]
fn queues_keep_their_entries_in_order_and_apart() {
    let folder = Folder::new();
    let store = folder.open();
    let changes = store.blocking();
    let mut numbers = Vec::new();
    for (queue, value) in [("a", "1"), ("ab", "2"), ("a", "3"), ("", "4"), ("a", "")] {
        let appended = changes.append(queue, value.into(), None).unwrap();
        assert!(matches!(appended, Appended::New { .. }));
        numbers.push(appended.number());
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(values(&store, "a"), [b"1".to_vec(), b"3".to_vec(), Vec::new()]);
    assert_eq!((values(&store, "ab").len(), values(&store, "").len()), (1, 1));
    assert_eq!(store.queues().unwrap(), ["", "a", "ab"]);
    assert!(
        !changes.remove("ab", numbers[0]).unwrap(),
        "it is in another queue"
    );
    assert!(changes.remove("a", numbers[2]).unwrap());
    assert!(!changes.remove("a", numbers[2]).unwrap(), "it is gone");
    drop(store);

    let store = open(&folder.file());
    assert_eq!(values(&store, "a"), [b"1".to_vec(), Vec::new()]);
    let next = store
        .blocking()
        .append("a", b"5".to_vec(), None)
        .unwrap()
        .number();
    assert!(next > numbers[4], "a number is never used again");
    let after = store.queue("a", Some(numbers[0]), usize::MAX).unwrap();
    assert_eq!(
        after.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        [numbers[4], next]
    );
    assert_eq!(store.queue("a", None, 1).unwrap().len(), 1);
    assert_eq!(store.queue("a", Some(u64::MAX), 1).unwrap(), []);
    assert!(!format!("{after:?}").contains("[53]"), "values are not shown");
}

#[test]
fn numbers_stay_unique_when_everything_is_removed() {
    let folder = Folder::new();
    let mut last = 0;
    for _ in 0..3 {
        let store = folder.open();
        let number = store.blocking().append("a", Vec::new(), None).unwrap().number();
        assert!(number > last);
        last = number;
        assert!(store.blocking().remove("a", number).unwrap());
    }
}

#[test]
fn an_id_is_accepted_once_for_each_component_also_after_its_entry_is_gone() {
    let folder = Folder::new();
    let append = |store: &Store, queue: &str, id: &[u8]| {
        let appended = store.blocking().append(queue, b"x".to_vec(), Some(id.to_vec()));
        appended.unwrap()
    };
    let store = folder.open();
    let first = append(&store, "a", b"1");
    assert!(matches!(first, Appended::New { .. }));
    assert_eq!(
        append(&store, "a", b"1"),
        Appended::Seen {
            number: first.number()
        }
    );
    assert!(matches!(append(&store, "b", b"1"), Appended::New { .. }));
    assert!(store.blocking().remove("a", first.number()).unwrap());
    drop(store);
    let store = folder.open();
    assert_eq!(
        append(&store, "a", b"1"),
        Appended::Seen {
            number: first.number()
        }
    );
    assert_eq!((values(&store, "a").len(), values(&store, "b").len()), (0, 1));
}

#[test]
fn the_oldest_ids_are_forgotten_by_number_and_by_age() {
    let folder = Folder::new();
    let options =
        |ids, millis| StoreOptions::new(folder.file()).with_seen(ids, Duration::from_millis(millis));
    let is_new = |store: &Store, id: u8| {
        let appended = store.blocking().append("a", Vec::new(), Some(vec![id]));
        matches!(appended.unwrap(), Appended::New { .. })
    };
    let store = Store::open(options(3, 3_600_000)).unwrap();
    for id in 1..=4 {
        assert!(is_new(&store, id));
    }
    // 1 was forgotten for 4, and 2 is forgotten for 1.
    assert!(is_new(&store, 1));
    assert!(!is_new(&store, 3) && !is_new(&store, 4) && !is_new(&store, 1));
    assert!(is_new(&store, 2));
    drop(store);
    let store = Store::open(options(3, 1)).unwrap();
    thread::sleep(Duration::from_millis(20));
    assert!(is_new(&store, 1) && is_new(&store, 4), "they are too old");
}

#[test]
fn dead_letters_are_moved_taken_and_bounded() {
    let folder = Folder::new();
    let options = StoreOptions::new(folder.file()).with_dead_letters(3, 10);
    let store = Store::open(options.clone()).unwrap();
    let changes = store.blocking();
    let number = changes.append("a", b"12".to_vec(), None).unwrap().number();
    assert!(changes.bury("a", number, b"why".to_vec()).unwrap());
    assert!(!changes.bury("a", number, b"why".to_vec()).unwrap());
    assert_eq!(values(&store, "a").len(), 0);
    assert_eq!(store.dead_letter_counts().unwrap(), (1, 0));
    // 5 bytes and 6 bytes are more than 10.
    changes
        .add_dead_letter("b", b"r".to_vec(), b"34567".to_vec())
        .unwrap();
    assert_eq!(store.dead_letter_counts().unwrap(), (1, 1));
    changes
        .add_dead_letter("b", Vec::new(), b"more than ten".to_vec())
        .unwrap();
    assert_eq!(
        store.dead_letter_counts().unwrap(),
        (1, 2),
        "no other is dropped for it"
    );
    for _ in 0..3 {
        changes.add_dead_letter("c", Vec::new(), b"1".to_vec()).unwrap();
    }
    assert_eq!(store.dead_letter_counts().unwrap(), (3, 3));
    drop(store);

    let store = Store::open(options).unwrap();
    let read = store.dead_letters(None, 2).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(store.dead_letters(Some(read[1].number), 9).unwrap().len(), 1);
    let taken = store.blocking().take_dead_letters(2, usize::MAX).unwrap();
    assert_eq!((taken.letters.len(), taken.lost), (2, 3));
    assert_eq!(
        (taken.letters[0].component.as_str(), &taken.letters[0].value[..]),
        ("c", &b"1"[..])
    );
    assert_eq!(store.dead_letter_counts().unwrap(), (1, 3));
    // The bytes of what was taken are free.
    store
        .blocking()
        .add_dead_letter("d", b"12345".to_vec(), b"6789".to_vec())
        .unwrap();
    assert_eq!(store.dead_letter_counts().unwrap(), (2, 3));
    assert_eq!(store.blocking().take_dead_letters(9, 1).unwrap().letters.len(), 1);
}

#[test]
fn configuration_has_the_bounds_of_the_caller() {
    let folder = Folder::new();
    let store = folder.open();
    let changes = store.blocking();
    let set = |key: &str, bytes: usize| changes.set("a", key, vec![7; bytes], bounds());
    set("one", 10).unwrap();
    set("two", 20).unwrap();
    let bound = |result| match result {
        Err(StoreError::TooLarge { bound, .. }) => Some(bound),
        _ => None,
    };
    assert_eq!(bound(set("three", 101)), Some(Bound::Value));
    assert_eq!(bound(set("the ninth", 1)), Some(Bound::Key));
    assert_eq!(bound(set("three", 90)), Some(Bound::Configuration));
    // The value that is replaced does not count: 100 and the keys and 10 are 116.
    set("two", 100).unwrap();
    set("3", 1).unwrap();
    assert_eq!(bound(set("4", 0)), Some(Bound::Values));
    changes.set("ab", "one", b"other".to_vec(), bounds()).unwrap();
    drop(store);

    let store = folder.open();
    let keys: Vec<_> = store
        .configuration("a")
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["3", "one", "two"]);
    assert_eq!(
        store.value("a", "two").unwrap().map(|value| value.len()),
        Some(100)
    );
    assert_eq!(store.value("a", "absent").unwrap(), None);
    assert_eq!(store.value("ab", "one").unwrap(), Some(b"other".to_vec()));
    assert!(store.blocking().unset("a", "two").unwrap());
    assert!(!store.blocking().unset("a", "two").unwrap());
    let none = ConfigurationBounds::new(0, 0, 0, 0);
    assert!(store.blocking().set("a", "", Vec::new(), none).is_err());
}

#[test]
fn a_forgotten_component_leaves_nothing_and_others_stay() {
    let folder = Folder::new();
    let store = folder.open();
    let changes = store.blocking();
    for component in ["a", "ab"] {
        changes
            .append(component, b"x".to_vec(), Some(b"id".to_vec()))
            .unwrap();
        changes.append(component, b"y".to_vec(), None).unwrap();
        changes.set(component, "key", b"v".to_vec(), bounds()).unwrap();
    }
    changes.forget("a").unwrap();
    assert_eq!(
        (values(&store, "a").len(), store.configuration("a").unwrap().len()),
        (0, 0)
    );
    assert_eq!(
        (
            values(&store, "ab").len(),
            store.configuration("ab").unwrap().len()
        ),
        (2, 1)
    );
    let again = changes.append("a", Vec::new(), Some(b"id".to_vec())).unwrap();
    assert!(matches!(again, Appended::New { .. }));
    let seen = changes.append("ab", Vec::new(), Some(b"id".to_vec())).unwrap();
    assert!(matches!(seen, Appended::Seen { .. }));
}

#[test]
fn names_and_ids_are_bounded() {
    let folder = Folder::new();
    let store = folder.open();
    let changes = store.blocking();
    let (fits, long) = ("n".repeat(MAX_NAME_BYTES), "n".repeat(MAX_NAME_BYTES + 1));
    assert!(
        changes
            .append(&fits, Vec::new(), Some(fits.clone().into()))
            .is_ok()
    );
    let refused = |result: Result<bool, StoreError>| matches!(result, Err(StoreError::TooLarge { .. }));
    assert!(refused(changes.append(&long, Vec::new(), None).map(|_| true)));
    assert!(refused(
        changes
            .append("a", Vec::new(), Some(long.clone().into()))
            .map(|_| true)
    ));
    assert!(refused(changes.remove(&long, 1)) && refused(changes.bury(&long, 1, Vec::new())));
    assert!(refused(changes.unset("a", &long)) && refused(changes.forget(&long).map(|()| true)));
}

#[test]
fn changes_are_completed_in_the_order_of_their_thread() {
    let folder = Folder::new();
    let store = folder.open();
    let done = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (store, done) = (store.clone(), done.clone());
            scope.spawn(move || {
                for number in 0..200_u8 {
                    let done = done.clone();
                    let value = vec![thread, number];
                    store.append("a", value, None, move |result| {
                        done.lock()
                            .unwrap()
                            .push((thread, number, result.unwrap().number()));
                    });
                }
            });
        }
    });
    store.blocking().flush().unwrap();
    let done = done.lock().unwrap();
    assert_eq!(done.len(), 800);
    assert!(
        done.is_sorted_by(|a, b| a.2 < b.2),
        "completed as they are in the file"
    );
    for thread in 0..4 {
        let of_thread = done.iter().filter(|done| done.0 == thread);
        assert!(of_thread.map(|done| done.1).is_sorted());
    }
    let stored: Vec<_> = values(&store, "a")
        .into_iter()
        .map(|value| (value[0], value[1]))
        .collect();
    let completed: Vec<_> = done.iter().map(|done| (done.0, done.1)).collect();
    assert_eq!(stored, completed);
}

/// Holds the thread of the store in a callback, until the result is dropped.
fn hold(store: &Store) -> mpsc::Sender<()> {
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    store.flush(move |_| {
        held.send(()).unwrap();
        let _ = released.recv();
    });
    is_held.recv().unwrap();
    release
}

#[test]
fn changes_that_wait_are_bounded_and_removals_are_not_refused() {
    let folder = Folder::new();
    let options = StoreOptions::new(folder.file()).with_waiting(2, 10);
    let store = Store::open(options).unwrap();
    let number = store.blocking().append("a", Vec::new(), None).unwrap().number();
    let held = hold(&store);
    let (results, received) = mpsc::channel();
    let append = |bytes: usize| {
        let results = results.clone();
        store.append("b", vec![0; bytes], None, move |result| {
            results.send(result).unwrap()
        });
    };
    append(11);
    assert!(matches!(
        received.recv().unwrap(),
        Err(StoreError::TooLarge {
            bound: Bound::Change,
            ..
        })
    ));
    append(5);
    append(5);
    assert_eq!(
        received.recv().unwrap(),
        Err(StoreError::Busy { changes: 1, bytes: 6 })
    );
    append(0);
    append(0);
    assert_eq!(
        received.recv().unwrap(),
        Err(StoreError::Busy { changes: 2, bytes: 7 })
    );
    let (removed, is_removed) = mpsc::channel();
    store.remove("a", number, move |result| removed.send(result).unwrap());
    // It waits for room.
    let waiting = thread::spawn({
        let store = store.clone();
        move || store.blocking().append("c", vec![0; 9], None)
    });
    drop(held);
    assert_eq!(is_removed.recv().unwrap(), Ok(true));
    assert!(waiting.join().unwrap().is_ok());
    assert!(received.recv().unwrap().is_ok() && received.recv().unwrap().is_ok());
    assert_eq!((values(&store, "a").len(), values(&store, "b").len()), (0, 2));
}

#[test]
fn a_callback_may_hand_over_changes_but_not_wait_for_them() {
    let folder = Folder::new();
    let store = folder.open();
    let (results, received) = mpsc::channel();
    let again = store.clone();
    store.flush(move |_| {
        results.send(again.blocking().flush()).unwrap();
        again.append("a", b"x".to_vec(), None, move |result| {
            results.send(result.map(drop)).unwrap();
        });
    });
    assert_eq!(received.recv().unwrap(), Err(StoreError::InCallback));
    assert_eq!(received.recv().unwrap(), Ok(()));
    assert_eq!(values(&store, "a").len(), 1);
}

#[test]
fn a_panic_in_a_callback_is_contained() {
    let folder = Folder::new();
    let store = folder.open();
    store.flush(|_| panic!("planted"));
    assert!(store.blocking().append("a", Vec::new(), None).is_ok());
}

#[test]
fn dropping_the_store_writes_what_waits() {
    let folder = Folder::new();
    let store = folder.open();
    let held = hold(&store);
    let (results, received) = mpsc::channel();
    for _ in 0..100 {
        let results = results.clone();
        store.append("a", b"x".to_vec(), None, move |result| {
            results.send(result).unwrap()
        });
    }
    drop(held);
    drop(store);
    drop(results);
    assert_eq!(received.iter().filter(Result::is_ok).count(), 100);
    assert_eq!(values(&folder.open(), "a").len(), 100);
}

#[test]
fn a_closed_store_can_be_opened_again_while_clones_are_left() {
    let folder = Folder::new();
    let store = folder.open();
    let clone = store.clone();
    store.append("a", b"x".to_vec(), None, |_| ());
    store.close();
    store.close();
    let again = folder.open();
    assert_eq!(values(&again, "a").len(), 1);
    assert_eq!(clone.blocking().flush(), Err(StoreError::Closed));
    assert_eq!(clone.queue("a", None, 1), Err(StoreError::Closed));
    assert_eq!(clone.path(), again.path());
}

#[test]
fn a_store_can_be_closed_in_its_callback() {
    let folder = Folder::new();
    let store = folder.open();
    let of_callback = store.clone();
    store.flush(move |_| of_callback.close());
    while store.blocking().flush().is_ok() {}
    drop(store);
    drop(folder.open());
}

#[test]
fn the_last_store_may_be_dropped_in_its_callback() {
    let folder = Folder::new();
    let store = folder.open();
    let held = hold(&store);
    let (results, received) = mpsc::channel();
    let last = store.clone();
    store.flush(move |result| {
        drop(last);
        results.send(result).unwrap();
    });
    drop(store);
    drop(held);
    assert_eq!(received.recv().unwrap(), Ok(()));
}
