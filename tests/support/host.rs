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
pub struct Guest {
    /// The contract's version.
    pub version: &'static str,
    /// The body of `init`, which returns the address of a `result<_, component-error>`.
    pub init: &'static str,
    /// The body of `execute`, which returns the address of a `result<list<u8>, execution-error>`. Can call `$sleep` and
    /// `$call-host-function`.
    ///
    /// Guests that call `$random`, `$after` or `$block`, here or in `more`, import WASI: eight random bytes, a pollable
    /// that is ready after the given nanoseconds, waiting for one.
    pub execute: &'static str,
    /// The body of `metadata`, which returns the address of a `component-metadata`.
    pub metadata: &'static str,
    /// The body of `shutdown`.
    pub shutdown: &'static str,
    /// Further items of the module.
    pub more: &'static str,
}

/// Address of zero bytes.
pub const ZERO: &str = "i32.const 0";

impl Default for Guest {
    fn default() -> Guest {
        Guest {
            version: "1.0.0",
            init: ZERO,
            execute: ZERO,
            metadata: ZERO,
            shutdown: ZERO,
            more: "",
        }
    }
}

impl Guest {
    pub fn build(&self) -> Vec<u8> {
        let Guest {
            version,
            init,
            execute,
            metadata,
            shutdown,
            more,
        } = self;
        let lifecycle = format!("airssys:component-core/component-lifecycle@{version}");
        let calls = |name| execute.contains(name) || more.contains(name);
        let (wasi_world, wasi) = match ["$random", "$after", "$block"].into_iter().any(calls) {
            true => (WASI_WORLD, WASI_IMPORTS),
            false => ("", ""),
        };
        let function = match calls("$call-host-function") {
            true => format!(
                r#"(import "airssys:host-core/host-capabilities@{version}" "call-host-function"
                  (func $call-host-function (param i32 i32 i32 i32 i32)))"#
            ),
            false => String::new(),
        };
        let core = format!(
            r#"(module
              {wasi}
              (import "airssys:host-core/host-services@{version}" "sleep-millis" (func $sleep (param i64)))
              {function}
              {REALLOC}
              (func (export "{lifecycle}#init")
                (param i32 i32 i32 i32 i32 i64 i64 i32 i64 i32 i32) (result i32) {init})
              (func (export "{lifecycle}#execute") (param i32) (result i32) {execute})
              (func (export "{lifecycle}#metadata") (result i32) {metadata})
              (func (export "{lifecycle}#health") (result i32) {ZERO})
              (func (export "{lifecycle}#supported-codecs") (result i32) {ZERO})
              (func (export "{lifecycle}#shutdown") (result i32) {shutdown})
              {more})"#
        );
        let world =
            format!("world guest {{ include airssys:component-core/component@{version}; {wasi_world} }}");
        encode(&contract(version, &world), &core)
    }
}

const WASI_WORLD: &str = "import wasi:random/random@0.2.12; import wasi:clocks/monotonic-clock@0.2.12;";

const WASI_IMPORTS: &str = r#"
    (import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))"#;

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
    for name in ["io", "clocks", "random"] {
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
