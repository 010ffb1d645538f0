//! Why a core module is not made a component.

/// Why a core module is not made a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptError {
    /// The bytes are not WebAssembly.
    #[error("this is not WebAssembly: {0}")]
    NotWasm(String),
    /// It is a component already.
    #[error("this is a component already, not a core module")]
    Component,
    /// The world cannot be read, or does not describe the module.
    #[error("the module's world cannot be used: {0}")]
    World(String),
    /// The module does not fit its world, or imports what nothing serves.
    #[error("the core WebAssembly module cannot be made a component: {0}")]
    Encoding(String),
    /// A function of preview 1 is imported with a type that no such function has.
    #[error("the import `{module}` `{name}` has a type that no function of the host's can have")]
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
