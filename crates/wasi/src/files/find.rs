//! The way to the object of a call. Without a policy, it is the path that the guest gave. With one, the path is walked
//! here, one component at a time and without following links unseen, so that the policy is asked about the path that the
//! object really has. The policy is asked before anything at a path is looked at.

use std::borrow::Cow;
use std::collections::VecDeque;

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;

use super::descriptor::Folder;
use super::error::FileError;
use super::guard::{Guard, LOOK};
use super::path::{Entry, MAX_LINKS, bounded, names_a_directory, resolves_last};
use crate::access::FileAction;
use crate::bindings::wasi::filesystem::types::ErrorCode;

type Result<T> = std::result::Result<T, FileError>;

/// The question to the policy about an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// Any action at all.
    Look,
    /// These actions.
    Each(&'static [FileAction]),
}

impl Need {
    fn check(self, guard: &Guard) -> Result<()> {
        match self {
            Need::Look => guard.check_any(LOOK),
            Need::Each(actions) => actions.iter().try_for_each(|action| guard.check(*action)),
        }
    }

    /// Returns the action that is recorded for a path that leads out of its folder.
    fn first(self) -> FileAction {
        match self {
            Need::Look => FileAction::Read,
            Need::Each(actions) => actions.first().copied().unwrap_or(FileAction::Read),
        }
    }
}

/// The object of a call: a folder, and a path from there.
#[derive(Debug)]
pub(super) struct Found<'a> {
    dir: Base<'a>,
    path: Cow<'a, str>,
    /// A link at the end is followed.
    pub(super) follow: bool,
    /// The policy on the object, if there is one.
    pub(super) guard: Option<Guard>,
}

#[derive(Debug)]
enum Base<'a> {
    Given(&'a Dir),
    Opened(Dir),
}

impl<'a> Found<'a> {
    /// Finds an object, for functions of objects. `follow` decides about a link at the end; see [`resolves_last`].
    pub(super) fn object(folder: &'a Folder, path: &'a str, follow: bool, need: Need) -> Result<Found<'a>> {
        let follow = resolves_last(path, follow);
        match &folder.guard {
            None => Ok(Found::given(folder, path, follow)),
            Some(guard) => Walk::new(folder, guard, path, need).find_object(path, follow),
        }
    }

    /// Finds an entry, for functions that create, remove and rename.
    pub(super) fn entry(folder: &'a Folder, path: &'a str, need: Need) -> Result<Found<'a>> {
        match &folder.guard {
            None => Ok(Found::given(folder, path, false)),
            Some(guard) => Walk::new(folder, guard, path, need).find_entry(path),
        }
    }

    fn given(folder: &'a Folder, path: &'a str, follow: bool) -> Found<'a> {
        Found {
            dir: Base::Given(&folder.dir),
            path: Cow::Borrowed(path),
            follow,
            guard: None,
        }
    }

    pub(super) fn dir(&self) -> &Dir {
        match &self.dir {
            Base::Given(dir) => dir,
            Base::Opened(dir) => dir,
        }
    }

    /// Returns the path from [`Found::dir`] on.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the entry, for functions that create, remove and rename.
    pub(super) fn as_entry(&self) -> Result<Entry<'_>> {
        Entry::find(self.dir(), self.path())
    }
}

/// A walk below a folder.
struct Walk<'a> {
    folder: &'a Folder,
    guard: &'a Guard,
    need: Need,
    /// The folders so far. None of them is a link.
    stack: Vec<(String, Dir)>,
    rest: VecDeque<String>,
    links: usize,
}

