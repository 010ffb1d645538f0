//! Interruption of a guest from another thread.

use std::fmt;

/// Handle that stops the guest of one store. May be used from any thread, and outlive the store.
#[derive(Clone)]
pub struct InterruptHandle(wasmer::Interrupter);

impl InterruptHandle {
    #[doc(hidden)]
    pub fn new(store: &wasmer::Store) -> InterruptHandle {
        InterruptHandle(store.interrupter())
    }

    /// Requests that the guest of the store stop: it traps with
    /// [`CoreTrap::Interrupted`](crate::error::CoreTrap::Interrupted), at once if it computes, or when the host
    /// function that it called returns. Nothing happens if no guest runs. The request can get lost, and is passed over while
    /// the thread is in the engine's code, so a caller that needs the guest to stop repeats it until the call has ended.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterruptHandle")
    }
}
