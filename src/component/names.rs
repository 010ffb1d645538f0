//! Matching the names of imports and exports by semver-compatible version.
//!
//! Implements the component model's rule: `a:b/c@1.2.3` stands for every version 1.x.y, `@0.2.3` for 0.2.x,
//! `@0.0.3` and pre-releases for themselves alone.

use semver::Version;

/// A name without the part of its version that may differ, and the version. `None` if it has to match as is.
fn compatible(name: &str) -> Option<(String, Version)> {
    let (base, version) = name.split_once('@')?;
    let version = Version::parse(version).ok()?;
    if !version.pre.is_empty() {
        return None;
    }
    let track = match (version.major, version.minor) {
        (0, 0) => return None,
        (0, minor) => format!("{base}@0.{minor}"),
        (major, _) => format!("{base}@{major}"),
    };
    Some((track, version))
}

/// Looks `wanted` up among names: as it is, or else the highest compatible version.
pub(crate) fn find<'a, V>(items: impl Iterator<Item = (&'a str, V)> + Clone, wanted: &str) -> Option<V> {
    if let Some((_, value)) = items.clone().find(|(name, _)| *name == wanted) {
        return Some(value);
    }
    let (track, _) = compatible(wanted)?;
    items
        .filter_map(|(name, value)| {
            let (other, version) = compatible(name)?;
            (other == track).then_some((version, value))
        })
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, value)| value)
}

/// Names with the same package and interface as `wanted` but another version, for error messages.
pub(crate) fn other_versions<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<&'a str> {
    let base = wanted.split_once('@').map_or(wanted, |(base, _)| base);
    names
        .filter(|name| name.split_once('@').map_or(*name, |(base, _)| base) == base && *name != wanted)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(names: &[&'static str], wanted: &str) -> Option<&'static str> {
        find(names.iter().map(|name| (*name, *name)), wanted)
    }

    #[test]
    fn versions_match_on_their_compatible_track() {
        assert_eq!(look_up(&["a:b/c@1.0.0"], "a:b/c@1.0.0"), Some("a:b/c@1.0.0"));
        assert_eq!(
            look_up(&["a:b/c@1.2.0", "a:b/c@1.10.0", "a:b/c@2.0.0"], "a:b/c@1.1.0"),
            Some("a:b/c@1.10.0")
        );
        assert_eq!(look_up(&["a:b/c@0.2.6"], "a:b/c@0.2.0"), Some("a:b/c@0.2.6"));
        assert_eq!(look_up(&["a:b/c@0.3.0"], "a:b/c@0.2.0"), None);
        assert_eq!(look_up(&["a:b/c@0.0.2"], "a:b/c@0.0.1"), None);
        assert_eq!(look_up(&["a:b/c@1.0.0-rc.1"], "a:b/c@1.0.0"), None);
        assert_eq!(look_up(&["a:b/c"], "a:b/c@1.0.0"), None);
        assert_eq!(look_up(&["a:b/d@1.0.0"], "a:b/c@1.0.0"), None);
    }

    #[test]
    fn other_versions_are_named() {
        let names = ["a:b/c@1.0.0", "a:b/d@1.0.0"];
        assert_eq!(other_versions(names.into_iter(), "a:b/c@2.0.0"), ["a:b/c@1.0.0"]);
    }
}
