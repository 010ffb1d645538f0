//! Names of core modules and their functions, kept apart from the code: only a printed trap needs them, and the engine reads
//! those that it finds in a module each time it loads its code.

mod kept;
mod table;

#[cfg(feature = "compile")]
pub(in crate::engine) use kept::key;
pub(crate) use kept::{FrameNames, Names, SavedNames};
#[cfg(feature = "compile")]
pub(in crate::engine) use table::write;

/// Characters of a module's or function's name that are shown. Stops a guest whose functions have names of megabytes.
pub(crate) const NAME_CHARS: usize = 200;
