//! Deadlines for everything that runs in a program's stores.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::guest_code::{GuestCode, functions};
use super::handle::InterruptHandle;
use super::timer::{self, Armed};

/// Stores of one program that are watched at a time; the oldest goes first. Threads that have ended need no watching.
const WATCHED: usize = 256;

/// Time in which the threads of a program that has ended are stopped.
const GRACE: Duration = Duration::from_secs(1);

/// Stops everything that runs in a program's stores at its deadline. Clones share the stores.
#[derive(Clone, Debug)]
pub struct Deadlines {
    deadline: Option<Instant>,
    /// Of all its stores: they run the same module.
    code: GuestCode,
    armed: Arc<Mutex<VecDeque<Watched>>>,
}

#[derive(Debug)]
struct Watched {
    store: wasmer::sys::vm::StoreId,
    handle: InterruptHandle,
    _armed: Option<Armed>,
}

impl Deadlines {
    pub fn new(deadline: Option<Instant>) -> Deadlines {
        Deadlines {
            deadline,
            code: GuestCode::default(),
            armed: Arc::default(),
        }
    }

    /// Says which module runs in the stores: others are not interrupted.
    pub fn runs(&self, module: &wasmer::Module) {
        self.code.add(functions(module));
    }

    /// Watches a store.
    pub fn watch(&self, store: &wasmer::Store) {
        let handle = InterruptHandle::new(self.code.clone());
        let armed = self
            .deadline
            .and_then(|deadline| timer::arm(deadline, handle.clone()));
        let mut all = self.watched();
        if all.len() == WATCHED {
            all.pop_front();
        }
        let store = store.id();
        all.push_back(Watched {
            store,
            handle,
            _armed: armed,
        });
    }

    /// Calls the guest of a watched store, on this thread.
    pub fn running<R>(&self, store: wasmer::sys::vm::StoreId, call: impl FnOnce() -> R) -> R {
        let found = (self.watched().iter())
            .find(|watched| watched.store == store)
            .map(|watched| watched.handle.clone());
        let _running = found.as_ref().map(InterruptHandle::enter);
        call()
    }

    fn watched(&self) -> MutexGuard<'_, VecDeque<Watched>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the threads that still compute after their program has ended.
    pub fn end(&self) {
        let all = std::mem::take(&mut *self.watched());
        if all.len() < 2 {
            return;
        }
        let now = Instant::now();
        let stopping: Vec<_> = all
            .into_iter()
            .filter_map(|watched| timer::arm(now, watched.handle))
            .collect();
        // One request may get lost, so they are repeated for a while.
        let stopped = std::thread::Builder::new()
            .name("airssys-wasm-end".into())
            .spawn(move || {
                std::thread::sleep(GRACE);
                drop(stopping);
            });
        if let Err(error) = stopped {
            log::warn!("cannot spawn the thread that stops a program's threads: {error}");
        }
    }
}
