//! A guest that makes a library panic: the program's own exit code, and an error instead of a panic message.

use crate::process::{airssys, scratch_file};

/// wasmer-wasix 0.704.2 asserts that a link's parent is a folder. Paths of a module with shared memory are not checked
/// before.
const ASSERTED: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "memory" (memory 1 1 shared))
    (export "memory" (memory 0))
    (data (i32.const 100) "file/x")
    (func (export "_start")
        (drop (call $symlink (i32.const 100) (i32.const 1) (i32.const 3) (i32.const 100) (i32.const 6)))))"#;

#[test]
fn a_librarys_panic_ends_the_program_in_4_with_an_error_that_names_the_import() {
    let module = scratch_file(
        "asserted.wasm",
        &wat::parse_str(ASSERTED).expect("the text parses"),
    );
    let folder = std::env::temp_dir().join(format!("airssys-panics-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("file"), "").expect("a file");
    let dir = format!("{}::/data", folder.display());
    let ran = airssys(&["run", &module, "--preview1", "host", "--dir", &dir]).ended(4);
    ran.says("`wasi_snapshot_preview1#path_symlink` panicked");
    ran.says("wasmer-wasix-0.704.2/src/syscalls/wasi/path_symlink.rs");
    assert!(!ran.stderr.contains("thread '"), "{}", ran.stderr);
    std::fs::remove_dir_all(&folder).expect("it is there");
}
