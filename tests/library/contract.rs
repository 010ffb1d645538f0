//! The contract in `wit/core`: it resolves, it encodes, every item is documented, and its names and signatures are those
//! that existing components were built against.

use airssys_wasm_test_support::surface;

use std::path::PathBuf;
use surface::{is_use, surface};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{Docs, ManglingAndAbi, PackageId, Resolve, TypeDefKind, WorldId, WorldItem};

/// The packages, in dependency order. They share one folder, so each file is pushed separately.
const PACKAGES: &[&str] = &["types", "multicodec", "messaging", "host", "component"];

/// Every interface of the contract with its types and functions, in the format of `surface`.
///
/// Names and signatures are fixed: existing components must still link. A change here is a new version of the package.
const SURFACE: &str = "\
airssys:types-core/types@1.0.0
  type component-id = string
  type multicodec-id = u64
  type capability = string
  enum log-level { trace, debug, info, warn, error }
  record resource-limits { max-memory-bytes: u64, max-execution-time-ms: u64, max-fuel: option<u64> }
  record resource-allocation { memory-bytes: u64, execution-time-ms: u64, fuel: option<u64> }
  variant caller-info { host, component(component-id), anonymous }
  record trace-context { traceparent: string, tracestate: option<string> }
  enum health-state { healthy, degraded, unhealthy }
  record health-status { state: health-state, message: option<string> }
  record memory-requirements { min-memory-bytes: u64, max-memory-bytes: u64, preferred-memory-bytes: u64 }
  record component-metadata { name: string, version: string, description: string, author: string, \
license: string, required-capabilities: list<capability>, supported-operations: list<string>, \
supported-codecs: list<multicodec-id>, language: string, memory-requirements: memory-requirements, \
timeout-ms: option<u64>, stateful: bool, api-version: string, homepage: option<string>, \
repository: option<string>, tags: list<string>, custom-metadata: option<list<tuple<string, string>>> }
  variant component-error { invalid-config(string), not-found(component-id), not-initialized, \
already-initialized, shut-down, internal(string) }
  variant execution-error { unsupported-operation(string), unsupported-codec(multicodec-id), \
invalid-input(string), capability-denied(capability), timeout, resource-exhausted(string), failed(string) }
airssys:multicodec-core/multicodec-utilities@1.0.0
  use multicodec-id
  record decoded-data { codec: multicodec-id, data: list<u8> }
  record codec-info { id: multicodec-id, name: string, description: string, self-describing: bool }
  variant multicodec-error { empty, truncated-prefix, overlong-prefix, unknown-codec(multicodec-id) }
  encode: func(codec: multicodec-id, data: list<u8>) -> list<u8>
  decode: func(encoded: list<u8>) -> result<decoded-data, multicodec-error>
  is-codec-supported: func(codec: multicodec-id) -> bool
  get-codec-info: func(codec: multicodec-id) -> result<codec-info, multicodec-error>
airssys:messaging-core/messaging@1.0.0
  use component-id
  record incoming-message { sender: component-id, payload: list<u8>, sent-at-millis: u64 }
  variant messaging-error { unknown-target(component-id), mailbox-full(component-id), denied, too-large(u64), closed }
airssys:host-core/host-services@1.0.0
  use component-id
  use component-metadata
  use component-error
  use log-level
  use incoming-message
  use messaging-error
  variant config-error { invalid-key(string), read-only(string), denied, unavailable(string) }
  log: func(level: log-level, message: string, context: option<list<tuple<string, string>>>)
  send-message: func(target: component-id, message: list<u8>) -> result<_, messaging-error>
  receive-message: func() -> result<option<incoming-message>, messaging-error>
  get-config: func(key: string) -> result<option<string>, config-error>
  set-config: func(key: string, value: string) -> result<_, config-error>
  current-time-millis: func() -> u64
  sleep-millis: func(duration: u64)
  list-components: func() -> list<component-id>
  get-component-metadata: func(id: component-id) -> result<component-metadata, component-error>
