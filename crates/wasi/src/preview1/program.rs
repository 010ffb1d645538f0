//! Programs: core modules that run from their start to their end.

use std::sync::Arc;
use std::time::Instant;

use wasmer_wasix::wasmer::{self, Module};
use wasmer_wasix::{WasiEnvBuilder, WasiError, WasiRuntimeError, WasiThreadError};

use super::border;
use super::grants::{Preview1, Preview1Error};
use super::guest::{kill, kill_at};
use super::host;
use airssys_wasm_component::component::error_of;
use airssys_wasm_component::engine::{Deadlines, Engine};
use airssys_wasm_component::error::{CoreTrap, Error, Result, TrapKind};
use airssys_wasm_component::internal::contain;

/// A compiled core module with `_start`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    module: Module,
    /// Keeps the module's code alive.
    code: wasmer::Engine,
}

/// The end of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The status that it passed to `proc_exit`, or 0 if `_start` returned.
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

    /// Runs the program on this thread, with a memory of its own. Threads that it starts end with it.
    ///
    /// # Errors
    /// [`Error::Host`] with a [`Preview1Error`] if its environment cannot be built; [`Error::Instantiate`] if it has an
    /// unknown import, or exceeds a limit; [`Error::Trap`] if it traps, also at its deadline.
    pub fn run(&self, grants: Preview1) -> Result<Ended> {
        let deadline = grants.deadline;
        let deadlines = Deadlines::new(deadline);
        deadlines.runs(&self.module);
        let setup = |error: Preview1Error| Error::Host {
            name: "_start".into(),
            source: Box::new(error),
        };
        // wasmer-wasix waits under tokio's runtime.
        let _context = crate::executor::enter().map_err(|error| setup(Preview1Error::Executor(error)))?;
        let plain = border::imported(&self.module)
            .iter()
            .all(|(module, _)| border::is_plain(module));
        let code = Some(self.code.clone());
        let made = contain(SURROUNDINGS, || {
            host::environment(grants, deadlines.clone(), code, plain)
        });
        let (builder, surroundings) = made.map_err(|panicked| panicked.trap())?.map_err(setup)?;
        // Contains all of wasmer-wasix's work, including the drop of its state.
        let result = contain(IMPORTS, || {
            self.run_in(builder, &surroundings, (&deadlines, deadline))
        });
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
        (deadlines, deadline): (&Deadlines, Option<Instant>),
    ) -> Result<Ended> {
        let mut store = wasmer_wasix::Runtime::new_store(&**surroundings);
        let id = store.id();
        let instantiate = || {
            builder
                .instantiate(self.module.clone(), &mut store)
                .map_err(Box::new)
        };
        let made = deadlines.running(id, instantiate).ok_or_else(ended_before)?;
        let (instance, environment) = match made {
            Ok(made) => made,
            Err(error) => return ended(*error),
        };
        // At the deadline, the signal ends waits, and the interrupt ends computations.
        let process = environment.data(&store).process.clone();
        let killer = deadline.and_then(|deadline| kill_at(deadline, process.clone()));
        let start = match instance.exports.get_function("_start") {
            Ok(start) => start.clone(),
            Err(error) => return Err(Error::bug(error.to_string())),
        };
        // Most imports are guarded individually; this contains the panics of the others.
        let started = contain(IMPORTS, || deadlines.running(id, || start.call(&mut store, &[])));
        let started = started.map(|started| started.ok_or_else(ended_before));
        let result = match started {
            Ok(Err(error)) => Err(error),
            Ok(Ok(Ok(_))) => Ok(Ended { status: 0 }),
            Ok(Ok(Err(error))) => ended(WasiRuntimeError::Runtime(error)),
            Err(panicked) => Err(panicked.trap()),
        };
        drop(killer);
        let result = match deadline {
            // The status is then the signal's.
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
            // Cleaning up after a panic may panic again.
            Err(panicked) => result.and(Err(panicked.trap())),
        }
    }
}

/// Names of these places in errors.
const SURROUNDINGS: &str = "the module's environment";
const IMPORTS: &str = "the module's imports";

#[cold]
fn ended_before() -> Error {
    Error::bug("a program that has ended before it began")
}

/// Converts a failure of wasmer-wasix to the program's end, or an error.
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
