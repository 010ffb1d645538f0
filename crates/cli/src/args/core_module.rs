//! Command-line arguments about core modules.

use std::path::PathBuf;

use airssys_wasm::adapt::{self, World};
use clap::{Args, Subcommand, ValueEnum};

use crate::exit;

/// Options for lifting core modules: those of `go build`, of clang, of Rust for wasm32-wasip1.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Core modules")]
pub(crate) struct CoreModuleArgs {
    /// The provider of a core module's WASI preview 1 imports
    #[arg(long, value_enum, default_value_t)]
    pub(crate) preview1: Preview1Arg,

    /// The world that a core module is for, if it does not carry it: WIT in a file or a folder; without it, the contract's
    #[arg(long, value_name = "PATH")]
    pub(crate) wit: Option<PathBuf>,

    /// The world's name in there, unless it is the only one
    #[arg(long, value_name = "NAME", requires = "wit")]
    pub(crate) world: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preview1Arg {
    /// `own`; for modules that import WASIX, `host`
    #[default]
    Auto,
    /// This host's WASI, called directly
    Own,
    /// wasmer-wasix, which has WASIX too
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

/// Make components
#[derive(Debug, Args)]
pub(crate) struct ComponentArgs {
    #[command(subcommand)]
    pub(crate) command: ComponentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    New(NewArgs),
}

/// Make a component of a core module that follows the names of the canonical ABI, or of a program with _start
///
/// What it imports of WASI preview 1 is served by the published adapter, which becomes a part of the component. A Go
/// module has to export cabi_realloc_adapter for it.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct NewArgs {
    /// The core module's file; `-` is standard input
    pub(crate) module: PathBuf,

    /// The component's file; without it, the module's name with `.component.wasm`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// The world that the module is for, if it does not carry it: WIT in a file or a folder; without it, the contract's
    #[arg(long, value_name = "PATH")]
    wit: Option<PathBuf>,

    /// The world's name in there, unless it is the only one
    #[arg(long, value_name = "NAME", requires = "wit")]
    world: Option<String>,
}

impl NewArgs {
    pub(crate) fn world(&self) -> World {
        world(self.wit.as_ref(), self.world.as_ref())
    }
}
