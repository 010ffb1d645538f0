//! Instances of core modules that are built with the WAI tools.

use std::time::Instant;

use super::ComponentRuntime;
use super::error::RuntimeError;
use super::guest::GuestInstance;
use super::limits::{self, Starting};
use super::start::WasiGrants;
use crate::engine::StoreLimits;
use crate::error::Error;
use crate::host::HostContext;
use crate::wai::{WaiError, WaiGuest, WaiModule, WaiTimes};

impl ComponentRuntime {
    /// Creates an instance of a module, in the way of a component.
    pub(super) fn instantiate_wai(
        &self,
        module: &WaiModule,
        context: HostContext,
        grants: &WasiGrants,
        store_limits: &StoreLimits,
    ) -> Result<GuestInstance, RuntimeError> {
        let limits = &grants.limits;
        let starting = Starting {
            id: context.id.clone(),
            limits: limits.clone(),
            allowed: self.config().default_time(limits),
        };
        if store_limits.fuel.is_some() {
            return Err(starting.failed(Error::FuelNotConsumed));
        }
        let times = WaiTimes {
            deadline: Instant::now().checked_add(starting.allowed.time),
            cpu: limits::cpu_time(limits),
        };
        let guest = WaiGuest::new(module, context, store_limits, times);
        let guest = guest.map_err(|error| starting.failed(error))?;
        Ok(GuestInstance::wai(guest, module.backend()))
    }
}

impl From<WaiError> for RuntimeError {
    fn from(refused: WaiError) -> RuntimeError {
        match refused {
            WaiError::NoLifecycle(exports) => RuntimeError::NoLifecycle { exports },
            WaiError::Partial { interface, missing } => RuntimeError::PartialLifecycle {
                export: interface.to_owned(),
                missing,
            },
            WaiError::Type { function, source } => RuntimeError::LifecycleType { function, source },
            WaiError::Other(source) => RuntimeError::Load(source),
        }
    }
}
