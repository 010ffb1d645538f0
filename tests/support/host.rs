//! Components for tests of the runtime, built from the contract and a few lines of core WebAssembly.

use std::fmt::Write;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::engine::Backend;
use airssys_wasm::{ComponentId, ComponentRuntime, RuntimeConfig};
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, WorldItem};

pub use crate::{fixture, fixture_path};

pub fn id(text: &str) -> ComponentId {
    text.parse().expect("an identity")
}

/// Creates a runtime on the default backend.
pub fn runtime() -> ComponentRuntime {
    let config = RuntimeConfig::builder().build().expect("the defaults are sound");
    ComponentRuntime::new(config).expect("the contract can be linked")
}

/// Creates a runtime on each backend of this build.
pub fn runtimes() -> Vec<ComponentRuntime> {
    let on = |backend: &Backend| {
        let config = RuntimeConfig::builder().with_backend(*backend).build();
        ComponentRuntime::new(config.expect("it is available")).expect("the contract can be linked")
    };
    let runtimes: Vec<_> = Backend::available().iter().map(on).collect();
    assert!(!runtimes.is_empty(), "a build without backends tests nothing");
    runtimes
}

/// Encodes an operation envelope.
pub fn operation(codec: Codec, name: &str, params: Value) -> Vec<u8> {
    codec::operation(codec, name, &params).expect("it can be written")
}

/// Decodes a payload to its codec, and its data as JSON.
pub fn read(payload: &[u8]) -> (Codec, Value) {
    let payload = codec::decode(payload).expect("a payload");
    (payload.codec, codec::to_json(&payload).expect("it can be read"))
}

/// Executes an operation of a component in JSON.
pub fn ask(runtime: &ComponentRuntime, id: &ComponentId, name: &str, params: Value) -> Value {
    let answer = runtime.execute(id, &operation(Codec::Json, name, params));
    read(&answer.unwrap_or_else(|error| panic!("{name} of {id}: {error}"))).1
}

/// The parts of a hand-written guest; the rest of its life cycle returns zero: success, healthy, empty metadata.
#[derive(Debug)]
pub struct Guest<'a> {
    /// The contract's version.
    pub version: &'a str,
    /// The body of `init`, which returns the address of a `result<_, component-error>`.
    pub init: &'a str,
    /// The body of `execute`, which returns the address of a `result<list<u8>, execution-error>`. It and `more` can call the
    /// functions of the host in [`FUNCTIONS`], and `$answer`.
    pub execute: &'a str,
    /// The body of `metadata`, which returns the address of a `component-metadata`.
    pub metadata: &'a str,
    /// The body of `health`, which returns the address of a `health-status`.
    pub health: &'a str,
    /// The body of `shutdown`.
    pub shutdown: &'a str,
    /// Further items of the module.
    pub more: &'a str,
}

/// Address of zero bytes.
pub const ZERO: &str = "i32.const 0";

impl Default for Guest<'_> {
    fn default() -> Self {
        Guest {
            version: "1.0.0",
            init: ZERO,
            execute: ZERO,
            metadata: ZERO,
            health: ZERO,
            shutdown: ZERO,
            more: "",
        }
    }
}

impl Guest<'_> {
    pub fn build(&self) -> Vec<u8> {
        let Guest {
            version,
            init,
            execute,
            metadata,
            health,
            shutdown,
            more,
        } = self;
        let lifecycle = format!("airssys:component-core/component-lifecycle@{version}");
        let (mut imports, mut wasi_world) = (String::new(), String::new());
        for (name, interface, function, ty) in FUNCTIONS {
            let is_called = execute.contains(name) || more.contains(name);
            // `sleep-millis` is always imported, so that every guest names the contract's version in an import.
            if !is_called && *name != "$sleep" {
                continue;
            }
            let of_wasi = interface.starts_with("wasi:");
            let interface = match of_wasi {
                true => format!("{interface}@0.2.12"),
                false => format!("{interface}@{version}"),
            };
            let _ = write!(
                imports,
                r#"(import "{interface}" "{function}" (func {name} {ty}))"#
            );
            if of_wasi && !wasi_world.contains(&interface) {
                let _ = write!(wasi_world, "import {interface};");
            }
        }
        let core = format!(
            r#"(module
              {imports}
              {REALLOC}
              {ANSWER}
              (func (export "{lifecycle}#init")
                (param i32 i32 i32 i32 i32 i64 i64 i32 i64 i32 i32) (result i32) {init})
              (func (export "{lifecycle}#execute") (param i32) (result i32) {execute})
              (func (export "{lifecycle}#metadata") (result i32) {metadata})
              (func (export "{lifecycle}#health") (result i32) {health})
              (func (export "{lifecycle}#supported-codecs") (result i32) {ZERO})
              (func (export "{lifecycle}#shutdown") (result i32) {shutdown})
              {more})"#
        );
        let world =
            format!("world guest {{ include airssys:component-core/component@{version}; {wasi_world} }}");
        encode(&contract(version, &world), &core)
    }
}

