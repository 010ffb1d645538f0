//! Progress of compilations, and a callback that can cancel them.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Progress of a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Core modules that are compiled.
    pub modules_done: usize,
    /// All core modules, adapters included.
    pub modules: usize,
    /// Functions of all core modules.
    pub functions: u64,
    /// Bytes of their code that are compiled.
    pub bytes_done: u64,
    /// Bytes of their code.
    pub bytes: u64,
}

type Look = dyn Fn(Progress) -> ControlFlow<()> + Send + Sync;

/// Progress callback; returning `Break` cancels the compilation.
#[derive(Clone)]
pub(crate) struct ProgressWatch(Arc<Look>);

impl ProgressWatch {
    pub(super) fn new(look: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> ProgressWatch {
        ProgressWatch(Arc::new(look))
    }

    pub(crate) fn look(&self, progress: Progress) -> ControlFlow<()> {
        (self.0)(progress)
    }
}

impl fmt::Debug for ProgressWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
