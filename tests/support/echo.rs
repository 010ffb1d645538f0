//! A guest that forwards its arguments, for any types: a core module generated from WIT.
//!
//! Its world imports an interface `host` and exports an interface `guest`. For each function `echo*` that both have,
//! with one parameter and a result of the same type, the guest
//!
//! - exports `echo*`: stores its core parameters at [`DUMP`], passes its memory to the host's `probe`, calls the host's
//!   `echo*` with them, passes its memory again, with the result at [`RESULT`], and returns that;
//! - exports `make*: func() -> t`, if there is one: returns the value at [`RESULT`] after the host's `fill` has
//!   overwritten all memory from [`DUMP`] on;
//! - exports `give*: func()`, if there is one: calls the host's `echo*` with the core parameters at [`DUMP`] after
//!   `fill`, then passes its memory to `probe`.
//!
//! The memory before a call does not depend on earlier calls: post-return fills it with [`POISON`].

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Function, InterfaceId, Resolve, WorldId, WorldItem};

/// Address of the core parameters, 8 bytes each.
pub const DUMP: usize = 0x1000;
/// Address of results.
pub const RESULT: usize = 0x1100;
/// Start of the heap of `realloc`.
pub const HEAP: usize = 0x3000;
/// Size of the memory, in bytes.
pub const MEMORY: usize = 0x1_0000;
/// Every byte of memory before a call.
pub const POISON: u8 = 0xaa;

/// Address of the pointer and length that `fill` returns.
const FILL: usize = 0x800;

/// Parses a world.
pub fn world(wit: &str, name: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("echo.wit", wit)
        .unwrap_or_else(|error| panic!("{error:#}"));
    let world = resolve
        .select_world(&[package], Some(name))
        .unwrap_or_else(|error| panic!("{error:#}"));
    (resolve, world)
}

/// Builds the guest of a world, as a component.
pub fn component(resolve: &Resolve, world: WorldId, encoding: StringEncoding) -> Vec<u8> {
    let mut module = wat::parse_str(module(resolve, world)).expect("the module parses");
    embed_component_metadata(&mut module, resolve, world, encoding, false).expect("the world is encoded");
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.module(&module);
    let encoded = encoder.and_then(|encoder| encoder.encode());
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}

