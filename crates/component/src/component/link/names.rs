//! Matching of import and export names by semver-compatible version.
//!
//! Implements the component model's rule: `a:b/c@1.2.3` stands for every version 1.x.y, `@0.2.3` for 0.2.x, `@0.0.3`
//! and pre-releases for themselves alone.

use std::collections::HashMap;

use semver::Version;

/// Splits a name into the part that must be equal and the version. `None` if the whole name must be equal.
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

/// Looks `wanted` up among names: an equal one, or else the highest compatible version.
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

/// Values by name, in the order of insertion. A lookup takes the same time for any number of names.
#[derive(Clone)]
pub(crate) struct NameMap<V> {
    items: Vec<(String, V)>,
    exact: HashMap<String, usize>,
    /// The highest version on each compatible track.
    tracks: HashMap<String, (Version, usize)>,
}

impl<V> NameMap<V> {
    pub(crate) fn new() -> NameMap<V> {
        NameMap {
            items: Vec::new(),
            exact: HashMap::new(),
            tracks: HashMap::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.items.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn place(&self, name: &str) -> Option<usize> {
        if let Some(place) = self.exact.get(name) {
            return Some(*place);
        }
        let (track, _) = compatible(name)?;
        self.tracks.get(&track).map(|(_, place)| *place)
    }

    /// Returns the value of the equal name, or else of the highest compatible version.
    pub(crate) fn find(&self, name: &str) -> Option<&V> {
        self.items.get(self.place(name)?).map(|(_, value)| value)
    }

    /// As [`NameMap::find`], with mutable access to the value.
    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut V> {
        let place = self.place(name)?;
        self.items.get_mut(place).map(|(_, value)| value)
    }

    /// Returns the value of the equal name.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let place = *self.exact.get(name)?;
        self.items.get_mut(place).map(|(_, value)| value)
    }

    /// Inserts a value, in place of that of an equal name.
    pub(crate) fn insert(&mut self, name: &str, value: V) {
        if let Some(place) = self.get_mut(name) {
            *place = value;
            return;
        }
        let place = self.items.len();
        self.items.push((name.to_owned(), value));
        self.exact.insert(name.to_owned(), place);
        if let Some((track, version)) = compatible(name) {
            let highest = self
                .tracks
                .entry(track)
                .or_insert_with(|| (version.clone(), place));
            if highest.0 < version {
                *highest = (version, place);
            }
        }
    }
}

/// Returns names with the same package and interface as `wanted` but another version, for error messages.
pub(crate) fn other_versions<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<&'a str> {
    let base = wanted.split_once('@').map_or(wanted, |(base, _)| base);
    names
        .filter(|name| name.split_once('@').map_or(*name, |(base, _)| base) == base && *name != wanted)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks a name up in both ways, which must agree.
    fn look_up(names: &[&'static str], wanted: &str) -> Option<&'static str> {
        let found = find(names.iter().map(|name| (*name, *name)), wanted);
        let mut map = NameMap::new();
        for name in names {
            map.insert(name, *name);
        }
        assert_eq!(map.find(wanted).copied(), found);
        assert_eq!(map.find_mut(wanted).copied(), found);
        found
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
