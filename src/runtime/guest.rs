//! A component's instance, with all that belongs to it alone.

use std::time::Instant;

use super::lifecycle::{ComponentConfig, ExecutionContext, Lifecycle};
use crate::component::{Instance, Store};
use crate::engine::Backend;
#[cfg(all(unix, feature = "interrupt"))]
use crate::engine::InterruptHandle;
use crate::error::Result;
use crate::host::{ComponentError, ComponentMetadata, ExecutionError, HealthStatus, HostContext, HostState};
#[cfg(feature = "wai")]
use crate::wai::WaiGuest;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{Preview1Guest, Preview1View};
#[cfg(feature = "wasi")]
use crate::wasi::{WasiCtx, WasiView};

/// What a function of the life cycle gives that may answer with an error of its own.
type Answer<T, E> = Result<std::result::Result<T, E>>;

/// An instance, and whose code it runs on.
#[derive(Debug)]
pub(super) struct Guest {
    body: Body,
    pub(super) backend: Backend,
    /// Whether one of its functions was called.
    pub(super) called: bool,
}

/// What runs. All of it follows the contract.
#[derive(Debug)]
enum Body {
    Component(Box<Inhabitant>),
    #[cfg(feature = "wai")]
    Wai(Box<WaiGuest>),
}

/// A component's instance.
#[derive(Debug)]
struct Inhabitant {
    store: Store<GuestData>,
    instance: Instance,
    lifecycle: Lifecycle,
}

impl Guest {
    pub(super) fn component(
        store: Store<GuestData>,
        instance: Instance,
        lifecycle: Lifecycle,
        backend: Backend,
    ) -> Guest {
        let inhabitant = Inhabitant {
            store,
            instance,
            lifecycle,
        };
        Guest::of(Body::Component(Box::new(inhabitant)), backend)
    }

    #[cfg(feature = "wai")]
    pub(super) fn wai(guest: WaiGuest, backend: Backend) -> Guest {
        Guest::of(Body::Wai(Box::new(guest)), backend)
    }

    fn of(body: Body, backend: Backend) -> Guest {
        Guest {
            body,
            backend,
            called: false,
        }
    }

    /// What another instance of the same component is made with, if that one, made now, could not be told from this one:
    /// nothing but start functions has run in it, and these have called nothing of the host's. So they have seen nothing
    /// that changes, have left nothing anywhere else, and would do the same again.
    pub(super) fn pristine(&self) -> Option<HostContext> {
        match &self.body {
            Body::Component(it) if !self.called && !it.store.data().has_called => {
                Some(it.store.data().context.clone())
            }
            _ => None,
        }
    }

    /// Says when the call that follows has to be over.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        match &mut self.body {
            Body::Component(it) => it.store.data_mut().set_deadline(deadline),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.set_deadline(deadline),
        }
    }

    #[cfg(all(unix, feature = "interrupt"))]
    pub(super) fn interrupter(&self) -> InterruptHandle {
        match &self.body {
            Body::Component(it) => it.store.interrupter(),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.interrupter(),
        }
    }

    /// Whether it cannot be called again.
    pub(super) fn is_poisoned(&self) -> bool {
        match &self.body {
            Body::Component(it) => it.instance.is_poisoned(),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.is_poisoned(),
        }
    }

    pub(super) fn init(&mut self, config: &ComponentConfig) -> Answer<(), ComponentError> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_init(&mut it.store, config),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.init(config),
        }
    }

    pub(super) fn execute(
        &mut self,
        operation: &[u8],
        context: &ExecutionContext,
    ) -> Answer<Vec<u8>, ExecutionError> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_execute(&mut it.store, operation, context),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.execute(operation, context),
        }
    }

    pub(super) fn metadata(&mut self) -> Result<ComponentMetadata> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_metadata(&mut it.store),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.metadata(),
        }
    }

    pub(super) fn health(&mut self) -> Result<HealthStatus> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_health(&mut it.store),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.health(),
        }
    }

    pub(super) fn supported_codecs(&mut self) -> Result<Vec<u64>> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_supported_codecs(&mut it.store),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.supported_codecs(),
        }
    }

    pub(super) fn shutdown(&mut self) -> Answer<(), ComponentError> {
        match &mut self.body {
            Body::Component(it) => it.lifecycle.call_shutdown(&mut it.store),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.shutdown(),
        }
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
