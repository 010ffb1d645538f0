//! Opening files that are no stores, or are in use.

use std::fs;

use airssys_wasm_store::{OpenError, Store, StoreOptions};
use redb::{Database, TableDefinition};

use super::{Folder, open, values};

fn refused(folder: &Folder) -> OpenError {
    Store::open(StoreOptions::new(folder.file())).expect_err("it is refused")
}

#[test]
fn a_missing_file_is_created_if_that_is_allowed_and_nothing_else_is_left() {
    let folder = Folder::new();
    let options = StoreOptions::new(folder.file());
    let error = Store::open(options.clone().with_create(false)).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    drop(Store::open(options.clone()).unwrap());
    drop(Store::open(options.with_create(false)).unwrap());
    let names: Vec<_> = fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["host.redb"]);
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(folder.open());
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_empty_file_is_never_a_store() {
    let folder = Folder::new();
    fs::write(folder.file(), b"").unwrap();
    let error = refused(&folder);
    assert!(matches!(error, OpenError::Empty { .. }), "{error}");
    assert!(error.to_string().contains("restore it from a copy"), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), b"", "it stays as it is");
}

#[test]
fn other_files_are_recognized_and_stay_as_they_are() {
    let folder = Folder::new();
    for content in [&b"a"[..], b"hello, this is a text", &[0; 5000], b"redc"] {
        fs::write(folder.file(), content).unwrap();
        let error = refused(&folder);
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
        assert_eq!(fs::read(folder.file()).unwrap(), content);
    }
    fs::remove_file(folder.file()).unwrap();
    fs::create_dir(folder.file()).unwrap();
    let error = refused(&folder);
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
}

#[test]
fn a_redb_file_of_another_program_is_recognized() {
    let folder = Folder::new();
    let database = Database::create(folder.file()).unwrap();
    drop(database);
    assert!(matches!(refused(&folder), OpenError::NotAStore { .. }));
    // With a table of the same name and another type.
    let database = Database::create(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let table: TableDefinition<'_, u32, u32> = TableDefinition::new("meta");
    transaction.open_table(table).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refused(&folder), OpenError::NotAStore { .. }));
}

#[test]
fn a_newer_format_is_refused_with_the_remedy() {
    let folder = Folder::new();
    drop(folder.open());
    let database = Database::create(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refused(&folder);
    let OpenError::Newer {
        found: 2,
        supported: 1,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert!(error.to_string().contains("use a newer one"), "{error}");
}

#[test]
fn a_file_in_use_is_refused_until_it_is_closed() {
    let folder = Folder::new();
    let store = folder.open();
    let error = refused(&folder);
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    store.blocking().append("a", b"x".to_vec(), None).unwrap();
    drop(store);
    assert_eq!(values(&open(&folder.file()), "a").len(), 1);
}

#[test]
fn stores_that_are_created_at_the_same_time_are_one() {
    for _ in 0..20 {
        let folder = Folder::new();
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || scope.spawn(|| Store::open(StoreOptions::new(folder.file())));
            let threads = [open(), open(), open()];
            threads.map(|thread| thread.join().unwrap()).into()
        });
        let in_use = |result: &&Result<Store, OpenError>| matches!(result, Err(OpenError::InUse { .. }));
        let open = opened.iter().filter(|result| result.is_ok()).count();
        assert_eq!((open, opened.iter().filter(in_use).count()), (1, 2), "{opened:?}");
    }
}

#[test]
fn a_folder_that_is_missing_is_an_error_with_its_path() {
    let error = Store::open(StoreOptions::new("/absent/folder/host.redb")).unwrap_err();
    let OpenError::Io { path, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(path.starts_with("/absent/folder"));
}

#[test]
fn options_outside_their_ranges_are_refused() {
    let folder = Folder::new();
    let options = || StoreOptions::new(folder.file());
    for refused in [
        options().with_largest_file(1000),
        options().with_waiting(0, 1),
        options().with_waiting(1, 0),
    ] {
        assert!(matches!(Store::open(refused), Err(OpenError::Options(_))));
    }
    assert!(!folder.file().exists());
}
