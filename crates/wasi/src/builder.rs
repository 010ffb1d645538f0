//! Builder of WASI contexts: the grants of a component.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::WasiCtx;
use super::cli::{CliConfig, CliCtx, Stdin, Stdout};
use super::files::{Access, FilesCtx, Folders};
use super::http::{HttpCtx, HttpLimits};
use super::limits::WasiLimits;
use super::net::{Grants, ListenGrant, Net, NetGrant};
use super::sockets::Places;
use airssys_wasm_component::component::ResourceTable;

/// Builds contexts that all have the same grants. Everything is off or virtual by default.
#[derive(Clone, Debug, Default)]
pub struct WasiBuilder {
    cli: CliConfig,
    folders: Folders,
    limits: WasiLimits,
    http: HttpLimits,
    net: Grants,
}

impl WasiBuilder {
    /// Creates a builder that grants nothing.
    pub fn new() -> WasiBuilder {
        WasiBuilder::default()
    }

    /// Sets the component's name in the log.
    pub fn name(&mut self, name: impl Into<String>) -> &mut WasiBuilder {
        self.cli.name = name.into();
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut WasiBuilder {
        let name = name.into();
        self.cli.env.retain(|(other, _)| *other != name);
        self.cli.env.push((name, value.into()));
        self
    }

    /// Adds an argument. The first one is the program's name.
    pub fn arg(&mut self, arg: impl Into<String>) -> &mut WasiBuilder {
        self.cli.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<String>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut WasiBuilder {
        self.cli.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the folder that the component resolves relative paths against.
    pub fn initial_cwd(&mut self, path: impl Into<String>) -> &mut WasiBuilder {
        self.cli.cwd = Some(path.into());
        self
    }

    /// Sets the source of standard input.
    pub fn stdin(&mut self, stdin: Stdin) -> &mut WasiBuilder {
        self.cli.stdin = stdin;
        self
    }

    /// Sets the destination of standard output.
    pub fn stdout(&mut self, stdout: Stdout) -> &mut WasiBuilder {
        self.cli.stdout = stdout;
        self
    }

    /// Sets the destination of standard error.
    pub fn stderr(&mut self, stderr: Stdout) -> &mut WasiBuilder {
        self.cli.stderr = stderr;
        self
    }

    /// Connects the component to this process's standard streams.
    pub fn inherit_stdio(&mut self) -> &mut WasiBuilder {
        self.stdin(Stdin::Inherit)
            .stdout(Stdout::Inherit)
            .stderr(Stdout::Inherit)
    }

    /// Lets the component connect to what the grant allows, with sockets and HTTP alike.
    pub fn connect(&mut self, grant: NetGrant) -> &mut WasiBuilder {
        Arc::make_mut(&mut self.net.connect).push(grant);
        self
    }

    /// Lets the component listen where the grant allows.
    pub fn listen(&mut self, grant: ListenGrant) -> &mut WasiBuilder {
        Arc::make_mut(&mut self.net.listen).push(grant);
        self
    }

    /// Grants the contents of the folder at `host` under the path `guest`. The folder is opened here, once: the grant
    /// follows it wherever it is moved later. The component's paths cannot lead out of it, whatever links are in it.
    ///
    /// # Errors
    /// The system's error for the folder; [`io::ErrorKind::InvalidInput`] if `guest` is empty, contains a NUL byte, or
    /// is granted already.
    pub fn dir(
        &mut self,
        host: impl AsRef<Path>,
        guest: impl AsRef<str>,
        access: Access,
    ) -> io::Result<&mut WasiBuilder> {
        self.folders.add(host.as_ref(), guest.as_ref(), access)?;
        Ok(self)
    }

    /// Sets the limits on the component's use of the host.
    pub fn limits(&mut self, limits: WasiLimits) -> &mut WasiBuilder {
        self.limits = limits;
        self
    }

    /// Sets the limits on the component's use of HTTP.
    pub fn http_limits(&mut self, limits: HttpLimits) -> &mut WasiBuilder {
        self.http = limits;
        self
    }

    /// Creates a context for one instance.
    pub fn build(&self) -> WasiCtx {
        WasiCtx {
            table: ResourceTable::with_max(self.limits.resources),
            deadline: None,
            before_wait: None,
            limits: self.limits.clone(),
            started: Instant::now(),
            seed: None,
            cli: CliCtx::new(&self.cli, &self.limits),
            files: FilesCtx::new(self.folders.clone()),
            net: Net::new(&self.net),
            http: HttpCtx::new(self.http.clone()),
            sockets: Places::new(self.limits.sockets),
            snapshot1: None,
        }
    }
}
