//! A component's instance, with all that belongs to it alone.

use std::time::Instant;

use super::lifecycle::Lifecycle;
use crate::component::{Instance, Store};
use crate::engine::Backend;
use crate::host::{HostContext, HostState};
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{Preview1Guest, Preview1View};
#[cfg(feature = "wasi")]
use crate::wasi::{WasiCtx, WasiView};

#[derive(Debug)]
pub(super) struct Guest {
    pub(super) store: Store<GuestData>,
    pub(super) instance: Instance,
    pub(super) lifecycle: Lifecycle,
    /// Whose code it runs on.
    pub(super) backend: Backend,
    /// Whether one of its functions was called.
    pub(super) called: bool,
}

impl Guest {
    /// Whether another instance of the same component, made now, could not be told from this one: nothing but start
    /// functions has run in it, and these have called nothing of the host's. So they have seen nothing that changes, have
    /// left nothing anywhere else, and would do the same again.
    pub(super) fn is_pristine(&self) -> bool {
        !self.called && !self.store.data().has_called
    }
}

/// The host's data in a component's store.
#[derive(Debug)]
pub(super) struct GuestData {
    pub(super) context: HostContext,
    #[cfg(feature = "wasi")]
    pub(super) wasi: WasiCtx,
    #[cfg(feature = "wasix")]
    pub(super) preview1: Preview1Guest,
    /// Whether the component has called the host.
    pub(super) has_called: bool,
}

impl GuestData {
    /// Says when the call that follows has to be over.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.context.deadline = deadline;
        #[cfg(feature = "wasi")]
        self.wasi.set_deadline(deadline);
        #[cfg(feature = "wasix")]
        self.preview1.set_deadline(deadline);
    }
}

impl HostState for GuestData {
    /// Every function of the contract's begins here, and nothing else does.
    fn host(&mut self) -> &mut HostContext {
        self.has_called = true;
        &mut self.context
    }
}

#[cfg(feature = "wasi")]
impl WasiView for GuestData {
    /// Every function of WASI's begins here, and nothing else does.
    fn wasi(&mut self) -> &mut WasiCtx {
        self.has_called = true;
        &mut self.wasi
    }
}

#[cfg(feature = "wasix")]
impl Preview1View for GuestData {
    /// Asked once, when the component is given its functions: these do not say when they are called.
    fn preview1(&mut self) -> &mut Preview1Guest {
        self.has_called = true;
        &mut self.preview1
    }
}
