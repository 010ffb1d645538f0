//! Engines that can run test scripts.

use std::fmt;
use std::time::{Duration, Instant};

use super::failure::Failure;
use airssys_wasm_component::component::Val;
use airssys_wasm_component::engine::StoreLimits;

/// Result of a step on an engine.
pub type Outcome<T> = Result<T, Failure>;

/// Options of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Time for one call or instantiation; a guest that takes longer traps. Default: 10 seconds.
    pub deadline: Duration,
    /// Time for the whole session, including compilation; the rest of a script is not run after that. Default: no limit.
    pub whole: Option<Duration>,
    /// Lets components import the instance `host` that the test suites of component runtimes expect: `docs/conformance.md`
    /// lists its content.
    pub host_instance: bool,
    /// Replaces missing imports by functions that trap when called, instead of an error.
    pub missing_imports_trap: bool,
    /// Lets components use the asynchronous built-ins and options that the component model gates, on this library's backends.
    /// Default: false.
    pub gated_async: bool,
    /// Limits of one session's store, on this library's backends. Scripts create hundreds of instances in one store, so the
    /// defaults allow more memories and tables than usual, and smaller ones.
    pub limits: StoreLimits,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            deadline: Duration::from_secs(10),
            whole: None,
            host_instance: false,
            missing_imports_trap: false,
            gated_async: false,
            limits: {
                let mut limits = StoreLimits::default();
                limits.memory_bytes = 256 << 20;
                limits.memories = 2_000;
                limits.table_elements = 100_000;
                limits.tables = 2_000;
                limits
            },
        }
    }
}

impl Options {
    /// Returns the end of a session that begins now.
    pub(super) fn end(&self) -> Option<Instant> {
        self.whole.and_then(|whole| Instant::now().checked_add(whole))
    }
}

/// An engine under test.
pub trait Subject: fmt::Debug {
    /// Returns its name in tables: `cranelift`, `wasmtime`.
    fn name(&self) -> &str;

    /// Creates a session with its own store, for one script or one list of calls.
    fn session(&self, options: &Options) -> Box<dyn Session>;
}

/// A component that a [`Session`] has compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition(pub(super) usize);

/// An instance in a [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId(pub(super) usize);

/// One store of an engine, with its components and instances.
pub trait Session {
    /// Validates and compiles a component.
    ///
    /// # Errors
    /// [`FailureKind::Invalid`](super::FailureKind::Invalid), [`FailureKind::Unsupported`](super::FailureKind::Unsupported).
    fn define(&mut self, bytes: &[u8]) -> Outcome<Definition>;

    /// Creates an instance; registered instances provide its imports.
    ///
    /// # Errors
    /// [`FailureKind::Unlinkable`](super::FailureKind::Unlinkable), and traps of start functions.
    fn instantiate(&mut self, definition: Definition) -> Outcome<InstanceId>;

    /// Lets later components import the exports of `instance` as the instance `name`.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`](super::FailureKind::Unsupported) for exports that this engine cannot pass to other
    /// components.
    fn register(&mut self, name: &str, instance: InstanceId) -> Outcome<()>;

    /// Calls an exported function. `path` is its name, preceded by the names of the enclosing instances. A list also
    /// represents a list of fixed length.
    ///
    /// # Errors
    /// Traps; [`FailureKind::Host`](super::FailureKind::Host) for a function that does not exist, or has other parameter
    /// types.
    fn call(&mut self, instance: InstanceId, path: &[&str], arguments: &[Val]) -> Outcome<Option<Val>>;
}
