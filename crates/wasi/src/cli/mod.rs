//! `wasi:cli`.

mod input;
mod lines;
mod output;

use std::fmt;

pub use input::{MemoryInputPipe, Stdin};
pub use output::{MemoryOutputPipe, Stdout};

pub(super) use self::input::SharedInput;
pub(super) use self::output::{OutputKind, SharedOutput};
use super::bindings::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use super::io::{InputStream, OutputStream};
use super::{WasiCtx, WasiLimits};
use airssys_wasm_component::component::{HostResult, Resource};

/// The exit status that a component chose: the error that a call ends with when the component calls `exit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the component exited with status {code}")]
pub struct Exit {
    /// 0 means success.
    pub code: u8,
}

/// The builder's settings for `wasi:cli`.
#[derive(Clone, Default)]
pub(super) struct CliConfig {
    pub(super) name: String,
    pub(super) env: Vec<(String, String)>,
    pub(super) args: Vec<String>,
    pub(super) cwd: Option<String>,
    pub(super) stdin: Stdin,
    pub(super) stdout: Stdout,
    pub(super) stderr: Stdout,
}

/// Shows the names of environment variables: values may be secret.
impl fmt::Debug for CliConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("CliConfig")
            .field("name", &self.name)
            .field("env", &names)
            .field("args", &self.args)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

/// One component's environment, arguments and standard streams.
pub(crate) struct CliCtx {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) args: Vec<String>,
    pub(crate) cwd: Option<String>,
    pub(crate) stdin: SharedInput,
    pub(crate) stdout: SharedOutput,
    pub(crate) stderr: SharedOutput,
    /// The status that the component has exited with.
    pub(crate) exited: Option<Exit>,
}

impl CliCtx {
    pub(super) fn new(config: &CliConfig, limits: &WasiLimits) -> CliCtx {
        let output = |to, kind| SharedOutput::new(to, kind, &config.name, limits.log_line_bytes);
        CliCtx {
            env: config.env.clone(),
            args: config.args.clone(),
            cwd: config.cwd.clone(),
            stdin: SharedInput::new(&config.stdin),
            stdout: output(&config.stdout, OutputKind::Stdout),
            stderr: output(&config.stderr, OutputKind::Stderr),
            exited: None,
        }
    }

    /// Returns standard output or standard error.
    pub(crate) fn output(&self, kind: OutputKind) -> &SharedOutput {
        match kind {
            OutputKind::Stdout => &self.stdout,
            OutputKind::Stderr => &self.stderr,
        }
    }
}

impl fmt::Debug for CliCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("CliCtx")
            .field("env", &names)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}

impl WasiCtx {
    /// Ends the call with a status, which it also remembers: the call may have returned, if another of its tasks exits.
    pub(crate) fn exit_with(&mut self, code: u8) -> HostResult<()> {
        let exit = Exit { code };
        self.cli.exited = Some(exit);
        Err(exit.into())
    }

    /// Returns the terminal of standard input, if it is one.
    pub(crate) fn terminal_input(&mut self) -> HostResult<Option<Resource<TerminalInput>>> {
        match self.cli.stdin.is_terminal() {
            true => Ok(Some(self.table.push(TerminalInput)?)),
            false => Ok(None),
        }
    }

    /// Returns the terminal of standard output or standard error, if it is one.
    pub(crate) fn terminal_output(&mut self, of: OutputKind) -> HostResult<Option<Resource<TerminalOutput>>> {
        match self.cli.output(of).is_terminal() {
            true => Ok(Some(self.table.push(TerminalOutput)?)),
            false => Ok(None),
        }
    }
}

impl environment::Host for WasiCtx {
    fn get_environment(&mut self) -> HostResult<Vec<(String, String)>> {
        Ok(self.cli.env.clone())
    }

    fn get_arguments(&mut self) -> HostResult<Vec<String>> {
        Ok(self.cli.args.clone())
    }

    fn initial_cwd(&mut self) -> HostResult<Option<String>> {
        Ok(self.cli.cwd.clone())
    }
}

impl exit::Host for WasiCtx {
    fn exit(&mut self, status: Result<(), ()>) -> HostResult<()> {
        self.exit_with(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, code: u8) -> HostResult<()> {
        self.exit_with(code)
    }
}

impl stdin::Host for WasiCtx {
    fn get_stdin(&mut self) -> HostResult<Resource<InputStream>> {
        let stream = InputStream::new(self.cli.stdin.clone());
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for WasiCtx {
    fn get_stdout(&mut self) -> HostResult<Resource<OutputStream>> {
        let stream = OutputStream::new(self.cli.stdout.clone());
        Ok(self.table.push(stream)?)
    }
}

impl stderr::Host for WasiCtx {
    fn get_stderr(&mut self) -> HostResult<Resource<OutputStream>> {
        let stream = OutputStream::new(self.cli.stderr.clone());
        Ok(self.table.push(stream)?)
    }
}

/// The resource `terminal-input`.
#[derive(Debug)]
pub(crate) struct TerminalInput;

/// The resource `terminal-output`.
#[derive(Debug)]
pub(crate) struct TerminalOutput;

impl terminal_input::Host for WasiCtx {}

impl terminal_input::HostTerminalInput for WasiCtx {
    fn drop(&mut self, terminal: Resource<TerminalInput>) -> HostResult<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for WasiCtx {}

impl terminal_output::HostTerminalOutput for WasiCtx {
    fn drop(&mut self, terminal: Resource<TerminalOutput>) -> HostResult<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_stdin::Host for WasiCtx {
    fn get_terminal_stdin(&mut self) -> HostResult<Option<Resource<TerminalInput>>> {
        self.terminal_input()
    }
}

impl terminal_stdout::Host for WasiCtx {
    fn get_terminal_stdout(&mut self) -> HostResult<Option<Resource<TerminalOutput>>> {
        self.terminal_output(OutputKind::Stdout)
    }
}

impl terminal_stderr::Host for WasiCtx {
    fn get_terminal_stderr(&mut self) -> HostResult<Option<Resource<TerminalOutput>>> {
        self.terminal_output(OutputKind::Stderr)
    }
}
