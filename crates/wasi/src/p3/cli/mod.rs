//! `wasi:cli` 0.3.

mod streams;

use airssys_wasm_component::component::{HostResult, Resource};

use super::bindings::wasi::cli::{
    environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use crate::WasiCtx;
use crate::cli::{OutputKind, TerminalInput, TerminalOutput};

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
