//! Running components: configuration, loading, and the life cycle of the contract.
//!
//! A [`ComponentRuntime`] is cheap to clone and is shared between threads. Each component has a store and an
//! instance of its own, and at most one call at a time: a second call meanwhile is answered with
//! [`RuntimeError::Busy`] at once, since waiting could take as long as the running call may, and a caller that
//! wants a queue knows best how long one. Calls into different components run side by side; no lock is held
//! while a guest runs other than its own.
//!
//! A call's time is kept as a deadline: `sleep-millis` ends with it, and so does the component.

mod config;
mod contract;
mod directory;
mod error;
mod guest;
mod lifecycle;
mod metadata;
mod options;
mod slot;
mod start;
mod state;
mod tiers;
#[cfg(feature = "wai")]
mod wai;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use config::{RuntimeConfig, RuntimeConfigBuilder};
pub use error::{ErrorKind, InvalidConfig, InvalidOptions, RuntimeError};
pub use lifecycle::{CallerInfo, TraceContext};
pub use options::{ComponentOptions, ExecuteOptions, TimeLimit};
pub use state::{Call, ComponentState};

pub use crate::host::{ComponentError, ComponentMetadata, ExecutionError, HealthState, HealthStatus};
pub use crate::messaging::ComponentId;

use crate::artifact::{ArtifactFile, Trust};
use crate::component::{Component, Linker, Store};
use crate::engine::Backend;
use crate::host::{self, HostContext, Settings};
use crate::tiered::TieredComponent;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{self, Preview1Guest};
use directory::{Directory, Entry};
use guest::{Guest, GuestData};
use lifecycle::{ComponentConfig, ExecutionContext, ResourceAllocation, ResourceLimits};
use options::{Allowance, time_for};
use slot::Slot;
use start::{Grants, Start};
use tiers::Tiers;

/// Loads components and runs their life cycle.
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
    directory: Arc<Directory>,
    slots: RwLock<BTreeMap<ComponentId, Arc<Slot>>>,
    tiers: Tiers,
    requests: AtomicU64,
}

