//! The shared library, and the table of its functions.
#![allow(
    unsafe_code,
    reason = "loads a library, and reads the addresses of its functions"
)]

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use libloading::Library;

use crate::functions::{NAMES, table};
use crate::{LIBRARY, LoadError};

/// Loads LLVM's shared library, unless it is loaded already. It stays until the process ends.
///
/// Takes some milliseconds the first time, nanoseconds from then on. Threads may call it at the same time. After an error the
/// next call tries again.
///
/// # Errors
///
/// [`LoadError`] if the library is missing, or lacks a function.
pub fn load() -> Result<(), LoadError> {
    static LOADED: Mutex<bool> = Mutex::new(false);
    // The flag is right whatever happened to a thread that held the lock.
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*loaded {
        fill(open()?)?;
        *loaded = true;
    }
    Ok(())
}

fn open() -> Result<&'static Library, LoadError> {
    // SAFETY: LLVM's library is made to be loaded by programs; what runs then are the constructors of its own data.
    let library = unsafe { Library::new(LIBRARY) }.map_err(|error| LoadError::Library(error.to_string()))?;
    // Threads of a background compilation may be in it until the process ends.
    Ok(Box::leak(Box::new(library)))
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
