//! Whatever runs in a program's stores ends at its deadline.

#[cfg(not(all(unix, feature = "interrupt")))]
pub(crate) use ignored::Deadlines;
#[cfg(all(unix, feature = "interrupt"))]
pub(crate) use kept::Deadlines;

#[cfg(all(unix, feature = "interrupt"))]
mod kept {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use crate::engine::InterruptHandle;
    use crate::engine::guest_code::{GuestCode, functions};
    use crate::engine::signal::hold_back_in_host;
    use crate::engine::watchdog::{self, Armed};

    /// Stores of one program that are watched at a time. Those of threads that are over need not be watched.
    const WATCHED: usize = 256;

    /// Time in which threads of a program that is over are stopped.
    const GRACE: Duration = Duration::from_secs(1);

    /// Ends whatever runs in a program's stores at its deadline. Clones are the same.
    #[derive(Clone, Debug)]
    pub(crate) struct Deadlines {
        deadline: Option<Instant>,
        /// Of all its stores: they run the same module.
        code: GuestCode,
        armed: Arc<Mutex<VecDeque<Watched>>>,
    }

    type Watched = (InterruptHandle, Option<Armed>);

    impl Deadlines {
        pub(crate) fn new(deadline: Option<Instant>) -> Deadlines {
            Deadlines {
                deadline,
                code: GuestCode::default(),
                armed: Arc::default(),
            }
        }

        /// Says which module runs in the stores: others are not interrupted.
        pub(crate) fn runs(&self, module: &wasmer::Module) {
            self.code.add(functions(module));
        }

        /// Watches a store.
        pub(crate) fn watch(&self, store: &mut wasmer::Store) {
            hold_back_in_host(store, self.code.clone());
            let handle = InterruptHandle::new(store);
            let armed = self
                .deadline
                .and_then(|deadline| watchdog::arm(deadline, handle.clone()));
            let mut all = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() == WATCHED {
                all.pop_front();
            }
            all.push_back((handle, armed));
        }

        /// The program is over: threads of it that compute on are stopped.
        pub(crate) fn end(&self) {
            let all = std::mem::take(&mut *self.armed.lock().unwrap_or_else(PoisonError::into_inner));
            if all.len() < 2 {
                return;
            }
            let now = Instant::now();
            let stopping: Vec<_> = all
                .into_iter()
                .filter_map(|(handle, _)| watchdog::arm(now, handle))
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

#[cfg(not(all(unix, feature = "interrupt")))]
mod ignored {
    use std::time::Instant;

    /// This build cannot stop guests.
    #[derive(Clone, Debug)]
    pub(crate) struct Deadlines;

    impl Deadlines {
        pub(crate) fn new(_deadline: Option<Instant>) -> Deadlines {
            Deadlines
        }

        pub(crate) fn runs(&self, _module: &wasmer::Module) {}

        pub(crate) fn watch(&self, _store: &mut wasmer::Store) {}

        pub(crate) fn end(&self) {}
    }
}
