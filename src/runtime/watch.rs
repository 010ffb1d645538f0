//! Limits on time, watched while a guest runs.

use std::time::{Duration, Instant};

use crate::error::Error;
use airssys_wasm_component::internal::InterruptHandle;
use airssys_wasm_component::internal::timer::{self, Armed, ArmedCpu};

/// A call whose deadline and CPU time are watched until this value is dropped, on the thread that makes the call.
#[derive(Debug)]
pub(super) struct Watched {
    _deadline: Option<Armed>,
    cpu: Option<ArmedCpu>,
}

impl Watched {
    /// Stops the guest behind `handle` at `deadline`, or once this thread has used `cpu` of CPU time.
    ///
    /// # Errors
    /// [`Error::CpuLimit`] where CPU time cannot be limited.
    pub(super) fn new(
        handle: InterruptHandle,
        deadline: Option<Instant>,
        cpu: Option<Duration>,
    ) -> Result<Watched, Error> {
        let cpu = cpu.map(|limit| timer::arm_cpu(limit, handle.clone()));
        Ok(Watched {
            cpu: cpu.transpose()?,
            _deadline: deadline.and_then(|deadline| timer::arm(deadline, handle)),
        })
    }

    /// Names the limit on CPU time if the call ended because of it.
    pub(super) fn explain(&self, error: Error) -> Error {
        match &self.cpu {
            Some(cpu) => cpu.explain(error),
            None => error,
        }
    }
}
