//! Command-line arguments about core modules.

use std::path::PathBuf;

use airssys_wasm::adapt::{self, World};
use clap::{Args, Subcommand, ValueEnum};

use crate::exit;

/// Options for converting core modules, such as those of `go build`, clang and Rust for wasm32-wasip1.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Core modules")]
pub(crate) struct CoreModuleArgs {
    /// Implementation of a core module's WASI preview 1 imports
    #[arg(long, value_enum, default_value_t)]
    pub(crate) preview1: Preview1Arg,

    /// WIT file or folder with the core module's world, if the module does not embed it [default: the contract's world]
    #[arg(long, value_name = "PATH")]
    pub(crate) wit: Option<PathBuf>,

    /// Name of the world in --wit [default: the only world]
    #[arg(long, value_name = "NAME", requires = "wit")]
    pub(crate) world: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preview1Arg {
    /// `host` for modules that import WASIX, otherwise `own`
    #[default]
    Auto,
    /// This host's WASI, called directly
    Own,
    /// wasmer-wasix, which also provides WASIX
    Host,
    /// The published adapter, on top of this host's WASI 0.2
    Adapter,
}

impl CoreModuleArgs {
    pub(crate) fn world(&self) -> World {
        world(self.wit.as_ref(), self.world.as_ref())
    }

    pub(crate) fn preview1(&self) -> adapt::Preview1 {
        match self.preview1 {
            Preview1Arg::Auto => adapt::Preview1::Auto,
            Preview1Arg::Own => adapt::Preview1::Own,
            Preview1Arg::Host => adapt::Preview1::Host,
            Preview1Arg::Adapter => adapt::Preview1::Adapter,
        }
    }
}

fn world(path: Option<&PathBuf>, name: Option<&String>) -> World {
    match path {
        None => World::Contract,
        Some(path) => World::Wit {
            path: path.clone(),
            name: name.cloned(),
        },
    }
}

/// Create components
#[derive(Debug, Args)]
pub(crate) struct ComponentArgs {
    #[command(subcommand)]
    pub(crate) command: ComponentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    New(NewArgs),
}

/// Convert a core module that uses the canonical ABI's names, or a program that exports _start, to a component
///
/// WASI preview 1 imports are implemented by the published adapter, which becomes part of the component. A Go
/// module must export cabi_realloc_adapter for it.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct NewArgs {
    /// File of the core module; `-` is standard input
    pub(crate) module: PathBuf,

    /// File of the component [default: the module's name with `.component.wasm`]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// WIT file or folder with the module's world, if the module does not embed it [default: the contract's world]
    #[arg(long, value_name = "PATH")]
    wit: Option<PathBuf>,

    /// Name of the world in --wit [default: the only world]
    #[arg(long, value_name = "NAME", requires = "wit")]
    world: Option<String>,
}

impl NewArgs {
    pub(crate) fn world(&self) -> World {
        world(self.wit.as_ref(), self.world.as_ref())
    }
}
