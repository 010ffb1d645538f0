//! The invariants of ARCHITECTURE.md that a machine can check.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("readable").path();
            // Generated text that tests compare with is nobody's code.
            if path.ends_with("snapshots") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(
        !files.is_empty(),
        "{folder} has no Rust files: the check looks in the wrong place"
    );
    files.sort();
    files
}

/// What a file says: with `texts`, all but its comments; without, its code alone, so that texts may name what code
/// may not.
fn reading(path: &Path, texts: bool) -> String {
    let source = fs::read_to_string(path).expect("readable");
    let mut out = String::new();
    for line in source.lines() {
        let mut rest = line.chars().peekable();
        let mut within = false;
        while let Some(character) = rest.next() {
            match character {
                '\\' if within => {
                    rest.next();
                }
                '\'' if !within && rest.peek() == Some(&'"') => {
                    rest.next();
                }
                '"' => within = !within,
                '/' if !within && rest.peek() == Some(&'/') => break,
                _ if within && !texts => {}
                _ => out.push(character),
            }
        }
        out.push('\n');
    }
    out
}

fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let ident = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].chars().next_back().is_some_and(ident)
            && !code[at + word.len()..].chars().next().is_some_and(ident)
    })
}

/// The files under `folders` that name `word`, as paths from the root.
fn naming(folders: &[&str], word: &str) -> Vec<String> {
    let files = folders.iter().flat_map(|folder| rust_files(folder));
    files
        .filter(|path| names(&reading(path, false), word))
        .map(|path| {
            path.strip_prefix(root())
                .expect("below the root")
                .display()
                .to_string()
        })
        .collect()
}

fn none(folders: &[&str], words: &[&str]) {
    for word in words {
        let found = naming(folders, word);
        assert!(found.is_empty(), "`{word}` is named in {found:?}");
    }
}

/// As [`none`], for words that would stand in texts.
fn none_in_texts(folders: &[&str], words: &[&str]) {
    for path in folders.iter().flat_map(|folder| rust_files(folder)) {
        let text = reading(&path, true);
        for word in words {
            assert!(!text.contains(word), "`{word}` is named in {}", path.display());
        }
    }
}

#[test]
fn only_the_translation_names_the_translator() {
    let found = naming(&["src", "adapters"], "wasmtime_environ");
    let room =
        |path: &str| path == "src/component/translate.rs" || path.starts_with("src/component/translate/");
    assert!(
        !found.is_empty() && found.iter().all(|path| room(path)),
        "{found:?}"
    );
}

