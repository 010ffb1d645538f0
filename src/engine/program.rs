//! Core modules that are programs: they have their imports from others than components.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::tunables::{LimitingTunables, Memories, NextModule};
use super::{Engine, StoreLimits};
use crate::error::{Error, Result};

impl Engine {
    /// Compiles a core module that is none of a component's. Threads are allowed, and exceptions where the backend has them.
    /// The engine that comes with it holds the code: it has to outlive every instance.
    ///
    /// # Errors
    /// [`Error::Compile`], [`Error::NoCompiler`].
    #[cfg(feature = "compile")]
    pub(crate) fn compile_program(&self, bytes: &[u8]) -> Result<(wasmer::Module, wasmer::Engine)> {
        let compiler = self.program_compiler()?;
        let fit = super::debug_names::without_bad(super::table_room::make_room(bytes));
        // Compilers assert what they take for granted; an input that proves them wrong is not to end the host.
        let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wasmer::Module::new(&compiler, &fit)
        }));
        let refused = |message: String| Error::Compile {
            module: 0,
            backend: self.backend().to_string(),
            message,
        };
        match compiled {
            Ok(Ok(module)) => Ok((module, compiler)),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(_) => Err(refused("the compiler panicked".into())),
        }
    }

    /// As it is without a compiler.
    ///
    /// # Errors
    /// [`Error::NoCompiler`].
    #[cfg(not(feature = "compile"))]
    pub(crate) fn compile_program(&self, _bytes: &[u8]) -> Result<(wasmer::Module, wasmer::Engine)> {
        Err(Error::NoCompiler)
    }
}

/// An engine for the stores of one program: under its limits, all of them together.
pub(crate) fn program_engine(limits: &StoreLimits) -> wasmer::Engine {
    let mut engine = <wasmer::Engine as wasmer::sys::NativeEngineExt>::headless();
    let tunables = LimitingTunables::new(limits, Memories::Reserved, NextModule::default());
    wasmer::sys::NativeEngineExt::set_tunables(&mut engine, tunables);
    engine
}

/// Stores of one program that are watched at a time. Those of threads that are over need not be watched.
const WATCHED: usize = 256;

/// Ends whatever runs in a program's stores at its deadline. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    deadline: Option<Instant>,
    armed: Arc<Mutex<VecDeque<Watched>>>,
}

#[cfg(all(unix, feature = "interrupt"))]
type Watched = (super::InterruptHandle, Option<super::watchdog::Armed>);
#[cfg(not(all(unix, feature = "interrupt")))]
type Watched = ();

impl Deadlines {
    pub(crate) fn new(deadline: Option<Instant>) -> Deadlines {
        Deadlines {
            deadline,
            armed: Arc::default(),
        }
    }

    /// Watches a store.
    #[cfg_attr(not(all(unix, feature = "interrupt")), allow(unused_variables))]
    pub(crate) fn watch(&self, store: &wasmer::Store) {
        #[cfg(all(unix, feature = "interrupt"))]
        {
            let handle = super::InterruptHandle::new(store);
            let armed = self
                .deadline
                .and_then(|deadline| super::watchdog::arm(deadline, handle.clone()));
            let mut all = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() == WATCHED {
                all.pop_front();
            }
            all.push_back((handle, armed));
        }
    }

    /// The program is over: threads of it that compute on are stopped.
    pub(crate) fn end(&self) {
        #[cfg(all(unix, feature = "interrupt"))]
        {
            let all = std::mem::take(&mut *self.armed.lock().unwrap_or_else(PoisonError::into_inner));
            if all.len() < 2 {
                return;
            }
            let now = Instant::now();
            let stopping: Vec<_> = all
                .into_iter()
                .filter_map(|(handle, _)| super::watchdog::arm(now, handle))
                .collect();
            // One request may get lost, so they are repeated for a while.
            let stopped = std::thread::Builder::new()
                .name("airssys-wasm-end".into())
                .spawn(move || {
                    std::thread::sleep(GRACE);
                    drop(stopping);
                });
            if let Err(error) = stopped {
                log::warn!("no thread to stop a program's threads: {error}");
            }
        }
    }
}

/// Time in which threads of a program that is over are stopped.
#[cfg(all(unix, feature = "interrupt"))]
const GRACE: std::time::Duration = std::time::Duration::from_secs(1);
