//! Building blocks of guests: the hostile one and the well-behaved one that it calls or is called by.

use std::fmt::Write;

/// Size of every memory, in bytes.
pub(super) const MEMORY: u32 = 0x1_0000;
/// Address of values that are returned through memory.
pub(super) const RESULT: u32 = 64;
/// Start of a well-behaved guest's heap.
const HEAP: u32 = 0x4000;

/// A core value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Core {
    I32(u32),
    I64(u64),
    F64(f64),
}

impl Core {
    fn ty(self) -> &'static str {
        match self {
            Core::I32(_) => "i32",
            Core::I64(_) => "i64",
            Core::F64(_) => "f64",
        }
    }

    fn text(self) -> String {
        match self {
            Core::I32(value) => format!("(i32.const {value:#x})"),
            Core::I64(value) => format!("(i64.const {value:#x})"),
            Core::F64(value) => format!("(f64.const {value})"),
        }
    }
}

pub(super) fn core_types(values: &[Core]) -> String {
    values.iter().map(|value| format!(" {}", value.ty())).collect()
}

pub(super) fn core_values(values: &[Core]) -> String {
    values.iter().map(|value| value.text()).collect()
}

/// A value type: definitions that build on each other, the last of which is named `t`.
#[derive(Clone, Debug)]
pub(super) struct Ty(Vec<(&'static str, String)>);

impl Ty {
    pub(super) fn new(definition: impl Into<String>) -> Ty {
        Ty(vec![("t", definition.into())])
    }

    /// Returns a type that contains this one, which is named `e` in its definition.
    pub(super) fn element(mut self, definition: impl Into<String>) -> Ty {
        for (name, _) in &mut self.0 {
            if *name == "t" {
                *name = "e";
            }
        }
        self.0.push(("t", definition.into()));
        self
    }

    fn nominal(definition: &str) -> bool {
        ["(enum", "(variant", "(record", "(flags"]
            .iter()
            .any(|kind| definition.starts_with(kind))
    }

    /// Returns the definitions for a component that exports functions of the type.
    pub(super) fn exported(&self) -> String {
        let mut text = String::new();
        for (name, definition) in &self.0 {
            if Ty::nominal(definition) {
                write!(
                    text,
                    "(type ${name}' {definition}) (export ${name} \"{name}\" (type ${name}'))"
                )
                .unwrap();
            } else {
                write!(text, "(type ${name} {definition})").unwrap();
            }
        }
        text
    }

    /// Returns the definitions for the type of an instance with such functions.
    pub(super) fn imported(&self) -> String {
        let mut text = String::new();
        for (name, definition) in &self.0 {
            if Ty::nominal(definition) {
                write!(
                    text,
                    "(type ${name}' {definition}) (export \"{name}\" (type ${name} (eq ${name}')))"
                )
                .unwrap();
            } else {
                write!(text, "(type ${name} {definition})").unwrap();
            }
        }
        text
    }
}

/// Returns an allocator that never frees, and never returns the same memory twice.
pub(super) fn good_realloc() -> String {
    format!(
        r#"(global $next (mut i32) (i32.const {HEAP}))
        (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $next (i32.add (local.get $at) (local.get $size)))
            (if (i32.gt_u (global.get $next) (i32.const {MEMORY})) (then unreachable))
            (if (i32.lt_u (local.get $size) (local.get $old-size)) (then (local.set $old-size (local.get $size))))
            (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
            (local.get $at))"#
    )
}

/// Returns `realloc` with this body; its parameters are `$old`, `$old-size`, `$align`, `$size`.
pub(super) fn realloc(body: &str) -> String {
    format!(
        r#"(func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32) {body})"#
    )
}

pub(super) fn data(segments: &[(u32, Vec<u8>)]) -> String {
    let mut text = String::new();
    for (at, bytes) in segments {
        let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        write!(text, "(data (i32.const {at}) \"{bytes}\")").unwrap();
    }
    text
}

/// Returns the options of a function whose memory and realloc are those of the core instance `$libc`.
pub(super) fn options(encoding: &str) -> String {
    format!(
        r#"(memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) string-encoding={encoding}"#
    )
}

/// Returns a core instance `$libc`. Its `realloc` may call `$new`, which creates a resource.
pub(super) fn libc(realloc: &str, data: &str) -> String {
    if realloc.contains("(call $new ") {
        return format!(
            r#"(type $own-resource (resource (rep i32)))
            (core func $new (canon resource.new $own-resource))
            (core module $libc
                (import "" "new" (func $new (param i32) (result i32)))
                (memory (export "mem") 1) {realloc} {data})
            (core instance $libc (instantiate $libc (with "" (instance (export "new" (func $new))))))"#
        );
    }
    format!(
        r#"(core module $libc (memory (export "mem") 1) {realloc} {data})
        (core instance $libc (instantiate $libc))"#
    )
}

/// The content of a component that exports one function, with core parameters `params` (types) and results `results`.
pub(super) struct Exporter<'a> {
    pub(super) ty: &'a Ty,
    pub(super) name: &'a str,
    /// The function's type, in which `$t` is the value's type.
    pub(super) signature: &'a str,
    pub(super) core_signature: &'a str,
    pub(super) body: &'a str,
    pub(super) encoding: &'a str,
    pub(super) realloc: &'a str,
    pub(super) data: &'a str,
}

impl Exporter<'_> {
    pub(super) fn text(&self) -> String {
        let Exporter {
            name,
            signature,
            core_signature,
            body,
            ..
        } = self;
        format!(
            r#"{types}
            {libc}
            (core module $m (func (export "{name}") {core_signature} {body}))
            (core instance $i (instantiate $m))
            (func (export "{name}") {signature} (canon lift (core func $i "{name}") {options}))"#,
            types = self.ty.exported(),
            libc = libc(self.realloc, self.data),
            options = options(self.encoding),
        )
    }
}

/// The content of a component that imports one function of the instance `host`, and calls it from `run`.
pub(super) struct Caller<'a> {
    pub(super) ty: &'a Ty,
    pub(super) name: &'a str,
    pub(super) signature: &'a str,
    pub(super) core_signature: &'a str,
    /// The body of `run`; the import is `$f`, the memory is memory 0.
    pub(super) body: &'a str,
    pub(super) encoding: &'a str,
    pub(super) realloc: &'a str,
    pub(super) data: &'a str,
}

impl Caller<'_> {
    pub(super) fn text(&self) -> String {
        let Caller {
            name,
            signature,
            core_signature,
            body,
            ..
        } = self;
        format!(
            r#"(import "host" (instance $host {types} (export "{name}" (func {signature}))))
            (alias export $host "{name}" (func $f))
            {libc}
            (core func $f (canon lower (func $f) {options}))
            (core module $m
                (import "" "f" (func $f {core_signature}))
                (import "" "mem" (memory 1))
                (func (export "run") {body}))
            (core instance $i (instantiate $m
                (with "" (instance (export "f" (func $f)) (export "mem" (memory $libc "mem"))))))
            (func (export "run") (canon lift (core func $i "run")))"#,
            types = self.ty.imported(),
            libc = libc(self.realloc, self.data),
            options = options(self.encoding),
        )
    }
}

pub(super) fn component(inside: &str) -> String {
    format!("(component {inside})")
}

/// Composes two components: `provider` becomes `caller`'s import `host`.
pub(super) fn composed(provider: &str, caller: &str) -> String {
    format!(
        r#"(component
            (component $provider {provider})
            (component $caller {caller})
            (instance $p (instantiate $provider))
            (instance $c (instantiate $caller (with "host" (instance $p))))
            (export "run" (func $c "run")))"#
    )
}
