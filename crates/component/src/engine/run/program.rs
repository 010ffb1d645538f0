//! Core modules that are programs: their imports do not come from components.

use std::sync::Arc;

#[cfg(feature = "compile")]
use crate::engine::compile::{debug_names, growable_tables};
use crate::engine::memory::Waits;
use crate::engine::memory::account::Account;
use crate::engine::run::tunables::{LimitingTunables, Memories, NextModule};
use crate::engine::{Engine, StoreLimits};
use crate::error::{Error, Result};
#[cfg(feature = "compile")]
use crate::panics::contain;

impl Engine {
    /// Compiles a core module that belongs to no component. Threads are allowed, and exceptions where the backend has them.
    /// The returned engine holds the code: it must outlive every instance.
    ///
    /// # Errors
    /// [`Error::BackendFeature`], [`Error::Compile`], [`Error::EngineOption`] from an engine that meters code, [`Error::NoCompiler`], [`Error::NoThread`].
    #[cfg(feature = "compile")]
    pub fn compile_program(&self, bytes: &[u8]) -> Result<(wasmer::Module, wasmer::Engine)> {
        if self.options.consume_fuel {
            return Err(Error::EngineOption {
                backend: self.backend().to_string(),
                option: "metering of modules that are no components".into(),
                hint: "use an engine without `Config::consume_fuel`, or convert the module to a component"
                    .into(),
            });
        }
        crate::threads::check_compiler().map_err(Error::NoThread)?;
        let compiler = self.program_compiler()?;
        self.check_program(bytes)?;
        let fit = debug_names::without_bad(growable_tables::make_room(bytes, true));
        let compiled = contain("the compiler", || wasmer::Module::new(&compiler, &fit));
        let refused = |message: String| Error::Compile {
            module: 0,
            backend: self.backend().to_string(),
            message,
        };
        match compiled {
            Ok(Ok(module)) => Ok((module, compiler)),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(panicked) => Err(refused(panicked.to_string())),
        }
    }

    /// Refuses a valid module that uses what the backend lacks. The compiler refuses an invalid one.
    #[cfg(feature = "compile")]
    fn check_program(&self, bytes: &[u8]) -> Result<()> {
        let all = wasmparser::WasmFeatures::all();
        let valid = |features| {
            wasmparser::Validator::new_with_features(features)
                .validate_all(bytes)
                .is_ok()
        };
        let lacking = match self.backend() {
            // Exceptions are off for Singlepass, too.
            crate::engine::Backend::Singlepass => {
                self.backend().lacking() | wasmparser::WasmFeatures::EXCEPTIONS
            }
            backend => backend.lacking(),
        };
        if lacking.is_empty() || valid(all - lacking) || !valid(all) {
            return Ok(());
        }
        Err(self.lacks(bytes, all, lacking))
    }

    /// Fails: this build has no compiler.
    ///
    /// # Errors
    /// [`Error::NoCompiler`].
    #[cfg(not(feature = "compile"))]
    pub fn compile_program(&self, _bytes: &[u8]) -> Result<(wasmer::Module, wasmer::Engine)> {
        Err(Error::NoCompiler)
    }
}

/// Creates a store for a module that runs alone, under limits of its own.
pub fn program_store(limits: &StoreLimits) -> crate::engine::SendStore {
    let (account, next) = (Account::new(limits), NextModule::default());
    let engine = engine(limits, account.clone(), next.clone(), Waits::default());
    crate::engine::SendStore::new(wasmer::Store::new(engine), account, next)
}

/// Creates an engine for the stores of one program, which share its limits. `waits` gets its shared memories.
pub fn program_engine(limits: &StoreLimits, waits: Waits) -> wasmer::Engine {
    engine(limits, Account::new(limits), NextModule::default(), waits)
}

fn engine(limits: &StoreLimits, account: Arc<Account>, next: NextModule, waits: Waits) -> wasmer::Engine {
    let mut engine = <wasmer::Engine as wasmer::sys::NativeEngineExt>::headless();
    let tunables = LimitingTunables::new(limits, account, Memories::Reserved, next).with_waits(waits);
    wasmer::sys::NativeEngineExt::set_tunables(&mut engine, tunables);
    engine
}
