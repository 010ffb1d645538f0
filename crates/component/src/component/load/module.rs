//! Core modules that the host gives to components which import them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::component::component::Component;
use crate::component::load::module_type::ModuleType;
use crate::engine::{Backend, CoreModule, Engine};
use crate::error::{Error, Result};

/// A compiled core module, for components that import one
/// ([`LinkerInstance::module`](crate::component::LinkerInstance::module)). Cheap to clone.
///
/// It is compiled here, or is one that a component exports ([`Instance::get_module`](crate::component::Instance::get_module)), which
/// needs no compiler: the component may come out of an artifact. Core instances call each other directly, so a component
/// takes a module that has code of the component's own backend.
///
/// ```
/// # extern crate airssys_wasm_component as airssys_wasm;
/// use airssys_wasm::component::{Component, Linker, Module, Store};
/// use airssys_wasm::engine::{Config, Engine};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(&Config::new())?;
/// let add = wat::parse_str(
///     r#"(module (func (export "add") (param i32 i32) (result i32)
///         (i32.add (local.get 0) (local.get 1))))"#,
/// )?;
/// let user = wat::parse_str(
///     r#"(component
///         (import "math" (core module $math (export "add" (func (param i32 i32) (result i32)))))
///         (core instance $math (instantiate $math))
///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $math "add"))))"#,
/// )?;
/// let mut linker = Linker::new(&engine);
/// linker.root().module("math", &Module::from_binary(&engine, &add)?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &Component::from_binary(&engine, &user)?)?;
/// let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, ["add"])?;
/// assert_eq!(add.call(&mut store, (40, 2))?, (42,));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    ty: Arc<ModuleType>,
    /// One for each backend that has compiled it.
    codes: Vec<Code>,
}

struct Code {
    backend: Backend,
    module: CoreModule,
    #[expect(dead_code, reason = "held for its drop")]
    owner: Owner,
}

/// Owns a module's machine code, which it only points at.
#[expect(dead_code, reason = "held for their drop")]
enum Owner {
    #[cfg_attr(
        not(feature = "compile"),
        allow(dead_code, reason = "unused in builds without a compiler")
    )]
    Engine(wasmer::Engine),
    Component(Component),
}

impl Module {
    /// Validates and compiles a core module in its binary form, with the features that components' core modules may use. An
    /// engine that [starts](Engine::starts) with others has those compile it too, for components that run on their code; one
    /// of these may refuse it.
    ///
    /// # Errors
    /// [`Error::NotWasm`], [`Error::Component`] and [`Error::InvalidModule`] for bytes that are not a core module,
    /// [`Error::MissingFeatures`] and [`Error::BackendFeature`] for one that uses what is outside the supported set, or what
    /// this backend lacks, [`Error::Compile`] if the backend refuses it; [`Error::NoCompiler`] and
    /// [`Error::ForeignTarget`] if the engine compiles nothing, or nothing that runs here.
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        compiled::module(engine, bytes)
    }

    /// Reads and compiles a core module from a file.
    ///
    /// # Errors
    /// As [`Module::from_binary`]; [`Error::NotWasm`] with the reason if the file cannot be read.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        let bytes = crate::component::read_file(path)
            .map_err(|error| Error::NotWasm(format!("{} cannot be read: {error}", path.display())))?;
        Module::from_binary(engine, &bytes)
    }

    /// One of a component's own modules.
    pub(in crate::component) fn of_component(
        component: &Component,
        index: u32,
        ty: &Arc<ModuleType>,
    ) -> Result<Module> {
        let code = Code {
            backend: component.backend(),
            module: component.module(index)?.clone(),
            owner: Owner::Component(component.clone()),
        };
        Ok(Module {
            inner: Arc::new(Inner {
                ty: ty.clone(),
                codes: vec![code],
            }),
        })
    }

    /// Returns the types of its imports and exports.
    pub fn ty(&self) -> &ModuleType {
        &self.inner.ty
    }

    /// The backends that have compiled it.
    pub fn backends(&self) -> impl Iterator<Item = Backend> {
        self.inner.codes.iter().map(|code| code.backend)
    }

    /// Its code for a component of this backend.
    pub(in crate::component) fn code(&self, backend: Backend) -> Option<&CoreModule> {
        let code = self.inner.codes.iter().find(|code| code.backend == backend)?;
        Some(&code.module)
    }

    /// Lets the engine learn of the frames of its code.
    pub(in crate::component) fn register_frames(&self) {
        self.inner
            .codes
            .iter()
            .for_each(|code| code.module.register_frames());
    }

    /// Checks that a component of this backend can have it where it declares an import of the type `declared`.
    ///
    /// # Errors
    /// The reason.
    pub(in crate::component) fn check(
        &self,
        declared: &ModuleType,
        backend: Backend,
    ) -> std::result::Result<(), String> {
        self.inner.ty.check(declared)?;
        if self.code(backend).is_some() {
            return Ok(());
        }
        let names: Vec<&str> = self.backends().map(Backend::name).collect();
        Err(format!(
            "the linker's core module has code of {}, and the component of {backend}: compile it with the component's \
             engine, or export it from a component of that backend",
            names.join(" and ")
        ))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("imports", &self.inner.ty.imports.len())
            .field("exports", &self.inner.ty.exports.len())
            .field("backends", &self.backends().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "compile")]
