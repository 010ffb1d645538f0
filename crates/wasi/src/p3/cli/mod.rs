//! `wasi:cli` 0.3.

mod stdin;
mod stdout;

use std::io;

use airssys_wasm_component::component::{HostResult, Resource};
use tokio::sync::oneshot;

use super::bindings::wasi::cli::types::ErrorCode;
use super::bindings::wasi::cli::{
    environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use crate::WasiCtx;
use crate::cli::{OutputKind, TerminalInput, TerminalOutput};
use crate::io::IoError;

/// The result of a standard stream.
type StreamEnd = Result<(), ErrorCode>;

/// Creates a result that is known later, and the future of it. The result is success if the sender is dropped.
fn later() -> (
    oneshot::Sender<StreamEnd>,
    impl Future<Output = HostResult<StreamEnd>> + Send + 'static,
) {
    let (sender, receiver) = oneshot::channel();
    (sender, async move { Ok(receiver.await.unwrap_or(Ok(()))) })
}

/// Converts the failure of a standard stream.
fn code(error: &IoError) -> ErrorCode {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) => ErrorCode::Pipe,
        Some(io::ErrorKind::InvalidData) => ErrorCode::IllegalByteSequence,
        _ => ErrorCode::Io,
    }
}

impl environment::Host for WasiCtx {
    fn get_environment(&mut self) -> HostResult<Vec<(String, String)>> {
        Ok(self.cli.env.clone())
    }

    fn get_arguments(&mut self) -> HostResult<Vec<String>> {
        Ok(self.cli.args.clone())
    }

    fn get_initial_cwd(&mut self) -> HostResult<Option<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_codes_of_the_interface() {
        let of = |kind: io::ErrorKind| code(&IoError::new(io::Error::from(kind)));
        assert_eq!(of(io::ErrorKind::BrokenPipe), ErrorCode::Pipe);
        assert_eq!(of(io::ErrorKind::InvalidData), ErrorCode::IllegalByteSequence);
        assert_eq!(of(io::ErrorKind::StorageFull), ErrorCode::Io);
        assert_eq!(code(&IoError::new("another error")), ErrorCode::Io);
    }
}