fn interface<'a>(
    resolve: &Resolve,
    mut items: impl Iterator<Item = &'a WorldItem>,
    name: &str,
) -> InterfaceId {
    items
        .find_map(|item| match item {
            WorldItem::Interface { id, .. } if resolve.interfaces[*id].name.as_deref() == Some(name) => {
                Some(*id)
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("the world has an interface `{name}`"))
}

fn module(resolve: &Resolve, world: WorldId) -> String {
    let world = &resolve.worlds[world];
    let host = interface(resolve, world.imports.values(), "host");
    let guest = interface(resolve, world.exports.values(), "guest");
    let host_name = resolve.id_of(host).expect("a named interface");
    let guest_name = resolve.id_of(guest).expect("a named interface");
    let mut text = String::from("(module\n");
    for (name, function) in &resolve.interfaces[host].functions {
        let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
        let ty = signature_text(&signature);
        writeln!(
            text,
            "(import \"{host_name}\" \"{name}\" (func $host-{name} {ty}))"
        )
        .unwrap();
    }
    writeln!(
        text,
        r#"(memory (export "memory") {pages} {pages})
        (global $end (mut i32) (i32.const {HEAP}))
        (func $reset
            (memory.fill (i32.const 0) (i32.const {POISON}) (i32.const {MEMORY}))
            (global.set $end (i32.const {HEAP})))
        (start $reset)
        (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32)
            (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $end) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $end (i32.add (local.get $at) (local.get $size)))
            (if (i32.gt_u (global.get $end) (i32.const {MEMORY})) (then unreachable))
            (if (i32.lt_u (local.get $size) (local.get $old-size))
                (then (local.set $old-size (local.get $size))))
            (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
            (local.get $at))
        (func $probe (call $host-probe (i32.const 0) (i32.const {MEMORY})))
        (func $fill
            (global.set $end (i32.const {DUMP}))
            (call $host-fill (i32.const {FILL}))
            (global.set $end (i32.const {HEAP})))"#,
        pages = MEMORY / 0x1_0000,
    )
    .unwrap();
    for (name, function) in &resolve.interfaces[guest].functions {
        let echo = ["echo", "make", "give"]
            .iter()
            .find_map(|prefix| Some(format!("echo{}", name.strip_prefix(prefix)?)))
            .unwrap_or_else(|| panic!("a function `{name}`"));
        let Some(host_echo) = resolve.interfaces[host].functions.get(&echo) else {
            panic!("the host has a function `{echo}`");
        };
        export(&mut text, resolve, &guest_name, function, host_echo);
    }
    text.push_str(")\n");
    text
}

/// Writes an exported function, and its post-return.
fn export(text: &mut String, resolve: &Resolve, interface: &str, function: &Function, host_echo: &Function) {
    let (name, host) = (&function.name, &host_echo.name);
    let imported = resolve.wasm_signature(AbiVariant::GuestImport, host_echo);
    let exported = resolve.wasm_signature(AbiVariant::GuestExport, function);
    let results: String = exported
        .results
        .iter()
        .map(|ty| format!("{} ", core(*ty)))
        .collect();
    let ty = signature_text(&exported);
    writeln!(text, "(func (export \"{interface}#{name}\") {ty}").unwrap();
    if name.starts_with("make") {
        writeln!(text, "(call $fill) {})", result(&exported)).unwrap();
    } else {
        let own_params = if imported.retptr {
            imported.params.len() - 1
        } else {
            imported.params.len()
        };
        let params = imported.params.iter().take(own_params).enumerate();
        let from_dump = name.starts_with("give");
        if from_dump {
            text.push_str("(call $fill)\n");
        } else {
            for (index, ty) in params.clone() {
                let at = DUMP + 8 * index;
                writeln!(text, "({}.store (i32.const {at}) (local.get {index}))", core(*ty)).unwrap();
            }
            text.push_str("(call $probe)\n");
        }
        if !imported.retptr {
            writeln!(text, "(i32.const {RESULT})").unwrap();
        }
        for (index, ty) in params {
            let at = DUMP + 8 * index;
            writeln!(text, "({}.load (i32.const {at}))", core(*ty)).unwrap();
        }
        if imported.retptr {
            writeln!(text, "(i32.const {RESULT})").unwrap();
        }
        writeln!(text, "(call $host-{host})").unwrap();
        if let [ty] = imported.results[..] {
            writeln!(text, "{}.store", core(ty)).unwrap();
        }
        text.push_str("(call $probe)\n");
        if !from_dump {
            text.push_str(&result(&exported));
        }
        text.push_str(")\n");
    }
    let params = if results.is_empty() {
        String::new()
    } else {
        format!("(param {results})")
    };
    writeln!(
        text,
        "(func (export \"cabi_post_{interface}#{name}\") {params} (call $reset))"
    )
    .unwrap();
}

/// Returns the result of an exported function: its address, or the value itself.
fn result(exported: &WasmSignature) -> String {
    if exported.retptr {
        return format!("(i32.const {RESULT})");
    }
    match exported.results[..] {
        [ty] => format!("({}.load (i32.const {RESULT}))", core(ty)),
        _ => String::new(),
    }
}

fn signature_text(signature: &WasmSignature) -> String {
    let list = |types: &[WasmType]| {
        types
            .iter()
            .map(|ty| format!(" {}", core(*ty)))
            .collect::<String>()
    };
    let mut text = format!("(param{})", list(&signature.params));
    if !signature.results.is_empty() {
        write!(text, " (result{})", list(&signature.results)).unwrap();
    }
    text
}

fn core(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
