//! The machine-checkable invariants of ARCHITECTURE.md.

#[path = "architecture/language.rs"]
mod language;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    airssys_wasm_test_support::root()
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("readable").path();
            // Generated text that tests compare with is not source code.
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

/// Returns a file's code without comments; string literals are included only with `texts`, since they may name things that
/// code must not use.
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

/// Returns the files under `folders` that contain `word`, as paths from the root.
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

/// Checks as [`none`] does, for words in string literals.
fn none_in_texts(folders: &[&str], words: &[&str]) {
    for path in folders.iter().flat_map(|folder| rust_files(folder)) {
        let text = reading(&path, true);
        for word in words {
            assert!(!text.contains(word), "`{word}` is named in {}", path.display());
        }
    }
}

/// All folders with the product's source code.
const SOURCE: [&str; 3] = ["src", "adapters", "crates"];

#[test]
fn only_the_translation_names_the_translator() {
    let found = naming(&SOURCE, "wasmtime_environ");
    let room = |path: &String| path.starts_with("crates/component/src/component/compile/translate");
    assert!(!found.is_empty() && found.iter().all(room), "{found:?}");
}

#[test]
fn wasmer_is_named_by_engine_component_preview_1_and_wai_only() {
    let found = naming(&SOURCE, "wasmer");
    let foreign: Vec<_> = found
        .iter()
        .filter(|path| {
            let rooms = [
                "crates/component/src/engine/",
                "crates/component/src/component/",
                "crates/wasi/src/preview1/",
                "src/wai/",
            ];
            !rooms.iter().any(|room| path.starts_with(room))
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let wasix = naming(&SOURCE, "wasmer_wasix");
    let foreign: Vec<_> = wasix
        .iter()
        .filter(|path| !path.starts_with("crates/wasi/src/preview1/"))
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
        assert_eq!(naming(&SOURCE, word), files, "{word}");
    }
    none(&["src/wai"], &["crate::runtime"]);
    none(&["src/host"], &["crate::wai"]);
    none(&["src/load"], &["crate::runtime", "crate::host"]);
}

#[test]
fn the_reference_engine_is_named_by_the_conformance_package_only() {
    let found = naming(&["src", "adapters", "crates"], "wasmtime");
    let foreign = |path: &&String| !path.starts_with("crates/conformance/") && !path.contains("/tests/");
    let found: Vec<_> = found.iter().filter(foreign).collect();
    assert!(found.is_empty(), "{found:?}");
    // Its program, which the benchmark starts.
    let installing = ["xtask/src/bench.rs", "xtask/src/programs.rs"];
    assert_eq!(naming(&["xtask"], "wasmtime"), installing);
}

/// Returns the names of all packages that a package depends on with these features, without its dev-dependencies.
fn dependencies(package: &str, features: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .current_dir(root())
        .args([
            "tree",
            "--package",
            package,
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--features", features])
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("names");
    let mut names: Vec<String> = text
        .lines()
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn packages_depend_on_nothing_that_is_not_theirs() {
    let all = "cranelift,llvm,singlepass,interrupt";
    for (package, features, without) in [
        (
            "airssys-wasm-component",
            format!("{all},wave"),
            &[
                "tokio",
                "async-std",
                "hyper",
                "rustls",
                "clap",
                "wast",
                "wasmtime",
                "airssys-wasm",
                "airssys-wasm-wasi",
            ][..],
        ),
        (
            "airssys-wasm-wasi",
            // wasmer-wasix brings clap along, by its dependency libtest-mimic.
            String::new(),
            &["clap", "wast", "wasmtime", "airssys-wasm"],
        ),
        (
            "airssys-wasm-adapt",
            "wasix".to_owned(),
            &["clap", "wast", "wasmtime", "airssys-wasm", "tokio"],
        ),
        (
            "airssys-wasm",
            format!("{all},wasi,adapt,wave"),
            &[
                "clap",
                "wast",
                "wasmtime",
                "airssys-wasm-conformance",
                "airssys-wasm-cli",
            ],
        ),
        (
            "airssys-wasm-cli",
            all.to_owned(),
            &["wasmtime", "wasmer-wasix", "airssys-wasm-test-support"],
        ),
    ] {
        let found = dependencies(package, &features);
        assert!(found.iter().any(|name| name == "wasmer"), "{package}: {found:?}");
        for name in without {
            assert!(
                !found.iter().any(|found| found == name),
                "{package} depends on {name}"
            );
        }
    }
    for package in [
        "airssys-wasm-abi",
        "airssys-wasm-bindgen",
        "airssys-wasm-macros",
        "airssys-wasm-store",
    ] {
        let found = dependencies(package, "");
        for name in [
            "wasmer",
            "airssys-wasm",
            "airssys-wasm-component",
            "wasmtime-environ",
        ] {
            assert!(
                !found.iter().any(|found| found == name),
                "{package} depends on {name}"
            );
        }
    }
}

#[test]
fn engine_and_component_know_nothing_above_them() {
    let component = "crates/component/src/component";
    let engine = "crates/component/src/engine";
    none(
        &[engine, component],
        &["crate::artifact", "crate::tiered", "crate::wave"],
    );
    none(&[engine], &["crate::component"]);
    none(
        &["crates/component/src"],
        &["airssys:", "component-lifecycle", "host-services"],
    );
}

#[test]
fn adapters_and_wasi_know_nothing_of_the_contract() {
    none_in_texts(&["adapters"], &["airssys:", "component-lifecycle"]);
    none_in_texts(&["crates/wasi/src"], &["component-lifecycle", "host-services"]);
}

#[test]
fn the_program_names_the_cluster_in_two_files_only() {
    let mut found = naming(&["crates/cli/src"], "airssys_wasm_cluster");
    found.sort();
    assert_eq!(
        found,
        ["crates/cli/src/host/cluster.rs", "crates/cli/src/host/join.rs"]
    );
}

#[test]
fn the_database_is_named_by_the_store_only() {
    let found = naming(&SOURCE, "redb");
    assert!(!found.is_empty(), "the check finds nothing");
    assert!(
        found.iter().all(|path| path.starts_with("crates/store/")),
        "{found:?}"
    );
}

#[test]
fn rooms_import_one_way() {
    none(
        &["src/host", "src/codec", "src/security", "src/messaging"],
        &["crate::runtime"],
    );
    none(&["src/codec", "src/security", "src/messaging"], &["crate::host"]);
    // The runtime's documentation names it, and nothing else.
    for room in [
        "host",
        "codec",
        "security",
        "messaging",
        "load",
        "manifest",
        "runtime",
    ] {
        none(&[&format!("src/{room}")], &["crate::actors"]);
    }
    none(
        &["src/codec", "src/security"],
        &["crate::component", "crate::engine"],
    );
}

#[test]
fn one_file_of_wasi_names_an_executor() {
    assert_eq!(naming(&SOURCE, "async_std"), ["crates/wasi/src/executor.rs"]);
    for path in rust_files("crates/wasi/src") {
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
        // Public types are written by hand, and derive their conversions.
        let code = reading(&path, false);
        let mut parts = code.split("#[derive(");
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.filter_map(|part| part.split_once(")]"));
        let code = rest.fold(first, |code, (_, rest)| code + rest);
        for word in words {
            assert!(!names(&code, word), "`{word}` is named in {}", path.display());
        }
    }
    assert_eq!(naming(&["src"], "bindgen"), ["src/host/bindings.rs"]);
}

#[test]
fn unsafe_code_is_where_it_is_named() {
    let found = naming(&["src", "adapters", "crates", "xtask"], "unsafe");
    assert_eq!(
        found,
        [
            "src/wai/support.rs",
            "crates/cli/src/unsigned.rs",
            "crates/component/src/artifact/open.rs",
            "crates/component/src/component/call/core_call/direct.rs",
            "crates/component/src/engine/interrupt/active/cpu_clock.rs",
            "crates/component/src/engine/interrupt/active/signal.rs",
            "crates/component/src/engine/interrupt/active/target.rs",
            "crates/component/src/engine/interrupt/active/thread.rs",
            "crates/component/src/engine/load/code.rs",
            "crates/component/src/engine/load/core_module.rs",
            "crates/component/src/engine/load/mapped/map.rs",
            "crates/component/src/engine/load/mapped/mod.rs",
            "crates/component/src/engine/load/mapped/tests.rs",
            "crates/component/src/engine/load/mapped/unwind.rs",
            "crates/component/src/engine/memory/dummy.rs",
            "crates/component/src/engine/memory/global.rs",
            "crates/component/src/engine/memory/guest.rs",
            "crates/component/src/engine/memory/linear.rs",
            "crates/component/src/engine/memory/reservation.rs",
            "crates/component/src/engine/run/fiber.rs",
            "crates/component/src/engine/run/instance/imports.rs",
            "crates/component/src/engine/run/instance/make.rs",
            "crates/component/src/engine/run/instance/plan.rs",
            "crates/component/src/engine/run/instance/tables.rs",
            "crates/component/src/engine/run/store.rs",
            "crates/component/src/engine/run/tunables.rs",
            "crates/conformance/tests/conformance/porting/trust.rs",
            "crates/llvm/src/library/functions.rs",
            "crates/llvm/src/library/mod.rs",
            "crates/llvm/tests/load.rs",
        ]
    );
    let opted_out = naming(&["src", "adapters", "crates", "xtask"], "unsafe_code");
    assert_eq!(opted_out, found);
}

#[test]
fn files_stay_small() {
    for path in ["src", "adapters", "crates", "xtask", "tests"]
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
