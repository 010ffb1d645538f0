//! What a component is granted.

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

/// Makes contexts, all with the same grants. Everything is off or virtual until it is said otherwise.
#[derive(Clone, Debug, Default)]
pub struct WasiBuilder {
    cli: CliConfig,
    folders: Folders,
    limits: WasiLimits,
    http: HttpLimits,
    net: Grants,
}

impl WasiBuilder {
    /// One that grants nothing.
    pub fn new() -> WasiBuilder {
        WasiBuilder::default()
    }

    /// What the component is called in the log.
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

    /// Sets the folder that the component takes relative paths from.
    pub fn initial_cwd(&mut self, path: impl Into<String>) -> &mut WasiBuilder {
        self.cli.cwd = Some(path.into());
        self
    }

    /// Sets where standard input comes from.
    pub fn stdin(&mut self, stdin: Stdin) -> &mut WasiBuilder {
        self.cli.stdin = stdin;
        self
    }

    /// Sets where standard output goes.
    pub fn stdout(&mut self, stdout: Stdout) -> &mut WasiBuilder {
        self.cli.stdout = stdout;
        self
    }

    /// Sets where standard error goes.
    pub fn stderr(&mut self, stderr: Stdout) -> &mut WasiBuilder {
        self.cli.stderr = stderr;
        self
    }

    /// Gives the component this process's standard streams.
    pub fn inherit_stdio(&mut self) -> &mut WasiBuilder {
        self.stdin(Stdin::Inherit)
            .stdout(Stdout::Inherit)
            .stderr(Stdout::Inherit)
    }

    /// Lets the component connect to what the grant says, with sockets and HTTP alike.
    pub fn connect(&mut self, grant: NetGrant) -> &mut WasiBuilder {
        Arc::make_mut(&mut self.net.connect).push(grant);
        self
    }

    /// Lets the component listen at what the grant says.
    pub fn listen(&mut self, grant: ListenGrant) -> &mut WasiBuilder {
        Arc::make_mut(&mut self.net.listen).push(grant);
        self
    }

    /// Grants what is below the folder at `host`, which the component finds at `guest`. The folder is opened here, once: it is
    /// granted wherever it is moved later. Paths of the component cannot lead out of it, whatever links are in it.
    ///
    /// # Errors
    /// What the system says of the folder; [`io::ErrorKind::InvalidInput`] if `guest` is empty, has a NUL byte, or is granted
    /// already.
    pub fn dir(
        &mut self,
        host: impl AsRef<Path>,
        guest: impl AsRef<str>,
        access: Access,
    ) -> io::Result<&mut WasiBuilder> {
        self.folders.add(host.as_ref(), guest.as_ref(), access)?;
        Ok(self)
    }

    /// Sets what the component may take of the host.
    pub fn limits(&mut self, limits: WasiLimits) -> &mut WasiBuilder {
        self.limits = limits;
        self
    }

    /// Sets what the component may take of the host through HTTP.
    pub fn http_limits(&mut self, limits: HttpLimits) -> &mut WasiBuilder {
        self.http = limits;
        self
    }

    /// A context for one instance.
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
