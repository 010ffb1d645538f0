//! Configuration of wasmer's compilers.

use wasmer::sys::{EngineBuilder, NativeEngineExt};

use crate::engine::load::code::CodeForm;
use crate::engine::memory::account::Account;
use crate::engine::run::tunables::{LimitingTunables, Memories, NextModule};
use crate::engine::{Backend, Engine, StoreLimits};
use crate::error::{Error, Result};

impl Engine {
    /// Creates a wasmer engine that compiles with this backend, for this target.
    pub(crate) fn compiler(&self, form: CodeForm) -> Result<wasmer::Engine> {
        let mut engine = self.compiler_with(form, features())?;
        if self.backend == Backend::Llvm {
            find_memories(&mut engine, Memories::Movable);
        }
        Ok(engine)
    }

    /// As [`Engine::compiler`], for a module that stands alone: it calls no other instance's functions.
    pub(in crate::engine) fn program_compiler(&self) -> Result<wasmer::Engine> {
        let mut features = features();
        features
            .threads(true)
            .exceptions(self.backend != Backend::Singlepass);
        self.compiler_with(CodeForm::Memory, features)
    }

    #[allow(unreachable_patterns, reason = "the arms depend on the enabled features")]
    fn compiler_with(&self, form: CodeForm, features: wasmer::sys::Features) -> Result<wasmer::Engine> {
        let mut config: Box<dyn wasmer::sys::CompilerConfig> = match self.backend {
            #[cfg(feature = "cranelift")]
            Backend::Cranelift => Box::new(self.cranelift()),
            #[cfg(feature = "llvm")]
            Backend::Llvm => Box::new(self.llvm()?),
            #[cfg(feature = "singlepass")]
            // Singlepass canonicalizes NaNs unasked, and has no levels.
            Backend::Singlepass => Box::new(wasmer::sys::Singlepass::default()),
            Backend::Headless => return Err(Error::NoCompiler),
            other => {
                return Err(Error::BackendUnavailable {
                    backend: other.name().into(),
                });
            }
        };
        config.experimental_artifact(form == CodeForm::Elf);
        let builder = EngineBuilder::new(config)
            .set_features(Some(features))
            .set_target(Some(self.target.to_engine()));
        Ok(builder.engine().into())
    }

    #[cfg(feature = "cranelift")]
    fn cranelift(&self) -> wasmer::sys::Cranelift {
        use crate::engine::OptLevel;
        use wasmer::sys::CraneliftOptLevel;
        let mut config = wasmer::sys::Cranelift::default();
        config.canonicalize_nans(self.options.canonicalize_nans);
        config.opt_level(match self.options.opt_level {
            Some(OptLevel::None) => CraneliftOptLevel::None,
            Some(OptLevel::SpeedAndSize) => CraneliftOptLevel::SpeedAndSize,
            Some(OptLevel::Speed) | None => CraneliftOptLevel::Speed,
        });
        config
    }

    #[cfg(feature = "llvm")]
    fn llvm(&self) -> Result<wasmer::sys::LLVM> {
        use crate::engine::OptLevel;
        use wasmer::sys::LLVMOptLevel;
        load_llvm()?;
        let mut config = wasmer::sys::LLVM::default();
        wasmer::sys::CompilerConfig::canonicalize_nans(&mut config, self.options.canonicalize_nans);
        config.opt_level(match self.options.opt_level {
            Some(OptLevel::None) => LLVMOptLevel::None,
            _ => LLVMOptLevel::Aggressive,
        });
        Ok(config)
    }
}

/// Loads LLVM, on systems where it is not linked into the program.
#[cfg(feature = "llvm")]
fn load_llvm() -> Result<()> {
    airssys_wasm_llvm::load().map_err(|error| Error::CompilerLibrary {
        backend: Backend::Llvm.name().into(),
        message: error.to_string(),
    })
}

/// Sets the way in which modules that `engine` compiles from now on find their memories.
pub(in crate::engine) fn find_memories(engine: &mut wasmer::Engine, memories: Memories) {
    let limits = StoreLimits::default();
    let tunables = LimitingTunables::new(&limits, Account::new(&limits), memories, NextModule::default());
    NativeEngineExt::set_tunables(engine, tunables);
}

/// Returns the core features, the same for every backend: WebAssembly 2.0 with extended constant expressions
/// and with several memories, which component-to-component adapters need.
fn features() -> wasmer::sys::Features {
    let mut features = wasmer::sys::Features::default();
    features
        .reference_types(true)
        .bulk_memory(true)
        .multi_value(true)
        .multi_memory(true)
        .simd(true)
        .extended_const(true)
        .threads(false)
        .tail_call(false)
        .memory64(false)
        .exceptions(false);
    features
}
