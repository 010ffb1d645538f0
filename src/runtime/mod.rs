//! Running components: configuration, loading, and the lifecycle of the contract.
//!
//! A [`ComponentRuntime`] is cheap to clone and is shared between threads. Each component has a store and an instance of
//! its own, and at most one call at a time: a second call returns [`RuntimeError::Busy`] at once, since waiting could take
//! as long as the call in flight, and a caller that wants a queue knows its best length. Calls into different components
//! run in parallel; a running guest holds no lock but its own. With [`actors`](crate::actors) there is a queue for each
//! component, and failed instances are replaced.
//!
//! A call's time limit is kept as a deadline: `sleep-millis` ends at it, and so does the component. Limits on CPU time and fuel
//! begin anew with each call of a function of the contract. Instantiation, in which start functions run, counts as one call.

mod alike;
mod config;
mod contract;
mod directory;
mod error;
mod forward;
mod grants;
mod guest;
mod identity;
mod instantiate;
mod lifecycle;
mod limits;
mod metadata;
mod options;
mod slot;
mod snapshot;
mod start;
mod state;
mod successor;
mod supervised;
mod topics;
mod values;
#[cfg(feature = "wai")]
mod wai;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
#[cfg(feature = "wasi")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use config::{RuntimeConfig, RuntimeConfigBuilder};
pub use error::{ErrorKind, InvalidConfig, InvalidOptions, Payload, RuntimeError};
pub use lifecycle::{CallerInfo, TraceContext};
pub use options::{ComponentOptions, ExecuteOptions, TimeLimit};
pub use snapshot::SnapshotProblem;
pub use state::{Call, ComponentState};

pub use crate::host::{ComponentError, ComponentMetadata, ExecutionError, HealthState, HealthStatus};
pub use crate::messaging::ComponentId;
pub(crate) use supervised::Supervised;

use crate::artifact::Trust;
use crate::component::{Component, Linker};
use crate::engine::Backend;
use crate::host::{self, Settings};
use crate::limits::{EffectiveLimits, LimitSource, Resource};
use crate::load::{Loaded, Loader, Source};
use airssys_wasm_component::internal::InterruptHandle;
use alike::Alike;
use directory::Directory;
use guest::GuestData;
use lifecycle::{ExecutionContext, ResourceAllocation};
use options::{Allowance, time_for};
use slot::Slot;

/// Loads components and runs their lifecycle.
///
/// ```no_run
/// use airssys_wasm::codec::{self, Codec};
/// use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = ComponentRuntime::new(RuntimeConfig::builder().build()?)?;
/// let id = runtime.load_component_from_file("text-processor.wasm", ComponentOptions::new())?;
/// runtime.init(&id)?;
/// let params = serde_json::json!({"text": "to be or not to be"});
/// let answer = runtime.execute(&id, &codec::operation(Codec::Json, "word-count", &params)?)?;
/// println!("{}", codec::to_json(&codec::decode(&answer)?)?);
/// runtime.shutdown(&id)?;
/// # Ok(())
/// # }
/// ```
///
/// When the last clone is dropped, every instance is freed, without a `shutdown`.
#[derive(Clone)]
pub struct ComponentRuntime {
    shared: Arc<Shared>,
}

struct Shared {
    config: RuntimeConfig,
    linker: Linker<GuestData>,
    /// The same with WASI 0.3, for components that import it.
    #[cfg(feature = "wasi")]
    with_p3: OnceLock<Linker<GuestData>>,
    directory: Arc<Directory>,
    slots: RwLock<BTreeMap<ComponentId, Arc<Slot>>>,
    requests: AtomicU64,
    limits: Alike<EffectiveLimits>,
}