impl ComponentRuntime {
    /// A runtime without components.
    ///
    /// # Errors
    /// [`RuntimeError::Load`] if the contract's imports, or WASI's, cannot be defined, which would be a bug.
    pub fn new(config: RuntimeConfig) -> Result<ComponentRuntime, RuntimeError> {
        let mut linker = Linker::new(&config.engine);
        host::add_to_linker(&mut linker).map_err(RuntimeError::Load)?;
        #[cfg(feature = "wasi")]
        crate::wasi::add_to_linker(&mut linker).map_err(RuntimeError::Load)?;
        let directory = Directory::new(config.mailbox.clone(), config.clock.clone());
        Ok(ComponentRuntime {
            shared: Arc::new(Shared {
                config,
                linker,
                directory: Arc::new(directory),
                slots: RwLock::default(),
                tiers: Tiers::default(),
                requests: AtomicU64::new(1),
            }),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &RuntimeConfig {
        &self.shared.config
    }

    /// Compiles, links and instantiates a component. Its start functions run; `init` is not called.
    ///
    /// Without [`ComponentOptions::with_id`] it gets the first free identity of `component-1`, `component-2`, ….
    ///
    /// With [`Backend::Tiered`] the component starts on code that is compiled quickly. Better code is compiled in the
    /// background, once for all loads of the same bytes, as long as one of them is not unloaded. An instance gets it if it is
    /// there when the component is loaded; or in [`ComponentRuntime::init`], if until then nothing but start functions
    /// have run in the component, and these have called nothing of the host's. After that an instance stays as it is, since its
    /// memory belongs to it: unload the component and load it anew. With a [cache](RuntimeConfigBuilder::with_cache), the
    /// better code outlasts the component.
    ///
    /// A core module that was built with the WAI tools is taken as it is (feature `wai`), if it exports what
    /// `wit/wai/airssys-component-v1.wai` has. It is compiled anew each time it is loaded, and gets nothing of WASI.
    ///
    /// # Errors
    /// [`RuntimeError::Options`], [`RuntimeError::DuplicateId`]; [`RuntimeError::Load`] for bytes that are no valid
    /// component or do not link; [`RuntimeError::NoLifecycle`], [`RuntimeError::PartialLifecycle`],
    /// [`RuntimeError::ContractVersion`] and [`RuntimeError::LifecycleType`] for a component that does not follow
    /// the contract. After an error nothing is left of it.
    pub fn load_component(
        &self,
        bytes: &[u8],
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let settings = self.check(&options)?;
        #[cfg(feature = "wai")]
        if crate::wai::is_wai_module(bytes) {
            return self.load_wai(bytes, options, settings);
        }
        let bytes = &*options.component(bytes)?;
        let engine = options.engine(&self.shared.config.engine)?;
        let cache = self.shared.config.cache.as_ref();
        if !engine.starts().is_empty() {
            let tiered = self.shared.tiers.get(&engine, bytes, cache);
            let tiered = tiered.map_err(RuntimeError::Load)?;
            return self.link(&tiered.current(), Some(tiered), options, settings);
        }
        let component = match cache {
            Some(cache) if engine.target().runs_here() => cache.get(&engine, bytes),
            _ => Component::from_binary(&engine, bytes),
        };
        let component = component.map_err(RuntimeError::Load)?;
        self.link(&component, None, options, settings)
    }

    /// As [`ComponentRuntime::load_component`], from a file. Without [`ComponentOptions::with_id`] the identity is
    /// made from the file's name: `counter`, then `counter-2`, ….
    ///
    /// # Errors
    /// [`RuntimeError::Read`], and those of [`ComponentRuntime::load_component`].
    pub fn load_component_from_file(
        &self,
        path: impl AsRef<Path>,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let path = path.as_ref();
        let bytes = crate::component::read_file(path).map_err(|source| RuntimeError::Read {
            path: path.to_owned(),
            source,
        })?;
        self.load_component(&bytes, options.with_name_of(path))
    }

    /// As [`ComponentRuntime::load_component_from_file`], for an artifact, which was compiled elsewhere: for this kind of
    /// machine, by somebody whom `trust` trusts.
    ///
    /// # Errors
    /// [`RuntimeError::Artifact`], and those of [`ComponentRuntime::load_compiled`].
    pub fn load_artifact_from_file(
        &self,
        path: impl AsRef<Path>,
        trust: &Trust,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let path = path.as_ref();
        let refused = |source| RuntimeError::Artifact {
            path: path.to_owned(),
            source,
        };
        let artifact = ArtifactFile::open(path).map_err(refused)?;
        let component = artifact.load(trust).map_err(refused)?;
        self.load_compiled(&component, options.with_name_of(path))
    }

    /// As [`ComponentRuntime::load_component`], for a component that is compiled already, with whichever backend.
    ///
    /// # Errors
    /// Those of [`ComponentRuntime::load_component`].
    pub fn load_compiled(
        &self,
        component: &Component,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        let settings = self.check(&options)?;
        self.link(component, None, options, settings)
    }

    /// Every import of `component` that nothing here provides, with what is wrong: the first fault of each, in the order of
    /// the imports.
    pub fn unmet_imports(&self, component: &Component) -> Vec<crate::Error> {
        self.shared.linker.unmet_imports(component)
    }

    /// What can be known before a component is looked at.
    fn check(&self, options: &ComponentOptions) -> Result<Settings, RuntimeError> {
        let settings = options.check()?;
        match &options.id {
            Some(id) if self.slots_read().contains_key(id) => Err(RuntimeError::DuplicateId(id.clone())),
            _ => Ok(settings),
        }
    }

    fn link(
        &self,
        component: &Component,
        tiered: Option<TieredComponent>,
        options: ComponentOptions,
        settings: Settings,
    ) -> Result<ComponentId, RuntimeError> {
        contract::check(component)?;
        self.admit(tiered, options, settings, |context, grants| {
            self.instantiate(component, context, grants)
        })
    }

    /// Gives a component an identity and a place, and makes its instance.
    fn admit(
        &self,
        tiered: Option<TieredComponent>,
        options: ComponentOptions,
        settings: Settings,
        make: impl FnOnce(HostContext, &Grants) -> Result<Guest, RuntimeError>,
    ) -> Result<ComponentId, RuntimeError> {
        let (id, entry) = self.take_identity(options.id.clone(), options.near.clone())?;
        let context = HostContext {
            id: id.clone(),
            settings,
            mailbox: entry.mailbox.clone(),
            services: self.shared.directory.clone(),
            deadline: None,
        };
        let grants = options.grants(&id);
        match make(context, &grants) {
            Ok(guest) => {
                let config = self.start(options);
                let start = Start { config, grants };
                let slot = Slot::new(id.clone(), guest, start, entry.metadata, entry.mailbox, tiered);
                self.slots_write().insert(id.clone(), Arc::new(slot));
                Ok(id)
            }
            Err(error) => {
                self.shared.directory.leave(&id);
                Err(error)
            }
        }
    }

    /// The identity that is asked for, or the first free one of its kind.
    fn take_identity(
        &self,
        asked: Option<ComponentId>,
        near: Option<ComponentId>,
    ) -> Result<(ComponentId, Entry), RuntimeError> {
        let enter = |id: ComponentId| self.shared.directory.enter(&id).map(|entry| (id, entry));
        if let Some(id) = asked {
            return enter(id.clone()).ok_or(RuntimeError::DuplicateId(id));
        }
        let (near, first) = match near {
            Some(near) => match enter(near.clone()) {
                Some(taken) => return Ok(taken),
                None => (near, 2),
            },
            None => (ComponentId::near("component"), 1),
        };
        (first..=u64::MAX)
            .find_map(|number| enter(near.numbered(number)))
            .ok_or(RuntimeError::DuplicateId(near))
    }

    /// The linker that has what a component imports: the runtime's, and more for those that were core modules.
    fn linker_for(&self, component: &Component) -> crate::Result<Cow<'_, Linker<GuestData>>> {
        #[cfg(feature = "wasix")]
        if preview1::is_imported(component) {
            let mut linker = self.shared.linker.clone();
            preview1::add_to_linker(&mut linker, component)?;
            return Ok(Cow::Owned(linker));
        }
        #[cfg(not(feature = "wasix"))]
        let _ = component;
        Ok(Cow::Borrowed(&self.shared.linker))
    }

    #[cfg_attr(
        not(feature = "wasi"),
        expect(unused_variables, reason = "there is nothing to grant")
    )]
    fn instantiate(
        &self,
        component: &Component,
        context: HostContext,
        grants: &Grants,
    ) -> Result<Guest, RuntimeError> {
        let config = &self.shared.config;
        let mut data = GuestData {
            context,
            #[cfg(feature = "wasi")]
            wasi: grants.wasi.build(),
            #[cfg(feature = "wasix")]
            preview1: Preview1Guest::new(grants.preview1.clone()),
            has_called: false,
        };
        data.set_deadline(Instant::now().checked_add(config.default_timeout));
        let mut store = Store::with_limits(&config.engine, data, config.limits.clone());
        let instance = self
            .linker_for(component)
            .and_then(|linker| linker.instantiate(&mut store, component))
            .map_err(RuntimeError::Load)?;
        store.data_mut().set_deadline(None);
        let lifecycle = lifecycle::of(&instance, &mut store)?;
        Ok(Guest::component(store, instance, lifecycle, component.backend()))
    }

