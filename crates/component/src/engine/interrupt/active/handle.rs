//! Interruption of a guest from another thread.

use std::sync::{Arc, Weak};

use super::guest_code::GuestCode;
use super::target::{self, Running, Target};

/// Handle that stops the guest of one store. May be used from any thread, and outlive the store.
#[derive(Clone, Debug)]
pub struct InterruptHandle(Arc<Target>);

impl InterruptHandle {
    /// Creates the handle of a new store, which runs the code that `code` has.
    #[doc(hidden)]
    pub fn new(code: GuestCode) -> InterruptHandle {
        InterruptHandle(Arc::new(Target::new(code)))
    }

    /// Requests that the guest of the store stop: it traps with
    /// [`CoreTrap::Interrupted`](crate::error::CoreTrap::Interrupted), at once if it computes, or when the host
    /// function that it called returns. Nothing happens if no guest runs. The request is passed over while the thread is in the
    /// engine's code, so a caller that needs the guest to stop repeats it until the call has ended.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }

    /// Returns where the code of the store is: code that is not added is not interrupted.
    #[doc(hidden)]
    pub fn code(&self) -> &GuestCode {
        self.0.code()
    }

    /// Marks that this thread calls the guest until the returned value is dropped. Other calls are not interrupted.
    #[inline]
    pub(crate) fn enter(&self) -> Running<'_> {
        self.0.enter()
    }

    /// Reports whether no guest of another store runs on this thread, as far as its calls enter a handle.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.is_alone()
    }

    /// Runs a call of the guest. Others are not interrupted.
    #[doc(hidden)]
    pub fn running<R>(&self, call: impl FnOnce() -> R) -> R {
        let _running = self.enter();
        self.0.is_called_here();
        call()
    }

    /// The same for a thread that calls the guest of a new store from now on, until the store, which keeps what `store` refers to, is dropped.
    pub(super) fn enter_thread(&self, store: Weak<()>) {
        target::enter_thread(Arc::clone(&self.0), store);
    }
}
