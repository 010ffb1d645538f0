//! Conversion between this crate's errors and the engine's: errors of host functions on their way through the guest,
//! and the names of a guest's traps.

use std::fmt;

use wasmer::RuntimeError;
use wasmer::sys::vm::TrapCode;

use crate::engine::interrupt::take_stopped;
use crate::engine::{FrameNames, NAME_CHARS, register_stack};
use crate::error::{CoreTrap, Error, Trap, TrapKind};

/// An error of this crate that unwinds through the guest's frames.
struct Carrier(Error);

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carrier {}

/// Creates the engine's error that stops the guest which called a host function, with `error` as its cause.
#[cold]
pub fn to_runtime(error: Error) -> RuntimeError {
    // The engine looks for the frames that a trap of the host's lacks now, on the stack of this call.
    if let Error::Trap(trap) = &error
        && trap.frames().is_empty()
    {
        register_stack();
    }
    RuntimeError::user(Box::new(Carrier(error)))
}

/// Converts the engine's error from a call into the guest.
#[cold]
pub fn from_runtime(error: RuntimeError) -> Error {
    let stopped = take_stopped();
    // Extracting the cause consumes the error, which loses its call stack.
    let place = Trap::new(TrapKind::Core(CoreTrap::Other), error.trace(), frame);
    let error = match error.downcast::<Carrier>() {
        Ok(Carrier(Error::Trap(trap))) if trap.frames().is_empty() => {
            return Error::Trap(Box::new(place.because(trap.kind().clone())));
        }
        Ok(Carrier(error)) => return error,
        Err(error) => error,
    };
    let message = error.message();
    let kind = match error.to_trap() {
        _ if stopped => TrapKind::Core(CoreTrap::Interrupted),
        Some(code) => TrapKind::Core(core_trap(code)),
        None => TrapKind::Other(message),
    };
    Error::Trap(Box::new(place.because(kind)))
}

/// Name of a module that has none, as the engine has it.
const UNNAMED: &str = "<module>";

/// Returns a name, cut if it is long.
fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
    }
}

fn frame(frame: &wasmer::FrameInfo) -> String {
    let kept = FrameNames::of(frame.module_name());
    let (module, function) = match &kept {
        Some(names) => (
            names.module().unwrap_or(UNNAMED),
            names.function(frame.func_index()),
        ),
        None => (frame.module_name(), frame.function_name()),
    };
    let function = match function {
        Some(name) => shown(name),
        None => format!("function {}", frame.func_index()),
    };
    format!(
        "{}!{function} (offset {:#x})",
        shown(module),
        frame.module_offset()
    )
}

fn core_trap(code: TrapCode) -> CoreTrap {
    match code {
        TrapCode::UnreachableCodeReached => CoreTrap::Unreachable,
        TrapCode::StackOverflow => CoreTrap::StackOverflow,
        TrapCode::HeapAccessOutOfBounds | TrapCode::HeapMisaligned => CoreTrap::MemoryOutOfBounds,
        TrapCode::TableAccessOutOfBounds => CoreTrap::TableOutOfBounds,
        TrapCode::IndirectCallToNull => CoreTrap::IndirectCallToNull,
        TrapCode::BadSignature => CoreTrap::BadSignature,
        TrapCode::IntegerOverflow => CoreTrap::IntegerOverflow,
        TrapCode::IntegerDivisionByZero => CoreTrap::DivisionByZero,
        TrapCode::BadConversionToInteger => CoreTrap::BadConversion,
        // A wait for memory that was ended.
        TrapCode::HostInterrupt => CoreTrap::Interrupted,
        _ => CoreTrap::Other,
    }
}
