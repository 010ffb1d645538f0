//! A component: translated and compiled.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "compile")]
use crate::component::compile::translate::translate;
use crate::component::instance::lookup::ComponentExportIndex;
use crate::component::ir::{Export, ExternType, Initializer, Ir};
use crate::component::store::unique;
use crate::component::{link::names, types};
use crate::engine::{self, Backend, CodeForm, CoreModule, Engine, Target};
#[cfg(feature = "compile")]
use crate::engine::{Refused, Signatures, Work};
use crate::error::{Error, Result};
#[cfg(feature = "compile")]
use crate::panics::contain;

/// A compiled component, ready to be instantiated any number of times. Cheap to clone.
///
/// Its machine code is freed with the last clone and the last store that has an instance of it.
#[derive(Clone)]
pub struct Component {
    inner: Arc<Inner>,
}

struct Inner {
    /// Tells its export indexes from those of other components.
    id: u64,
    ir: Ir,
    modules: Vec<CoreModule>,
    /// Owns the machine code of modules that hold pointers to it only; `None` if each owns its own.
    #[expect(dead_code, reason = "held for its drop")]
    code: Option<wasmer::Engine>,
    /// Made when they are first asked for.
    exports: OnceLock<Vec<(String, ExternType)>>,
    /// Without its callback, which may hold anything.
    engine: Engine,
    size: usize,
    artifact: Option<Origin>,
}

/// The artifact that a component was loaded from.
struct Origin {
    digest: [u8; 32],
    /// The record of a snapshot.
    snapshot: Option<Box<[u8]>>,
}

impl Component {
    /// As [`Component::from_binary`].
    ///
    /// # Errors
    /// As [`Component::from_binary`]. The text format is refused: the crate `wat` converts it.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Component> {
        Component::from_binary(engine, bytes.as_ref())
    }

    /// Validates, translates and compiles a component in its binary form.
    ///
    /// # Errors
    /// [`Error::NotWasm`], [`Error::CoreModule`] and [`Error::InvalidComponent`] for bytes that are not a component,
    /// [`Error::MissingFeatures`] and [`Error::Unsupported`] for a component that uses something outside the supported
    /// set, [`Error::BackendFeature`] for features that other backends compile and this one does not,
    /// [`Error::Compile`] if the backend refuses a core module; [`Error::NoCompiler`] and [`Error::ForeignTarget`] if
    /// the engine compiles nothing, or nothing that runs here.
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Component> {
        if !engine.target().runs_here() {
            return Err(Error::ForeignTarget {
                target: engine.target().to_string(),
                host: Target::host().to_string(),
            });
        }
        let Compiled { ir, modules, code } = Compiled::new(
            engine,
            bytes,
            CodeForm::Memory,
            engine::Compiled::into_core_module,
        )?;
        Ok(Component::from_parts(
            ir,
            modules,
            Some(code),
            engine.alone(),
            bytes.len(),
        ))
    }

    /// Builds the component from its parts. `code` is the engine that owns the modules' machine code, if they do not.
    pub(crate) fn from_parts(
        ir: Ir,
        modules: Vec<CoreModule>,
        code: Option<wasmer::Engine>,
        engine: Engine,
        size: usize,
    ) -> Component {
        Component {
            inner: Arc::new(Inner {
                id: unique(),
                ir,
                modules,
                code,
                exports: OnceLock::new(),
                engine,
                size,
                artifact: None,
            }),
        }
    }

    /// Records the artifact that this new component was loaded from: its digest, and the record of a snapshot.
    pub(crate) fn of_artifact(mut self, digest: [u8; 32], snapshot: Option<Vec<u8>>) -> Component {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.artifact = Some(Origin {
                digest,
                snapshot: snapshot.map(Vec::into_boxed_slice),
            });
        }
        self
    }

    /// Returns the digest of the artifact that it was loaded from.
    pub(crate) fn artifact(&self) -> Option<&[u8; 32]> {
        self.inner.artifact.as_ref().map(|origin| &origin.digest)
    }

    /// Reports whether each core module of which there will be instances begins with a state, or none does.
    pub(crate) fn begins_with_state(&self, state: bool) -> bool {
        let made = self.inner.ir.initializers.iter();
        let mut made = made.filter_map(|initializer| match initializer {
            Initializer::InstantiateModule { module, .. } => self.inner.modules.get(*module as usize),
            _ => None,
        });
        made.all(|module| module.has_state() == state)
    }

    /// Returns the record of the [snapshot](crate::artifact::Artifact::snapshot) that it was loaded from, whose state instances begin
    /// with; `None` for other components.
    pub fn snapshot_record(&self) -> Option<&[u8]> {
        self.inner.artifact.as_ref()?.snapshot.as_deref()
    }

    /// Reads and compiles a component from a file.
    ///
    /// # Errors
    /// As [`Component::from_binary`]; [`Error::NotWasm`] with the reason if the file cannot be read.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Component> {
        let path = path.as_ref();
        let bytes = super::read_file(path)
            .map_err(|error| Error::NotWasm(format!("{} cannot be read: {error}", path.display())))?;
        Component::from_binary(engine, &bytes)
    }

    /// The backend that compiled it.
    pub fn backend(&self) -> Backend {
        self.inner.engine.backend()
    }

    /// The engine that compiled it. For one that was compiled elsewhere, an engine with the backend that did.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Its type: what it imports and exports.
    pub fn component_type(&self) -> types::Component {
        types::Component::new(self.clone())
    }

    /// Looks an export up: at the root, or in the exported instance `instance`. Versions match as imports do: the highest
    /// compatible one. The index is valid for every instance of this component.
    pub fn get_export_index(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let items = match instance {
            None => &self.inner.ir.exports,
            Some(instance) => match self.export(instance)? {
                Export::Instance(items) => items,
                _ => return None,
            },
        };
        let names = items.iter().enumerate();
        let found = names::find(names.map(|(index, (name, _))| (name.as_str(), index)), name)?;
        let mut path = instance.map(|parent| parent.path.clone()).unwrap_or_default();
        path.push(found);
        Some(ComponentExportIndex {
            component: self.inner.id,
            path,
        })
    }

    /// As [`Component::get_export_index`], with the export's type.
    pub fn get_export(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(types::ComponentItem, ComponentExportIndex)> {
        let index = self.get_export_index(instance, name)?;
        let ty = self.export(&index)?.extern_type();
        Some((types::ComponentItem::of(&ty, self), index))
    }

    /// Returns the export at an index of this component.
    pub(super) fn export(&self, index: &ComponentExportIndex) -> Option<&Export> {
        if index.component != self.inner.id {
            return None;
        }
        let (first, rest) = index.path.split_first()?;
        let mut export = &self.inner.ir.exports.get(*first)?.1;
        for place in rest {
            let Export::Instance(items) = export else {
                return None;
            };
            export = &items.get(*place)?.1;
        }
        Some(export)
    }

    /// Returns the imports, by name, in the order of their definition.
    pub fn imports(&self) -> &[(String, ExternType)] {
        &self.inner.ir.imports
    }

    /// Returns the exports, by name, in the order of their definition.
    pub fn exports(&self) -> &[(String, ExternType)] {
        let exports = || {
            let exports = self.inner.ir.exports.iter();
            exports
                .map(|(name, export)| (name.clone(), export.extern_type()))
                .collect()
        };
        self.inner.exports.get_or_init(exports)
    }

    /// Returns the size, in bytes, of the binary that the component was compiled from.
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// Returns the number of core modules, the adapters between its parts included.
    pub fn core_modules(&self) -> usize {
        self.inner.modules.len()
    }

    pub(crate) fn ir(&self) -> &Ir {
        &self.inner.ir
    }

    pub(crate) fn modules(&self) -> &[CoreModule] {
        &self.inner.modules
    }

    pub(crate) fn module(&self, index: u32) -> Result<&CoreModule> {
        self.inner
            .modules
            .get(index as usize)
            .ok_or_else(|| Error::bug("a core module out of range"))
    }
}

