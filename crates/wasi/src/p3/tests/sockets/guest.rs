//! The guest: a component whose functions are those of sockets, with numbers for handles.

use airssys_wasm_component::Result;
use airssys_wasm_component::component::{Component, Instance, Store, TypedFunc};
use airssys_wasm_component::engine::Engine;

use crate::p3::tests::{engines, linker, store};
use crate::sockets::Places;
use crate::{WasiCtxBuilder, WasiLimits, WasiState};

/// Core functions that the guest calls: name, definition, type.
const CALLED: &[(&str, &str, &str)] = &[
    (
        "tcp-create",
        r#"lower (func $types "[static]tcp-socket.create") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "tcp-bind",
        r#"lower (func $types "[method]tcp-socket.bind") REALLOC"#,
        ADDRESS,
    ),
    (
        "tcp-connect",
        r#"lower (func $types "[method]tcp-socket.connect") REALLOC"#,
        ADDRESS,
    ),
    (
        "tcp-listen",
        r#"lower (func $types "[method]tcp-socket.listen") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "tcp-send",
        r#"lower (func $types "[method]tcp-socket.send")"#,
        "(param i32 i32) (result i32)",
    ),
    (
        "tcp-receive",
        r#"lower (func $types "[method]tcp-socket.receive") MEMORY"#,
        "(param i32 i32)",
    ),
    (
        "tcp-local",
        r#"lower (func $types "[method]tcp-socket.get-local-address") REALLOC"#,
        "(param i32 i32)",
    ),
    ("tcp-drop", "resource.drop $tcp", "(param i32)"),
    (
        "udp-create",
        r#"lower (func $types "[static]udp-socket.create") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "udp-bind",
        r#"lower (func $types "[method]udp-socket.bind") REALLOC"#,
        ADDRESS,
    ),
    (
        "udp-connect",
        r#"lower (func $types "[method]udp-socket.connect") REALLOC"#,
        ADDRESS,
    ),
    (
        "udp-disconnect",
        r#"lower (func $types "[method]udp-socket.disconnect") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "udp-local",
        r#"lower (func $types "[method]udp-socket.get-local-address") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "udp-send",
        r#"lower (func $types "[method]udp-socket.send") REALLOC"#,
        "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)",
    ),
    (
        "udp-receive",
        r#"lower (func $types "[method]udp-socket.receive") REALLOC"#,
        "(param i32 i32)",
    ),
    (
        "udp-receive-async",
        r#"lower (func $types "[method]udp-socket.receive") async REALLOC"#,
        "(param i32 i32) (result i32)",
    ),
    ("udp-drop", "resource.drop $udp", "(param i32)"),
    (
        "look-up",
        r#"lower (func $names "resolve-addresses") REALLOC"#,
        "(param i32 i32 i32)",
    ),
    ("bytes-new", "stream.new $bytes", "(result i64)"),
    ("bytes-read", "stream.read $bytes MEMORY", COPY),
    ("bytes-write", "stream.write $bytes MEMORY", COPY),
    ("bytes-drop-read", "stream.drop-readable $bytes", "(param i32)"),
    ("bytes-drop-write", "stream.drop-writable $bytes", "(param i32)"),
    ("sockets-read", "stream.read $sockets MEMORY", COPY),
    ("sockets-read-async", "stream.read $sockets async MEMORY", COPY),
    (
        "sockets-cancel",
        "stream.cancel-read $sockets",
        "(param i32) (result i32)",
    ),
    ("sockets-drop", "stream.drop-readable $sockets", "(param i32)"),
    (
        "end-read",
        "future.read $end REALLOC",
        "(param i32 i32) (result i32)",
    ),
    ("end-drop", "future.drop-readable $end", "(param i32)"),
    ("subtask-cancel", "subtask.cancel", "(param i32) (result i32)"),
    ("subtask-drop", "subtask.drop", "(param i32)"),
    ("return", "task.return (result u32)", "(param i32)"),
];

/// The type of a function of a socket and an address.
const ADDRESS: &str = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)";
/// The type of a copy.
const COPY: &str = "(param i32 i32 i32) (result i32)";

/// Functions of the guest.
const EXPORTS: &[&str] = &[
    "tcp-create",
    "tcp-bind",
    "tcp-connect",
    "tcp-port",
    "tcp-listen",
    "accept",
    "wait-for-connection",
    "cancel-accept",
    "drop-listen",
    "receive",
    "send",
    "read",
    "write",
    "byte",
    "drop-read",
    "drop-write",
    "finish",
    "drop-end",
    "drop-tcp",
    "udp-create",
    "udp-bind",
    "udp-connect",
    "udp-disconnect",
    "udp-port",
    "udp-send",
    "udp-receive",
    "udp-cancel",
    "drop-udp",
    "look-up",
];

