//! Files as streams.

use std::fs;

use airssys_wasm_component::component::{Component, Instance, Store};

use super::{engines, linker, store};
use crate::{FsPerms, WasiCtxBuilder, WasiState};

/// Flags of `open-at`.
const CREATE: u32 = 1;
/// Flags of descriptors.
const READ: u32 = 1;
const WRITE: u32 = 2;
/// One more than the number of an error code.
const BAD_DESCRIPTOR: u32 = 3;
const INVALID: u32 = 12;
const IS_DIRECTORY: u32 = 14;
/// Results of stream operations, in their place.
const DROPPED: u32 = 1 << 8;
const FIVE: u32 = 5 << 12;

fn call(store: &mut Store<WasiState>, instance: &Instance, name: &str, params: (u32, u32, u64)) -> u32 {
    let func = instance
        .get_typed_func::<(u32, u32, u64), (u32,)>(&mut *store, name)
        .unwrap();
    func.call(&mut *store, params).unwrap().0
}

#[test]
fn files_are_streams_with_results() {
    for engine in engines() {
        let folder = std::env::temp_dir().join(format!("airssys-wasip3-files-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_dir(&folder, "/", FsPerms::ReadWrite).unwrap();
        let bytes = wat::parse_str(include_str!("files.wat")).unwrap();
        let component = Component::new(&engine, bytes).unwrap();
        let mut store = store(&engine, &builder);
        let instance = linker(&engine).instantiate(&mut store, &component).unwrap();
        let before = store.concurrency_counts();
        let mut call = |name, params| call(&mut store, &instance, name, params);
        let contents = || fs::read_to_string(folder.join("f")).unwrap();

        assert_eq!(call("write", (CREATE, WRITE, 0)), FIVE);
        assert_eq!(contents(), "hello");
        assert_eq!(call("write", (0, READ | WRITE, 3)), FIVE);
        assert_eq!(contents(), "helhello");
        assert_eq!(call("write", (0, WRITE, u64::MAX)), FIVE);
        assert_eq!(contents(), "helhellohello");
        assert_eq!(call("read", (0, READ, 8)), FIVE);
        // At the end, and far beyond it.
        assert_eq!(call("read", (0, READ, 13)), DROPPED);
        assert_eq!(call("read", (0, READ, 1 << 62)), DROPPED);

        // Failures are values of futures, and the streams are closed.
        assert_eq!(call("write", (0, READ, 0)), DROPPED | BAD_DESCRIPTOR);
        assert_eq!(call("read", (0, WRITE, 0)), DROPPED | BAD_DESCRIPTOR);
        assert_eq!(call("read", (1, READ, 0)), DROPPED | IS_DIRECTORY);
        // An offset that no file has.
        assert_eq!(call("write", (0, WRITE, 1 << 63)), DROPPED | INVALID);
        assert_eq!(call("read", (0, READ, 1 << 63)), DROPPED | INVALID);
        assert_eq!(contents(), "helhellohello");

        assert_eq!(store.concurrency_counts(), before);
        assert!(store.data().table.is_empty());
        let _ = fs::remove_dir_all(&folder);
    }
}