mod compiled {
    use std::sync::Arc;

    use wasmparser::{Encoding, Parser, Payload};

    use super::{Code, Inner, Module, Owner};
    use crate::component::compile::features;
    use crate::component::load::module_type::ModuleType;
    use crate::engine::{CodeForm, Engine, Refused, Target, Work};
    use crate::error::{Error, Result};

    pub(in crate::component) fn module(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        if !engine.target().runs_here() {
            return Err(Error::ForeignTarget {
                target: engine.target().to_string(),
                host: Target::host().to_string(),
            });
        }
        expect_module(bytes)?;
        let mut codes = vec![compile(engine, bytes)?];
        // Components fall back to others in the same way.
        codes.extend(
            engine
                .starts()
                .iter()
                .filter_map(|start| compile(start, bytes).ok()),
        );
        let ty = ModuleType::read(bytes).ok_or_else(|| Error::bug("a valid core module without a type"))?;
        Ok(Module {
            inner: Arc::new(Inner {
                ty: Arc::new(ty),
                codes,
            }),
        })
    }

    fn compile(engine: &Engine, bytes: &[u8]) -> Result<Code> {
        // A build without that compiler says so first.
        let code = engine.compiler(CodeForm::Memory)?;
        features::validate(engine, bytes).map_err(of_module)?;
        engine.check_imports("the core module", bytes)?;
        crate::threads::check_compiler().map_err(Error::NoThread)?;
        let compiled = Work::new(engine, &[bytes]).compile(&code, bytes);
        let module = compiled.and_then(|compiled| compiled.into_core_module().map_err(Refused::Compiler));
        match module {
            Ok(module) => Ok(Code {
                backend: engine.backend(),
                module,
                owner: Owner::Engine(code),
            }),
            Err(Refused::Stopped) => Err(Error::Stopped),
            Err(Refused::Compiler(message)) => Err(Error::Compile {
                module: 0,
                backend: engine.backend().name().into(),
                message,
            }),
        }
    }

    /// Tells a component and foreign bytes from a core module.
    fn expect_module(bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Err(Error::NotWasm("the input is empty".into()));
        }
        match Parser::new(0).parse_all(bytes).next() {
            Some(Ok(Payload::Version {
                encoding: Encoding::Component,
                ..
            })) => Err(Error::Component),
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) if bytes.starts_with(b"\0asm") => Err(of_module(features::invalid(&error))),
            _ => Err(Error::NotWasm("it does not start with the bytes `\\0asm`".into())),
        }
    }

    fn of_module(error: Error) -> Error {
        match error {
            Error::InvalidComponent { offset, message } => Error::InvalidModule { offset, message },
            other => other,
        }
    }
}

#[cfg(not(feature = "compile"))]
mod compiled {
    use super::Module;
    use crate::engine::Engine;
    use crate::error::{Error, Result};

    pub(in crate::component) fn module(_: &Engine, _: &[u8]) -> Result<Module> {
        Err(Error::NoCompiler)
    }
}