/// Returns the guest, built for a version of WASI.
fn text(version: &str) -> String {
    let mut called = String::new();
    let (mut imports, mut exports) = (String::new(), String::new());
    for (name, canon, signature) in CALLED {
        called += &format!("  (core func ${name} (canon {canon}))\n");
        imports += &format!("    (import \"\" \"{name}\" (func ${name} {signature}))\n");
        exports += &format!("    (export \"{name}\" (func ${name}))\n");
    }
    let mut lifted = String::new();
    for name in EXPORTS {
        lifted += &format!(
            "  (func (export \"{name}\") async (param \"a\" u32) (param \"b\" u32) (param \"c\" u32) (result u32)\n    \
             (canon lift (core func $i \"{name}\") async))\n"
        );
    }
    let (types, guest) = (include_str!("imports.wat"), include_str!("guest.wat"));
    format!(
        r#"(component
{types}
  (core module $libc
    (memory (export "mem") 40)
    (global $next (mut i32) (i32.const 4096))
    ;; Hands out memory of 4 KiB to 128 KiB, again and again.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (if (i32.gt_u (i32.add (local.get $at) (local.get 3)) (i32.const 131072))
        (then (local.set $at (i32.const 4096))))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
{called}
  (core module $m
    (import "" "mem" (memory 40))
{imports}
{guest})
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem"))
{exports}))))
{lifted})
"#
    )
    .replace("VERSION", version)
    .replace("REALLOC", r#"MEMORY (realloc (core func $libc "realloc"))"#)
    .replace("MEMORY", r#"(memory (core memory $libc "mem"))"#)
}

fn compile(engine: &Engine, version: &str) -> Component {
    let bytes = wat::parse_str(text(version)).unwrap_or_else(|error| panic!("{error}"));
    Component::new(engine, bytes).unwrap()
}

/// A function of the guest.
pub(super) type Function = TypedFunc<(u32, u32, u32), (u32,)>;

/// An instance of the guest, and its store.
pub(super) struct Guest {
    pub(super) store: Store<WasiState>,
    instance: Instance,
    /// The places of its sockets.
    pub(super) places: Places,
}

impl Guest {
    pub(super) fn new(engine: &Engine, builder: &WasiCtxBuilder) -> Guest {
        let component = compile(engine, "0.3.0");
        let mut store = store(engine, builder);
        let places = store.data().ctx.sockets.clone();
        let instance = linker(engine).instantiate(&mut store, &component).unwrap();
        Guest {
            store,
            instance,
            places,
        }
    }

    pub(super) fn function(&mut self, name: &str) -> Function {
        self.instance.get_typed_func(&mut self.store, name).unwrap()
    }

    /// Calls a function with at most three parameters.
    pub(super) fn attempt(&mut self, name: &str, params: &[u32]) -> Result<u32> {
        let param = |at: usize| params.get(at).copied().unwrap_or(0);
        let params = (param(0), param(1), param(2));
        Ok(self.function(name).call(&mut self.store, params)?.0)
    }

    pub(super) fn call(&mut self, name: &str, params: &[u32]) -> u32 {
        self.attempt(name, params)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Checks that nothing is left of sockets, streams, tasks and resources.
    pub(super) fn is_at_rest(&self) {
        let counts = self.store.concurrency_counts();
        assert_eq!(
            (counts.tasks, counts.waitables, counts.shared),
            (0, 0, 0),
            "{counts:?}"
        );
        assert_eq!((counts.activities, counts.stacks), (0, 0), "{counts:?}");
        assert!(self.store.data().table.is_empty());
        assert_eq!(self.places.left(), WasiLimits::default().sockets);
    }
}

/// Grants of everything on this host.
pub(super) fn granted() -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder.connect("127.0.0.1".parse().unwrap());
    builder.connect("localhost".parse().unwrap());
    builder.listen("*".parse().unwrap());
    builder
}

#[test]
fn every_version_of_0_3_is_served() {
    for engine in engines() {
        for version in ["0.3.0", "0.3.1", "0.3.2"] {
            let component = compile(&engine, version);
            let mut store = store(&engine, &granted());
            linker(&engine).instantiate(&mut store, &component).unwrap();
        }
    }
}
