//! Reads WIT, and selects the world.

use std::path::{Path, PathBuf};

use wit_parser::{
    PackageId, ParseError, ParseErrorKind, ParsedUsePath, Resolve, ResolveError, ResolveErrorKind, WorldId,
    parse_use_path,
};

use crate::error::{Error, Place};
use crate::options::Options;

/// The name of inline text in messages.
const INLINE: &str = "inline";

/// WIT that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
    pub(crate) files: Vec<PathBuf>,
}

pub(crate) fn read(options: &Options) -> Result<Source, Error> {
    let mut resolve = Resolve::new();
    resolve.all_features = options.all_features;
    resolve.features.extend(options.features.iter().cloned());
    let mut files = Vec::new();
    let mut main = None;
    for path in &options.paths {
        main = Some(push(&mut resolve, path, &mut files)?);
    }
    if let Some(text) = &options.inline {
        let pushed = resolve.push_str(INLINE, text);
        main = Some(pushed.map_err(|error| unreadable(&resolve, &error))?);
    }
    let main = main.ok_or(Error::NoInput)?;
    let world = choose(&resolve, main, options.world.as_deref())?;
    Ok(Source {
        resolve,
        world,
        files,
    })
}

fn push(resolve: &mut Resolve, path: &Path, files: &mut Vec<PathBuf>) -> Result<PackageId, Error> {
    if !path.exists() {
        return Err(Error::NoFile(path.to_owned()));
    }
    let (package, sources) = resolve
        .push_path(path)
        .map_err(|error| unreadable(resolve, &error))?;
    files.extend(sources.paths().map(Path::to_owned));
    Ok(package)
}

/// Converts the parser's error, with a remedy if it has none.
fn unreadable(resolve: &Resolve, error: &anyhow::Error) -> Error {
    let hint = error.chain().find_map(|layer| {
        if let Some(error) = layer.downcast_ref::<ParseError>() {
            return parse_hint(error.kind());
        }
        layer
            .downcast_ref::<ResolveError>()
            .and_then(|error| resolve_hint(error.kind()))
    });
    Error::Wit {
        message: resolve.render_error(error),
        hint,
    }
}

fn parse_hint(kind: &ParseErrorKind) -> Option<&'static str> {
    match kind {
        ParseErrorKind::TypeCycle { .. } => Some(
            "a WIT type cannot contain itself: put the parts in a list and refer to them by index, or use a resource",
        ),
        ParseErrorKind::ItemNotFound { .. } => {
            Some("define it, or import it with `use`; an item with `@unstable` needs its feature")
        }
        ParseErrorKind::Syntax { message, .. } if message.contains("keyword") => {
            Some("put a `%` before a name that is a WIT keyword")
        }
        ParseErrorKind::Syntax { message, .. } if message.contains("flags") => {
            Some("split the flags into several types")
        }
        ParseErrorKind::Lex(_) | ParseErrorKind::Syntax { .. } => Some("fix the syntax there"),
        _ => None,
    }
}

fn resolve_hint(kind: &ResolveErrorKind) -> Option<&'static str> {
    match kind {
        ResolveErrorKind::PackageNotFound { .. } => {
            Some("put the package into the folder `deps`, or give its path before this one")
        }
        ResolveErrorKind::DuplicatePackage { .. } => Some("remove one of them"),
        ResolveErrorKind::PackageCycle { .. } => Some("move the items that both need to a third package"),
        ResolveErrorKind::WorldNotFound { .. } | ResolveErrorKind::InterfaceNotFound { .. } => Some(
            "check the name, and that the package has this version; an item with `@unstable` needs its feature",
        ),
        _ => None,
    }
}

fn choose(resolve: &Resolve, main: PackageId, name: Option<&str>) -> Result<WorldId, Error> {
    let worlds = &resolve.packages[main].worlds;
    let Some(name) = name else {
        let mut ids = worlds.values();
        return match (ids.next(), ids.next()) {
            (Some(world), None) => Ok(*world),
            _ => Err(Error::WhichWorld {
                worlds: known(resolve, main),
            }),
        };
    };
    let plain = worlds.get(name.trim_start_matches('%')).copied();
    let found = match parse_use_path(name) {
        _ if plain.is_some() => plain,
        Ok(ParsedUsePath::Package(package, name)) => {
            let package = resolve.package_names.get(&package).copied().or_else(|| {
                // Without a version, the only package with that name.
                let mut found = resolve.package_names.iter().filter(|(other, _)| {
                    package.version.is_none()
                        && (&other.namespace, &other.name) == (&package.namespace, &package.name)
                });
                match (found.next(), found.next()) {
                    (Some((_, id)), None) => Some(*id),
                    _ => None,
                }
            });
            package.and_then(|package| resolve.packages[package].worlds.get(&name).copied())
        }
        Ok(ParsedUsePath::Name(_)) | Err(_) => None,
    };
    found.ok_or_else(|| Error::UnknownWorld {
        name: name.to_owned(),
        worlds: known(resolve, main),
    })
}

/// Returns the names of the worlds: those of the main package alone, those of others in full.
fn known(resolve: &Resolve, main: PackageId) -> Vec<String> {
    let mut known = Vec::new();
    for (id, package) in resolve.packages.iter() {
        for (name, world) in &package.worlds {
            let place = Place::of(resolve, resolve.worlds[*world].span);
            let name = if id == main {
                name.clone()
            } else {
                package.name.interface_id(name)
            };
            known.push((id != main, format!("`{name}` ({place})")));
        }
    }
    known.sort();
    known.into_iter().map(|(_, text)| text).collect()
}
