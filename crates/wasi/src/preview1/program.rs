//! Programs: core modules that run from their start to their end.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use wasmer_wasix::runtime::task_manager::SpawnMemoryTypeOrStore;
use wasmer_wasix::wasmer::{self, Module};
use wasmer_wasix::{
    Runtime, WasiEnv, WasiEnvBuilder, WasiError, WasiFunctionEnv, WasiProcess, WasiRuntimeError,
    WasiThreadError,
};

use super::border;
use super::grants::{Preview1, Preview1Error};
use super::guest::{kill, kill_at};
use super::host;
use airssys_wasm_component::component::error_of;
use airssys_wasm_component::engine::{Deadlines, Engine, Waits};
use airssys_wasm_component::error::{CoreTrap, Error, Result, TrapKind};
use airssys_wasm_component::internal::{contain, runs_guest_here};

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

    /// Runs the program on this thread, or in a call of a guest on a thread of its own, with a memory of its own. Threads that it starts end with it.
    ///
    /// # Errors
    /// [`Error::Host`] with a [`Preview1Error`] if its environment cannot be built; [`Error::Instantiate`] if it has an
    /// unknown import, or exceeds a limit; [`Error::Trap`] if it traps, also at its deadline.
    pub fn run(&self, grants: Preview1) -> Result<Ended> {
        match runs_guest_here() {
            // It has a deadline of its own.
            true => aside(|| self.run_here(grants))?,
            false => self.run_here(grants),
        }
    }

    fn run_here(&self, grants: Preview1) -> Result<Ended> {
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
        let environment = match builder.build() {
            Ok(environment) => environment,
            Err(error) => return ended(error),
        };
        let process = Process {
            process: environment.process.clone(),
            waits: deadlines.waits().clone(),
        };
        let _killed = Killed(process.clone());
        // At the deadline, the signal ends waits, and the interrupt ends computations.
        let killer = deadline.and_then(|deadline| kill_at(deadline, move || process.kill()));
        let (environment, mut store) = match self.instantiate(environment, surroundings) {
            Ok(made) => made,
            Err(error) => return by(deadline, ended(WasiRuntimeError::Thread(error))),
        };
        let instance = surroundings
            .first_instance()
            .ok_or_else(|| Error::bug("an instance without `_start`"))?;
        let id = store.id();
        let mut run = |name: &str| {
            let Ok(function) = instance.exports.get_function(name) else {
                return Ok(None);
            };
            // Most imports are guarded individually; this contains the panics of the others.
            let ran = contain(IMPORTS, || {
                deadlines.running(id, || function.call(&mut store, &[]))
            });
            match ran.map_err(|panicked| panicked.trap())? {
                Some(Ok(_)) => Ok(None),
                Some(Err(error)) => ended(WasiRuntimeError::Runtime(error)).map(Some),
                None => Err(ended_before()),
            }
        };
        // The library's linker has called it.
        let is_initialized = self.module.custom_sections(DYNAMIC).next().is_some();
        // What ends it in `_initialize` ends the program.
        let result = match is_initialized {
            true => Ok(None),
            false => run("_initialize"),
        };
        let result = match result {
            Ok(None) => run("_start"),
            ended => ended,
        };
        let result = result.map(|ended| ended.unwrap_or(Ended { status: 0 }));
        drop(killer);
        let result = match result {
            Ok(ended) => by(deadline, Ok(ended)),
            trapped => trapped,
        };
        let status = result.as_ref().map_or(1, |ended| ended.status);
        let left = contain(IMPORTS, || {
            environment
                .data(&store)
                .blocking_on_exit(Some((status as i32).into()));
        });
        match left {
            Ok(()) => result,
            // Cleaning up after a panic may panic again.
            Err(panicked) => result.and(Err(panicked.trap())),
        }
    }

    /// Creates the program's first instance, in a store of its own.
    fn instantiate(
        &self,
        environment: WasiEnv,
        surroundings: &Arc<host::Surroundings>,
    ) -> std::result::Result<(WasiFunctionEnv, wasmer::Store), WasiThreadError> {
        let imported = self.module.imports().find_map(|import| match import.ty() {
            wasmer::ExternType::Memory(ty) => Some(*ty),
            _ => None,
        });
        let place = match imported {
            Some(ty) => {
                let mut store = Runtime::new_store(&**surroundings);
                let memory =
                    wasmer::Memory::new(&mut store, ty).map_err(WasiThreadError::MemoryCreateFailed)?;
                SpawnMemoryTypeOrStore::StoreAndMemory(store, memory)
            }
            None => SpawnMemoryTypeOrStore::New,
        };
        // `_initialize` is called later, when its waits end at the deadline.
        let initializes = false;
        WasiFunctionEnv::new_with_store(
            self.module.clone(),
            environment,
            None,
            place,
            true,
            initializes,
            None,
        )
    }
}

/// A program's places to wait: in wasmer-wasix, and in the engine's code.
#[derive(Clone)]
struct Process {
    process: WasiProcess,
    waits: Waits,
}

impl Process {
    /// Ends all waits.
    fn kill(&self) {
        kill(&self.process);
        self.waits.end();
    }
}

/// Ends a program's waits when it is dropped: no thread waits on after its program has ended, however it ended.
struct Killed(Process);

impl Drop for Killed {
    fn drop(&mut self) {
        // Also after a panic, so no other one may come out of here.
        if let Err(panicked) = contain(IMPORTS, || self.0.kill()) {
            log::warn!("cannot end the threads of a program: {panicked}");
        }
    }
}

/// Returns the interruption if the deadline has passed: the result is then that of the signal.
fn by(deadline: Option<Instant>, result: Result<Ended>) -> Result<Ended> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(TrapKind::Core(CoreTrap::Interrupted).into()),
        _ => result,
    }
}

/// Runs work on another thread.
fn aside<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("airssys-wasm-program".into());
        let spawned = thread.spawn_scoped(scope, work);
        match spawned.map_err(Error::NoThread)?.join() {
            Ok(done) => Ok(done),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Custom section of a module that is linked dynamically.
const DYNAMIC: &str = "dylink.0";

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