airssys:host-core/host-capabilities@1.0.0
  variant file-error { denied(string), not-found(string), too-large(u64), io(string) }
  record request { method: string, url: string, headers: list<tuple<string, string>>, body: option<list<u8>>, \
timeout-ms: option<u64> }
  record response { status: u16, headers: list<tuple<string, string>>, body: list<u8> }
  variant http-error { denied(string), invalid-request(string), timeout, connection-failed(string), too-large(u64) }
  variant host-function-error { unknown(string), denied(string), failed(string) }
  read-file: func(path: string) -> result<list<u8>, file-error>
  write-file: func(path: string, data: list<u8>) -> result<_, file-error>
  http-request: func(request: request) -> result<response, http-error>
  call-host-function: func(function-name: string, args: list<u8>) -> result<list<u8>, host-function-error>
airssys:component-core/component-lifecycle@1.0.0
  use component-metadata
  use component-error
  use execution-error
  use health-status
  use multicodec-id
  use capability
  use resource-limits
  use resource-allocation
  use caller-info
  use trace-context
  record component-config { env-vars: list<tuple<string, string>>, config-data: option<list<u8>>, \
resource-limits: resource-limits, granted-capabilities: list<capability> }
  record execution-context { request-id: string, caller: caller-info, available-resources: resource-allocation, \
timeout-ms: u64, trace-context: option<trace-context> }
  init: func(config: component-config) -> result<_, component-error>
  execute: func(operation: list<u8>, context: execution-context) -> result<list<u8>, execution-error>
  metadata: func() -> component-metadata
  health: func() -> health-status
  supported-codecs: func() -> list<multicodec-id>
  shutdown: func() -> result<_, component-error>
";

fn wit_file(name: &str) -> PathBuf {
    airssys_wasm_test_support::root()
        .join("wit/core")
        .join(format!("{name}.wit"))
}

/// Returns the whole contract, with the identities of its packages in the order of `PACKAGES`.
fn contract() -> (Resolve, Vec<PackageId>) {
    let mut resolve = Resolve::default();
    let packages = PACKAGES
        .iter()
        .map(|name| match resolve.push_file(wit_file(name)) {
            Ok(package) => package,
            Err(error) => panic!("{name}.wit does not resolve: {error:#}"),
        })
        .collect();
    (resolve, packages)
}

fn component_world(resolve: &Resolve, packages: &[PackageId]) -> WorldId {
    let package = *packages.last().expect("there are packages");
    resolve
        .select_world(&[package], Some("component"))
        .expect("the world `component` is there")
}

