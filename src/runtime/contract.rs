//! Check that a component follows the contract, and in a supported version.

use semver::Version;

use super::error::RuntimeError;
use crate::component::{Component, ExternType, described};
use crate::host::CONTRACT_VERSION;
use airssys_wasm_component::internal::text;

/// The interface that a component exports, without its version.
const LIFECYCLE: &str = "airssys:component-core/component-lifecycle";

/// The functions of the lifecycle.
const FUNCTIONS: [&str; 6] = [
    "init",
    "execute",
    "metadata",
    "health",
    "supported-codecs",
    "shutdown",
];

/// The contract's packages.
const PACKAGES: [&str; 5] = [
    "airssys:types-core/",
    "airssys:multicodec-core/",
    "airssys:messaging-core/",
    "airssys:host-core/",
    "airssys:component-core/",
];

/// Checks versions and exports. If a component exports several lifecycles in compatible versions, each must be complete.
pub(super) fn check(component: &Component) -> Result<(), RuntimeError> {
    let imports = component.imports().iter().map(|(name, _)| name.as_str());
    if let Some(name) = imports
        .filter(|name| PACKAGES.iter().any(|package| name.starts_with(package)))
        .find(|name| !speaks(name))
    {
        return Err(other_version(name));
    }
    let lifecycles = || {
        let exports = component.exports().iter();
        exports.filter(|(name, _)| base(name) == LIFECYCLE)
    };
    let mut spoken = lifecycles().filter(|(name, _)| speaks(name)).peekable();
    if spoken.peek().is_none() {
        return Err(match lifecycles().next() {
            Some((name, _)) => other_version(name),
            None => RuntimeError::NoLifecycle {
                exports: exports_of(component),
            },
        });
    }
    spoken.try_for_each(|(export, ty)| whole(export, ty))
}

/// Checks that an export has all functions of the lifecycle.
fn whole(export: &str, ty: &ExternType) -> Result<(), RuntimeError> {
    let has = |function: &str| match ty {
        ExternType::Instance(items) => items
            .iter()
            .any(|(name, ty)| name == function && matches!(ty, ExternType::Func(_))),
        _ => false,
    };
    let missing: Vec<_> = FUNCTIONS.into_iter().filter(|function| !has(function)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(RuntimeError::PartialLifecycle {
            export: export.to_owned(),
            missing,
        })
    }
}

fn base(name: &str) -> &str {
    name.split_once('@').map_or(name, |(base, _)| base)
}

/// Reports whether a name's version is compatible with the host's.
fn speaks(name: &str) -> bool {
    let version = |text: &str| Version::parse(text).ok().filter(|version| version.pre.is_empty());
    let theirs = name.split_once('@').and_then(|(_, text)| version(text));
    match (theirs, version(CONTRACT_VERSION)) {
        (Some(theirs), Some(ours)) => theirs.major == ours.major,
        _ => false,
    }
}

fn other_version(name: &str) -> RuntimeError {
    RuntimeError::ContractVersion {
        name: text::brief(&name),
        supported: CONTRACT_VERSION,
    }
}

fn exports_of(component: &Component) -> String {
    let names: Vec<_> = component
        .exports()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let imports = component.imports().iter().map(|(name, _)| name.as_str());
    if let Some(what) = described(names.iter().copied(), imports) {
        text::brief(&what)
    } else if names.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", text::brief(&names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_versions_are_spoken() {
        for name in ["a:b/c@1.0.0", "a:b/c@1.7.2"] {
            assert!(speaks(name), "{name}");
        }
        for name in [
            "a:b/c",
            "a:b/c@2.0.0",
            "a:b/c@0.9.0",
            "a:b/c@1.0.0-rc.1",
            "a:b/c@one",
        ] {
            assert!(!speaks(name), "{name}");
        }
    }
}
