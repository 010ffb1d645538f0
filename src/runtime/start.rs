//! Start parameters of a component.

use super::lifecycle::ComponentConfig;
#[cfg(feature = "wasi")]
use crate::wasi::WasiCtxBuilder;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::Preview1;

/// Parameters kept for `init`, and for an instance that replaces another.
#[derive(Debug)]
pub(super) struct Start {
    /// The input of `init`.
    pub(super) config: ComponentConfig,
    pub(super) grants: WasiGrants,
}

/// WASI grants of each instance, in builds with WASI.
#[derive(Clone, Debug, Default)]
pub(super) struct WasiGrants {
    #[cfg(feature = "wasi")]
    pub(super) wasi: WasiCtxBuilder,
    #[cfg(feature = "wasix")]
    pub(super) preview1: Preview1,
}
