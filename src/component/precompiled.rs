//! Components out of artifacts.

use super::component::{Compiled, Component};
use super::portable;
use crate::engine::{self, Backend, Engine, TrustedCode};
use crate::error::Result;

/// What of a component goes into an artifact.
pub(crate) struct Precompiled {
    /// Types, initializers, trampolines.
    pub(crate) translated: Vec<u8>,
    /// The native code of each core module.
    pub(crate) code: Vec<Vec<u8>>,
}

impl Precompiled {
    /// # Errors
    /// As [`Component::from_binary`].
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Precompiled> {
        let Compiled { ir, modules, .. } = Compiled::new(engine, bytes, |module| engine::save(&module))?;
        Ok(Precompiled {
            translated: portable::write(ir),
            code: modules,
        })
    }

    /// The component that parts of an artifact are.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn load(
        translated: &[u8],
        code: &[TrustedCode<'_>],
        backend: Backend,
        size: u64,
    ) -> std::result::Result<Component, String> {
        let ir = portable::read(translated).map_err(|error| error.to_string())?;
        let loader = engine::loader();
        let modules = code.iter().map(|code| engine::load(&loader, *code));
        let modules = modules.collect::<std::result::Result<_, _>>()?;
        Ok(Component::from_parts(
            ir,
            modules,
            loader,
            backend,
            usize::try_from(size).unwrap_or(usize::MAX),
        ))
    }
}
