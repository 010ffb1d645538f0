//! The host's policy on the objects below a folder: the path that each object has for it, and the questions to it.

use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

use super::error::FileError;
use crate::access::{AccessPolicy, Basis, FileAction};
use crate::bindings::wasi::filesystem::types::ErrorCode;

type Result<T> = std::result::Result<T, FileError>;

/// Actions of which any one lets a component look at an object: its type, size and timestamps, or a link's target.
pub(super) const LOOK: &[FileAction] = &FileAction::ALL;

/// The policy on one object.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    policy: Arc<dyn AccessPolicy>,
    basis: Basis,
    /// The object's paths for the policy, in normal form. A folder that the host itself grants has two if links lead to
    /// it, and each must be permitted.
    paths: Vec<String>,
}

impl Guard {
    pub(super) fn new(policy: Arc<dyn AccessPolicy>, basis: Basis, paths: Vec<String>) -> Guard {
        Guard { policy, basis, paths }
    }

    /// Returns the guard of the object at a path below.
    pub(super) fn below<'a>(&self, components: impl IntoIterator<Item = &'a str> + Clone) -> Guard {
        let extend = |path: &String| {
            let mut path = path.trim_end_matches('/').to_owned();
            for component in components.clone() {
                path.push('/');
                path.push_str(component);
            }
            match path.is_empty() {
                true => "/".to_owned(),
                false => path,
            }
        };
        Guard {
            policy: self.policy.clone(),
            basis: self.basis,
            paths: self.paths.iter().map(extend).collect(),
        }
    }

    fn each(&self, mut check: impl FnMut(&str) -> bool) -> Result<()> {
        match self.paths.iter().all(|path| check(path)) {
            true => Ok(()),
            false => Err(ErrorCode::Access.into()),
        }
    }

    /// Asks for an action.
    pub(super) fn check(&self, action: FileAction) -> Result<()> {
        self.each(|path| self.policy.file(action, path, self.basis).is_ok())
    }

    /// Asks for any one of some actions. The first that is permitted is recorded, or else a denial of the first.
    pub(super) fn check_any(&self, actions: &[FileAction]) -> Result<()> {
        let permitted = actions.iter().find(|action| self.permits(**action));
        permitted
            .or(actions.first())
            .map_or(Ok(()), |action| self.check(*action))
    }

    /// Returns whether an action is permitted, without a record.
    pub(super) fn permits(&self, action: FileAction) -> bool {
        let permitted = |path: &String| self.policy.permits_file(action, path, self.basis);
        self.paths.iter().all(permitted)
    }

    /// Asks again for an action on what is open. Only a denial is recorded: the permission was recorded when it was opened.
    pub(super) fn still(&self, action: FileAction) -> Result<()> {
        match self.permits(action) {
            true => Ok(()),
            false => self.check(action),
        }
    }

    /// As [`Guard::still`], for any one of some actions.
    pub(super) fn still_any(&self, actions: &[FileAction]) -> Result<()> {
        match actions.iter().any(|action| self.permits(*action)) {
            true => Ok(()),
            false => self.check_any(actions),
        }
    }

    /// Records the denial of a path that leads out of the granted folder. Returns the error for the guest, which is the same
    /// for all such paths.
    pub(super) fn leads_out(&self, path: &str, action: FileAction) -> FileError {
        if !self.policy.permits_file(action, path, Basis::Policy) {
            let _ = self.policy.file(action, path, Basis::Policy);
        }
        ErrorCode::NotPermitted.into()
    }

    /// Returns the path for the policy that components lead to from here, with `..`, if no links were on the way.
    pub(super) fn lexical<'a>(&'a self, components: impl Iterator<Item = &'a str>) -> String {
        let mut path: Vec<&str> = Vec::new();
        let base = self.paths.first().map_or("/", String::as_str);
        for component in base.split('/').chain(components) {
            match component {
                "" | "." => {}
                ".." => drop(path.pop()),
                component => path.push(component),
            }
        }
        format!("/{}", path.join("/"))
    }

    /// Asks to move this object, with all below it, to the place `new`. It must not get permissions by that: what the
    /// component may do at the new place, it must be allowed at the old one. Both objects themselves were asked about.
    pub(super) fn check_move(&self, new: &Guard) -> Result<()> {
        new.covers_no_more(self)?;
        let mut below = self.rules_below();
        below.extend(new.rules_below());
        below.sort();
        below.dedup();
        for rest in &below {
            let (old, new) = (self.below(rest.split('/')), new.below(rest.split('/')));
            old.still(FileAction::Delete)?;
            new.still(FileAction::Write)?;
            new.covers_no_more(&old)?;
        }
        Ok(())
    }

    /// Checks that an object gets no permissions by the name that this is, which it did not have by its `old` name.
    pub(super) fn covers_no_more(&self, old: &Guard) -> Result<()> {
        for action in FileAction::ALL {
            if self.permits(action) {
                old.still(action)?;
            }
        }
        Ok(())
    }

    /// Returns the paths with rules of their own, relative to this one.
    fn rules_below(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in &self.paths {
            let base = path.trim_end_matches('/');
            let below = self.policy.rules_below(path).into_iter();
            let relative = below.filter_map(|rule| {
                let rest = rule.strip_prefix(base)?.strip_prefix('/')?;
                (!rest.is_empty()).then(|| rest.to_owned())
            });
            found.extend(relative);
        }
        found
    }
}

/// Returns the paths by which a policy knows a folder that the host itself grants: as it is written, and the one that links
/// lead to. A path that is not UTF-8 has its invalid bytes replaced, and so matches no narrower rule.
pub(super) fn host_paths(folder: &Path) -> io::Result<Vec<String>> {
    let real = std::fs::canonicalize(folder)?;
    let written = std::path::absolute(folder)?;
    let dotted = written.components().any(|part| part == Component::ParentDir);
    let mut paths = Vec::new();
    for path in [Some(real), (!dotted).then_some(written)].into_iter().flatten() {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        let path = format!("/{}", parts.collect::<Vec<_>>().join("/"));
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok(paths)
}
