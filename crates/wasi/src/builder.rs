//! Builder of WASI contexts: the grants of a component.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::WasiCtx;
use super::access::AccessPolicy;
use super::cli::{CliConfig, CliCtx, Stdin, Stdout};
use super::files::{FilesCtx, Folders, FsPerms};
use super::http::{HttpCtx, HttpLimits};
use super::limits::WasiLimits;
use super::net::{ListenGrant, Net, NetGrant, NetGrants};
use super::sockets::Places;
use airssys_wasm_component::component::ResourceTable;

/// Builds contexts that all have the same grants. Everything is off or virtual by default.
#[derive(Clone, Debug, Default)]
pub struct WasiCtxBuilder {
    cli: CliConfig,
    folders: Folders,
    limits: WasiLimits,
    http: HttpLimits,
    net: NetGrants,
    policy: Option<Arc<dyn AccessPolicy>>,
}

impl WasiCtxBuilder {
    /// Creates a builder that grants nothing.
    pub fn new() -> WasiCtxBuilder {
        WasiCtxBuilder::default()
    }

    /// Sets the component's name in the log.
    pub fn name(&mut self, name: impl Into<String>) -> &mut WasiCtxBuilder {
        self.cli.name = name.into();
        self
    }

    /// Sets an environment variable, in place of one with the same name.
    pub fn env(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> &mut WasiCtxBuilder {
        let (name, value) = (name.as_ref(), value.as_ref());
        self.cli.env.retain(|(other, _)| other != name);
        self.cli.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets environment variables.
    pub fn envs(&mut self, env: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut WasiCtxBuilder {
        for (name, value) in env {
            self.env(name, value);
        }
        self
    }

    /// Grants this process's environment variables, except those that are not UTF-8.
    pub fn inherit_env(&mut self) -> &mut WasiCtxBuilder {
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str()) {
                self.env(name, value);
            }
        }
        self
    }

    /// Adds an argument. The first one is the program's name.
    pub fn arg(&mut self, arg: impl AsRef<str>) -> &mut WasiCtxBuilder {
        self.cli.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<str>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut WasiCtxBuilder {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Adds this process's arguments, except those that are not UTF-8.
    pub fn inherit_args(&mut self) -> &mut WasiCtxBuilder {
        self.args(std::env::args_os().filter_map(|arg| arg.into_string().ok()))
    }

    /// Sets the folder that the component resolves relative paths from.
    pub fn initial_cwd(&mut self, path: impl AsRef<str>) -> &mut WasiCtxBuilder {
        self.cli.cwd = Some(path.as_ref().to_owned());
        self
    }

    /// Sets the source of standard input: a [`Stdin`], or a [`MemoryInputPipe`](super::MemoryInputPipe).
    pub fn stdin(&mut self, stdin: impl Into<Stdin>) -> &mut WasiCtxBuilder {
        self.cli.stdin = stdin.into();
        self
    }

    /// Sets the destination of standard output: a [`Stdout`], or a [`MemoryOutputPipe`](super::MemoryOutputPipe).
    pub fn stdout(&mut self, stdout: impl Into<Stdout>) -> &mut WasiCtxBuilder {
        self.cli.stdout = stdout.into();
        self
    }

    /// Sets the destination of standard error: a [`Stdout`], or a [`MemoryOutputPipe`](super::MemoryOutputPipe).
    pub fn stderr(&mut self, stderr: impl Into<Stdout>) -> &mut WasiCtxBuilder {
        self.cli.stderr = stderr.into();
        self
    }

    /// Gives the component this process's standard input.
    pub fn inherit_stdin(&mut self) -> &mut WasiCtxBuilder {
        self.stdin(Stdin::Inherit)
    }

    /// Gives the component this process's standard output.
    pub fn inherit_stdout(&mut self) -> &mut WasiCtxBuilder {
        self.stdout(Stdout::Inherit)
    }

    /// Gives the component this process's standard error.
    pub fn inherit_stderr(&mut self) -> &mut WasiCtxBuilder {
        self.stderr(Stdout::Inherit)
    }

    /// Gives the component this process's standard streams.
    pub fn inherit_stdio(&mut self) -> &mut WasiCtxBuilder {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Lets the component connect to what the grant allows, with sockets and HTTP alike.
    pub fn connect(&mut self, grant: NetGrant) -> &mut WasiCtxBuilder {
        Arc::make_mut(&mut self.net.connect).push(grant);
        self
    }

    /// Lets the component listen where the grant allows.
    pub fn listen(&mut self, grant: ListenGrant) -> &mut WasiCtxBuilder {
        Arc::make_mut(&mut self.net.listen).push(grant);
        self
    }

    /// Grants the contents of the folder at `host` under the path `guest`. The folder is opened here, once: the grant
    /// follows it wherever it is moved later. The component's paths cannot lead out of it, whatever links are in it.
    ///
    /// # Errors
    /// The system's error for the folder; [`io::ErrorKind::InvalidInput`] if `guest` is empty, contains a NUL byte, or
    /// is granted already.
    pub fn preopened_dir(
        &mut self,
        host: impl AsRef<Path>,
        guest: impl AsRef<str>,
        perms: FsPerms,
    ) -> io::Result<&mut WasiCtxBuilder> {
        self.folders.add(host.as_ref(), guest.as_ref(), perms)?;
        Ok(self)
    }

    /// Sets the policy that decides on each action. What is granted otherwise stays granted, unless the policy denies it.
    pub fn access_policy(&mut self, policy: Arc<dyn AccessPolicy>) -> &mut WasiCtxBuilder {
        self.policy = Some(policy);
        self
    }

    /// Opens the folder at `path` of the host, in which the [policy](WasiCtxBuilder::access_policy) decides on each access.
    /// The component sees it under the same path. Nothing happens if the component has a folder there already.
    /// `perms` are the permissions that the component sees; the policy alone decides.
    ///
    /// # Errors
    /// The system's error for the folder.
    pub fn folder_by_policy(&mut self, path: &str, perms: FsPerms) -> io::Result<&mut WasiCtxBuilder> {
        if !self.folders.has(path) {
            self.folders.add_by_policy(path, perms)?;
        }
        Ok(self)
    }

    /// Sets the limits on the component's use of the host.
    pub fn limits(&mut self, limits: WasiLimits) -> &mut WasiCtxBuilder {
        self.limits = limits;
        self
    }

    /// Returns the limits on the component's use of the host.
    pub fn configured_limits(&self) -> &WasiLimits {
        &self.limits
    }

    /// Returns the limits on the component's use of the host, for changing them.
    pub fn limits_mut(&mut self) -> &mut WasiLimits {
        &mut self.limits
    }

    /// Sets the limits on the component's use of HTTP.
    pub fn http_limits(&mut self, limits: HttpLimits) -> &mut WasiCtxBuilder {
        self.http = limits;
        self
    }

    /// Creates a context for one instance.
    pub fn build(&self) -> WasiCtx {
        WasiCtx {
            table: ResourceTable::with_max(self.limits.resources),
            deadline: None,
            progress: 0,
            before_wait: None,
            limits: self.limits.clone(),
            started: Instant::now(),
            seed: None,
            cli: CliCtx::new(&self.cli, &self.limits),
            files: FilesCtx::new(&self.folders, self.policy.as_ref()),
            net: Net::new(&self.net, self.policy.clone()),
            http: HttpCtx::new(self.http.clone()),
            sockets: Places::new(self.limits.sockets),
            snapshot1: None,
        }
    }
}
