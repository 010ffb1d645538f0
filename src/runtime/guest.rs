//! A component's instance, with the state that belongs to it alone.

#[cfg(feature = "wasi")]
use std::sync::Arc;
use std::time::Instant;

use super::lifecycle::{ComponentConfig, ExecutionContext, Lifecycle};
use super::snapshot::Record;
use crate::artifact::{Artifact, SnapshotError, SnapshotOptions};
use crate::component::{Instance, Store};
use crate::engine::{Backend, StoreLimits};
use crate::error::{LimitExceeded, Result};
#[cfg(feature = "wai")]
use crate::host::Settings;
#[cfg(feature = "wasi")]
use crate::host::WasiAccess;
use crate::host::{
    CallScope, ComponentError, ComponentMetadata, ExecutionError, HealthStatus, HostContext, HostState,
};
#[cfg(feature = "wasi")]
use crate::security::RevocationHook;
#[cfg(feature = "wai")]
use crate::wai::WaiGuest;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{Preview1Guest, Preview1View};
#[cfg(feature = "wasi")]
use crate::wasi::{WasiCtxView, WasiState, WasiView};
use airssys_wasm_component::internal::{InterruptHandle, text};

/// Result of a lifecycle function that may return an error of the component.
type Answer<T, E> = Result<std::result::Result<T, E>>;

/// An instance, and the backend that compiled its code.
#[derive(Debug)]
pub(super) struct GuestInstance {
    body: Body,
    pub(super) backend: Backend,
    /// Set once one of its functions was called.
    pub(super) called: bool,
}

/// A running instance: a component or a WAI module. Both follow the contract.
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

impl GuestInstance {
    pub(super) fn component(
        store: Store<GuestData>,
        instance: Instance,
        lifecycle: Lifecycle,
        backend: Backend,
    ) -> GuestInstance {
        let inhabitant = Inhabitant {
            store,
            instance,
            lifecycle,
        };
        GuestInstance::of(Body::Component(Box::new(inhabitant)), backend)
    }

    #[cfg(feature = "wai")]
    pub(super) fn wai(guest: WaiGuest, backend: Backend) -> GuestInstance {
        GuestInstance::of(Body::Wai(Box::new(guest)), backend)
    }

    fn of(body: Body, backend: Backend) -> GuestInstance {
        GuestInstance {
            body,
            backend,
            called: false,
        }
    }

    /// Returns context and limits for a replacement instance if the component cannot observe the replacement: only start
    /// functions have run in this instance, and they have called no host functions. So they have observed nothing that
    /// changes and left no effects elsewhere, and would run the same way again.
    pub(super) fn pristine(&self) -> Option<(HostContext, StoreLimits)> {
        match &self.body {
            Body::Component(it) if !self.called && !it.store.data().has_called => {
                Some((it.store.data().context.clone(), it.store.limits().clone()))
            }
            _ => None,
        }
    }