impl ComponentRuntime {
    /// Creates a runtime without components.
    ///
    /// # Errors
    /// [`RuntimeError::Load`] if the contract's imports, or WASI's, cannot be defined, which would be a bug.
    pub fn new(config: RuntimeConfig) -> Result<ComponentRuntime, RuntimeError> {
        let mut linker = Linker::new(config.engine());
        host::add_to_linker(&mut linker).map_err(RuntimeError::Load)?;
        #[cfg(feature = "wasi")]
        crate::wasi::add_to_linker(&mut linker).map_err(RuntimeError::Load)?;
        let directory = Directory::new(config.clock.clone());
        Ok(ComponentRuntime {
            shared: Arc::new(Shared {
                config,
                linker,
                #[cfg(feature = "wasi")]
                with_p3: OnceLock::new(),
                directory: Arc::new(directory),
                slots: RwLock::default(),
                requests: AtomicU64::new(1),
                limits: Alike::default(),
            }),
        })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &RuntimeConfig {
        &self.shared.config
    }

    /// Returns the loader, with this runtime's engine, cache and records.
    pub fn loader(&self) -> &Loader {
        self.shared.config.loader()
    }

    /// Loads, links and instantiates a component. Its start functions run; `init` is not called.
    ///
    /// Without [`ComponentOptions::with_id`] its identity is derived from the name of the source's file: `counter`, then
    /// `counter-2`, …. A component from bytes gets the first free identity of `component-1`, `component-2`, ….
    ///
    /// An artifact is loaded if `trust` accepts it. A core module is accepted with
    /// `ComponentOptions::with_core_module`. A core module that was built with the WAI tools is accepted as it is (feature
    /// `wai`), if it exports the interface of `wit/wai/airssys-component-v1.wai`: it is compiled on every load, and has no
    /// access to WASI.
    ///
    /// With [`Backend::Tiered`] the component starts on code that is compiled quickly. Better code is compiled in the
    /// background, once for all loads of the same bytes, as long as one of them is not unloaded. An instance uses the
    /// optimized code if it is ready when the component is loaded; or from [`ComponentRuntime::init`] on, if until then only
    /// start functions have run in the component and have called no host functions. After that an instance keeps its code,
    /// since its memory belongs to it: unload the component and load it again. With a
    /// [cache](RuntimeConfigBuilder::with_cache), the optimized code outlasts the component.
    ///
    /// # Errors
    /// [`RuntimeError::Options`], [`RuntimeError::DuplicateId`]; [`RuntimeError::Load`] for bytes that are not a valid
    /// component or do not link; [`RuntimeError::Artifact`], `RuntimeError::CoreModule`; [`RuntimeError::NoLifecycle`],
    /// [`RuntimeError::PartialLifecycle`], [`RuntimeError::ContractVersion`] and [`RuntimeError::LifecycleType`] for a
    /// component that does not follow the contract; [`RuntimeError::Capabilities`] if it requires more than it is granted;
    /// [`RuntimeError::LimitExceeded`] if it needs more to start than its limits allow; [`RuntimeError::MemoryBudget`] if the
    /// runtime has no memory left for it; [`RuntimeError::Unenforceable`] for a
    /// limit that this system, or its code, cannot keep; [`RuntimeError::Snapshot`] for a snapshot that was initialized otherwise than the options
    /// state, and for one of these the errors of [`ComponentRuntime::init`] too; [`RuntimeError::Timeout`] and [`RuntimeError::Limit`] if its start
    /// functions were stopped.
    /// After an error nothing of the component remains.
    pub fn load(
        &self,
        source: &Source<'_>,
        trust: &Trust,
        mut options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let settings = self.check(&options)?;
        if let Some(path) = source.path()
            && options.near.is_none()
        {
            options = options.with_name_of(path);
        }
        let loaded = self.loader().load(source, trust, &options.load)?;
        self.link(&loaded, options, settings)
    }

    /// Loads a component from its bytes, as [`ComponentRuntime::load`] does.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::load`].
    pub fn load_component(
        &self,
        bytes: &[u8],
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        self.load(&bytes.into(), &Trust::default(), options)
    }

    /// Loads a component from a file, as [`ComponentRuntime::load`] does.
    ///
    /// # Errors
    /// [`RuntimeError::Read`], and the errors of [`ComponentRuntime::load`].
    pub fn load_component_from_file(
        &self,
        path: impl AsRef<Path>,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        self.load(&Source::open(path)?, &Trust::default(), options)
    }

    /// Loads an artifact that `trust` accepts: a component that was compiled ahead of time for this kind of machine. Other
    /// formats are refused.
    ///
    /// # Errors
    /// [`RuntimeError::Artifact`], and the errors of [`ComponentRuntime::load`].
    pub fn load_artifact_from_file(
        &self,
        path: impl AsRef<Path>,
        trust: &Trust,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        self.load(&Source::open_artifact(path)?, trust, options)
    }

    /// Links and instantiates a component that is already compiled, with any backend. Otherwise as
    /// [`ComponentRuntime::load`].
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::load`].
    pub fn load_compiled(
        &self,
        component: &Component,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        self.load_loaded(&component.clone().into(), options)
    }

    /// Links and instantiates what [`Loader::load`] returned. Otherwise as [`ComponentRuntime::load`].
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::load`].
    pub fn load_loaded(
        &self,
        loaded: &Loaded,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let settings = self.check(&options)?;
        self.link(loaded, options, settings)
    }

