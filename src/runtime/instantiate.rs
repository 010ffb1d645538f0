//! Instances of components, and the input of their `init`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::directory::Entry;
use super::error::RuntimeError;
use super::guest::{GuestData, GuestInstance};
use super::lifecycle::{self, ComponentConfig, ResourceLimits};
use super::limits::{self, Starting};
use super::options::ComponentOptions;
use super::slot::Slot;
use super::snapshot::{Record, SnapshotProblem};
use super::start::{Start, WasiGrants};
use super::supervised::Seat;
use super::watch::Watched;
use super::{ComponentId, ComponentRuntime, contract};
use crate::component::{Component, Linker, Store};
use crate::engine::StoreLimits;
use crate::host::{CallScope, ComponentMetadata, HostContext, LogRate, Settings};
use crate::limits::{EffectiveLimits, Resource};
use crate::load::{Kind, Loaded};
use crate::tiered::TieredComponent;
#[cfg(feature = "wai")]
use crate::wai::WaiModule;
#[cfg(feature = "wasi")]
use crate::wasi::p3;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{self, Preview1Guest};

/// Source of the instances of a component.
#[derive(Clone, Debug)]
pub(super) enum Original {
    Component(Component),
    #[cfg(feature = "wai")]
    Wai(WaiModule),
}

impl Original {
    /// Returns the record of the snapshot that it is; `None` if it is none.
    fn snapshot_record(&self) -> Option<&[u8]> {
        match self {
            Original::Component(component) => component.snapshot_record(),
            #[cfg(feature = "wai")]
            Original::Wai(_) => None,
        }
    }
}

#[cfg(feature = "wasi")]
impl Original {
    /// Returns the component; `None` for a module of the WAI tools.
    pub(super) fn component(&self) -> Option<&Component> {
        match self {
            Original::Component(component) => Some(component),
            #[cfg(feature = "wai")]
            Original::Wai(_) => None,
        }
    }
}

/// Checks what a component's instances are created from.
pub(super) fn original(loaded: &Loaded) -> Result<(Original, Option<TieredComponent>), RuntimeError> {
    let (component, tiered) = match &loaded.0 {
        Kind::Component(component) => (component.clone(), None),
        Kind::Tiered(tiered) => (tiered.current(), Some(tiered.clone())),
        #[cfg(feature = "wai")]
        Kind::Wai(module) => return Ok((Original::Wai(module.clone()), None)),
    };
    contract::check(&component)?;
    if let Some(tiered) = &tiered {
        tiered.start();
    }
    Ok((Original::Component(component), tiered))
}

