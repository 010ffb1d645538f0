//! Core modules, made components.
//!
//! Many toolchains stop at a core module: `go build`, clang with wasi-libc, Rust for `wasm32-wasip1`. [`lift`] makes a
//! component of one that follows the names of the canonical ABI (`INTERFACE#function`, `cabi_post_…`, `cabi_realloc`,
//! `_initialize`), or of a program with `_start`. What such a module imports of WASI preview 1 is served in one of two
//! ways, as [`Preview1`] says.

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

/// Who serves the imports of WASI preview 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preview1 {
    /// The published adapter, which becomes a part of the component: it then imports WASI 0.2, and runs on any host that has
    /// that.
    #[default]
    Adapter,
    /// The host itself. The component imports the interfaces of [`IMPORTS_PACKAGE`], which this library alone has. Their
    /// functions are core functions, so nothing stands between the module and the host.
    Host,
}

/// Makes a component of a core module, and validates it.
///
/// # Errors
/// [`AdaptError`].
pub fn lift(module: &[u8], world: &World, preview1: Preview1) -> Result<Vec<u8>, AdaptError> {
    let shape = module::read(module)?;
    let mut bytes = match shape.describes_itself || shape.kind == ModuleKind::Program {
        true => module.to_vec(),
        false => world.embed(module)?,
    };
    if preview1 == Preview1::Host && shape.kind != ModuleKind::Program {
        bytes = imports::to_host(&bytes)?;
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&bytes).map_err(AdaptError::world)?;
    if preview1 == Preview1::Adapter || shape.kind == ModuleKind::Program {
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