    /// Returns an error for every import of `component` that the runtime does not provide: the first fault of each, in the
    /// order of the imports.
    pub fn unmet_imports(&self, component: &Component) -> Vec<crate::Error> {
        #[cfg(feature = "wasi")]
        if crate::wasi::p3::is_imported(component) {
            return match self.linker_with_p3() {
                Ok(linker) => linker.unmet_imports(component),
                Err(error) => vec![error],
            };
        }
        self.shared.linker.unmet_imports(component)
    }

    /// Checks that need only the options, before the component is inspected.
    fn check(&self, options: &ComponentOptions) -> Result<Settings, RuntimeError> {
        let settings = options.check()?;
        if self.shared.config.needs_security && options.security.context.is_none() {
            return Err(InvalidOptions::NoSecurity.into());
        }
        if self.shared.config.needs_actors && !options.supervised {
            return Err(InvalidOptions::NoActor.into());
        }
        if options.memory_reserve.is_some() && self.config().memory_budget().is_none() {
            return Err(InvalidOptions::NoMemoryBudget.into());
        }
        match &options.id {
            Some(id) if self.slots_read().contains_key(id) => Err(RuntimeError::DuplicateId(id.clone())),
            _ => Ok(settings),
        }
    }

    fn link(
        &self,
        loaded: &Loaded,
        options: ComponentOptions,
        settings: Settings,
    ) -> Result<ComponentId, RuntimeError> {
        let (original, tiered) = instantiate::original(loaded)?;
        let (id, entry, limits) = self.take_identity(&options)?;
        match self.build(&original, tiered, options, settings, &id, entry, limits) {
            Ok(slot) => {
                self.slots_write().insert(id.clone(), Arc::new(slot));
                Ok(id)
            }
            Err(error) => {
                self.shared.directory.leave(&id);
                Err(error)
            }
        }
    }

    /// Queries the component's metadata, if it is not known yet, and initializes it with the options that it was loaded
    /// with. A component of a [snapshot](ComponentRuntime::snapshot) is initialized already: returns at once.
    ///
    /// # Errors
    /// [`RuntimeError::Component`] if the component refuses: it has then failed, since the contract allows no second
    /// `init`. [`RuntimeError::Memory`], [`RuntimeError::Metadata`], [`RuntimeError::LimitExceeded`] if it already uses more
    /// memory than its metadata states, and [`RuntimeError::Capabilities`] if its metadata requires more than it is granted,
    /// leave it created. Also the errors of [`ComponentRuntime::health`].
    pub fn init(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        self.init_in(&*self.callable(id)?)
    }

