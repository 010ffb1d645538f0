//! The WIT of WASI in `wit/wasi` matches that of real toolchains: their components carry WIT of their own, and all their
//! WASI imports have the same types and signatures here.

use airssys_wasm_test_support as common;
use airssys_wasm_test_support::surface;

use std::collections::{BTreeMap, BTreeSet};

use airssys_wasm::adapt::{self, Preview1, World};
use common::{built_bytes, fixture};
use surface::surface;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem, WorldKey};

/// The packages, in dependency order.
const PACKAGES: &[&str] = &["io", "clocks", "random", "filesystem", "sockets", "cli", "http"];

/// Components whose toolchains include their own WIT of WASI.
const BUILT: &[&str] = &[
    "text-processor-js",
    "text-processor-qjs",
    "text-processor-py",
    "wasi-http-javascript",
    "wasi-http-python",
];

/// Required imports of all of them together, so that the comparison is meaningful: interfaces without their version.
const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Interfaces by their names without versions, as lines.
type Interfaces = BTreeMap<String, BTreeSet<String>>;

fn add(into: &mut Interfaces, resolve: &Resolve, interface: wit_parser::InterfaceId) {
    let mut text = String::new();
    surface(resolve, interface, &mut text);
    let mut lines = text.lines();
    let id = lines.next().expect("the interface has a name");
    let (name, _version) = id.split_once('@').expect("WASI has versions");
    let lines = lines.map(|line| line.trim().to_owned());
    into.entry(name.to_owned()).or_default().extend(lines);
}

/// Returns the interfaces of `wit/wasi`.
fn ours() -> Interfaces {
    let mut resolve = Resolve::default();
    let mut found = Interfaces::new();
    for name in PACKAGES {
        let path = airssys_wasm_test_support::root().join(format!("wit/wasi/{name}.wit"));
        let package = resolve
            .push_file(&path)
            .unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        for id in resolve.packages[package].interfaces.values() {
            add(&mut found, &resolve, *id);
        }
    }
    found
}

/// Returns the WASI imports and exports of a component.
fn theirs(component: &[u8]) -> Interfaces {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).expect("it is a component")
    else {
        panic!("it is a component, not a package");
    };
    let mut found = Interfaces::new();
    let world = &resolve.worlds[world];
    for (key, item) in world.imports.iter().chain(&world.exports) {
        let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
            continue;
        };
        if resolve.id_of(*id).is_some_and(|name| name.starts_with("wasi:")) {
            add(&mut found, &resolve, *id);
        }
    }
    found
}

/// Returns the lines of `theirs` that are missing in `ours`.
fn strange(name: &str, ours: &Interfaces, theirs: &Interfaces) -> Vec<String> {
    let mut strange = Vec::new();
    for (interface, lines) in theirs {
        match ours.get(interface) {
            None => strange.push(format!("{name}: {interface}")),
            Some(known) => {
                let unknown = lines.difference(known);
                strange.extend(unknown.map(|line| format!("{name}: {interface}: {line}")));
            }
        }
    }
    strange
}

#[test]
fn components_of_real_toolchains_import_what_is_there() {
    let mut components = vec![("text-processor", fixture("text-processor.wasm"))];
    for name in BUILT {
        components.extend(built_bytes(name).map(|bytes| (*name, bytes)));
    }
    if let Some(module) = built_bytes("text-processor-go") {
        let lifted =
            adapt::lift(&module, &World::Contract, Preview1::Adapter).expect("Go's module is lifted");
        components.push(("text-processor-go with the adapter", lifted));
    }
    let complete = components.len() == BUILT.len() + 2;

    let ours = ours();
    let mut failures = Vec::new();
    let mut seen = Interfaces::new();
    for (name, bytes) in &components {
        let theirs = theirs(bytes);
        failures.extend(strange(name, &ours, &theirs));
        for (interface, lines) in theirs {
            seen.entry(interface).or_default().extend(lines);
        }
    }
    for (interface, lines) in &seen {
        println!(
            "{interface}: {} of {}",
            lines.len(),
            ours.get(interface).map_or(0, BTreeSet::len)
        );
    }
    assert!(failures.is_empty(), "not in wit/wasi:\n{}", failures.join("\n"));

    if complete {
        let missing: Vec<_> = INTERFACES
            .iter()
            .filter(|name| !seen.contains_key(**name))
            .collect();
        assert!(
            missing.is_empty(),
            "imported by none, so not compared: {missing:?}"
        );
    }
}

/// The comparison detects differences.
#[test]
fn a_difference_is_found() {
    let ours = ours();
    let mut theirs = Interfaces::new();
    let function = |text: &str| BTreeSet::from([text.to_owned()]);
    theirs.insert("wasi:clocks/wall-clock".into(), function("now: func() -> u64"));
    theirs.insert("wasi:keyvalue/store".into(), BTreeSet::new());
    theirs.insert(
        "wasi:clocks/monotonic-clock".into(),
        function("now: func() -> instant"),
    );
    let found = strange("a", &ours, &theirs);
    assert_eq!(
        found,
        [
            "a: wasi:clocks/wall-clock: now: func() -> u64",
            "a: wasi:keyvalue/store",
        ]
    );
}
