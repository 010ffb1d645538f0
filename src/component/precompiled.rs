//! Components out of artifacts.

use super::component::Component;
use super::portable;
use super::translate::translate;
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
        let mut ir = translate(bytes)?;
        let sources = std::mem::take(&mut ir.modules);
        let compiler = engine.compiler()?;
        let compile = |(index, source): (usize, &Vec<u8>)| {
            let module = engine::compile(engine.backend(), &compiler, source);
            module
                .and_then(|module| engine::save(&module))
                .map_err(|message| super::component::compile_error(index, engine.backend(), message))
        };
        let code = sources.iter().enumerate().map(compile).collect::<Result<_>>()?;
        Ok(Precompiled {
            translated: portable::write(ir),
            code,
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
