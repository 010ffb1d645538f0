//! WASI by capabilities: a component's grants, as the access policy of its WASI.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::CallScope;
use crate::component::Component;
use crate::security::{self, Grants, InvalidTarget, RequestInfo, RevocationHook, Target};
use crate::wasi::{
    AccessPolicy, Basis, Connections, Denied, Destination, FileAction, FsPerms, WasiCtxBuilder,
};

/// Folders that one component has by its grants, at most. Stops a policy of many rules from using up the descriptors of this
/// process.
const MAX_FOLDERS: usize = 256;

/// The access policy of a component's WASI: its grants decide on each action. docs/security.md lists which capability gives
/// which function.
#[derive(Debug)]
pub struct WasiAccess {
    grants: Grants,
    call: Mutex<CallScope>,
}

impl WasiAccess {
    /// Creates the policy of one component.
    pub fn new(grants: Grants) -> Arc<WasiAccess> {
        Arc::new(WasiAccess {
            grants,
            call: Mutex::default(),
        })
    }

    /// Adds the policy to a component's WASI, and, with `folders`, the folders that it grants.
    ///
    /// A granted folder has the same path for the component as for the host; of a granted file, it is the folder that the file
    /// is in. Paths that do not exist, and folders that cannot be opened, are left out, with a message in the log.
    pub fn add_to(self: &Arc<Self>, builder: &mut WasiCtxBuilder, folders: bool) {
        builder.access_policy(self.clone());
        if !folders {
            return;
        }
        let roots = self.roots();
        if roots.len() > MAX_FOLDERS {
            log::warn!(
                "`{}` is granted {} folders, and gets the first {MAX_FOLDERS} through WASI: grant folders that contain them",
                self.grants.component().unwrap_or_default(),
                roots.len()
            );
        }
        for (path, perms) in roots.into_iter().take(MAX_FOLDERS) {
            if let Err(error) = builder.folder_by_policy(&path, perms) {
                log::warn!("the granted folder `{path}` cannot be opened: {error}");
            }
        }
    }

    /// Returns whether a component can use files through WASI.
    pub fn uses_files(component: &Component) -> bool {
        let mut imports = component.imports().iter();
        imports.any(|(name, _)| name.starts_with("wasi:filesystem/") || name.starts_with("airssys:preview1/"))
    }

    /// Closes connections that a revocation concerns, until the result is dropped.
    #[must_use = "connections are closed until the result is dropped"]
    pub fn closes(&self, connections: Connections) -> Option<RevocationHook> {
        let context = self.grants.context()?;
        Some(context.on_revoke(move |_| connections.recheck()))
    }

    /// Sets the call that the component is in, for the audit.
    pub fn set_call(&self, call: CallScope) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    /// Returns the folders that are granted, or that have granted files; of those within others, only links.
    fn roots(&self) -> Vec<(String, FsPerms)> {
        let mut roots: Vec<(String, FsPerms)> = Vec::new();
        for action in security::FileAction::ALL {
            let perms = match action {
                security::FileAction::Read | security::FileAction::List => FsPerms::ReadOnly,
                security::FileAction::Write | security::FileAction::Delete => FsPerms::ReadWrite,
            };
            for granted in self.grants.paths(action) {
                match folder_of(&granted.path) {
                    Some(folder) => roots.push((folder, perms)),
                    None => log::info!("the granted path `{}` does not exist", granted.path),
                }
            }
        }
        roots.sort_by(|one, other| one.0.cmp(&other.0));
        let mut out: Vec<(String, FsPerms)> = Vec::new();
        for (path, perms) in roots {
            match out.iter_mut().find(|(broader, _)| contains(broader, &path)) {
                Some(broader) if perms == FsPerms::ReadWrite => broader.1 = perms,
                Some(_) => {}
                None => out.push((path, perms)),
            }
        }
        out
    }