#[test]
fn every_package_resolves_under_its_name() {
    let (resolve, packages) = contract();
    let names: Vec<_> = packages
        .iter()
        .map(|id| resolve.packages[*id].name.to_string())
        .collect();
    let expected: Vec<_> = PACKAGES
        .iter()
        .map(|name| format!("airssys:{name}-core@1.0.0"))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn every_wit_file_is_one_of_the_packages() {
    let folder = wit_file("types")
        .parent()
        .expect("the file lies in a folder")
        .to_path_buf();
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("wit/core can be listed")
        .map(|entry| {
            entry
                .expect("an entry can be read")
                .file_name()
                .into_string()
                .expect("a UTF-8 name")
        })
        .collect();
    found.sort();
    let mut expected: Vec<_> = PACKAGES.iter().map(|name| format!("{name}.wit")).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn names_and_signatures_are_unchanged() {
    let (resolve, packages) = contract();
    let mut found = String::new();
    for package in packages {
        for id in resolve.packages[package].interfaces.values() {
            surface(&resolve, *id, &mut found);
        }
    }
    for (found, expected) in found.lines().zip(SURFACE.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), SURFACE.lines().count());
}

#[test]
fn the_world_has_exactly_these_imports_and_exports() {
    let (resolve, packages) = contract();
    let world = &resolve.worlds[component_world(&resolve, &packages)];
    let names = |items: Vec<&WorldItem>| -> Vec<String> {
        items
            .into_iter()
            .map(|item| match item {
                WorldItem::Interface { id, .. } => resolve.id_of(*id).expect("the interface has a name"),
                other => panic!("not an interface: {other:?}"),
            })
            .collect()
    };
    // The interfaces that hold the shared types are imported too: that is how WIT carries types.
    assert_eq!(
        names(world.imports.values().collect()),
        [
            "airssys:types-core/types@1.0.0",
            "airssys:messaging-core/messaging@1.0.0",
            "airssys:host-core/host-services@1.0.0",
            "airssys:host-core/host-capabilities@1.0.0",
            "airssys:multicodec-core/multicodec-utilities@1.0.0",
        ]
    );
    assert_eq!(
        names(world.exports.values().collect()),
        ["airssys:component-core/component-lifecycle@1.0.0"]
    );
}

#[test]
fn every_item_is_documented() {
    let (resolve, packages) = contract();
    let mut missing = Vec::new();
    for package in packages {
        let package = &resolve.packages[package];
        let mut check = |docs: &Docs, item: String| {
            if docs.contents.as_ref().is_none_or(|text| text.trim().len() < 10) {
                missing.push(format!("{}: {item}", package.name));
            }
        };
        check(&package.docs, "package".to_string());
        for (name, id) in &package.worlds {
            let world = &resolve.worlds[*id];
            check(&world.docs, format!("world {name}"));
            for (key, item) in world.imports.iter().chain(&world.exports) {
                // Interfaces that are imported only for their types are not written down, so have no docs.
                if let WorldItem::Interface { docs, id, .. } = item
                    && !resolve.interfaces[*id].functions.is_empty()
                {
                    check(docs, format!("world {name}, {}", resolve.name_world_key(key)));
                }
            }
        }
        for (name, id) in &package.interfaces {
            let interface = &resolve.interfaces[*id];
            check(&interface.docs, format!("interface {name}"));
            for (function, definition) in &interface.functions {
                check(&definition.docs, format!("{name}.{function}"));
            }
            for (type_name, id) in &interface.types {
                let definition = &resolve.types[*id];
                // A `use` has its documentation where the type is defined.
                if is_use(&resolve, &definition.kind) {
                    continue;
                }
                check(&definition.docs, format!("{name}.{type_name}"));
                match &definition.kind {
                    TypeDefKind::Record(record) => {
                        record
                            .fields
                            .iter()
                            .for_each(|f| check(&f.docs, format!("{type_name}.{}", f.name)));
                    }
                    TypeDefKind::Variant(variant) => {
                        variant
                            .cases
                            .iter()
                            .for_each(|c| check(&c.docs, format!("{type_name}.{}", c.name)));
                    }
                    TypeDefKind::Enum(cases) => {
                        cases
                            .cases
                            .iter()
                            .for_each(|c| check(&c.docs, format!("{type_name}.{}", c.name)));
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "without documentation:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_package_encodes_and_decodes() {
    let (resolve, packages) = contract();
    for package in packages {
        let name = resolve.packages[package].name.to_string();
        let bytes = wit_component::encode(&resolve, package, false)
            .unwrap_or_else(|error| panic!("{name} cannot be encoded: {error:#}"));
        let decoded = wit_component::decode(&bytes)
            .unwrap_or_else(|error| panic!("{name} cannot be decoded: {error:#}"));
        let again = decoded.resolve().packages[decoded.package()].name.to_string();
        assert_eq!(again, name);
    }
}

#[test]
fn the_component_world_becomes_a_valid_component() {
    let (resolve, packages) = contract();
    let world = component_world(&resolve, &packages);
    for encoding in [
        StringEncoding::UTF8,
        StringEncoding::UTF16,
        StringEncoding::CompactUTF16,
    ] {
        let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
        embed_component_metadata(&mut module, &resolve, world, encoding, false)
            .expect("the world can be described in a core module");
        ComponentEncoder::default()
            .module(&module)
            .expect("the module carries its world")
            .validate(true)
            .encode()
            .expect("the module becomes a component that validates");
    }
}

#[test]
fn a_guest_world_that_includes_the_contract_resolves() {
    let (mut resolve, packages) = contract();
    let text = "package my:guest;\nworld guest { include airssys:component-core/component@1.0.0; }\n";
    let guest = resolve
        .push_str("guest.wit", text)
        .expect("the example in the documentation resolves");
    let world = resolve.select_world(&[guest], None).expect("it has one world");
    let contract = component_world(&resolve, &packages);
    assert_eq!(
        resolve.worlds[world].exports.len(),
        resolve.worlds[contract].exports.len()
    );
    assert_eq!(
        resolve.worlds[world].imports.len(),
        resolve.worlds[contract].imports.len()
    );
}