    /// What `init` is given.
    fn start(&self, options: ComponentOptions) -> ComponentConfig {
        let config = &self.shared.config;
        ComponentConfig {
            env_vars: options.env,
            config_data: options.config_data,
            resource_limits: ResourceLimits {
                max_memory_bytes: config.limits.memory_bytes,
                max_execution_time_ms: millis(config.longest_timeout),
                max_fuel: None,
            },
            granted_capabilities: options.capabilities.into_iter().map(String::from).collect(),
        }
    }

    /// Asks the component for its metadata, if it is not known yet, and initialises it with the options that it
    /// was loaded with.
    ///
    /// # Errors
    /// [`RuntimeError::Component`] if the component refuses: it has then failed, since the contract knows no second
    /// `init`. [`RuntimeError::Memory`] and [`RuntimeError::Metadata`] leave it created. Also those that
    /// [`ComponentRuntime::health`] has.
    pub fn init(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        let config = &self.shared.config;
        self.slot(id)?.init(
            config.limits.memory_bytes,
            self.default_time(),
            |component, context, grants| self.instantiate(component, context, grants),
        )
    }

    /// Runs one operation, on behalf of the host application, within the default time.
    ///
    /// `operation` is a payload ([`codec::operation`](crate::codec::operation)), passed on without a look into it; so is
    /// the answer.
    ///
    /// # Errors
    /// [`RuntimeError::Execution`] if the component answers with an error: it goes on. Also those that
    /// [`ComponentRuntime::health`] has.
    pub fn execute(&self, id: &ComponentId, operation: &[u8]) -> Result<Vec<u8>, RuntimeError> {
        self.execute_with(id, operation, ExecuteOptions::default())
    }

