//! Snapshots of generated source, in the folder `snapshots`; `BLESS=1` rewrites them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use airssys_wasm_bindgen::{Options, Selection, generate};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> Options {
    let mut options = Options::new("::airssys_wasm");
    options.paths = vec![root().join("tests/wit/accepted").join(name)];
    options
}

/// Returns every snapshot: its name, and its options.
fn snapshots() -> Vec<(&'static str, Options)> {
    let plain = [
        ("deps_folder", "deps-folder"),
        ("docs", "docs.wit"),
        ("empty", "empty.wit"),
        ("fixed_lists", "fixed-lists.wit"),
        ("flags", "flags.wit"),
        ("inline_interfaces", "inline-interfaces.wit"),
        ("keywords", "keywords.wit"),
        ("prelude", "prelude.wit"),
        ("records", "records.wit"),
        ("resources_both", "resources-both.wit"),
        ("resources_exported", "resources-exported.wit"),
        ("resources_imported", "resources-imported.wit"),
        ("resources_world", "resources-world.wit"),
        ("shared_parts", "shared-parts.wit"),
        ("store_names", "store-names.wit"),
        ("streams", "streams.wit"),
        ("variants", "variants.wit"),
        ("versions", "versions"),
        ("world_functions", "world-functions.wit"),
    ];
    let mut all: Vec<_> = plain.map(|(name, file)| (name, fixture(file))).into();

    let mut options = fixture("errors.wit");
    options.trappable_error_type = vec![
        (
            "fixture:errors/kinds/error-code".into(),
            "crate::FileError".into(),
        ),
        ("fixture:errors/files/error".into(), "my::Other".into()),
    ];
    options.trappable_imports = Selection::Only(vec!["fixture:errors/files/size".into(), "log".into()]);
    options.additional_derives = vec!["PartialEq".into(), "Clone".into()];
    all.push(("errors", options));

    let mut options = fixture("async-functions.wit");
    options.world = Some("async-functions".into());
    all.push(("async_functions", options.clone()));
    options.trappable_error_type = vec![(
        "fixture:async-functions/clock/error-code".into(),
        "crate::ClockError".into(),
    )];
    options.trappable_imports = Selection::All;
    options.store_imports = Selection::Only(vec![
        "fixture:async-functions/clock/set".into(),
        "fixture:async-functions/clock/alarm.merge".into(),
        "log".into(),
    ]);
    all.push(("async_functions_traps", options));

    let mut options = fixture("streams.wit");
    options.additional_derives = vec!["PartialEq".into()];
    options.store_imports = Selection::Only(vec!["fixture:streams/flows".into(), "pipe".into()]);
    all.push(("streams_store", options));

    let mut options = fixture("use-chains.wit");
    options.world = Some("all-exported".into());
    options.with = vec![("fixture:use-chains/first/entry".into(), "my::Entry".into())];
    options.name_crate = true;
    options.crate_path = "crate::host".into();
    all.push(("with", options));

    // The contract, whose packages are beside one another.
    let mut options = Options::new("::airssys_wasm");
    let files = ["types", "messaging", "multicodec", "host", "component"];
    options.paths = files
        .map(|name| root().join("wit/core").join(name).with_extension("wit"))
        .into();
    all.push(("contract", options));
    all
}

#[test]
fn sources_are_as_committed() {
    let update = std::env::var_os("BLESS").is_some();
    let snapshots = snapshots();
    assert!(snapshots.len() >= 25);
    for (name, options) in &snapshots {
        let path = folder().join(name).with_extension("rs");
        let output = generate(options).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!output.files.is_empty(), "{name} is made from files");
        if update {
            fs::write(&path, &output.source).expect("written");
            continue;
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if output.source != committed {
            let line = output
                .source
                .lines()
                .zip(committed.lines())
                .position(|(now, then)| now != then);
            panic!(
                "{} differs, first in line {}: look at the difference after BLESS=1",
                path.display(),
                line.unwrap_or_default() + 1,
            );
        }
    }
}

#[test]
fn no_snapshot_is_left_over() {
    let known: BTreeSet<_> = snapshots().iter().map(|(name, _)| format!("{name}.rs")).collect();
    let found: BTreeSet<_> = fs::read_dir(folder())
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(found, known);
}

#[test]
fn the_same_wit_gives_the_same_source() {
    for (name, options) in snapshots() {
        let source = || generate(&options).expect("generated").source;
        assert_eq!(source(), source(), "{name}");
    }
}
