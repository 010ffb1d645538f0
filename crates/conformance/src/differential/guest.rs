//! Components that forward their arguments, generated from types, as text.
//!
//! A component imports an interface `host` and exports an interface `guest`, with the same types and functions. Each
//! function of `guest` calls the function of the same name of `host` with its own arguments, and returns its result.
//! Several such components in one, each the host of the next, make values cross fused adapters, from one string encoding to
//! another.

use std::fmt::{self, Write};

use anyhow::{Context, Result};

use super::abi::{Core, Signature, size_bound};
use super::types::{Batch, Body, Declared, Type};

/// The imported interface.
pub const HOST: &str = "differential:echo/host";
/// The exported interface.
pub const GUEST: &str = "differential:echo/guest";

/// String encoding of a component.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Encoding {
    Utf8,
    Utf16,
    CompactUtf16,
}

impl Encoding {
    pub const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::CompactUtf16];

    pub(crate) fn option(self) -> &'static str {
        match self {
            Encoding::Utf8 => "string-encoding=utf8",
            Encoding::Utf16 => "string-encoding=utf16",
            Encoding::CompactUtf16 => "string-encoding=latin1+utf16",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "utf8",
            Encoding::Utf16 => "utf16",
            Encoding::CompactUtf16 => "compact-utf16",
        })
    }
}

/// Returns the name of a function.
pub fn function(index: usize) -> String {
    format!("echo{index}")
}

/// Returns a component's binary form.
///
/// # Errors
/// If the text does not parse.
pub fn binary(text: &str) -> Result<Vec<u8>> {
    wat::parse_str(text).context("a guest's text")
}

/// Returns a component's text: one part for each encoding, the one that calls the host first.
pub fn text(batch: &Batch, encodings: &[Encoding]) -> String {
    if let [encoding] = encodings {
        return format!(
            "(component\n{})",
            Part {
                batch,
                encoding: *encoding
            }
        );
    }
    let mut text = format!("(component\n{}", Import(batch));
    let mut host = String::from("$host");
    for (index, encoding) in encodings.iter().enumerate() {
        let part = Part {
            batch,
            encoding: *encoding,
        };
        text += &format!(
            "(component $part{index}\n{part})\n\
             (instance $instance{index} (instantiate $part{index} (with \"{HOST}\" (instance {host}))))\n\
             (alias export $instance{index} \"{GUEST}\" (instance $guest{index}))\n"
        );
        host = format!("$guest{index}");
    }
    text + &format!("(export \"{GUEST}\" (instance {host})))")
}

/// The import of the host.
struct Import<'a>(&'a Batch);

impl fmt::Display for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "(import \"{HOST}\" (instance $host")?;
        for declared in &self.0.declared {
            let name = &declared.name;
            writeln!(f, "(type ${name}-body {})", Text(&**declared))?;
            writeln!(f, "(export \"{name}\" (type ${name} (eq ${name}-body)))")?;
        }
        for index in 0..self.0.functions.len() {
            writeln!(f, "(export \"{}\" {})", function(index), Func(self.0, index))?;
        }
        writeln!(f, "))")
    }
}

/// The component type of a function.
struct Func<'a>(&'a Batch, usize);

impl fmt::Display for Func<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        for (index, ty) in self.0.functions[self.1].iter().enumerate() {
            write!(f, " (param \"p{index}\" {})", Text(ty))?;
        }
        write!(f, " (result {}))", Text(&self.0.result(self.1)))
    }
}

/// The content of one component.
struct Part<'a> {
    batch: &'a Batch,
    encoding: Encoding,
}

/// Memory of a guest. Used memory is filled with a pattern after each call, so that no data survives into the next one.
pub(crate) const MEMORY: &str = r#"(core module $memory
(memory (export "memory") 1)
(global $end (mut i32) (i32.const 16))
(start $clear)
(func $clear (memory.fill (i32.const 0) (i32.const 0xaa) (i32.const 0x10000)))
(func $reset
  (memory.fill (i32.const 0) (i32.const 0xaa) (global.get $end))
  (global.set $end (i32.const 16)))
