//! Programs: core modules that are run from their beginning to their end.

use std::sync::Arc;
use std::time::Instant;

use wasmer_wasix::wasmer::{self, Module};
use wasmer_wasix::{WasiEnvBuilder, WasiError, WasiRuntimeError, WasiThreadError};

use super::border;
use super::grants::{Preview1, Preview1Error};
use super::guest::{kill, kill_at};
use super::host;
use crate::component::error_of;
use crate::engine::{Deadlines, Engine};
use crate::error::{CoreTrap, Error, Result, TrapKind};
use crate::panics::contain;

/// A core module with `_start`, compiled. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    module: Module,
    /// Holds the module's code.
    code: wasmer::Engine,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The status that it gave to `proc_exit`, or 0 if it came to the end of `_start`.
    pub status: u32,
}

impl Program {
    /// Compiles a core module.
    ///
    /// # Errors
    /// [`Error::Compile`] if it is not valid, or the backend does not compile it; [`Error::NoCompiler`];
    /// [`Error::MissingExport`] if it has no `_start`.
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Program> {
        let (module, code) = engine.compile_program(bytes)?;
        let starts = module
            .exports()
            .functions()
            .any(|export| export.name() == "_start");
        match starts {
            true => Ok(Program { module, code }),
            false => Err(Error::MissingExport {
                kind: "function",
                name: "_start".into(),
                hint: "it is what a program is run by".into(),
            }),
        }
    }

    /// Runs the program on this thread, with a memory of its own.
    ///
    /// Threads that it starts are its own; they end with it.
    ///
    /// # Errors
    /// [`Error::Host`] with a [`Preview1Error`] if its surroundings cannot be made; [`Error::Instantiate`] if it imports
    /// what there is not, or a limit stands against it; [`Error::Trap`] if it traps, which it does at its deadline.
    pub fn run(&self, grants: Preview1) -> Result<Ended> {
        let deadline = grants.deadline;
        let deadlines = Deadlines::new(deadline);
        deadlines.runs(&self.module);
        let setup = |error: Preview1Error| Error::Host {
            name: "_start".into(),
            source: Box::new(error),
        };
        // What wasmer-wasix waits for, it waits for under tokio's runtime.
        let _context =
            crate::wasi::executor::enter().map_err(|error| setup(Preview1Error::Executor(error)))?;
        let plain = border::imported(&self.module)
            .iter()
            .all(|(module, _)| border::is_plain(module));
        let code = Some(self.code.clone());
        let made = contain(SURROUNDINGS, || {
            host::environment(grants, deadlines.clone(), code, plain)
        });
        let (builder, surroundings) = made.map_err(|panicked| panicked.trap())?.map_err(setup)?;
        // All that wasmer-wasix does, to the drop of what it holds.
        let result = contain(IMPORTS, || self.run_in(builder, &surroundings, deadline));
        let result = result.unwrap_or_else(|panicked| Err(panicked.trap()));
        deadlines.end();
        match surroundings.failure.take() {
            Some(failure) => Err(failure),
            None => result,
        }
    }

    fn run_in(
        &self,
        builder: WasiEnvBuilder,
        surroundings: &Arc<host::Surroundings>,
        deadline: Option<Instant>,
    ) -> Result<Ended> {
        let mut store = wasmer_wasix::Runtime::new_store(&**surroundings);
        let made = builder.instantiate(self.module.clone(), &mut store);
        let (instance, environment) = match made {
            Ok(made) => made,
            Err(error) => return ended(error),
        };
        // What waits, waits until then; what computes, is interrupted.
        let process = environment.data(&store).process.clone();
        let killer = deadline.and_then(|deadline| kill_at(deadline, process.clone()));
        let start = match instance.exports.get_function("_start") {
            Ok(start) => start.clone(),
            Err(error) => return Err(Error::bug(error.to_string())),
        };
        // Most imports are guarded one by one; this is for the rest.
        let result = match contain(IMPORTS, || start.call(&mut store, &[])) {
            Ok(Ok(_)) => Ok(Ended { status: 0 }),
            Ok(Err(error)) => ended(WasiRuntimeError::Runtime(error)),
            Err(panicked) => Err(panicked.trap()),
        };
        drop(killer);
        let result = match deadline {
            // The status is the signal's then.
            Some(deadline) if result.is_ok() && Instant::now() >= deadline => {
                Err(TrapKind::Core(CoreTrap::Interrupted).into())
            }
            _ => result,
        };
        let status = result.as_ref().map_or(1, |ended| ended.status);
        let left = contain(IMPORTS, || {
            environment
                .data(&store)
                .blocking_on_exit(Some((status as i32).into()));
            // Threads of it that wait for memory are in the engine's code, where they are not interrupted.
            kill(&process);
        });
        match left {
            Ok(()) => result,
            // What a panic leaves behind may panic again.
            Err(panicked) => result.and(Err(panicked.trap())),
        }
    }
}

/// Places of panics in errors.
const SURROUNDINGS: &str = "the module's surroundings";
const IMPORTS: &str = "the module's imports";

/// What a failure of wasmer-wasix's means.
fn ended(error: WasiRuntimeError) -> Result<Ended> {
    match error {
        WasiRuntimeError::Runtime(error) => trapped(error),
        WasiRuntimeError::Wasi(error) => exited(error),
        WasiRuntimeError::Instantiation(error) => instantiation(error),
        WasiRuntimeError::Thread(WasiThreadError::InstanceCreateFailed(error)) => instantiation(*error),
        WasiRuntimeError::Init(error) => Err(Error::Host {
            name: "_start".into(),
            source: Box::new(Preview1Error::Setup(error.to_string())),
        }),
        other => Err(Error::Instantiate(other.to_string())),
    }
}

fn instantiation(error: wasmer::InstantiationError) -> Result<Ended> {
    match error {
        wasmer::InstantiationError::Start(error) => trapped(error),
        other => Err(Error::Instantiate(other.to_string())),
    }
}

fn trapped(error: wasmer::RuntimeError) -> Result<Ended> {
    match error.downcast::<WasiError>() {
        Ok(error) => exited(error),
        Err(error) => Err(error_of(error)),
    }
}

fn exited(error: WasiError) -> Result<Ended> {
    match error {
        WasiError::Exit(code) => Ok(Ended {
            status: code.raw().cast_unsigned(),
        }),
        WasiError::ThreadExit => Ok(Ended { status: 0 }),
        other => Err(Error::Instantiate(other.to_string())),
    }
}
