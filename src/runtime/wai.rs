//! Loading core modules that are built with the WAI tools.

use std::time::Instant;

use super::error::RuntimeError;
use super::guest::Guest;
use super::options::ComponentOptions;
use super::{ComponentId, ComponentRuntime};
use crate::host::Settings;
use crate::wai::{Refused, WaiGuest, WaiModule};

impl ComponentRuntime {
    /// Loads a module in the way of a component. Its code is not cached, and with
    /// [`Backend::Tiered`](crate::engine::Backend::Tiered) the better compiler compiles it at once.
    pub(super) fn load_wai(
        &self,
        bytes: &[u8],
        options: ComponentOptions,
        settings: Settings,
    ) -> Result<ComponentId, RuntimeError> {
        let config = self.config();
        let engine = options.engine(&config.engine)?;
        let module = WaiModule::compile(&engine, bytes).map_err(refused)?;
        self.admit(None, options, settings, |context, _| {
            let deadline = Instant::now().checked_add(config.default_timeout);
            let guest = WaiGuest::new(&module, context, &config.limits, deadline);
            let guest = guest.map_err(RuntimeError::Load)?;
            Ok(Guest::wai(guest, module.backend()))
        })
    }
}

fn refused(refused: Refused) -> RuntimeError {
    match refused {
        Refused::NoLifecycle(exports) => RuntimeError::NoLifecycle { exports },
        Refused::Partial { interface, missing } => RuntimeError::PartialLifecycle {
            export: interface.to_owned(),
            missing,
        },
        Refused::Type { function, source } => RuntimeError::LifecycleType { function, source },
        Refused::Other(source) => RuntimeError::Load(source),
    }
}