    /// Runs one operation, on behalf of the host application, within the default time.
    ///
    /// `operation` is a payload ([`codec::operation`](crate::codec::operation)). Neither it nor the answer is inspected.
    ///
    /// # Errors
    /// [`RuntimeError::Execution`] if the component answers with an error, and [`RuntimeError::Payload`] for an operation or
    /// an answer that is too large: it keeps running. Also the errors of [`ComponentRuntime::health`].
    pub fn execute(&self, id: &ComponentId, operation: &[u8]) -> Result<Vec<u8>, RuntimeError> {
        self.execute_with(id, operation, ExecuteOptions::default())
    }

    /// Runs one operation as [`ComponentRuntime::execute`] does, with options for this request.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::execute`].
    pub fn execute_with(
        &self,
        id: &ComponentId,
        operation: &[u8],
        options: ExecuteOptions,
    ) -> Result<Vec<u8>, RuntimeError> {
        self.execute_in(&*self.callable(id)?, operation, options, drop)
    }

    fn init_in(&self, slot: &Slot) -> Result<(), RuntimeError> {
        slot.init(self.default_time(slot), |component, context, grants, limits| {
            self.instantiate(component, context, grants, limits)
        })
    }

    /// Runs one operation; `started` gets the handle that stops it, before the guest runs.
    fn execute_in(
        &self,
        slot: &Slot,
        operation: &[u8],
        options: ExecuteOptions,
        started: impl FnOnce(InterruptHandle),
    ) -> Result<Vec<u8>, RuntimeError> {
        let config = &self.shared.config;
        let own = slot.known_metadata().and_then(|metadata| metadata.timeout_ms);
        let allowed = time_for(
            options.timeout,
            config.default_timeout,
            config.longest_timeout,
            own,
            limits::call_time(slot.limits()),
        );
        let request_id = options.request_id.filter(|id| !id.is_empty());
        let context = ExecutionContext {
            request_id: request_id.unwrap_or_else(|| {
                let number = self.shared.requests.fetch_add(1, Ordering::Relaxed);
                format!("request-{number}")
            }),
            caller: options.caller.unwrap_or(CallerInfo::Host),
            available_resources: ResourceAllocation {
                memory_bytes: slot.memory_limit().map_or(u64::MAX, |limit| limit.value),
                execution_time_ms: millis(allowed.time),
                fuel: limits::fuel(slot.limits()),
            },
            timeout_ms: millis(allowed.time),
            trace_context: options.trace_context,
        };
        slot.execute(operation, &context, allowed, started)
    }

    /// Returns the component's metadata. Queried once, then cached.
    ///
    /// # Errors
    /// [`RuntimeError::Metadata`] if it exceeds a bound, [`RuntimeError::LimitExceeded`] as for [`ComponentRuntime::init`], and
    /// the errors of [`ComponentRuntime::health`].
    pub fn metadata(&self, id: &ComponentId) -> Result<ComponentMetadata, RuntimeError> {
        let slot = self.slot(id)?;
        let metadata = slot.metadata(self.default_time(&slot))?;
        Ok((*metadata).clone())
    }

    /// Queries the component's health.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`]; [`RuntimeError::Actor`]; [`RuntimeError::WrongState`] by the table of [`ComponentState`];
    /// [`RuntimeError::Busy`] while another thread is in a call of the component; [`RuntimeError::Stopped`],
    /// [`RuntimeError::Timeout`] and [`RuntimeError::Limit`] if the component was stopped, after which it has failed for good;
    /// [`RuntimeError::Call`] if the call could not be made.
    pub fn health(&self, id: &ComponentId) -> Result<HealthStatus, RuntimeError> {
        let slot = self.callable(id)?;
        slot.health(self.default_time(&slot), drop)
    }

    /// Queries the numbers of the codecs that the component's `execute` accepts, the preferred one first.
    ///
    /// # Errors
    /// The errors of [`ComponentRuntime::health`].
    pub fn supported_codecs(&self, id: &ComponentId) -> Result<Vec<u64>, RuntimeError> {
        let slot = self.callable(id)?;
        slot.supported_codecs(self.default_time(&slot))
    }

