//! `run` of a core module with `_start`, with wasmer-wasix.

use std::path::Path;
use std::time::{Duration, Instant};

use airssys_wasm::component::Component;
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::preview1::{self, Preview1, Program};

use crate::args::{RunArgs, WasiArgs};
use crate::command;
use crate::exit::{Exit, Failure, Outcome};

/// Runs a program with the command line's arguments and grants.
pub(crate) fn run(args: &RunArgs, engine: &Engine, bytes: &[u8]) -> Outcome {
    command::refuse_operations(args)?;
    let grants = grants(&args.wasi, &args.component)?;
    let deadline = args
        .timeout
        .and_then(|timeout| Instant::now().checked_add(Duration::from_millis(timeout)));
    let grants = args
        .args
        .iter()
        .fold(grants.deadline(deadline), |grants, arg| grants.arg(arg));
    let program = Program::from_binary(engine, bytes)?;
    let ended = program.run(grants)?;
    // As the operating system reports it for processes.
    Ok(Exit::Status(u8::try_from(ended.status & 0xff).unwrap_or(u8::MAX)))
}

/// Refuses network grants, which wasmer-wasix cannot give a core module here.
pub(crate) fn refuse_network(args: &WasiArgs) -> Outcome<()> {
    match args.net.first() {
        None => Ok(()),
        Some(net) => Err(Failure::usage(format!(
            "`{net}` cannot be granted: wasmer-wasix, which runs this module, has no network access here"
        ))),
    }
}

/// Returns the grants for the preview 1 imports that a component has; without such imports, none.
pub(crate) fn grants_for(component: &Component, args: &WasiArgs, path: &Path) -> Outcome<Preview1> {
    if !preview1::is_imported(component) {
        return Ok(Preview1::new());
    }
    refuse_network(args)?;
    grants(args, path)
}

/// Returns the grants of the command line for a core module.
pub(crate) fn grants(args: &WasiArgs, module: &Path) -> Outcome<Preview1> {
    let env = args.env.iter();
    let grants = Preview1::new().name(command::name(module));
    let mut grants = env.fold(grants, |grants, (name, value)| grants.env(name, value));
    for dir in &args.dir {
        grants = grants
            .folder(&dir.host, &dir.guest, !dir.read_only)
            .map_err(|error| Failure::new(Exit::Usage, error))?;
    }
    Ok(match args.inherit_stdio {
        true => grants.inherit_stdio(),
        false => grants,
    })
}
