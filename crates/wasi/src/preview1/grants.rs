//! The grants and limits of a core module.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::{Stdin, Stdout};
use airssys_wasm_component::engine::StoreLimits;

/// Limits on a core module's use of the host, beyond those of [`StoreLimits`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview1Limits {
    /// Threads at a time, including the first one. Stops a module that starts threads without end. Default 16.
    pub threads: usize,
    /// Files of the host that are open at a time. Stops a module that uses up the descriptors of the process. Default
    /// 256.
    pub open_files: usize,
    /// Subscriptions of one `poll_oneoff`. Default 1024.
    pub subscriptions: usize,
    /// Bytes of a line of output in the host's log. Stops a line that never ends. Default 8 KiB.
    pub log_line: usize,
    /// Entries of a folder that one listing reads. Stops a folder of millions of files, which are all kept in memory.
    /// Default 100,000.
    pub folder_entries: usize,
}

impl Default for Preview1Limits {
    fn default() -> Preview1Limits {
        Preview1Limits {
            threads: 16,
            open_files: 256,
            subscriptions: 1_024,
            log_line: 8 << 10,
            folder_entries: 100_000,
        }
    }
}

/// A host folder that is granted to a module.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) dir: Arc<Dir>,
    pub(super) guest: String,
    pub(super) writable: bool,
}

/// The grants of a core module, and the settings of its run. Everything is off or virtual by default.
#[derive(Clone, Default)]
pub struct Preview1 {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) folders: Vec<Grant>,
    pub(super) stdin: Stdin,
    pub(super) stdout: Stdout,
    pub(super) stderr: Stdout,
    pub(super) limits: Preview1Limits,
    pub(super) store_limits: StoreLimits,
    pub(super) deadline: Option<Instant>,
}

/// Shows the names of environment variables: values may be secret.
impl fmt::Debug for Preview1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Preview1")
            .field("name", &self.name)
            .field("args", &self.args)
            .field("env", &names)
            .field("folders", &self.folders)
            .finish_non_exhaustive()
    }
}

/// An error of a grant, or of preparing the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Preview1Error {
    /// The host's folder cannot be opened.
    #[error("the folder `{}` cannot be opened: {source}", path.display())]
    Folder {
        /// The host's folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The folder's name for the module is invalid, or in use.
    #[error(
        "`{0}` cannot be the guest path of a folder: use `/NAME`, `NAME` or `.`, without `..`, and each path once"
    )]
    GuestPath(String),
    /// wasmer-wasix refuses the arguments or the environment.
    #[error("cannot set up the module's environment: {0}")]
    Setup(String),
    /// The operating system provides no threads for the executor.
    #[error("the executor cannot be started: {0}")]
    Executor(#[source] std::io::Error),
}

impl Preview1 {
    /// Creates grants of nothing.
    pub fn new() -> Preview1 {
        Preview1::default()
    }

    /// Sets the module's name in the log, which is also its first argument.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Preview1 {
        self.name = name.into();
        self
    }

    /// Adds an argument after the name.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Preview1 {
        self.args.push(arg.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Preview1 {
        let name = name.into();
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.into()));
        self
    }

    /// Grants a folder of the host, which the module sees as `guest`.
    ///
    /// # Errors
    /// [`Preview1Error::Folder`], [`Preview1Error::GuestPath`].
    pub fn folder(
        mut self,
        host: impl AsRef<Path>,
        guest: &str,
        writable: bool,
    ) -> Result<Preview1, Preview1Error> {
        let refused = || Preview1Error::GuestPath(guest.to_owned());
        let taken = |grant: &Grant| mount_point(&grant.guest) == mount_point(guest);
        if guest.is_empty() || mount_point(guest).is_none() || self.folders.iter().any(taken) {
            return Err(refused());
        }
        let dir = Dir::open_ambient_dir(host.as_ref(), ambient_authority());
        let dir = dir.map_err(|source| Preview1Error::Folder {
            path: host.as_ref().to_owned(),
            source,
        })?;
        self.folders.push(Grant {
            dir: Arc::new(dir),
            guest: guest.to_owned(),
            writable,
        });
        Ok(self)
    }

    /// Sets the source of standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Preview1 {
        self.stdin = stdin;
        self
    }

    /// Sets the destination of standard output.
    #[must_use]
    pub fn stdout(mut self, stdout: Stdout) -> Preview1 {
        self.stdout = stdout;
        self
    }

    /// Sets the destination of standard error.
    #[must_use]
    pub fn stderr(mut self, stderr: Stdout) -> Preview1 {
        self.stderr = stderr;
        self
    }

    /// Connects the module to this process's standard streams.
    #[must_use]
    pub fn inherit_stdio(self) -> Preview1 {
        self.stdin(Stdin::Inherit)
            .stdout(Stdout::Inherit)
            .stderr(Stdout::Inherit)
    }

    /// Sets the limits on the module's use of the host.
    #[must_use]
    pub fn limits(mut self, limits: Preview1Limits) -> Preview1 {
        self.limits = limits;
        self
    }

    /// Returns the limits on the module's use of the host, for changing them.
    pub fn limits_mut(&mut self) -> &mut Preview1Limits {
        &mut self.limits
    }

    /// Sets the limits on the module's memory and tables.
    #[must_use]
    pub fn store_limits(mut self, limits: StoreLimits) -> Preview1 {
        self.store_limits = limits;
        self
    }

    /// Sets the time at which the module is ended.
    #[must_use]
    pub fn deadline(mut self, deadline: Option<Instant>) -> Preview1 {
        self.deadline = deadline;
        self
    }
}

/// Returns the path that a folder is mounted at: absolute, without `.`; `None` if `guest` contains `..` or a NUL byte.
pub(super) fn mount_point(guest: &str) -> Option<String> {
    let parts: Vec<&str> = guest
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let plain = !parts.contains(&"..") && !guest.contains('\0');
    plain.then(|| format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_mounted_at_absolute_paths() {
        assert_eq!(mount_point("data").as_deref(), Some("/data"));
        assert_eq!(mount_point("/a//b/./c/").as_deref(), Some("/a/b/c"));
        assert_eq!(mount_point(".").as_deref(), Some("/"));
        assert_eq!(mount_point("/a/../b"), None);
        assert_eq!(mount_point("a\0b"), None);
    }

    #[test]
    fn one_place_takes_one_folder() {
        let here = env!("CARGO_MANIFEST_DIR");
        let grants = Preview1::new().folder(here, "/data", false).unwrap();
        let twice = grants.folder(here, "data/", true);
        assert!(matches!(twice, Err(Preview1Error::GuestPath(_))));
        let missing = Preview1::new().folder("/no/such/folder", "/data", false);
        assert!(matches!(missing, Err(Preview1Error::Folder { .. })));
    }
}
