//! LLVM that is linked into the program.

use crate::LoadError;

/// LLVM is not a shared library here, but part of the program.
pub const IS_SHARED: bool = false;

/// Does nothing: LLVM is part of the program.
///
/// # Errors
///
/// None.
pub fn load() -> Result<(), LoadError> {
    Ok(())
}
