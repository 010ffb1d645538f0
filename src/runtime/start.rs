//! What a component is given to start with.

use super::lifecycle::ComponentConfig;
#[cfg(feature = "wasi")]
use crate::wasi::WasiBuilder;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::Preview1;

/// What is kept for `init`, and for an instance that takes another's place.
#[derive(Debug)]
pub(super) struct Start {
    /// What `init` is given.
    pub(super) config: ComponentConfig,
    pub(super) grants: Grants,
}

/// What each instance gets of WASI, in builds that have it.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    #[cfg(feature = "wasi")]
    pub(super) wasi: WasiBuilder,
    #[cfg(feature = "wasix")]
    pub(super) preview1: Preview1,
}
