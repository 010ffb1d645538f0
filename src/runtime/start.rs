//! Start parameters of a component.

use std::sync::Arc;

use super::lifecycle::ComponentConfig;
#[cfg(feature = "wasi")]
use crate::component::Component;
#[cfg(feature = "wasi")]
use crate::host::WasiAccess;
use crate::limits::EffectiveLimits;
use crate::security::Grants;
#[cfg(feature = "wasi")]
use crate::security::RevocationHook;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::Preview1;
#[cfg(feature = "wasi")]
use crate::wasi::{Lasting, WasiCtx, WasiCtxBuilder};

/// Parameters kept for `init`, and for an instance that replaces another.
#[derive(Debug)]
pub(super) struct Start {
    /// The input of `init`.
    pub(super) config: ComponentConfig,
    /// Variables and settings whose values are marked secret, by name.
    pub(super) secrets: Vec<String>,
    pub(super) grants: WasiGrants,
    /// Grants of the component, which its metadata must not exceed.
    pub(super) security: Grants,
}

/// Limits of each instance, and its WASI grants in builds with WASI.
#[derive(Clone, Debug, Default)]
pub(super) struct WasiGrants {
    pub(super) limits: Arc<EffectiveLimits>,
    #[cfg(feature = "wasi")]
    pub(super) wasi: WasiCtxBuilder,
    /// The policy on WASI, if the component has grants.
    #[cfg(feature = "wasi")]
    pub(super) access: Option<Arc<WasiAccess>>,
    /// State of WASI that instances of a snapshot go on with.
    #[cfg(feature = "wasi")]
    pub(super) lasting: Option<Lasting>,
    #[cfg(feature = "wasix")]
    pub(super) preview1: Preview1,
}

#[cfg(feature = "wasi")]
impl WasiGrants {
    /// Closes an instance's connections when a capability is revoked, until the result is dropped.
    pub(super) fn closes(&self, wasi: &WasiCtx) -> Option<RevocationHook> {
        self.access.as_ref()?.closes(wasi.connections())
    }

    /// Gives the component the WASI powers of its grants.
    pub(super) fn add(&mut self, grants: &Grants, component: &Component) {
        if grants.context().is_some() {
            let access = WasiAccess::new(grants.clone());
            access.add_to(&mut self.wasi, WasiAccess::uses_files(component));
            self.access = Some(access);
        }
    }
}
