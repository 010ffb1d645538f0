//! LLVM that is linked into the program.

use crate::LoadError;

/// Does nothing: LLVM is part of the program.
///
/// # Errors
///
/// None.
pub fn load() -> Result<(), LoadError> {
    Ok(())
}
