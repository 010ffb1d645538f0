//! Components out of artifacts.

use super::component::{Compiled, Component};
use super::portable;
use crate::engine::{self, Backend, CoreModule, Engine, Form, Image, SavedImage, TrustedCode};
use crate::error::Result;

/// What of a component goes into an artifact.
pub(crate) struct Precompiled {
    /// Types, initializers, trampolines.
    pub(crate) translated: Vec<u8>,
    pub(crate) modules: Vec<PrecompiledModule>,
}

/// What of a core module does.
pub(crate) struct PrecompiledModule {
    /// Native code.
    pub(crate) code: Vec<u8>,
    /// The code is an ELF image, not in the engine's own form.
    pub(crate) elf: bool,
    /// What its memory holds when an instance begins.
    pub(crate) image: Option<Image>,
}

/// Bytes of a core module from which on its code is an ELF image, to be mapped out of the artifact. The engine takes longer
/// over the first kilobytes of one, since it reads it in some fifty small steps.
const MAPPED_FROM: usize = 128 << 10;

fn form(engine: &Engine, module: &[u8]) -> Form {
    // The engine's linker makes images for the architecture that it runs on, whatever they are asked for.
    match module.len() >= MAPPED_FROM && engine.target().is_of_host_architecture() {
        true => Form::Elf,
        false => Form::Memory,
    }
}

/// A core module out of an artifact.
pub(crate) struct SavedModule<'a> {
    pub(crate) code: TrustedCode<'a>,
    pub(crate) image: Option<SavedImage>,
}

impl Precompiled {
    /// # Errors
    /// As [`Component::from_binary`].
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Precompiled> {
        let form = |module: &[u8]| form(engine, module);
        let Compiled { ir, modules, .. } = Compiled::new(engine, bytes, form, |compiled| {
            let code = engine::save(&compiled.module)?;
            Ok(PrecompiledModule {
                elf: code.starts_with(b"\x7fELF"),
                code,
                image: compiled.image,
            })
        })?;
        Ok(Precompiled {
            translated: portable::write(ir),
            modules,
        })
    }

    /// The component that parts of an artifact are.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn load(
        translated: &[u8],
        modules: Vec<SavedModule<'_>>,
        backend: Backend,
        size: u64,
    ) -> std::result::Result<Component, String> {
        let ir = portable::read(translated).map_err(|error| error.to_string())?;
        let loader = engine::loader();
        let load =
            |module: SavedModule<'_>| CoreModule::saved(engine::load(&loader, module.code)?, module.image);
        let modules = modules
            .into_iter()
            .map(load)
            .collect::<std::result::Result<_, _>>()?;
        Ok(Component::from_parts(
            ir,
            modules,
            loader,
            backend,
            usize::try_from(size).unwrap_or(usize::MAX),
        ))
    }
}