impl<'a> Walk<'a> {
    fn new(folder: &'a Folder, guard: &'a Guard, path: &str, need: Need) -> Walk<'a> {
        Walk {
            folder,
            guard,
            need,
            stack: Vec::new(),
            rest: components(path).map(str::to_owned).collect(),
            links: 0,
        }
    }

    /// Checks a path from the guest before anything is looked at.
    fn begin(&self, path: &str) -> Result<()> {
        bounded(path)?;
        if path.is_empty() {
            return Err(ErrorCode::NoEntry.into());
        }
        if path.starts_with('/') {
            let path = lexical(components(path));
            return Err(self.guard.leads_out(&path, self.need.first()));
        }
        self.ask()
    }

    /// Asks about the path that the rest leads to if no links are on the way.
    fn ask(&self) -> Result<()> {
        let mut path: Vec<&str> = self.stack.iter().map(|(name, _)| name.as_str()).collect();
        for component in &self.rest {
            if component != ".." {
                path.push(component);
            } else if path.pop().is_none() {
                return Err(self.out());
            }
        }
        self.need.check(&self.guard.below(path))
    }

    /// Records that the path leads out of the folder.
    fn out(&self) -> FileError {
        let names = self.stack.iter().map(|(name, _)| name.as_str());
        let path = self
            .guard
            .lexical(names.chain(self.rest.iter().map(String::as_str)));
        self.guard.leads_out(&path, self.need.first())
    }

    fn top(&self) -> &Dir {
        self.stack.last().map_or(&self.folder.dir, |(_, dir)| dir)
    }

    fn find_object(mut self, path: &str, follow: bool) -> Result<Found<'a>> {
        self.begin(path)?;
        let mut directory = names_a_directory(path.as_ref());
        loop {
            let Some(component) = self.rest.pop_front() else {
                return Ok(self.found(None));
            };
            if !self.rest.is_empty() || directory || component == ".." {
                self.enter(component)?;
                continue;
            }
            if follow && self.is_link(&component)? {
                directory |= self.expand(&component)?;
                continue;
            }
            return Ok(self.found(Some((component, ""))));
        }
    }

    fn find_entry(mut self, path: &str) -> Result<Found<'a>> {
        self.begin(path)?;
        let slash = if path.ends_with('/') { "/" } else { "" };
        // `x/.` is the folder `x` itself, and so is `x/y/..`.
        let last = path.trim_end_matches('/').rsplit('/').next();
        let kept = usize::from(!matches!(last, Some("." | "..")));
        while self.rest.len() > kept
            && let Some(component) = self.rest.pop_front()
        {
            self.enter(component)?;
        }
        let entry = self.rest.pop_front();
        Ok(self.found(entry.map(|name| (name, slash))))
    }

    /// Returns the entry of this name in the folder that was reached, or that folder itself.
    fn found(mut self, entry: Option<(String, &str)>) -> Found<'a> {
        let names = self.stack.iter().map(|(name, _)| name.as_str());
        let last = entry.as_ref().map(|(name, _)| name.as_str());
        let path: Vec<&str> = names.chain(last).collect();
        let guard = Some(self.guard.below(path));
        let dir = match self.stack.pop() {
            Some((_, dir)) => Base::Opened(dir),
            None => Base::Given(&self.folder.dir),
        };
        Found {
            dir,
            path: match entry {
                Some((name, slash)) => Cow::Owned(name + slash),
                None => Cow::Borrowed("."),
            },
            follow: false,
            guard,
        }
    }

    /// Enters a folder, or expands a link.
    fn enter(&mut self, component: String) -> Result<()> {
        if component == ".." {
            return match self.stack.pop() {
                Some(_) => Ok(()),
                None => {
                    self.rest.push_front(component);
                    Err(self.out())
                }
            };
        }
        match self.top().open_dir_nofollow(&component) {
            Ok(inner) => self.stack.push((component, inner)),
            Err(error) => match self.is_link(&component)? {
                true => drop(self.expand(&component)?),
                false => return Err(error.into()),
            },
        }
        Ok(())
    }

    fn is_link(&self, component: &str) -> Result<bool> {
        match self.top().symlink_metadata(component) {
            Ok(metadata) => Ok(metadata.is_symlink()),
            // The caller's own call reports that.
            Err(_) => Ok(false),
        }
    }

    /// Puts a link's target in front of the rest, and asks about the path that results. Returns whether the target names a
    /// directory.
    fn expand(&mut self, component: &str) -> Result<bool> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(ErrorCode::Loop.into());
        }
        let target = self.top().read_link_contents(component)?;
        let target = target.to_str().ok_or(ErrorCode::IllegalByteSequence)?;
        bounded(target)?;
        if target.starts_with('/') {
            let rest = self.rest.iter().map(String::as_str);
            let path = lexical(components(target).chain(rest));
            return Err(self.guard.leads_out(&path, self.need.first()));
        }
        let parts: Vec<&str> = components(target).collect();
        for part in parts.into_iter().rev() {
            self.rest.push_front(part.to_owned());
        }
        self.ask()?;
        Ok(names_a_directory(target.as_ref()))
    }
}

/// Returns the components of a path, without empty ones and `.`.
fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
}

/// Returns the absolute path with these components, `..` resolved by text.
fn lexical<'a>(components: impl Iterator<Item = &'a str>) -> String {
    let mut path: Vec<&str> = Vec::new();
    for component in components {
        match component {
            ".." => drop(path.pop()),
            component => path.push(component),
        }
    }
    format!("/{}", path.join("/"))
}
