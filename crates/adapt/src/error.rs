//! Errors of lifting.

/// The reason that a core module cannot be lifted to a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptError {
    /// The bytes are not WebAssembly.
    #[error("this is not WebAssembly: {0}")]
    NotWasm(String),
    /// The bytes are a component already.
    #[error("this is already a component, not a core module")]
    Component,
    /// The world cannot be read, or does not describe the module.
    #[error("the module's world cannot be used: {0}")]
    World(String),
    /// The module does not fit its world, or has imports without a provider.
    #[error("the core WebAssembly module cannot be converted to a component: {0}")]
    Encoding(String),
    /// The module has imports that only wasmer-wasix provides, and this build does not include it.
    #[error(
        "the module imports WASIX, which this build does not include (it is provided by wasmer-wasix): build airssys-wasm with \
         `--features wasix`, or build the module for plain WASI (wasm32-wasip1)"
    )]
    NoWasix,
    /// The module is a program that wasmer-wasix runs as a core module; it cannot be lifted.
    #[error(
        "the module is a WASIX program, which cannot be a component: run it with `airssys-wasm run`, or with \
         `wasi::preview1::Program`"
    )]
    WasixProgram,
    /// The module was compiled by Go and has no allocator for an adapter.
    #[error(
        "the published preview 1 adapter cannot be added to this Go module: Go's runtime uses all memory behind its own, \
         including the adapter's pages, and `cabi_realloc` cannot be called before `_initialize`. Export \
         `cabi_realloc_adapter`, which returns two pages of one of the module's variables (131,072 bytes), or omit the \
         adapter (`--preview1 own`, which is the default)"
    )]
    GoMemory,
    /// A function of preview 1 is imported with a type that no such function has.
    #[error("the import `{module}` `{name}` has a type that host functions cannot have")]
    Import {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
}

impl AdaptError {
    pub(super) fn world(error: impl std::fmt::Display) -> AdaptError {
        AdaptError::World(format!("{error:#}"))
    }

    pub(super) fn encoding(error: impl std::fmt::Display) -> AdaptError {
        AdaptError::Encoding(format!("{error:#}"))
    }
}