    /// Calls `decide` with the circumstances of the call that the component is in.
    fn with_info<R>(&self, decide: impl FnOnce(RequestInfo<'_>) -> R) -> R {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).clone();
        decide(RequestInfo {
            request_id: call.request_id.as_deref(),
            trace: call.trace.as_deref(),
        })
    }
}

/// Returns the folder at a path, or the folder of the file at the path, whether or not that exists.
fn folder_of(path: &str) -> Option<String> {
    let is_folder = |path: &str| fs::metadata(path).is_ok_and(|found| found.is_dir());
    if is_folder(path) {
        return Some(path.to_owned());
    }
    let (folder, _) = path.rsplit_once('/')?;
    let folder = if folder.is_empty() { "/" } else { folder };
    is_folder(folder).then(|| folder.to_owned())
}

/// Returns whether a folder is another one or is below it, and can be reached from there without links.
fn contains(broad: &str, narrow: &str) -> bool {
    let (broad, narrow) = (Path::new(broad), Path::new(narrow));
    let Ok(rest) = narrow.strip_prefix(broad) else {
        return false;
    };
    match (fs::canonicalize(broad), fs::canonicalize(narrow)) {
        (Ok(broad), Ok(narrow)) => broad.join(rest) == narrow,
        _ => false,
    }
}

fn request(action: FileAction, path: &str) -> security::Request<'_> {
    match action {
        FileAction::Read => security::Request::ReadFile(path),
        FileAction::Write => security::Request::WriteFile(path),
        FileAction::List => security::Request::ListFolder(path),
        FileAction::Delete => security::Request::DeleteFile(path),
    }
}

/// Returns the target of a connection.
///
/// # Errors
/// [`InvalidTarget`] if its host is neither a name nor an address.
fn target(to: &Destination<'_>) -> Result<Target, InvalidTarget> {
    let scheme = match to.secure {
        None => return Target::from_host(to.host, to.port),
        Some(true) => "https",
        Some(false) => "http",
    };
    // The host stands alone: in a URL, part of it could be read as a path.
    Target::from_host(to.host, to.port)?;
    Target::from_url(&format!("{scheme}://{}:{}/", to.host, to.port))
}

impl AccessPolicy for WasiAccess {
    fn file(&self, action: FileAction, path: &str, basis: Basis) -> Result<(), Denied> {
        let request = request(action, path);
        let decided = self.with_info(|info| match basis {
            Basis::Policy => self.grants.check(&request, info).map(|_| ()),
            Basis::Host => self.grants.check_denial(&request, info),
        });
        decided.map_err(|_| Denied)
    }

    fn permits_file(&self, action: FileAction, path: &str, basis: Basis) -> bool {
        let request = request(action, path);
        match basis {
            Basis::Policy => self.grants.permits(&request),
            Basis::Host => !self.grants.denies(&request),
        }
    }

    fn rules_below(&self, path: &str) -> Vec<String> {
        self.grants.paths_below(path)
    }

    fn has_network(&self) -> bool {
        !self.grants.hosts().is_empty()
    }

    fn look_up(&self, name: &str, basis: Basis) -> Result<(), Denied> {
        let needs_rule = basis == Basis::Policy;
        let decided = self.with_info(|info| self.grants.check_look_up(name, needs_rule, info));
        decided.map_err(|_| Denied)
    }

    fn connect(&self, to: &Destination<'_>, basis: Basis) -> Result<(), Denied> {
        let invalid = |error| {
            self.with_info(|info| self.grants.deny_invalid(&error, info));
            Denied
        };
        let target = target(to).map_err(invalid)?;
        let request = security::Request::Connect(&target);
        let decided = self.with_info(|info| match basis {
            Basis::Policy => self.grants.check(&request, info).map(|_| ()),
            Basis::Host => self.grants.check_denial(&request, info),
        });
        decided.map_err(|_| Denied)
    }

    fn permits_connect(&self, to: &Destination<'_>, basis: Basis) -> bool {
        let Ok(target) = target(to) else {
            return false;
        };
        let request = security::Request::Connect(&target);
        match basis {
            Basis::Policy => self.grants.permits(&request),
            Basis::Host => !self.grants.denies(&request),
        }
    }

    fn address(&self, to: &Destination<'_>, address: IpAddr) -> Result<bool, Denied> {
        let target = target(to).map_err(|_| Denied)?;
        let decided = self.with_info(|info| self.grants.check_address(&target, address, info));
        decided.map_err(|_| Denied)
    }
}