(func (export "reset-i32") (param i32) (call $reset))
(func (export "reset-i64") (param i64) (call $reset))
(func (export "reset-f32") (param f32) (call $reset))
(func (export "reset-f64") (param f64) (call $reset))
(func $realloc (export "realloc")
  (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and
    (i32.add (global.get $end) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
  (global.set $end (i32.add (local.get $at) (local.get $size)))
  (loop $grow
    (if (i32.gt_u (global.get $end) (i32.mul (memory.size) (i32.const 0x10000)))
      (then
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
        (br $grow))))
  (if (i32.lt_u (local.get $size) (local.get $old-size)) (then (local.set $old-size (local.get $size))))
  (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
  (local.get $at))
(func (export "room") (param $size i32) (result i32)
  (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $size))))
(core instance $memory (instantiate $memory))
(alias core export $memory "memory" (core memory $memory))
(alias core export $memory "realloc" (core func $realloc))
"#;

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Part { batch, encoding } = self;
        let options = format!("(memory $memory) (realloc $realloc) {}", encoding.option());
        write!(f, "{}{MEMORY}", Import(batch))?;
        for core in Core::ALL.map(Core::name) {
            writeln!(
                f,
                "(alias core export $memory \"reset-{core}\" (core func $reset-{core}))"
            )?;
        }
        for declared in &batch.declared {
            let name = &declared.name;
            writeln!(f, "(alias export $host \"{name}\" (type ${name}))")?;
        }
        let signatures: Vec<Signature> = (0..batch.functions.len())
            .map(|index| Signature::new(&batch.functions[index], &batch.result(index)))
            .collect();
        for index in 0..signatures.len() {
            let name = function(index);
            writeln!(f, "(alias export $host \"{name}\" (func $host-{name}))")?;
            writeln!(
                f,
                "(core func $host-{name} (canon lower (func $host-{name}) {options}))"
            )?;
        }
        writeln!(
            f,
            "(core module $echo\n(import \"\" \"room\" (func $room (param i32) (result i32)))"
        )?;
        for (index, signature) in signatures.iter().enumerate() {
            import(f, &function(index), signature)?;
        }
        for (index, signature) in signatures.iter().enumerate() {
            echo(f, &function(index), signature, size_bound(&batch.result(index)))?;
        }
        f.write_str(")\n(core instance $echo (instantiate $echo (with \"\" (instance")?;
        f.write_str(" (export \"room\" (func $memory \"room\"))")?;
        for index in 0..signatures.len() {
            let name = function(index);
            writeln!(f, "(export \"{name}\" (func $host-{name}))")?;
        }
        f.write_str("))))\n")?;
        for (index, signature) in signatures.iter().enumerate() {
            let name = function(index);
            let reset = signature.result.unwrap_or(Core::I32).name();
            writeln!(f, "(type $type-{name} {})", Func(batch, index))?;
            writeln!(
                f,
                "(func ${name} (type $type-{name}) (canon lift (core func $echo \"{name}\") {options} \
                 (post-return $reset-{reset})))"
            )?;
        }
        f.write_str("(instance $guest")?;
        for declared in &batch.declared {
            let name = &declared.name;
            writeln!(f, " (export \"{name}\" (type ${name}))")?;
        }
        for index in 0..signatures.len() {
            let name = function(index);
            writeln!(f, " (export \"{name}\" (func ${name}))")?;
        }
        writeln!(f, ")\n(export \"{GUEST}\" (instance $guest))")
    }
}

fn import(f: &mut fmt::Formatter<'_>, name: &str, signature: &Signature) -> fmt::Result {
    write!(f, "(import \"\" \"{name}\" (func $host-{name}")?;
    for ty in &signature.params {
        write!(f, " (param {})", ty.name())?;
    }
    match signature.result {
        Some(ty) => writeln!(f, " (result {})))", ty.name()),
        None => writeln!(f, " (param i32)))"),
    }
}

/// Writes a core function that forwards its parameters.
fn echo(f: &mut fmt::Formatter<'_>, name: &str, signature: &Signature, size: usize) -> fmt::Result {
    write!(f, "(func (export \"{name}\")")?;
    for ty in &signature.params {
        write!(f, " (param {})", ty.name())?;
    }
    writeln!(f, " (result {})", signature.result.unwrap_or(Core::I32).name())?;
    if signature.result.is_none() {
        writeln!(
            f,
            "(local $at i32) (local.set $at (call $room (i32.const {size})))"
        )?;
    }
    write!(f, "(call $host-{name}")?;
    for index in 0..signature.params.len() {
        write!(f, " (local.get {index})")?;
    }
    match signature.result {
        Some(_) => writeln!(f, "))"),
        None => writeln!(f, " (local.get $at)) (local.get $at))"),
    }
}

/// A type in the text format.
pub(crate) struct Text<'a, T>(pub(crate) &'a T);

impl fmt::Display for Text<'_, Type> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Scalar(scalar) => f.write_str(scalar.name()),
            Type::String => f.write_str("string"),
            Type::List(element) => write!(f, "(list {})", Text(&**element)),
            Type::Fixed(element, length) => write!(f, "(list {} {length})", Text(&**element)),
            Type::Tuple(types) => {
                f.write_str("(tuple")?;
                types.iter().try_for_each(|ty| write!(f, " {}", Text(ty)))?;
                f.write_char(')')
            }
            Type::Option(payload) => write!(f, "(option {})", Text(&**payload)),
            Type::Result(ok, err) => {
                f.write_str("(result")?;
                if let Some(ok) = ok {
                    write!(f, " {}", Text(&**ok))?;
                }
                if let Some(err) = err {
                    write!(f, " (error {})", Text(&**err))?;
                }
                f.write_char(')')
            }
            Type::Declared(declared) => write!(f, "${}", declared.name),
        }
    }
}

impl fmt::Display for Text<'_, Declared> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.body {
            Body::Record(fields) => {
                f.write_str("(record")?;
                let mut each = fields.iter();
                each.try_for_each(|(label, ty)| write!(f, " (field \"{label}\" {})", Text(ty)))?;
            }
            Body::Variant(cases) => {
                f.write_str("(variant")?;
                for (label, ty) in cases {
                    match ty {
                        Some(ty) => write!(f, " (case \"{label}\" {})", Text(ty))?,
                        None => write!(f, " (case \"{label}\")")?,
                    }
                }
            }
            Body::Enum(labels) => {
                f.write_str("(enum")?;
                labels.iter().try_for_each(|label| write!(f, " \"{label}\""))?;
            }
            Body::Flags(labels) => {
                f.write_str("(flags")?;
                labels.iter().try_for_each(|label| write!(f, " \"{label}\""))?;
            }
        }
        f.write_char(')')
    }
}