    /// Calls the component's `shutdown`, then frees the instance. The identity stays in use until the component is
    /// unloaded.
    ///
    /// # Errors
    /// [`RuntimeError::Component`] with the component's own error: it is shut down all the same. Also the errors of
    /// [`ComponentRuntime::health`].
    pub fn shutdown(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        let slot = self.callable(id)?;
        slot.shutdown(self.default_time(&slot))
    }

    /// Removes the component, in any state: its mailbox closes, its instance is freed, and its identity is free again. Its
    /// `shutdown` is not called; call [`ComponentRuntime::shutdown`] first. A call in flight runs to its end, and its
    /// instance is freed then.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`]; [`RuntimeError::Actor`].
    pub fn unload(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        self.callable(id)?;
        self.remove(id)
    }

    fn remove(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        let slot = self.slots_write().remove(id);
        let slot = slot.ok_or_else(|| RuntimeError::UnknownComponent(id.clone()))?;
        self.shared.directory.leave(id);
        drop(slot);
        Ok(())
    }

    /// Returns the component's current state.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn state(&self, id: &ComponentId) -> Result<ComponentState, RuntimeError> {
        Ok(self.slot(id)?.state())
    }

    /// Returns the compiler whose code the component runs on, or ran on if its instance is freed.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn backend(&self, id: &ComponentId) -> Result<Backend, RuntimeError> {
        Ok(self.slot(id)?.backend())
    }

    /// Returns the limits that apply to the component, each with its source. The component's own metadata is considered once it
    /// is known.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn effective_limits(&self, id: &ComponentId) -> Result<EffectiveLimits, RuntimeError> {
        let slot = self.slot(id)?;
        let mut limits = slot.limits().clone();
        if let Some(memory) = slot.memory_limit() {
            limits.lower(Resource::Memory, memory.value, memory.source);
        }
        if let Some(time) = slot.known_metadata().and_then(|metadata| metadata.timeout_ms) {
            limits.lower(Resource::CallTime, time, LimitSource::Metadata);
        }
        Ok(limits)
    }

    /// Waits until the component's optimized code is compiled, or its compilation fails, and for no longer than `timeout`;
    /// returns whether the code is ready. True at once for a component that is not loaded with [`Backend::Tiered`]. The
    /// component itself changes to that code in [`ComponentRuntime::init`] only.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn wait_optimized(&self, id: &ComponentId, timeout: Duration) -> Result<bool, RuntimeError> {
        let slot = self.slot(id)?;
        Ok(slot.tiered().is_none_or(|tiered| tiered.wait(timeout)))
    }

    /// Returns the components that are loaded at this moment, in the order of their identities.
    pub fn list_components(&self) -> Vec<ComponentId> {
        self.slots_read().keys().cloned().collect()
    }

    /// Returns the time for calls that have none of their own.
    fn default_time(&self, slot: &Slot) -> Allowance {
        self.shared.config.default_time(slot.limits())
    }

    fn slot(&self, id: &ComponentId) -> Result<Arc<Slot>, RuntimeError> {
        let slot = self.slots_read().get(id).cloned();
        slot.ok_or_else(|| RuntimeError::UnknownComponent(id.clone()))
    }

    /// Returns a component whose calls the host makes itself.
    fn callable(&self, id: &ComponentId) -> Result<Arc<Slot>, RuntimeError> {
        let slot = self.slot(id)?;
        match slot.seat {
            None => Ok(slot),
            Some(_) => Err(RuntimeError::Actor(id.clone())),
        }
    }

    fn slots_read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<ComponentId, Arc<Slot>>> {
        self.shared.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots_write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<ComponentId, Arc<Slot>>> {
        self.shared.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ComponentRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentRuntime")
            .field("backend", &self.shared.config.backend())
            .field("components", &self.list_components())
            .finish_non_exhaustive()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