    /// As [`ComponentRuntime::execute`], with more to say about the request.
    ///
    /// # Errors
    /// As [`ComponentRuntime::execute`].
    pub fn execute_with(
        &self,
        id: &ComponentId,
        operation: &[u8],
        options: ExecuteOptions,
    ) -> Result<Vec<u8>, RuntimeError> {
        let config = &self.shared.config;
        let slot = self.slot(id)?;
        let own = slot.known_metadata().and_then(|metadata| metadata.timeout_ms);
        let allowed = time_for(
            options.timeout,
            config.default_timeout,
            config.longest_timeout,
            own,
        );
        let request_id = options.request_id.filter(|id| !id.is_empty());
        let context = ExecutionContext {
            request_id: request_id.unwrap_or_else(|| {
                let number = self.shared.requests.fetch_add(1, Ordering::Relaxed);
                format!("request-{number}")
            }),
            caller: options.caller.unwrap_or(CallerInfo::Host),
            available_resources: ResourceAllocation {
                memory_bytes: config.limits.memory_bytes,
                execution_time_ms: millis(allowed.time),
                fuel: None,
            },
            timeout_ms: millis(allowed.time),
            trace_context: options.trace_context,
        };
        slot.execute(operation, &context, allowed)
    }

    /// What the component says about itself. Asked once, then remembered.
    ///
    /// # Errors
    /// [`RuntimeError::Metadata`] if it breaks a bound, and those that [`ComponentRuntime::health`] has.
    pub fn metadata(&self, id: &ComponentId) -> Result<ComponentMetadata, RuntimeError> {
        let metadata = self.slot(id)?.metadata(self.default_time())?;
        Ok((*metadata).clone())
    }

    /// How the component says it is doing.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`]; [`RuntimeError::WrongState`] as [`ComponentState`] has it;
    /// [`RuntimeError::Busy`] while another thread is in a call of the component; [`RuntimeError::Stopped`] and
    /// [`RuntimeError::Timeout`] if the component was stopped, which fails it for good; [`RuntimeError::Call`] if the
    /// call could not be made.
    pub fn health(&self, id: &ComponentId) -> Result<HealthStatus, RuntimeError> {
        self.slot(id)?.health(self.default_time())
    }

    /// The numbers of the codecs that its `execute` takes, the preferred one first.
    ///
    /// # Errors
    /// Those that [`ComponentRuntime::health`] has.
    pub fn supported_codecs(&self, id: &ComponentId) -> Result<Vec<u64>, RuntimeError> {
        self.slot(id)?.supported_codecs(self.default_time())
    }

    /// Ends the component: it is told, and its instance is freed. Its identity stays taken until it is unloaded.
    ///
    /// # Errors
    /// [`RuntimeError::Component`] with what it answered: it is shut down all the same. Also those that
    /// [`ComponentRuntime::health`] has.
    pub fn shutdown(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        self.slot(id)?.shutdown(self.default_time())
    }

    /// Forgets the component, in whatever state: its mailbox closes, its instance is freed, its identity is free
    /// again. It is not told; shut it down first. A call in flight runs to its end, and its instance is freed then.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn unload(&self, id: &ComponentId) -> Result<(), RuntimeError> {
        let slot = self.slots_write().remove(id);
        let slot = slot.ok_or_else(|| RuntimeError::UnknownComponent(id.clone()))?;
        self.shared.directory.leave(id);
        drop(slot);
        Ok(())
    }

    /// Where the component is in its life at this moment.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn state(&self, id: &ComponentId) -> Result<ComponentState, RuntimeError> {
        Ok(self.slot(id)?.state())
    }

    /// The compiler whose code the component runs on, or ran on if its instance is freed.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn backend(&self, id: &ComponentId) -> Result<Backend, RuntimeError> {
        Ok(self.slot(id)?.backend())
    }

    /// Waits until the component's better code is compiled, or cannot be, and for no longer than `timeout`; whether it
    /// is there then. At once true for a component that is not loaded with [`Backend::Tiered`]. The component itself changes
    /// to that code in [`ComponentRuntime::init`] only.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownComponent`].
    pub fn wait_optimised(&self, id: &ComponentId, timeout: Duration) -> Result<bool, RuntimeError> {
        let slot = self.slot(id)?;
        Ok(slot.tiered().is_none_or(|tiered| tiered.wait(timeout)))
    }

    /// The components that are loaded at this moment, in the order of their identities.
    pub fn list_components(&self) -> Vec<ComponentId> {
        self.slots_read().keys().cloned().collect()
    }

    /// The time for calls that have none of their own.
    fn default_time(&self) -> Allowance {
        Allowance::new(self.shared.config.default_timeout, TimeLimit::Default)
    }

    fn slot(&self, id: &ComponentId) -> Result<Arc<Slot>, RuntimeError> {
        let slot = self.slots_read().get(id).cloned();
        slot.ok_or_else(|| RuntimeError::UnknownComponent(id.clone()))
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
