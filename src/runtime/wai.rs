//! Loading core modules that are built with the WAI tools.

use std::time::Instant;

use super::error::RuntimeError;
use super::guest::GuestInstance;
use super::options::ComponentOptions;
use super::{ComponentId, ComponentRuntime};
use crate::host::Settings;
use crate::wai::{WaiError, WaiGuest, WaiModule};

impl ComponentRuntime {
    /// Creates an instance of a module, in the way of a component.
    pub(super) fn link_wai(
        &self,
        module: &WaiModule,
        options: ComponentOptions,
        settings: Settings,
    ) -> Result<ComponentId, RuntimeError> {
        let config = self.config();
        self.admit(None, None, options, settings, |context, grants| {
            let limits = &grants.limits;
            let deadline = Instant::now().checked_add(config.default_time(limits).time);
            let guest = WaiGuest::new(module, context, &config.store_limits(limits), deadline);
            let guest = guest.map_err(RuntimeError::Load)?;
            Ok(GuestInstance::wai(guest, module.backend()))
        })
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
