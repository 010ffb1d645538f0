//! Files that were cut or changed, and files without room.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use airssys_wasm_store::{OpenError, Store, StoreError, StoreOptions};

use super::{Folder, bounds, values};

const PAGE: usize = 4096;

/// A file with content of all kinds, as it is when the process is killed: copied while it is open.
fn content(closed: bool) -> (Vec<u8>, Vec<Vec<u8>>) {
    let folder = Folder::new();
    let store = folder.open();
    let changes = store.blocking();
    changes.set("a", "key", b"value".to_vec(), bounds()).unwrap();
    changes
        .add_dead_letter("a", b"reason".to_vec(), b"dead".to_vec())
        .unwrap();
    for number in 0..40_u8 {
        changes
            .append("a", vec![number; 200], Some(vec![number]))
            .unwrap();
    }
    let values = values(&store, "a");
    if closed {
        drop(store);
        return (fs::read(folder.file()).unwrap(), values);
    }
    (fs::read(folder.file()).unwrap(), values)
}

/// Opens a file that may be damaged: it is refused with a typed error, or has all entries or all but the last.
fn opens_or_is_refused(path: &Path, expected: &[Vec<u8>], what: &str) -> bool {
    let begin = Instant::now();
    let opened = Store::open(StoreOptions::new(path));
    assert!(begin.elapsed() < Duration::from_secs(60), "{what} hangs");
    match opened {
        Ok(store) => {
            let found = values(&store, "a");
            let before = &expected[..expected.len() - 1];
            assert!(
                found == expected || found == before,
                "{what}: {} entries",
                found.len()
            );
            assert_eq!(
                store.value("a", "key").unwrap(),
                Some(b"value".to_vec()),
                "{what}"
            );
            assert_eq!(store.dead_letters(None, 9).unwrap().len(), 1, "{what}");
            assert!(
                store.blocking().append("a", b"more".to_vec(), None).is_ok(),
                "{what}"
            );
            true
        }
        Err(OpenError::Damaged { .. } | OpenError::Empty { .. }) => false,
        // The version of redb's own format, in the header.
        Err(OpenError::NotAStore { problem, .. }) if problem.contains("old version") => false,
        Err(other) => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_file_cut_at_every_byte_of_its_last_page_opens_or_is_refused() {
    for closed in [false, true] {
        let (bytes, expected) = content(closed);
        let folder = Folder::new();
        let path = folder.file();
        fs::write(&path, &bytes).unwrap();
        assert!(
            opens_or_is_refused(&path, &expected, "the whole file"),
            "it opens"
        );
        // The last page, each byte; before it, around the ends of pages; the header, each byte.
        let last = bytes.len() - PAGE..bytes.len();
        let ends = (PAGE..bytes.len() - PAGE)
            .step_by(PAGE)
            .flat_map(|end| [end - 1, end, end + 1]);
        for cut in last.chain(ends).chain(0..400) {
            fs::write(&path, &bytes[..cut]).unwrap();
            opens_or_is_refused(
                &path,
                &expected,
                &format!("cut at {cut} of {} ({closed})", bytes.len()),
            );
        }
    }
}

#[test]
fn a_file_with_a_changed_page_opens_or_is_refused() {
    for closed in [false, true] {
        let (bytes, expected) = content(closed);
        let folder = Folder::new();
        let path = folder.file();
        let mut refused = 0;
        for page in 1..bytes.len() / PAGE {
            for (offset, length) in [(0, 1), (100, 1), (0, PAGE)] {
                let mut changed = bytes.clone();
                for byte in &mut changed[page * PAGE + offset..][..length] {
                    *byte ^= 0x55;
                }
                fs::write(&path, changed).unwrap();
                let what = format!("page {page}, {length} bytes at {offset} ({closed})");
                refused += usize::from(!opens_or_is_refused(&path, &expected, &what));
            }
        }
        assert!(refused > 0, "no page matters");
    }
}

#[test]
fn a_file_whose_header_is_changed_is_refused_or_opens() {
    let (bytes, expected) = content(false);
    let folder = Folder::new();
    let path = folder.file();
    for at in 9..320 {
        for change in [0x01, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            fs::write(&path, changed).unwrap();
            opens_or_is_refused(&path, &expected, &format!("byte {at} of the header"));
        }
    }
}

#[test]
fn at_the_largest_size_appends_are_refused_and_removals_are_made() {
    let folder = Folder::new();
    let options = StoreOptions::new(folder.file()).with_largest_file(1 << 20);
    let store = Store::open(options).unwrap();
    let changes = store.blocking();
    let mut numbers = Vec::new();
    let error = loop {
        match changes.append("a", vec![1; 10_000], None) {
            Ok(appended) => numbers.push(appended.number()),
            Err(error) => break error,
        }
        assert!(numbers.len() < 110, "it has no limit");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(numbers.len() > 20, "only {} fit", numbers.len());
    assert!(fs::metadata(folder.file()).unwrap().len() <= 1 << 20);
    assert_eq!(store.queue("a", None, usize::MAX).unwrap().len(), numbers.len());
    // Small ones too, until there is no room at all.
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        match changes.append("b", vec![2; 50], None) {
            Ok(_) => {}
            Err(StoreError::Full { .. }) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    for number in &numbers {
        assert_eq!(changes.remove("a", *number), Ok(true));
    }
    assert_eq!(values(&store, "a").len(), 0);
    assert!(
        changes.append("a", vec![1; 10_000], None).is_ok(),
        "there is room again"
    );
}
