//! Components in artifacts.

use std::cell::OnceCell;

use crate::component::component::{Compiled, Component};
use crate::component::load::portable;
use crate::engine::{
    self, Backend, Code, CodeForm, CoreModule, Engine, Image, SavedImage, SavedNames, TrustedCode,
};
use crate::error::Result;

/// The parts of a component that an artifact stores.
pub(crate) struct Precompiled {
    /// Types, initializers, trampolines.
    pub(crate) translated: Vec<u8>,
    pub(crate) modules: Vec<PrecompiledModule>,
}

/// The parts of a core module that an artifact stores.
pub(crate) struct PrecompiledModule {
    /// Native code.
    pub(crate) code: Vec<u8>,
    /// True if the code is an ELF image, false if it is in the engine's own form.
    pub(crate) elf: bool,
    /// The description of an image; `None` if the engine loads the code.
    pub(crate) description: Option<Vec<u8>>,
    /// The memory image: its content when an instance begins.
    pub(crate) image: Option<Image>,
    /// The table of names.
    pub(crate) names: Option<Vec<u8>>,
}

fn form(engine: &Engine) -> CodeForm {
    // The engine's linker creates images for the architecture that it runs on, whatever the target is, and its loader maps them on Linux.
    match engine.target().is_of_host_architecture() && cfg!(target_os = "linux") {
        true => CodeForm::Elf,
        false => CodeForm::Memory,
    }
}

/// A core module read from an artifact.
pub(crate) struct SavedModule<'a> {
    pub(crate) code: TrustedCode<'a>,
    pub(crate) image: Option<SavedImage>,
    pub(crate) names: Option<SavedNames>,
}

impl Precompiled {
    /// # Errors
    /// As [`Component::from_binary`].
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Precompiled> {
        let Compiled { ir, modules, .. } = Compiled::new(engine, bytes, form(engine), |compiled| {
            let code = engine::save(&compiled.module)?;
            let elf = code.starts_with(b"\x7fELF");
            Ok(PrecompiledModule {
                elf,
                description: match elf {
                    true => engine::describe(&compiled.module, &code),
                    false => None,
                },
                code,
                image: compiled.image,
                names: compiled.names,
            })
        })?;
        Ok(Precompiled {
            translated: portable::write(ir),
            modules,
        })
    }

    /// Creates a component from the parts of an artifact.
    ///
    /// # Errors
    /// A description of the malformed part.
    pub(crate) fn load(
        translated: &[u8],
        modules: Vec<SavedModule<'_>>,
        backend: Backend,
        size: u64,
    ) -> std::result::Result<Component, String> {
        let ir = portable::read(translated).map_err(|error| error.to_string())?;
        // Mapped code needs none.
        let loader = OnceCell::new();
        let load = |module: SavedModule<'_>| {
            let code = Code::load(|| loader.get_or_init(engine::loader), module.code)?;
            CoreModule::saved(code, module.image)?.with_names(module.names)
        };
        let modules = modules
            .into_iter()
            .map(load)
            .collect::<std::result::Result<_, String>>()?;
        Ok(Component::from_parts(
            ir,
            modules,
            loader.into_inner(),
            Engine::of_backend(backend),
            usize::try_from(size).unwrap_or(usize::MAX),
        ))
    }
}