    /// Sets the deadline of the next call.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        match &mut self.body {
            Body::Component(it) => it.store.data_mut().set_deadline(deadline),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.set_deadline(deadline),
        }
    }

    /// Sets the fuel of the next call, if it is limited.
    ///
    /// # Errors
    /// [`Error::FuelNotConsumed`](crate::Error::FuelNotConsumed) if the code does not count it, which is found out when it is
    /// loaded.
    pub(super) fn set_fuel(&mut self, fuel: Option<u64>) -> Result<()> {
        match (&mut self.body, fuel) {
            (Body::Component(it), Some(fuel)) => it.store.set_fuel(fuel),
            // Modules of the WAI tools are not loaded with such a limit.
            _ => Ok(()),
        }
    }

    /// Lowers the limit on memory.
    ///
    /// # Errors
    /// [`LimitExceeded`] if more is in use.
    pub(super) fn lower_memory_limit(&mut self, bytes: u64) -> std::result::Result<(), LimitExceeded> {
        match &mut self.body {
            Body::Component(it) => it.store.lower_memory_limit(bytes),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.lower_memory_limit(bytes),
        }
    }

    pub(super) fn interrupter(&self) -> InterruptHandle {
        match &self.body {
            Body::Component(it) => it.store.interrupter(),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.interrupter(),
        }
    }

    /// Reports whether it can no longer be called.
    pub(super) fn is_poisoned(&self) -> bool {
        match &self.body {
            Body::Component(it) => it.instance.is_poisoned(),
            #[cfg(feature = "wai")]
            Body::Wai(guest) => guest.is_poisoned(),
        }
    }

    /// Returns the parts of the host's state for the component that the component itself has changed.
    pub(super) fn host_state(&self) -> Vec<String> {
        match &self.body {
            Body::Component(it) => {
                let data = it.store.data();
                let settings = data.context.settings.own();
                let settings = settings.map(|key| format!("the setting `{}`", text::brief(&key)));
                #[cfg(feature = "wasi")]
                let settings = settings.chain(match data.wasi.ctx.open_descriptors() {
                    0 => None,
                    1 => Some("a descriptor of preview 1".to_owned()),
                    open => Some(format!("{open} descriptors of preview 1")),
                });
                settings.collect()
            }
            #[cfg(feature = "wai")]
            Body::Wai(_) => Vec::new(),
        }
    }

    /// Returns the record of a snapshot.
    pub(super) fn record(&self, config: &ComponentConfig, metadata: &ComponentMetadata) -> Record {
        match &self.body {
            Body::Component(it) => {
                let data = it.store.data();
                let record = Record::new(config, &data.context.settings, metadata);
                #[cfg(feature = "wasi")]
                let record = record.with_wasi(data.wasi.ctx.lasting());
                record
            }
            #[cfg(feature = "wai")]
            Body::Wai(_) => Record::new(config, &Settings::default(), metadata),
        }
    }

    /// Returns an artifact whose instances begin with the state of this one.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub(super) fn snapshot(
        &mut self,
        artifact: &Artifact<'_>,
        options: &SnapshotOptions<'_>,
    ) -> std::result::Result<Vec<u8>, SnapshotError> {
        match &mut self.body {
            Body::Component(it) => artifact.snapshot(&mut it.store, &it.instance, options),
            #[cfg(feature = "wai")]
            Body::Wai(_) => Err(SnapshotError::OtherArtifact),
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
            Body::Component(it) => {
                it.store.data_mut().set_call(scope(context));
                let answer = it.lifecycle.call_execute(&mut it.store, operation, context);
                it.store.data_mut().set_call(CallScope::default());
                answer
            }
            #[cfg(feature = "wai")]
            Body::Wai(guest) => {
                guest.set_call(scope(context));
                let answer = guest.execute(operation, context);
                guest.set_call(CallScope::default());
                answer
            }
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

/// Returns the parts of an operation's context that audit and host functions get.
fn scope(context: &ExecutionContext) -> CallScope {
    let trace = context.trace_context.as_ref();
    CallScope {
        request_id: Some(context.request_id.clone()),
        trace: trace.map(|trace| trace.traceparent.clone()),
    }
}

/// The host's data in a component's store.
#[derive(Debug)]
pub(super) struct GuestData {
    pub(super) context: HostContext,
    #[cfg(feature = "wasi")]
    pub(super) wasi: WasiState,
    /// The policy on WASI.
    #[cfg(feature = "wasi")]
    pub(super) access: Option<Arc<WasiAccess>>,
    /// Closes connections when a capability is revoked.
    #[cfg(feature = "wasi")]
    pub(super) _revocation: Option<RevocationHook>,
    #[cfg(feature = "wasix")]
    pub(super) preview1: Preview1Guest,
    /// Set once the component has called the host.
    pub(super) has_called: bool,
}

impl GuestData {
    /// Sets the operation that the component executes, for the audit.
    fn set_call(&mut self, call: CallScope) {
        #[cfg(feature = "wasi")]
        if let Some(access) = &self.access {
            access.set_call(call.clone());
        }
        self.context.call = call;
    }

    /// Sets the deadline of the next call.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.context.deadline = deadline;
        #[cfg(feature = "wasi")]
        self.wasi.ctx.set_deadline(deadline);
        #[cfg(feature = "wasix")]
        self.preview1.set_deadline(deadline);
    }
}

impl HostState for GuestData {
    /// Entry point of every function of the contract, and of nothing else.
    fn host(&mut self) -> &mut HostContext {
        self.has_called = true;
        &mut self.context
    }
}

#[cfg(feature = "wasi")]
impl WasiView for GuestData {
    /// Entry point of every function of WASI, and of nothing else.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.has_called = true;
        self.wasi.ctx()
    }
}

#[cfg(feature = "wasix")]
impl Preview1View for GuestData {
    /// Called once, when the component is linked: these functions do not report when they are called.
    fn preview1(&mut self) -> &mut Preview1Guest {
        self.has_called = true;
        &mut self.preview1
    }
}