#[test]
fn wasmer_is_named_by_engine_component_preview_1_and_wai_only() {
    let found = naming(&["src", "adapters"], "wasmer");
    let foreign: Vec<_> = found
        .iter()
        .filter(|path| {
            let rooms = ["src/engine/", "src/component/", "src/wasi/preview1/", "src/wai/"];
            !rooms.iter().any(|room| path.starts_with(room))
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let wasix = naming(&["src", "adapters"], "wasmer_wasix");
    let foreign: Vec<_> = wasix
        .iter()
        .filter(|path| !path.starts_with("src/wasi/preview1/"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(found.len() > 5, "the check finds too little: {found:?}");
}

#[test]
fn the_tools_of_wai_are_named_in_their_room() {
    for (word, files) in [
        ("wai_glue", &["src/wai/glue.rs", "src/wai/support.rs"][..]),
        (
            "wai_parser",
            &["src/wai/contract.rs", "src/wai/guard.rs", "src/wai/reach.rs"][..],
        ),
        ("wai_bindgen_wasmer", &["src/lib.rs"][..]),
    ] {
        assert_eq!(naming(&["src", "adapters"], word), files, "{word}");
    }
    none(&["src/wai"], &["crate::runtime"]);
    none(
        &["src/engine", "src/component", "src/host", "src/wasi"],
        &["crate::wai"],
    );
}

#[test]
fn the_reference_engine_is_named_in_one_room() {
    let found = naming(&["src", "adapters", "xtask"], "wasmtime");
    let room =
        |path: &str| path == "src/conformance/reference.rs" || path.starts_with("src/conformance/reference/");
    assert!(
        !found.is_empty() && found.iter().all(|path| room(path)),
        "{found:?}"
    );
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    assert!(manifest.contains("wasmtime = { workspace = true, optional = true }"));
    let default = manifest
        .lines()
        .find(|line| line.starts_with("default = "))
        .expect("default features");
    assert!(!default.contains("reference"), "{default}");
}

#[test]
fn conformance_stands_beside_the_contract() {
    let rooms = [
        "crate::runtime",
        "crate::host",
        "crate::codec",
        "crate::messaging",
        "crate::security",
    ];
    none(&["src/conformance", "src/wave"], &rooms);
    none(
        &["src/engine", "src/component", "src/host", "src/runtime"],
        &["crate::conformance", "crate::wave"],
    );
}

#[test]
fn engine_and_component_know_nothing_above_them() {
    let rooms = [
        "crate::runtime",
        "crate::host",
        "crate::codec",
        "crate::messaging",
        "crate::security",
        "crate::artifact",
    ];
    none(&["src/engine", "src/component"], &rooms);
    none(&["src/engine"], &["crate::component"]);
    none(
        &["src/engine", "src/component"],
        &["airssys:", "component-lifecycle", "host-services"],
    );
}

#[test]
fn adapters_know_nothing_of_engine_runtime_and_contract() {
    none(&["adapters"], &["wasmer", "airssys_wasm", "wasmtime_environ"]);
    none_in_texts(&["adapters"], &["airssys:", "component-lifecycle"]);
}

#[test]
fn rooms_import_one_way() {
    none(
        &["src/host", "src/codec", "src/security", "src/messaging"],
        &["crate::runtime"],
    );
    none(&["src/codec", "src/security", "src/messaging"], &["crate::host"]);
    none(
        &["src/codec", "src/security"],
        &["crate::component", "crate::engine"],
    );
}

#[test]
fn wasi_stands_beside_the_contract() {
    let above = [
        "crate::runtime",
        "crate::host",
        "crate::codec",
        "crate::messaging",
        "crate::security",
        "crate::artifact",
    ];
    none(&["src/wasi"], &above);
    none_in_texts(&["src/wasi"], &["component-lifecycle", "host-services"]);
    none(
        &[
            "src/engine",
            "src/component",
            "src/host",
            "src/artifact",
            "src/codec",
        ],
        &["crate::wasi"],
    );
}

#[test]
fn one_file_of_wasi_names_an_executor() {
    assert_eq!(naming(&["src"], "async_std"), ["src/wasi/executor.rs"]);
    for path in rust_files("src/wasi") {
        let code = reading(&path, false);
        if !path.ends_with("executor.rs") {
            assert!(
                !code.contains("tokio::spawn") && !code.contains("tokio::runtime"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn the_contract_crosses_as_it_is_generated() {
    let words = [
        "Val",
        "Lower",
        "Lift",
        "LowerContext",
        "LiftContext",
        "TypeContext",
        "TypedFunc",
        "FlatValues",
        "FlatReader",
        "func_wrap",
        "func_new",
    ];
    for path in ["src/host", "src/runtime"]
        .iter()
        .flat_map(|room| rust_files(room))
    {
        // Types that people read are declared by hand, and derive how they cross.
        let code = reading(&path, false);
        let mut parts = code.split("#[derive(");
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.filter_map(|part| part.split_once(")]"));
        let code = rest.fold(first, |code, (_, rest)| code + rest);
        for word in words {
            assert!(!names(&code, word), "`{word}` is named in {}", path.display());
        }
    }
    let found = naming(&["src"], "bindgen");
    let foreign = |path: &&String| {
        !path.starts_with("src/component/") && !path.starts_with("src/bin/") && !path.starts_with("src/wasi/")
    };
    let found: Vec<_> = found.iter().filter(foreign).collect();
    assert_eq!(found, ["src/host/bindings.rs"]);
}

#[test]
fn unsafe_code_is_where_it_is_named() {
    let found = naming(&["src", "adapters", "xtask"], "unsafe");
    assert_eq!(
        found,
        [
            "src/artifact/open.rs",
            "src/bin/airssys-wasm/unsigned.rs",
            "src/engine/code.rs",
            "src/engine/core_module.rs",
            "src/engine/empty_memory.rs",
            "src/engine/linear.rs",
            "src/engine/memory.rs",
            "src/engine/region.rs",
            "src/engine/signal.rs",
            "src/engine/store.rs",
            "src/engine/tunables.rs",
            "src/wai/support.rs"
        ]
    );
    let opted_out = naming(&["src", "adapters", "xtask"], "unsafe_code");
    assert_eq!(opted_out, found);
}

#[test]
fn files_stay_small() {
    for path in ["src", "adapters", "xtask", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
    {
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_check_tells_words_from_parts_of_words() {
    assert!(names("use wasmer::Store;", "wasmer"));
    assert!(!names("use wasmer_types::Store;", "wasmer"));
    assert!(!names("use my_wasmer::Store;", "wasmer"));
}
