//! The way from a path to a folder and a name in it.

use std::io;

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Access, io as failure, told};
use crate::host::bindings::airssys::host_core::host_capabilities::FileError;

/// Links that are followed on the way to one file. Stops links that lead to one another.
const MAX_LINKS: usize = 40;

/// The place of a file, whether or not the file exists.
pub(super) struct Place {
    pub(super) folder: Dir,
    pub(super) name: String,
}

/// The next step on the way.
enum Step {
    Found(Place),
    /// A link leads to the path with these components.
    Link(Vec<String>),
}

/// Finds the place of the file at `path`: not that of a link.
///
/// Each path, the first one and those that links lead to, is checked before the file system is asked about it. So links
/// reveal nothing about files that are not granted.
pub(super) fn locate(path: &str, access: &impl Access) -> Result<Place, FileError> {
    let mut components = components(path);
    let mut required = None;
    for _ in 0..=MAX_LINKS {
        let base = match access.check(&joined(&components)) {
            Ok(base) => base,
            Err(capability) => {
                // Of the path that the component knows: it has no business with where links lead.
                let capability = required.unwrap_or(capability);
                return Err(FileError::Denied(capability.into()));
            }
        };
        match step(&components, &base).map_err(|error| told(path, &error))? {
            Step::Found(place) => return Ok(place),
            Step::Link(target) => components = target,
        }
        required.get_or_insert_with(|| access.required(path));
    }
    Err(failure("too many symbolic links"))
}

/// Walks from the granted path `base` to the last folder of a path.
fn step(components: &[String], base: &str) -> io::Result<Step> {
    let Some((name, folders)) = components.split_last() else {
        return Err(io::Error::other("it is a folder"));
    };
    // The granted path can be the file itself.
    let depth = self::components(base).len().min(folders.len());
    let mut folder = Dir::open_ambient_dir(joined(&folders[..depth]), ambient_authority())?;
    for (at, component) in folders.iter().enumerate().skip(depth) {
        folder = match folder.open_dir_nofollow(component) {
            Ok(inner) => inner,
            Err(error) => {
                return match folder.symlink_metadata(component) {
                    Ok(found) if found.is_symlink() => Ok(Step::Link(target(&folder, components, at)?)),
                    _ => Err(error),
                };
            }
        };
    }
    match folder.symlink_metadata(name) {
        Ok(found) if found.is_symlink() => Ok(Step::Link(target(&folder, components, folders.len())?)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(Step::Found(Place {
            folder,
            name: name.clone(),
        })),
    }
}

/// Returns the path that results if the component at `at`, a link in `folder`, is replaced by its target. No component before
/// it is a link, so `..` is the folder before.
fn target(folder: &Dir, components: &[String], at: usize) -> io::Result<Vec<String>> {
    let target = folder.read_link_contents(&components[at])?;
    let Some(target) = target.to_str() else {
        return Err(io::Error::other("a symbolic link is not UTF-8"));
    };
    let mut path = match target.starts_with('/') {
        true => Vec::new(),
        false => components[..at].to_vec(),
    };
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(path.pop()),
            component => path.push(component.to_owned()),
        }
    }
    path.extend_from_slice(&components[at + 1..]);
    Ok(path)
}

/// Returns the components of a checked path, without empty ones and `.`.
fn components(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
        .map(str::to_owned)
        .collect()
}

fn joined(components: &[String]) -> String {
    format!("/{}", components.join("/"))
}
