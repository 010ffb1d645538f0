//! Instances of components, and the input of their `init`.

use std::borrow::Cow;
use std::time::Instant;

use super::ComponentRuntime;
use super::error::RuntimeError;
use super::guest::{GuestData, GuestInstance};
use super::lifecycle::{self, ComponentConfig, ResourceLimits};
use super::limits::{self, Starting};
use super::options::ComponentOptions;
use super::start::WasiGrants;
use super::watch::Watched;
use crate::component::{Component, Linker, Store};
use crate::engine::StoreLimits;
use crate::host::HostContext;
use crate::limits::{EffectiveLimits, Resource};
#[cfg(feature = "wai")]
use crate::wai::WaiModule;
#[cfg(feature = "wasix")]
use crate::wasi::preview1::{self, Preview1Guest};

/// Source of the instances of a component.
#[derive(Clone, Debug)]
pub(super) enum Original {
    Component(Component),
    #[cfg(feature = "wai")]
    Wai(WaiModule),
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

impl ComponentRuntime {
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

    /// Returns the linker for a component's imports: the runtime's, extended for components that were core modules.
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
        let wasi = grants.wasi.build();
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
