//! The contract's functions that the guest calls. The linker leaves uncalled functions out of its imports.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem};

/// The contract's files, in dependency order.
const FILES: [&str; 8] = [
    "io",
    "clocks",
    "filesystem",
    "random",
    "sockets",
    "cli",
    "http",
    "world",
];
/// The world that includes all of them.
const WORLD: &str = "imports";

/// Returns the functions of `wit/wasi`, by interface and name.
///
/// # Errors
/// If the contract cannot be read.
pub fn functions() -> Result<BTreeSet<String>> {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/wasi");
    let mut last = None;
    for file in FILES {
        let path = folder.join(file).with_extension("wit");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        last = Some(resolve.push_source(file, &text)?);
    }
    let package = last.context("the contract has no files")?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    Ok(of_world(&resolve, world))
}

/// Returns the functions that a component imports or exports.
///
/// # Errors
/// If the bytes are not a component.
pub fn called(component: &[u8]) -> Result<BTreeSet<String>> {
    match wit_component::decode(component)? {
        DecodedWasm::Component(resolve, world) => Ok(of_world(&resolve, world)),
        DecodedWasm::WitPackage(..) => bail!("a package of WIT calls nothing"),
    }
}

fn of_world(resolve: &Resolve, world: wit_parser::WorldId) -> BTreeSet<String> {
    let Some(world) = resolve.worlds.get(world) else {
        return BTreeSet::new();
    };
    let items = world.imports.values().chain(world.exports.values());
    let interfaces = items.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let named = interfaces.filter_map(|id| Some((resolve.id_of(id)?, resolve.interfaces.get(id)?)));
    named
        .flat_map(|(name, interface)| {
            let functions = interface.functions.keys();
            functions.map(move |function| format!("{name}#{function}"))
        })
        .collect()
}
