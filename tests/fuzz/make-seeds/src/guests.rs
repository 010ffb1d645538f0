//! The guests that hand on what they get, one for each encoding of strings.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::StringEncoding;

use crate::echo;

pub(crate) fn all(wit: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let wit = fs::read_to_string(wit).with_context(|| wit.display().to_string())?;
    let types = (0..).take_while(|n| {
        [" =", " {"]
            .iter()
            .any(|after| wit.contains(&format!(" t{n}{after}")))
    });
    let (resolve, world) = echo::world(&format!("{wit}{}", functions(types.count())?), "group");
    let encodings = [
        ("utf8", StringEncoding::UTF8),
        ("utf16", StringEncoding::UTF16),
        ("latin1-utf16", StringEncoding::CompactUTF16),
    ];
    let guest = |(name, encoding)| (format!("{name}.wasm"), echo::component(&resolve, world, encoding));
    Ok(encodings.map(guest).into())
}

/// The world of so many types.
fn functions(types: usize) -> Result<String> {
    let names: Vec<String> = (0..types).map(|t| format!("t{t}")).collect();
    let names = names.join(", ");
    let mut host = String::from("probe: func(memory: list<u8>); fill: func() -> list<u8>;");
    let mut guest = String::new();
    for t in 0..types {
        write!(host, "echo{t}: func(value: t{t}) -> t{t};")?;
        write!(guest, "echo{t}: func(value: t{t}) -> t{t};")?;
        write!(guest, "make{t}: func() -> t{t}; give{t}: func();")?;
    }
    Ok(format!(
        "interface host {{ use values.{{{names}}}; {host} }}\n\
         interface guest {{ use values.{{{names}}}; {guest} }}\n\
         world group {{ import host; export guest; }}\n"
    ))
}
