//! Core modules: lifted to components, or run as programs.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use airssys_wasm::adapt::{self, AdaptError};

use crate::args::{ComponentArgs, ComponentCommand, CoreModuleArgs, NewArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, output};

/// Runs `component new`.
pub(crate) fn component(args: &ComponentArgs) -> Outcome {
    match &args.command {
        ComponentCommand::New(args) => new(args),
    }
}

fn new(args: &NewArgs) -> Outcome {
    let module = files::wasm_or_stdin(&args.module)?;
    let component = adapt::lift(&module, &args.world(), adapt::Preview1::Adapter);
    let component = component.map_err(|error| failed(&args.module, error))?;
    let file = match &args.output {
        Some(file) => file.clone(),
        None if args.module == Path::new("-") => {
            return Err(Failure::usage("choose the output file with -o FILE"));
        }
        None => named(&args.module),
    };
    files::write(&file, &component)?;
    output::print(&format!("{}: {} bytes", file.display(), component.len()))?;
    Ok(Exit::Done)
}

/// Returns the default output: `name.component.wasm` for `name.wasm`.
fn named(module: &Path) -> PathBuf {
    module.with_extension("component.wasm")
}

/// Returns a component's bytes: the given ones, or those of the lifted core module.
pub(crate) fn lifted<'a>(path: &Path, bytes: &'a [u8], args: &CoreModuleArgs) -> Outcome<Cow<'a, [u8]>> {
    if !adapt::is_core_module(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    adapt::lift(bytes, &args.world(), args.preview1())
        .map(Cow::Owned)
        .map_err(|error| failed(path, error))
}

/// Returns the kind of a core module whose provider is wasmer-wasix; `None` for everything else.
#[cfg(feature = "wasix")]
pub(crate) fn by_wasix(
    path: &Path,
    bytes: &[u8],
    args: &CoreModuleArgs,
) -> Outcome<Option<adapt::ModuleKind>> {
    if !adapt::is_core_module(bytes) {
        return Ok(None);
    }
    let served = || match adapt::provider(bytes, args.preview1())? {
        adapt::Preview1::Host => adapt::kind(bytes).map(Some),
        _ => Ok(None),
    };
    served().map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: AdaptError) -> Failure {
    Failure::new(Exit::Load, error).context(format!("`{}` cannot be loaded", path.display()))
}