/// Functions of the host that code can call: name in the code, interface, function and type.
pub const FUNCTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "$sleep",
        "airssys:host-core/host-services",
        "sleep-millis",
        "(param i64)",
    ),
    (
        "$log",
        "airssys:host-core/host-services",
        "log",
        "(param i32 i32 i32 i32 i32 i32)",
    ),
    (
        "$send-message",
        "airssys:host-core/host-services",
        "send-message",
        "(param i32 i32 i32 i32 i32)",
    ),
    (
        "$receive-message",
        "airssys:host-core/host-services",
        "receive-message",
        "(param i32)",
    ),
    (
        "$call-host-function",
        "airssys:host-core/host-capabilities",
        "call-host-function",
        "(param i32 i32 i32 i32 i32)",
    ),
    (
        "$decode",
        "airssys:multicodec-core/multicodec-utilities",
        "decode",
        "(param i32 i32 i32)",
    ),
    // Eight random bytes.
    ("$random", "wasi:random/random", "get-random-u64", "(result i64)"),
    // The exit of the program: 0 is success.
    ("$exit", "wasi:cli/exit", "exit", "(param i32)"),
    // A pollable that is ready after the given nanoseconds, and waiting for one.
    (
        "$after",
        "wasi:clocks/monotonic-clock",
        "subscribe-duration",
        "(param i64) (result i32)",
    ),
    ("$block", "wasi:io/poll", "[method]pollable.block", "(param i32)"),
    (
        "$directories",
        "wasi:filesystem/preopens",
        "get-directories",
        "(param i32)",
    ),
    (
        "$open-at",
        "wasi:filesystem/types",
        "[method]descriptor.open-at",
        "(param i32 i32 i32 i32 i32 i32 i32)",
    ),
    (
        "$tcp",
        "wasi:sockets/tcp-create-socket",
        "create-tcp-socket",
        "(param i32 i32)",
    ),
];

/// Returns the address of the answer of an operation: the four bytes of a number.
const ANSWER: &str = r#"
    (func $answer (param i32) (result i32)
      (i32.store (i32.const 1024) (i32.const 0))
      (i32.store (i32.const 1032) (i32.const 1040))
      (i32.store (i32.const 1036) (i32.const 4))
      (i32.store (i32.const 1040) (local.get 0))
      (i32.const 1024))"#;

/// Memory whose first kilobyte stays zero, and an allocator that never frees.
const REALLOC: &str = r#"
    (memory (export "memory") 32)
    (global $next (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))"#;

/// Returns a component that exports each of the host's interfaces, and forwards every call to the host.
pub fn proxy() -> Vec<u8> {
    let interfaces = airssys_wasm::host::INTERFACES.map(|interface| format!("{interface}@1.0.0"));
    let mut world = String::from("world proxy {");
    for interface in &interfaces {
        let _ = write!(world, "import {interface}; export {interface};");
    }
    world.push('}');
    let resolve = contract("1.0.0", &world);
    let (mut imports, mut exports) = (String::new(), String::new());
    let (_, world) = resolve
        .worlds
        .iter()
        .find(|(_, world)| world.name == "proxy")
        .expect("it is there");
    for (key, item) in &world.exports {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = resolve.name_world_key(key);
        for (name, function) in &resolve.interfaces[*id].functions {
            let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
            let params = types(&signature.params);
            let results = types(&signature.results);
            let label = format!("{interface}#{name}");
            let _ = write!(
                imports,
                r#"(import "{interface}" "{name}" (func ${name} (param {params}) (result {results})))"#
            );
            // An import receives the address of its result as the last parameter, an export returns it.
            let taken = signature.params.len() - usize::from(signature.retptr);
            let get: String = (0..taken).map(|index| format!("(local.get {index})")).collect();
            let (own_params, own_results, body) = if signature.retptr {
                let body = format!("(call ${name} {get} (i32.const 4096)) (i32.const 4096)");
                (types(&signature.params[..taken]), "i32".to_owned(), body)
            } else {
                (params, results, format!("(call ${name} {get})"))
            };
            let _ = write!(
                exports,
                r#"(func (export "{label}") (param {own_params}) (result {own_results}) {body})"#
            );
        }
    }
    encode(&resolve, &format!("(module {imports} {REALLOC} {exports})"))
}

fn types(types: &[WasmType]) -> String {
    let name = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    };
    types.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Resolves the contract with another version, and a world of the test's own.
fn contract(version: &str, world: &str) -> Resolve {
    let mut resolve = Resolve::default();
    for name in ["types", "multicodec", "messaging", "host", "component"] {
        let path = crate::root().join("wit/core").join(name).with_extension("wit");
        let text = std::fs::read_to_string(&path).expect("the contract is committed");
        resolve
            .push_str(&path, &text.replace("@1.0.0", &format!("@{version}")))
            .expect("it resolves");
    }
    for name in ["io", "clocks", "random", "filesystem", "sockets", "cli"] {
        let path = crate::root().join("wit/wasi").join(name).with_extension("wit");
        resolve.push_path(&path).expect("it resolves");
    }
    resolve
        .push_str("test.wit", &format!("package test:guest; {world}"))
        .expect("the world resolves");
    resolve
}

/// Encodes a component for the last world of `resolve`.
fn encode(resolve: &Resolve, core: &str) -> Vec<u8> {
    let (world, _) = resolve.worlds.iter().next_back().expect("there is a world");
    let mut module = wat::parse_str(core).unwrap_or_else(|error| panic!("{error}\n{core}"));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false).expect("metadata");
    ComponentEncoder::default()
        .module(&module)
        .expect("the module fits the world")
        .validate(true)
        .encode()
        .unwrap_or_else(|error| panic!("{error:#}"))
}
