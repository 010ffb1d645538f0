//! Names of a build that cannot interrupt guests. A deadline is observed by the host's own functions alone.

use std::ops::Range;
use std::time::Instant;

use crate::error::Error;

/// Handle that stops nothing.
#[derive(Clone, Debug)]
pub struct InterruptHandle(GuestCode);

/// A call that is not interrupted.
#[derive(Debug)]
pub struct Running;

impl InterruptHandle {
    pub fn new(code: GuestCode) -> InterruptHandle {
        InterruptHandle(code)
    }

    pub fn code(&self) -> &GuestCode {
        &self.0
    }

    #[inline]
    pub(crate) fn enter(&self) -> Running {
        Running
    }

    /// Returns true: calls leave no note of themselves.
    pub(crate) fn is_alone(&self) -> bool {
        true
    }

    pub fn running<R>(&self, call: impl FnOnce() -> R) -> R {
        call()
    }
}

/// Runs what switches to another stack and back.
pub(crate) fn to_stack<R>(switch: impl FnOnce() -> R) -> R {
    switch()
}

/// Runs what switches to another stack and back.
pub(crate) fn from_stack<R>(switch: impl FnOnce() -> R) -> R {
    switch()
}

/// Succeeds: nothing stops a guest.
///
/// # Errors
/// None.
#[inline]
pub fn check() -> Result<(), Error> {
    Ok(())
}

/// Addresses of code, which are not needed.
#[derive(Clone, Debug, Default)]
pub struct GuestCode;

impl GuestCode {
    pub fn add(&self, _functions: Option<Range<usize>>) {}
}

/// Returns no addresses: they are not needed.
pub fn functions(_module: &wasmer::Module) -> Option<Range<usize>> {
    None
}

/// Returns false: no guest is interrupted.
pub fn runs_here() -> bool {
    false
}

/// Returns false: no guest is stopped.
pub(crate) fn take_stopped() -> bool {
    false
}

/// Deadlines without effect, except on waits.
#[derive(Clone, Debug)]
pub struct Deadlines(crate::engine::memory::Waits);

impl Deadlines {
    pub fn new(_deadline: Option<Instant>) -> Deadlines {
        Deadlines(crate::engine::memory::Waits::default())
    }

    pub fn waits(&self) -> &crate::engine::memory::Waits {
        &self.0
    }

    pub fn runs(&self, _module: &wasmer::Module) {}

    pub fn watch(&self, _store: &mut wasmer::Store) {}

    pub fn running<R>(&self, _store: wasmer::sys::vm::StoreId, call: impl FnOnce() -> R) -> Option<R> {
        Some(call())
    }

    pub fn stop(&self) {
        self.0.end();
    }

    pub fn end(&self) {
        self.0.end();
    }
}

/// Deadlines of calls, which nothing enforces.
pub mod timer {
    use std::io;
    use std::time::{Duration, Instant};

    use super::InterruptHandle;
    use crate::error::{Error, Result};

    /// A deadline that is not watched.
    #[derive(Debug)]
    pub struct Armed;

    /// Returns `None`: nothing stops the guest.
    pub fn arm(_deadline: Instant, _handle: InterruptHandle) -> Option<Armed> {
        None
    }

    /// A limit that is not watched.
    #[derive(Debug)]
    pub struct ArmedCpu;

    impl ArmedCpu {
        /// Returns the same error.
        pub fn explain(&self, error: Error) -> Error {
            error
        }
    }

    /// Fails: nothing stops the guest.
    ///
    /// # Errors
    /// [`Error::CpuLimit`].
    pub fn arm_cpu(_limit: Duration, _handle: InterruptHandle) -> Result<ArmedCpu> {
        Err(Error::CpuLimit(io::ErrorKind::Unsupported.into()))
    }
}
