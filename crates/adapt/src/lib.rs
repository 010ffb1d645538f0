//! Core modules, made components.
//!
//! Many toolchains stop at a core module: `go build`, clang with wasi-libc, Rust for `wasm32-wasip1`. [`lift`] makes a
//! component of one that follows the names of the canonical ABI (`INTERFACE#function`, `cabi_post_…`, `cabi_realloc`,
//! `_initialize`), or of a program with `_start`. [`Preview1`] says who serves what such a module imports of WASI
//! preview 1.

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

/// Who serves the imports of WASI preview 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preview1 {
    /// [`Preview1::Own`]; modules that import WASIX, [`Preview1::Host`].
    #[default]
    Auto,
    /// This library, on its WASI 0.2: the component has the files, arguments and limits of any other. It imports an
    /// interface that this library alone has. Its functions are core functions, so nothing stands between the module and
    /// the host.
    Own,
    /// wasmer-wasix. The component imports the interfaces of [`IMPORTS_PACKAGE`], which this library alone has.
    Host,
    /// The published adapter, which becomes a part of the component: it then imports WASI 0.2, and runs on any host that has
    /// that.
    Adapter,
}

/// The provider of a module's imports of preview 1; never [`Preview1::Auto`].
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

/// Makes a component of a core module, and validates it.
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
