//! Core modules: lifted to components, or run as programs.

use std::path::{Path, PathBuf};

use airssys_wasm::adapt::{self, AdaptError};
use airssys_wasm::load::LoadOptions;
#[cfg(feature = "wasix")]
use airssys_wasm::load::{Format, Source};

use crate::args::{ComponentArgs, ComponentCommand, CoreModuleArgs, NewArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, load, output};

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

impl CoreModuleArgs {
    /// Returns the options for loading a core module.
    pub(crate) fn options(&self) -> LoadOptions {
        let mut options = LoadOptions::default();
        options.core_module = Some((self.world(), self.preview1()));
        options
    }
}

/// Returns the kind of a core module whose provider is wasmer-wasix; `None` for everything else.
#[cfg(feature = "wasix")]
pub(crate) fn by_wasix(
    path: &Path,
    source: &Source<'_>,
    args: &CoreModuleArgs,
) -> Outcome<Option<adapt::ModuleKind>> {
    let (Format::CoreModule, Some(bytes)) = (source.format(), source.bytes()) else {
        return Ok(None);
    };
    let served = || match adapt::provider(bytes, args.preview1())? {
        adapt::Preview1::Host => adapt::kind(bytes).map(Some),
        _ => Ok(None),
    };
    served().map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: AdaptError) -> Failure {
    load::cannot(path, Failure::new(Exit::Load, error))
}
