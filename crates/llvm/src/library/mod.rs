//! The shared library, and the table of its functions.
#![allow(
    unsafe_code,
    reason = "loads a library, and reads the addresses of its functions"
)]

mod functions;

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use libloading::Library;

use crate::{LIBRARY, LoadError};
use functions::{NAMES, table};

/// LLVM is a shared library here, which [`load`] loads; elsewhere it is part of the program.
pub const IS_SHARED: bool = true;

/// The library, which stays until the process ends: threads of a background compilation may be in it until then.
#[derive(Debug)]
struct Opened {
    library: Library,
    /// The table has its functions.
    is_filled: bool,
}

/// Loads LLVM's shared library, unless it is loaded already. It stays until the process ends.
///
/// Takes some milliseconds the first time, nanoseconds from then on. Threads may call it at the same time. After an error the
/// next call tries again.
///
/// # Errors
///
/// [`LoadError`] if the library is missing, or lacks a function.
pub fn load() -> Result<(), LoadError> {
    static OPENED: Mutex<Option<Opened>> = Mutex::new(None);
    // What is there is right whatever happened to a thread that held the lock.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = match &mut *opened {
        Some(opened) => opened,
        none => none.insert(open()?),
    };
    if !opened.is_filled {
        fill(&opened.library)?;
        opened.is_filled = true;
    }
    Ok(())
}

fn open() -> Result<Opened, LoadError> {
    // SAFETY: LLVM's library is made to be loaded by programs; what runs then are the constructors of its own data.
    let library = unsafe { Library::new(LIBRARY) }.map_err(|error| LoadError::Library(error.to_string()))?;
    Ok(Opened {
        library,
        is_filled: false,
    })
}

fn fill(library: &Library) -> Result<(), LoadError> {
    for (name, entry) in NAMES.iter().zip(table()) {
        // SAFETY: Only the address is read; the callers declare the function's type.
        let function = unsafe { library.get::<*mut ()>(name.as_bytes()) };
        let function = function.map_err(|_| LoadError::Function(name))?;
        // Before any call: the caller of `load` has its result first.
        entry.store(*function, Ordering::Relaxed);
    }
    Ok(())
}