/// A translated component, with the result of compiling each core module.
pub(super) struct Compiled<M> {
    pub(super) ir: Ir,
    pub(super) modules: Vec<M>,
    /// Owns the modules' machine code.
    pub(super) code: wasmer::Engine,
}

impl<M> Compiled<M> {
    /// Validates, translates and compiles a component; `make` converts each compiled core module. The code may be for
    /// another machine.
    ///
    /// # Errors
    /// As [`Component::from_binary`].
    #[cfg(feature = "compile")]
    pub(super) fn new(
        engine: &Engine,
        bytes: &[u8],
        form: CodeForm,
        make: impl Fn(engine::Compiled) -> std::result::Result<M, String>,
    ) -> Result<Compiled<M>> {
        let code = engine.compiler(CodeForm::Memory)?;
        let mut ir = contain("the translator", || translate(engine, bytes))??;
        let sources = std::mem::take(&mut ir.modules);
        for (index, source) in sources.iter().enumerate() {
            engine.check_imports(&format!("core module {index}"), source)?;
        }
        if !sources.is_empty() {
            crate::threads::check_compiler().map_err(Error::NoThread)?;
        }
        let mut work = Work::new(engine, &sources);
        let mut signatures = Signatures::default();
        let mut compile = |(module, source): (usize, &Vec<u8>)| {
            let compiled = match form {
                CodeForm::Memory => work.compile(&code, source),
                // The code is saved and not run: it need not outlive this.
                CodeForm::Elf => work.compile(&engine.compiler(CodeForm::Elf)?, source),
            };
            let made = compiled.and_then(|compiled| {
                signatures
                    .add(compiled.module.info())
                    .map_err(Refused::Compiler)?;
                make(compiled).map_err(Refused::Compiler)
            });
            made.map_err(|refused| match refused {
                Refused::Stopped => Error::Stopped,
                Refused::Compiler(message) => Error::Compile {
                    module,
                    backend: engine.backend().name().into(),
                    message,
                },
            })
        };
        let mut modules = Vec::with_capacity(sources.len());
        for source in sources.iter().enumerate() {
            modules.push(compile(source)?);
        }
        Ok(Compiled { ir, modules, code })
    }

    /// Fails, since this build has no compiler.
    ///
    /// # Errors
    /// [`Error::NoCompiler`].
    #[cfg(not(feature = "compile"))]
    pub(super) fn new(
        _: &Engine,
        _: &[u8],
        _: CodeForm,
        _: impl Fn(engine::Compiled) -> std::result::Result<M, String>,
    ) -> Result<Compiled<M>> {
        Err(Error::NoCompiler)
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("size", &self.inner.size)
            .field("core_modules", &self.inner.modules.len())
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}