impl ComponentRuntime {
    /// Creates the instance of a component under an identity that is registered.
    #[cfg_attr(
        not(feature = "wasi"),
        expect(unused_mut, reason = "there is nothing to grant")
    )]
    #[expect(clippy::too_many_arguments, reason = "the parts of one load")]
    pub(super) fn build(
        &self,
        original: &Original,
        tiered: Option<TieredComponent>,
        options: ComponentOptions,
        mut settings: Settings,
        id: &ComponentId,
        entry: Entry,
        limits: Arc<EffectiveLimits>,
    ) -> Result<Slot, RuntimeError> {
        if let Some(saved) = options.saved_settings() {
            let read = settings.save_in(saved, id);
            read.map_err(|problem| RuntimeError::SavedSettings(id.clone(), problem))?;
        }
        let mut grants = options.grants(id, limits.clone());
        let (security, granted) = options.security.grants(id)?;
        #[cfg(feature = "wasi")]
        if let Some(component) = original.component() {
            grants.add(&security, component);
        }
        let (supervised, memory_reserve) = (options.supervised, options.memory_reserve);
        let secrets = options.secrets();
        let config = self.start(options, granted, &limits);
        let mut resume = |record| -> Result<ComponentMetadata, SnapshotProblem> {
            let record = Record::read(record)?;
            record.check(&config, &settings)?;
            #[cfg(feature = "wasi")]
            {
                grants.lasting = Some(record.lasting());
            }
            record.into_metadata()
        };
        let metadata = original.snapshot_record().map(&mut resume).transpose();
        let metadata = metadata.map_err(|problem| RuntimeError::Snapshot {
            id: id.clone(),
            problem,
        })?;
        let context = HostContext {
            id: id.clone(),
            settings,
            mailbox: entry.mailbox.clone(),
            services: self.shared.directory.clone(),
            deadline: None,
            call: CallScope::default(),
            grants: security.clone(),
            log_rate: LogRate::of(&limits),
            powers: self.shared.config.powers.clone(),
        };
        let seat = supervised.then(|| {
            let original = original.clone();
            Box::new(Seat::new(original, context.clone(), memory_reserve))
        });
        let store = self.config().store_limits(id, &limits, memory_reserve)?;
        let guest = self.make(original, context, &grants, store)?;
        let start = Start {
            config,
            secrets,
            grants,
            security,
        };
        let mut slot = Slot::new(id.clone(), guest, start, entry.metadata, entry.mailbox, tiered);
        slot.seat = seat;
        if let Some(metadata) = metadata {
            slot.begin_initialized(metadata)?;
        }
        Ok(slot)
    }

    /// Creates an instance.
    pub(super) fn make(
        &self,
        original: &Original,
        context: HostContext,
        grants: &WasiGrants,
        limits: StoreLimits,
    ) -> Result<GuestInstance, RuntimeError> {
        match original {
            Original::Component(component) => self.instantiate(component, context, grants, limits),
            #[cfg(feature = "wai")]
            Original::Wai(module) => self.instantiate_wai(module, context, grants, &limits),
        }
    }

    /// Returns the linker for a component's imports: the runtime's, extended for WASI 0.3, and for components that were core modules.
    fn linker_for(&self, component: &Component) -> crate::Result<Cow<'_, Linker<GuestData>>> {
        #[cfg(feature = "wasi")]
        let linker = match p3::is_imported(component) {
            true => self.linker_with_p3()?,
            false => &self.shared.linker,
        };
        #[cfg(feature = "wasix")]
        if preview1::is_imported(component) {
            let mut linker = linker.clone();
            preview1::add_to_linker(&mut linker, component)?;
            return Ok(Cow::Owned(linker));
        }
        #[cfg(not(feature = "wasi"))]
        let (linker, _) = (&self.shared.linker, component);
        Ok(Cow::Borrowed(linker))
    }

    /// Returns the runtime's linker with WASI 0.3. It is made for the first component that needs it.
    #[cfg(feature = "wasi")]
    pub(super) fn linker_with_p3(&self) -> crate::Result<&Linker<GuestData>> {
        let made = &self.shared.with_p3;
        if let Some(linker) = made.get() {
            return Ok(linker);
        }
        let mut linker = self.shared.linker.clone();
        p3::add_to_linker(&mut linker)?;
        Ok(made.get_or_init(|| linker))
    }

    pub(super) fn instantiate(
        &self,
        component: &Component,
        context: HostContext,
        grants: &WasiGrants,
        store_limits: StoreLimits,
    ) -> Result<GuestInstance, RuntimeError> {
        let config = &self.shared.config;
        let starting = Starting {
            id: context.id.clone(),
            limits: grants.limits.clone(),
            allowed: config.default_time(&grants.limits),
        };
        #[cfg(feature = "wasi")]
        let mut wasi = grants.wasi.build();
        #[cfg(feature = "wasi")]
        if let Some(lasting) = grants.lasting {
            wasi.resume(lasting);
        }
        let mut data = GuestData {
            context,
            #[cfg(feature = "wasi")]
            _revocation: grants.closes(&wasi),
            #[cfg(feature = "wasi")]
            wasi: wasi.into(),
            #[cfg(feature = "wasi")]
            access: grants.access.clone(),
            #[cfg(feature = "wasix")]
            preview1: Preview1Guest::new(grants.preview1.clone()),
            has_called: false,
        };
        let deadline = Instant::now().checked_add(starting.allowed.time);
        data.set_deadline(deadline);
        let mut store = Store::with_limits(config.engine(), data, store_limits);
        let instance = self.linker_for(component).and_then(|linker| {
            let watched = Watched::new(store.interrupter(), deadline, limits::cpu_time(&grants.limits))?;
            let instance = linker.instantiate(&mut store, component);
            instance.map_err(|error| watched.explain(error))
        });
        let instance = instance.map_err(|error| starting.failed(error))?;
        store.data_mut().set_deadline(None);
        let lifecycle = lifecycle::of(&instance, &mut store)?;
        Ok(GuestInstance::component(
            store,
            instance,
            lifecycle,
            component.backend(),
        ))
    }

    /// Builds the input of `init`.
    pub(super) fn start(
        &self,
        options: ComponentOptions,
        granted_capabilities: Vec<String>,
        limits: &EffectiveLimits,
    ) -> ComponentConfig {
        let env = options.env.into_iter();
        let env = env.map(|(name, value)| (name, value.reveal().to_owned()));
        ComponentConfig {
            env_vars: env.collect(),
            config_data: options.config_data.map(|data| data.0),
            resource_limits: ResourceLimits {
                max_memory_bytes: limits.value(Resource::Memory),
                max_execution_time_ms: limits.value(Resource::CallTime),
                max_fuel: limits::fuel(limits),
            },
            granted_capabilities,
        }
    }
}
