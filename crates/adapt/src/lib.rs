//! Converts core modules into components.
//!
//! Many toolchains stop at a core module: `go build`, clang with wasi-libc, Rust for `wasm32-wasip1`. [`lift`] converts
//! a module that follows the names of the canonical ABI (`INTERFACE#function`, `cabi_post_…`, `cabi_realloc`,
//! `_initialize`), or a program with `_start`. [`Preview1`] selects the provider of a module's WASI preview 1 imports.

mod entry;
mod error;
mod imports;
mod module;
mod world;

pub use error::AdaptError;
pub use imports::IMPORTS_PACKAGE;
pub use module::{ModuleKind, is_core_module, kind};
pub use world::World;

use wasi_preview1_component_adapter_provider as adapters;
use wit_component::ComponentEncoder;

use airssys_wasm_component::internal::contain;

/// Providers of the imports of WASI preview 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preview1 {
    /// [`Preview1::Own`], or [`Preview1::Host`] for modules that import WASIX.
    #[default]
    Auto,
    /// This library's WASI 0.2: the component has the same files, arguments and limits as any other. It imports an
    /// interface that only this library provides. The interface's functions are core functions, so no adapter runs
    /// between the module and the host.
    Own,
    /// wasmer-wasix. The component imports the interfaces of [`IMPORTS_PACKAGE`], which only this library provides.
    Host,
    /// The published adapter, which becomes a part of the component. The component then imports WASI 0.2, and runs on
    /// any host that provides it.
    Adapter,
}

/// Returns the provider of a module's preview 1 imports; never [`Preview1::Auto`].
///
/// # Errors
/// [`AdaptError::NoWasix`] in builds without the feature `wasix`; [`AdaptError::NotWasm`], [`AdaptError::Component`].
pub fn provider(module: &[u8], preview1: Preview1) -> Result<Preview1, AdaptError> {
    let provider = match preview1 {
        Preview1::Auto if module::read(module)?.wasix => Preview1::Host,
        Preview1::Auto => Preview1::Own,
        asked => asked,
    };
    match provider {
        Preview1::Host if cfg!(not(feature = "wasix")) => Err(AdaptError::NoWasix),
        provider => Ok(provider),
    }
}

/// Lifts a core module to a component, and validates it.
///
/// # Errors
/// [`AdaptError`].
pub fn lift(module: &[u8], world: &World, preview1: Preview1) -> Result<Vec<u8>, AdaptError> {
    contain("the encoder of components", || encode(module, world, preview1))
        .unwrap_or_else(|panicked| Err(AdaptError::encoding(panicked)))
}

fn encode(module: &[u8], world: &World, preview1: Preview1) -> Result<Vec<u8>, AdaptError> {
    let shape = module::read(module)?;
    let provider = provider(module, preview1)?;
    let mut bytes = match shape.describes_itself || shape.kind == ModuleKind::Program {
        true => module.to_vec(),
        false => world.embed(module)?,
    };
    match provider {
        Preview1::Own | Preview1::Auto => {
            bytes = entry::with_entry(&bytes, shape.kind)?;
            bytes = imports::to_host(&bytes, imports::OWN, shape.kind)?;
        }
        Preview1::Host if shape.kind == ModuleKind::Program => return Err(AdaptError::WasixProgram),
        Preview1::Host => bytes = imports::to_host(&bytes, imports::WASIX, shape.kind)?,
        Preview1::Adapter if shape.go && !shape.realloc.adapter => return Err(AdaptError::GoMemory),
        Preview1::Adapter => {}
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&bytes).map_err(AdaptError::world)?;
    if provider == Preview1::Adapter {
        let adapter = match shape.kind {
            ModuleKind::Program => adapters::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            ModuleKind::Library => adapters::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        };
        encoder
            .adapter(adapters::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)
            .map_err(AdaptError::encoding)?;
    }
    encoder.encode().map_err(AdaptError::encoding)
}
