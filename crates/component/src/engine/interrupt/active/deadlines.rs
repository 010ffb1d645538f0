//! Deadlines for everything that runs in a program's stores.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use wasmer::sys::vm::StoreId;

use super::guest_code::{GuestCode, functions};
use super::handle::InterruptHandle;
use super::target::leave_thread;
use super::timer::{self, Armed};
use crate::engine::memory::Waits;

/// Stores after which those that were dropped are looked for.
const MANY: usize = 64;

/// First and longest interval in which the threads of a program that has ended are looked at, while they are stopped. Each is
/// twice the one before.
const GRACES: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(1)];

/// Time after which such threads are given up: they wait in the host.
const LAST: Duration = Duration::from_secs(60);

/// Stops everything that runs in a program's stores at its deadline. Clones share the stores.
#[derive(Clone, Debug)]
pub struct Deadlines {
    deadline: Option<Instant>,
    /// Of all its stores: they run the same module.
    code: GuestCode,
    waits: Waits,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    stores: Vec<Watched>,
    /// True once the program has ended: then no guest is called.
    has_ended: bool,
}

#[derive(Debug)]
struct Watched {
    store: StoreId,
    /// Dead once the store is dropped.
    life: Weak<()>,
    handle: InterruptHandle,
    _armed: Option<Armed>,
}

/// Kept by a store as long as it lives.
struct Life(#[expect(dead_code, reason = "it is only counted")] Arc<()>);

impl Deadlines {
    pub fn new(deadline: Option<Instant>) -> Deadlines {
        Deadlines {
            deadline,
            code: GuestCode::default(),
            waits: Waits::default(),
            state: Arc::default(),
        }
    }

    /// Returns the waits in the program's shared memories, which end with it.
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Says which module runs in the stores: others are not interrupted.
    pub fn runs(&self, module: &wasmer::Module) {
        self.code.add(functions(module));
    }

    /// Watches a new store. If no guest runs on this thread, calls of its guest on this thread can be interrupted from now on.
    pub fn watch(&self, store: &mut wasmer::Store) {
        let handle = InterruptHandle::new(self.code.clone());
        let life = Arc::new(());
        wasmer::FunctionEnv::new(store, Life(Arc::clone(&life)));
        handle.enter_thread(Arc::downgrade(&life));
        let mut state = self.state();
        let deadline = match state.has_ended {
            true => Some(Instant::now()),
            false => self.deadline,
        };
        if state.stores.len() >= MANY {
            state.stores.retain(|watched| watched.life.strong_count() > 0);
        }
        state.stores.push(Watched {
            store: store.id(),
            life: Arc::downgrade(&life),
            _armed: deadline.and_then(|deadline| timer::arm(deadline, handle.clone())),
            handle,
        });
    }

    /// Calls the guest of a watched store, on this thread. `None` if the program has ended: then it is not called.
    pub fn running<R>(&self, store: StoreId, call: impl FnOnce() -> R) -> Option<R> {
        let handle = {
            let state = self.state();
            let mut stores = state.stores.iter().filter(|_| !state.has_ended);
            let watched = stores.find(|watched| watched.store == store)?;
            watched.handle.clone()
        };
        Some(handle.running(call))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops everything that computes, or waits in memory, at once. From now on, no guest is called.
    pub fn stop(&self) {
        self.waits.end();
        let mut state = self.state();
        state.has_ended = true;
        let now = Instant::now();
        for watched in &mut state.stores {
            watched._armed = timer::arm(now, watched.handle.clone());
        }
    }

    /// Stops the threads that still run after their program has ended, on its first thread.
    pub fn end(&self) {
        leave_thread();
        self.stop();
        let now = Instant::now();
        let mut state = self.state();
        state.stores.retain(|watched| watched.life.strong_count() > 0);
        if state.stores.is_empty() {
            return;
        }
        drop(state);
        let stores = Deadlines::clone(self);
        let stopping = thread::Builder::new().name("airssys-wasm-end".into());
        let stopping = stopping.spawn(move || {
            let [mut grace, longest] = GRACES;
            while now.elapsed() < LAST {
                thread::sleep(grace);
                // A wait that was about to begin has not seen that it is over.
                stores.waits.end();
                grace = (grace * 2).min(longest);
                let mut state = stores.state();
                state.stores.retain(|watched| watched.life.strong_count() > 0);
                if state.stores.is_empty() {
                    return;
                }
            }
            stores.state().stores.clear();
        });
        if let Err(error) = stopping {
            log::warn!("cannot spawn the thread that stops a program's threads: {error}");
        }
    }
}
