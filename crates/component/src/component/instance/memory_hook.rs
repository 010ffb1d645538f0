//! Functions that access the memory of the core instance that imports them.

use std::fmt;

use crate::engine::CoreModule;
use crate::error::{Error, Result};

/// Checks that a module can have functions that access its memory, which they find once it is instantiated.
pub(in crate::component) fn check_memory(module: &CoreModule) -> Result<()> {
    match module.info().start_function {
        None if module.exports_memory() => Ok(()),
        None => Err(Error::Instantiate(
            "a core module imports functions that access its memory, but exports no memory".into(),
        )),
        Some(_) => Err(Error::Instantiate(
            "a core module has a start function, which could call functions that access its memory before the memory exists"
                .into(),
        )),
    }
}

/// A callback that passes a new core instance to the functions that access its memory.
pub struct InstanceHook(Box<InstanceHookFn>);

type InstanceHookFn = dyn FnOnce(&mut wasmer::StoreMut<'_>, &wasmer::Instance) -> Result<()> + Send;

impl InstanceHook {
    #[doc(hidden)]
    pub fn new(
        told: impl FnOnce(&mut wasmer::StoreMut<'_>, &wasmer::Instance) -> Result<()> + Send + 'static,
    ) -> InstanceHook {
        InstanceHook(Box::new(told))
    }

    pub(in crate::component) fn tell(
        self,
        store: &mut wasmer::StoreMut<'_>,
        instance: &wasmer::Instance,
    ) -> Result<()> {
        (self.0)(store, instance)
    }
}

impl fmt::Debug for InstanceHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}
